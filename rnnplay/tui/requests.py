"""The questions that one engine is asked: numbered, and for each purpose only the newest has an answer to wait for."""

from __future__ import annotations

import msgspec

from rnnplay.engine.messages import Complete, Inspect, Sample
from rnnplay.text.tokenizers.preparing import common_length

Request = Complete | Sample | Inspect

LONG_PROMPT = 500
"""Shorter prompts are sent whole."""


class Requests:
    """The newest request for each purpose, and the prompt that the engine has."""

    def __init__(self) -> None:
        self._count = 0
        self._newest: dict[str, Request] = {}
        self._prompt = ""

    def number(self) -> int:
        """Returns the number of the next request."""
        self._count += 1
        return self._count

    def note(self, purpose: str, request: Request) -> None:
        """Takes `request` as the newest for `purpose`: answers to older ones are out of date."""
        self._newest[purpose] = request

    def newest(self, purpose: str) -> Request | None:
        """Returns the last request for `purpose`."""
        return self._newest.get(purpose)

    def purpose_of(self, number: int) -> str:
        """Returns the purpose of a request; "" for one that is out of date."""
        return next((purpose for purpose, newest in self._newest.items() if newest.request == number), "")

    def drop(self, purpose: str) -> None:
        """Discards the pending answer for `purpose`."""
        self._newest.pop(purpose, None)

    def shortened(self, request: Complete) -> Complete:
        """Returns `request` without what the engine has of its prompt: a long text is not sent anew at every key."""
        text = request.text
        kept = common_length(self._prompt, text) if len(text) > LONG_PROMPT else 0
        self._prompt = text
        return msgspec.structs.replace(request, text=text[kept:], kept=kept) if kept else request

    def send_whole(self) -> None:
        """Sends the next prompt whole: the engine is another one, or does not know the last."""
        self._prompt = ""
