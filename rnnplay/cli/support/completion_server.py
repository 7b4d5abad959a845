"""`rnnplay complete --serve`: answers completion requests, one line of JSON each, for editors and other programs.

The model is loaded once, so that an answer takes milliseconds. docs/commands.md documents the protocol.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec

from rnnplay.common.jsonl import UNDECODABLE, decode_line
from rnnplay.config import AdaptationConfig, CompletionConfig, SamplingConfig, with_values
from rnnplay.errors import InputError, RnnplayError
from rnnplay.inspection.adapting import adapted_prompt, keep_adapted
from rnnplay.inspection.loaded_model import LoadedModel
from rnnplay.model.generation.adaptation.adapted_prompt import AdaptedPrompt
from rnnplay.model.generation.completion import Completer
from rnnplay.model.generation.sampling import generate
from rnnplay.workspace import Workspace

LONGEST_LINE = 8 * 1024 * 1024
"""Bytes of a request; a longer one is refused."""

MOST_BARS = 1000


class Request(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A line of the input."""

    text: str
    """What to complete: the text up to the cursor."""
    id: int | str | None = None
    """Anything by which the answer is to be recognised."""
    bars: int = 8
    """How many of the most probable next tokens to return, 0 to 1,000."""
    completion: dict[str, Any] = {}
    """Settings of what is suggested; those that are left out are as on the command line."""
    adaptation: dict[str, Any] = {}
    """Settings of how the model adapts to the text, likewise."""
    keep: str | None = None
    """Also save the weights as adapted to the text as a new run of this name."""
    seconds: float | None = None
    """Read a long text for at most about so long, and else answer by its end; None: read all of it."""
    sampling: SamplingConfig | None = None
    """Also write a sample with these settings; None: no sample."""


class CompletionServer:
    """A model, and the answers that it gives."""

    def __init__(
        self, loaded: LoadedModel, workspace: Workspace, completion: CompletionConfig, adaptation: AdaptationConfig
    ) -> None:
        """`completion` and `adaptation` hold for what a request leaves out. Raises InputError as `Adapting` does."""
        self._loaded, self._workspace = loaded, workspace
        self._completion, self._adaptation = completion, adaptation
        self._prompt: AdaptedPrompt | None = None
        self._completer = self._made(adaptation)

    def _made(self, adaptation: AdaptationConfig) -> Completer:
        loaded = self._loaded
        self._prompt = adapted_prompt(loaded, adaptation)
        self._made_for = adaptation
        return Completer(loaded.model, loaded.tokenizer, adapted=self._prompt, words=loaded.words)

    def serve(self, lines: BinaryIO, write: Callable[[object], None]) -> None:
        """Answers each line of `lines` with one object, in order, until the end of it; empty lines are left out."""
        while line := lines.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
                while (rest := lines.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                    pass
                write({"id": None, "error": f"A request has at most {LONGEST_LINE:,} bytes; send less of the text."})
            elif line.strip():
                write(self.answer(line))

    def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one request; for one that is not valid `error`, one sentence that says why."""
        try:
            request: Request = decode_line(line, Request)
            if not 0 <= request.bars <= MOST_BARS:
                return {"id": request.id, "error": f"bars must be from 0 to {MOST_BARS:,}; got {request.bars:,}."}
            if request.seconds is not None and not request.seconds >= 0:
                return {"id": request.id, "error": f"seconds must be 0 or more; got {request.seconds:g}."}
            return self._answered(request)
        except UNDECODABLE as error:
            return {"id": _id(line), "error": f"This is no request: {_sentence(error, line)}"}
        except RnnplayError as error:
            return {"id": _id(line), "error": str(error)}

    def _answered(self, request: Request) -> dict[str, Any]:
        completion = with_values(self._completion, request.completion)
        adaptation = with_values(self._adaptation, request.adaptation)
        if adaptation != self._made_for:
            self._completer = self._made(adaptation)
        found = self._completer.complete(
            request.text, max(1, request.bars), completion, seconds=request.seconds, meanwhile=True
        )
        assert found is not None  # in the meantime there is the end
        likely = [{"token": token, "probability": probability} for token, probability in found.next[: request.bars]]
        answer: dict[str, Any] = {
            "id": request.id,
            "suggestion": found.suggestion,
            "phrase": found.phrase,
            "words": [msgspec.to_builtins(word) for word in found.words],
            "next": likely,
            "unknown": found.unknown,
            "step": self._loaded.step,
        }
        if found.read < 1:
            answer["read"] = found.read
        if found.learned is not None:
            answer["learned"] = msgspec.to_builtins(found.learned)
        if request.keep is not None:
            if self._prompt is None:
                raise InputError("keep saves the weights that dynamic evaluation adapts; turn dynamic on.")
            if found.read < 1:
                raise InputError("keep needs the whole text to be read; leave seconds out.")
            folder, loss = keep_adapted(self._loaded, self._prompt, request.keep, self._workspace)
            answer["kept"] = {"run": folder.name, "validation_loss": loss}
        if request.sampling is not None:
            sampling = request.sampling.seeded
            answer["sample"] = "".join(generate(self._loaded.model, self._loaded.tokenizer, request.text, sampling))
            answer["seed"] = sampling.seed
        return answer


def _id(line: bytes) -> int | str | None:
    """The id of a request that is not valid, so that the other program knows which one it was."""
    try:
        # Python's own reads what msgspec refuses whole, such as the half of a surrogate pair that an editor sent.
        found = json.loads(line)["id"]
        found.encode() if isinstance(found, str) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def _sentence(error: Exception, line: bytes) -> str:
    if isinstance(error, RecursionError):
        return "It is nested too deeply."
    if isinstance(error, UnicodeDecodeError):
        return "It is not UTF-8."
    if "surrogate" in str(error) or ("truncated" in str(error) and re.search(rb"\\u[dD][89abAB]", line)):
        return "It has one half of a surrogate pair, which is no character."
    return str(error).replace("`", "").rstrip(".") + "."
