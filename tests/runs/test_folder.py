"""What stands on disk is whole or not seen, is read quickly, and nothing in a name leads elsewhere."""

from __future__ import annotations

import errno
import math
import os
import shutil
import time
from pathlib import Path

import msgspec
import pytest

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.runs.folder import (
    RunFolder,
    RunInfo,
    check_run_name,
    find_run,
    list_runs,
)
from rnnplay.runs.management.trash import remove_run
from rnnplay.runs.metrics.metrics_log import MetricsLog, encode_lines
from rnnplay.runs.metrics.records import Checkpoint, Finished, Record, Step, Tuned, Validation
from rnnplay.text.tokenizers.build import build_tokenizer
from rnnplay.workspace import Workspace


def step(number: int, loss: float = 1.5) -> Step:
    return Step(
        step=number,
        loss=loss,
        grad_norm=2.0,
        grad_norm_clipped=1.0,
        clipped=True,
        lr=0.01,
        tokens=10 * number,
        tokens_per_second=1000.0,
    )


def info(name: str) -> RunInfo:
    return RunInfo(
        run=name,
        config=RunConfig(),
        corpus_sha256="0" * 64,
        rnnplay="0.1.0",
        torch="2.6",
        created="2025-01-01T00:00:00+00:00",
        parameters=1,
        vocabulary=4,
    )


def make_run(workspace: Workspace, name: str) -> RunFolder:
    folder = RunFolder(workspace.checkpoints / name)
    folder.create(info(name), build_tokenizer(["abc"], "char"))
    return folder


@pytest.fixture
def log(tmp_path: Path) -> MetricsLog:
    return MetricsLog(tmp_path / "metrics.jsonl")


def test_records_come_back_as_they_were(log: MetricsLog) -> None:
    records: list[Record] = [
        step(1),
        step(2, math.inf),
        Validation(step=2, loss=1.0, perplexity=math.e, bits_per_character=1.44, best=True),
        Tuned(step=2, knob="clip", value="off"),
        Tuned(step=2, knob="lr", value=0.5),
        Checkpoint(step=2, path="step-000000002"),
        Finished(step=2, reason="length"),
    ]
    log.append(records)
    log.flush()
    assert list(log.read()) == records


def test_not_finite_numbers_come_back(log: MetricsLog) -> None:
    log.append([step(1, math.nan), step(2, -math.inf)])
    log.flush()
    losses = [record.loss for record in log.read() if isinstance(record, Step)]
    assert math.isnan(losses[0]) and losses[1] == -math.inf
    assert b'"loss":"nan"' in log.path.read_bytes()


def test_a_record_waits_at_most_a_second_for_the_next(tmp_path: Path) -> None:
    now = [0.0]
    log = MetricsLog(tmp_path / "metrics.jsonl", lambda: now[0])
    log.append([step(1)])
    assert not log.path.exists(), "buffered"
    now[0] = 1.0
    log.append([step(2)])
    assert list(log.read()) == [step(1), step(2)]


def test_a_torn_last_line_is_left_out_and_a_broken_one_named(log: MetricsLog) -> None:
    log.path.write_bytes(encode_lines([step(1), step(2)]) + b'{"type":"step","st')
    assert list(log.read()) == [step(1), step(2)]
    log.path.write_bytes(encode_lines([step(1)]) + b"\x00\xff\n" + encode_lines([step(2)]))
    with pytest.raises(InputError, match="line 2"):
        list(log.read())


def test_cutting_by_size_is_exact_within_a_step(log: MetricsLog) -> None:
    log.append([step(1), Tuned(step=1, knob="lr", value=0.5)])
    size = log.flush()
    log.append([Checkpoint(step=1, path="a"), Tuned(step=1, knob="lr", value=0.7), step(2)])
    log.flush()
    log.append([step(3)])
    log.cut(1, size)
    log.flush()
    assert list(log.read()) == [step(1), Tuned(step=1, knob="lr", value=0.5)]


@pytest.mark.parametrize("size", [None, 10**6, 7])
def test_cutting_without_the_right_size_goes_by_the_step(log: MetricsLog, size: int | None) -> None:
    log.path.write_bytes(encode_lines([step(1), step(2), Finished(step=2, reason="length"), step(3)]) + b'{"torn')
    log.cut(2, size)
    assert list(log.read()) == [step(1), step(2)]
    log.append([step(3)])
    log.flush()
    assert list(log.read()) == [step(1), step(2), step(3)]


def test_a_million_lines_are_read_in_seconds(log: MetricsLog) -> None:
    log.path.write_bytes(encode_lines([step(number) for number in range(1000)]) * 200)
    start = time.process_time()
    assert sum(1 for _ in log.read()) == 200_000
    assert time.process_time() - start < 2


def test_a_run_is_there_with_run_json(workspace: Workspace) -> None:
    folder = make_run(workspace, "one")
    assert folder.info() == info("one") and folder.tokenizer().decode([1, 2]) == "ab"
    (workspace.checkpoints / "notes").mkdir()
    assert [run.name for run in list_runs(workspace)] == ["one"]
    assert find_run("one", workspace).path == folder.path


