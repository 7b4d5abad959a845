"""Which beginning of a prompt an engine already has, so that a long text is not sent anew at every key."""

from __future__ import annotations

import msgspec

from rnnplay.engine.messages import Complete
from rnnplay.text.tokenizers.preparing import common_length

LONG_PROMPT = 500
"""Shorter prompts are sent whole."""


class SentPrompt:
    """The prompt of the last Complete that one engine was sent."""

    def __init__(self) -> None:
        self._text = ""

    def forget(self) -> None:
        """Sends the next prompt whole: the engine is another one, or does not know the last."""
        self._text = ""

    def shortened(self, request: Complete) -> Complete:
        """Returns the request without what the engine already has of the prompt."""
        text = request.text
        kept = common_length(self._text, text) if len(text) > LONG_PROMPT else 0
        self._text = text
        return msgspec.structs.replace(request, text=text[kept:], kept=kept) if kept else request
