"""`rnnplay complete --serve`: each request is answered in order, and no line ends the server but the last one."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import torch

from rnnplay.cli.support import completion_server
from rnnplay.cli.support.completion_server import CompletionServer
from rnnplay.config import RunConfig
from rnnplay.model.generation.completion import complete
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import build_tokenizer


@pytest.fixture(scope="module")
def server() -> CompletionServer:
    torch.manual_seed(1)
    tokenizer = build_tokenizer(["Once upon a time there was a cat.\n"], "char")
    return CompletionServer(LanguageModel(RunConfig(embedding=8, hidden=8), tokenizer.size), tokenizer, 12)


def answers(server: CompletionServer, *lines: bytes | dict[str, Any]) -> list[Any]:
    raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    found: list[Any] = []
    server.serve(io.BytesIO(raw), found.append)
    return found


def test_an_answer_is_what_complete_says(server: CompletionServer) -> None:
    (answer,) = answers(server, {"id": "a", "text": "Once upon", "bars": 3})
    found = complete(server._model, server._tokenizer, "Once upon", 3)
    assert (answer["id"], answer["suggestion"], answer["step"]) == ("a", found.suggestion, 12)
    assert [(one["token"], one["probability"]) for one in answer["next"]] == found.next


def test_a_sample_is_written_where_settings_are_given(server: CompletionServer) -> None:
    request = {"text": "Once", "bars": 0, "sampling": {"length": 5, "seed": 3}}
    one, another = answers(server, request, request)
    assert len(one["sample"]) == 5 and one["next"] == []
    assert one == another


@pytest.mark.parametrize(
    ("line", "id_", "told"),
    [
        (b"{", None, "This is no request: "),
        (b"[1]", None, "This is no request: Expected object, got array."),
        (b'{"id": 3}', 3, "This is no request: Object missing required field text."),
        (b'{"id": 3, "text": 4}', 3, "got int - at $.text."),
        (b'{"id": 3, "text": "a", "typo": 1}', 3, "typo"),
        (b'{"id": 3, "text": "a", "bars": -1}', 3, "bars must be from 0 to 1,000; got -1."),
        (b'{"id": 3, "text": "a", "sampling": {"top_p": 7}}', 3, "top_p must be a number above 0, at most 1; got 7."),
        (b'{"text": "\xff"}', None, "This is no request: "),
        (b'{"text": "half of a character: \\ud83d"}', None, "This is no request: "),
        (b"[" * 5000, None, "This is no request: "),
    ],
)
def test_a_line_that_is_no_request_is_answered_with_an_error(
    server: CompletionServer, line: bytes, id_: int | None, told: str
) -> None:
    refused, answer = answers(server, line, {"id": 9, "text": "Once"})
    assert refused["id"] == id_
    assert told in refused["error"]
    assert refused["error"].endswith(".") and "\n" not in refused["error"]
    assert answer["id"] == 9 and "error" not in answer


def test_a_line_that_is_too_long_is_refused_whole(server: CompletionServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion_server, "LONGEST_LINE", 64)
    refused, answer = answers(server, {"id": 1, "text": "x" * 500}, b"", {"id": 2, "text": "On"})
    assert "64 bytes" in refused["error"]
    assert answer["id"] == 2