def test_a_folder_with_only_the_engines_log_can_become_a_run(workspace: Workspace) -> None:
    folder = RunFolder(workspace.checkpoints / "one")
    folder.path.mkdir()
    folder.log_path.write_text("hello")
    assert make_run(workspace, "one").info().run == "one"


def test_an_existing_run_is_not_overwritten(workspace: Workspace) -> None:
    make_run(workspace, "one")
    with pytest.raises(InputError, match="'one' already"):
        make_run(workspace, "one")


@pytest.mark.parametrize("left", ["step-000000020", "metrics.jsonl"])
def test_a_run_that_lost_its_run_json_is_named_kept_and_can_be_removed(left: str, workspace: Workspace) -> None:
    folder = make_run(workspace, "one")
    (folder.path / "run.json").unlink()
    assert not list_runs(workspace), "a start that was cut off is no run"
    if left == "metrics.jsonl":
        folder.log.append([step(1)])
        folder.log.flush()
    else:
        (folder.path / left).mkdir()
    assert [run.name for run in list_runs(workspace)] == ["one"]
    with pytest.raises(InputError, match=r"one/run\.json is missing; restore it"):
        find_run("one", workspace).info()
    with pytest.raises(InputError, match="'one' already"):
        make_run(workspace, "one")
    remove_run(folder)
    assert not folder.path.exists()


def test_a_missing_run_is_told_with_those_that_exist(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="train one first"):
        find_run("other", workspace)
    for name in ("one", "two"):
        make_run(workspace, name)
    with pytest.raises(InputError, match="the runs are one, two"):
        find_run("other", workspace)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "/etc", "-x", ".hidden", "a b", "a\x1b[2J", "x" * 81, "a\n"]
)
def test_a_name_is_never_a_path(name: str, workspace: Workspace) -> None:
    with pytest.raises(InputError):
        check_run_name(name)
    with pytest.raises(InputError):
        find_run(name, workspace)


def test_a_later_format_is_refused_kindly(workspace: Workspace) -> None:
    folder = make_run(workspace, "one")
    later = msgspec.to_builtins(info("one")) | {"format": 3, "new": {}}
    (folder.path / "run.json").write_bytes(msgspec.json.encode(later))
    with pytest.raises(InputError, match=r"later rnnplay \(format 3, here 2\); update"):
        folder.info()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        b"null",
        b"{" * 5000,
        b"[" * 5000,
        b'{"format": 1}',
        b'{"format": -1}',
        b'{"format": "x"}',
    ],
)
def test_a_broken_run_json_is_one_sentence(data: bytes, workspace: Workspace) -> None:
    folder = make_run(workspace, "one")
    (folder.path / "run.json").write_bytes(data)
    with pytest.raises(InputError) as caught:
        folder.info()
    assert str(folder.path / "run.json") in str(caught.value) and "\n" not in str(caught.value)


def test_a_config_out_of_its_limits_is_refused(workspace: Workspace) -> None:
    folder = make_run(workspace, "one")
    data = msgspec.to_builtins(info("one"))
    data["config"]["hidden"] = 10**9
    (folder.path / "run.json").write_bytes(msgspec.json.encode(data))
    with pytest.raises(InputError, match="hidden must be a whole number from 1 to 16,384; got 1000000000"):
        folder.info()


def test_a_run_json_of_absurd_size_is_not_read(workspace: Workspace) -> None:
    folder = make_run(workspace, "one")
    with (folder.path / "run.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="larger than"):
        folder.info()


def test_removing_takes_the_run_and_nothing_else(workspace: Workspace) -> None:
    folder, other = make_run(workspace, "one"), make_run(workspace, "two")
    remove_run(folder)
    assert not folder.path.exists() and other.info().run == "two"
    assert [path.name for path in workspace.checkpoints.iterdir()] == ["two"]
    with pytest.raises(InputError):
        remove_run(RunFolder(workspace.corpora))
    assert workspace.corpora.is_dir()


def test_removing_does_not_follow_a_link_out_of_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    folder = make_run(workspace, "one")
    moved = folder.path.rename(tmp_path / "elsewhere")
    folder.path.symlink_to(moved)
    with pytest.raises(InputError):
        remove_run(folder)
    assert (moved / "run.json").exists()


def test_what_may_not_be_removed_is_said_and_is_still_a_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(workspace, "one")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(
            InputError, match=r"'one' cannot be removed \(Read-only file system: .*\); allow writing there"
        ):
            remove_run(folder)
    assert folder.info().run == "one"
    folder.claim().release()

    def refuse_all(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            refuse()

    monkeypatch.setattr(shutil, "rmtree", refuse_all)
    with pytest.raises(InputError, match=r"but not all of its files are .* delete .*\.one\.removed by hand"):
        remove_run(folder)
    assert not list_runs(workspace)


def test_a_start_that_failed_leaves_no_folder_but_keeps_what_was_logged(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.claim().release()
    folder.log_path.touch()
    folder.forget_start()
    assert not folder.path.exists()
    folder.claim().release()
    folder.log_path.write_text("Segmentation fault", encoding="utf-8")
    folder.forget_start()
    assert {path.name for path in folder.path.iterdir()} == {"run.lock", "engine.log"}
