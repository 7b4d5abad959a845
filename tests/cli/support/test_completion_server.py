"""`rnnplay complete --serve`: each request is answered in order, and no line ends the server but the last one."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from rnnplay.cli.support import completion_server
from rnnplay.cli.support.completion_server import CompletionServer
from rnnplay.config import AdaptationConfig, CompletionConfig
from rnnplay.inspection.loaded_model import SavedRun
from rnnplay.model.generation.completion import complete
from rnnplay.runs.folder import RunFolder
from tests.training.world import World, run_to_end


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    world = World(tmp_path_factory.mktemp("world"))
    run_to_end(world.trainer(world.config()))
    world.kill()
    return SavedRun(world.folder(), "latest", world.workspace)


@pytest.fixture
def server(loaded: SavedRun) -> CompletionServer:
    return CompletionServer(loaded, loaded._workspace, CompletionConfig(), AdaptationConfig())


def answers(server: CompletionServer, *lines: bytes | dict[str, Any]) -> list[Any]:
    raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    found: list[Any] = []
    server.serve(io.BytesIO(raw), found.append)
    return found


def test_an_answer_is_what_complete_says(server: CompletionServer, loaded: SavedRun) -> None:
    (answer,) = answers(server, {"id": "a", "text": "Ann li", "bars": 3})
    found = complete(loaded.model, loaded.tokenizer, "Ann li", 3)
    assert (answer["id"], answer["step"]) == ("a", 20)
    assert set(answer) == {"id", "suggestion", "phrase", "words", "next", "unknown", "step"}
    assert [(one["token"], one["probability"]) for one in answer["next"]] == found.next


def test_a_sample_is_written_where_settings_are_given(server: CompletionServer) -> None:
    request = {"text": "Once", "bars": 0, "sampling": {"length": 5, "seed": 3}}
    one, another = answers(server, request, request)
    assert len(one["sample"]) == 5 and one["next"] == []
    assert one == another and one["seed"] == 3


def test_a_sample_of_a_random_seed_says_which(server: CompletionServer) -> None:
    request = {"text": "Once", "bars": 0, "sampling": {"length": 30}}
    (one,) = answers(server, request)
    (again,) = answers(server, {**request, "sampling": {"length": 30, "seed": one["seed"]}})
    assert one["seed"] and again["sample"] == one["sample"]


@pytest.mark.parametrize(
    ("line", "id_", "told"),
    [
        (b"{", None, "This is no request: "),
        (b"[1]", None, "This is no request: Expected object, got array."),
        (b'{"id": 3}', 3, "This is no request: Object missing required field text."),
        (b'{"id": 3, "text": 4}', 3, "got int - at $.text."),
        (b'{"id": 3, "text": "a", "completion": {"floor": -1}}', 3, "floor must be a number from 0 to 100; got -1."),
        (b'{"id": 3, "text": "a", "adaptation": {"dinamic": true}}', 3, "Unknown knob 'dinamic'"),
        (b'{"id": 3, "text": "a", "keep": "b"}', 3, "turn dynamic on"),
        (b'{"id": 3, "text": "a", "typo": 1}', 3, "typo"),
        (b'{"id": 3, "text": "a", "bars": -1}', 3, "bars must be from 0 to 1,000; got -1."),
        (b'{"id": 3, "text": "a", "sampling": {"top_p": 7}}', 3, "top_p must be a number above 0, at most 1; got 7."),
        (b'{"text": "\xff"}', None, "This is no request: "),
        (b'{"id": 3, "text": "half of a character: \\ud83d"}', 3, "It has one half of a surrogate pair"),
        (b'{"id": "\\ud83d", "text": "a"}', None, "It has one half of a surrogate pair"),
        (b'{"id": true, "text": "a"}', None, "got bool"),
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


def test_a_request_may_have_settings_of_its_own(server: CompletionServer) -> None:
    few, many = answers(server, {"text": "Ann ", "completion": {"words": 1, "floor": 0}}, {"text": "Ann "})
    assert len(few["words"]) == 1 < len(many["words"])


def test_the_model_adapts_to_the_text_of_a_request_and_is_kept_where_that_is_asked(
    server: CompletionServer, loaded: SavedRun
) -> None:
    text = "Bob sees Bob.\n" * 12
    request = {"text": text, "adaptation": {"dynamic": True, "dynamic_lr": 0.01}}
    before = {name: weight.clone() for name, weight in loaded.model.weights().items()}
    kept_as = ({**request, "keep": name} for name in ("bob", "bob", "../bob"))
    plain, adapted, kept, taken, outside = answers(server, {"text": text}, request, *kept_as)
    assert outside["error"].startswith("A run cannot be called '../bob'")
    assert "learned" not in plain
    assert adapted["learned"]["tokens"] == adapted["learned"]["of"] == 160
    assert adapted["learned"]["after"] < adapted["learned"]["before"]
    assert adapted["next"] != plain["next"]
    assert all(weight.equal(before[name]) for name, weight in loaded.model.weights().items()), "the run's own"
    run = RunFolder(loaded._workspace.checkpoints / kept["kept"]["run"])
    assert run.info().parent.name == "run@20"  # type: ignore[union-attr]
    assert run.checkpoint().loss == kept["kept"]["validation_loss"]
    again = SavedRun(run, "latest", loaded._workspace).model.weights()
    assert any(not weight.equal(before[name]) for name, weight in again.items())
    assert "There is a run 'bob' already" in taken["error"]


def test_where_time_is_short_a_long_text_is_answered_by_its_end(server: CompletionServer) -> None:
    text = "Bob sees Bob.\n" * 200
    request = {"text": text, "seconds": 0}
    first, *rest = answers(server, *[request] * 60)
    assert 0 < first["read"] < 1 and first["next"]
    assert "read" not in rest[-1]  # each request goes on where the one before stopped
    (whole,) = answers(server, {"text": text})
    assert whole == rest[-1]
    (refused,) = answers(server, {"text": text, "seconds": -1})
    assert refused["error"] == "seconds must be 0 or more; got -1."


def test_a_run_is_kept_only_of_a_text_that_was_read_whole(server: CompletionServer, loaded: SavedRun) -> None:
    request = {"text": "Bob sees Bob.\n" * 200, "adaptation": {"dynamic": True}, "seconds": 0, "keep": "half"}
    (answer,) = answers(server, request)
    assert answer["error"] == "keep needs the whole text to be read; leave seconds out."
    assert not (loaded._workspace.checkpoints / "half").exists()
