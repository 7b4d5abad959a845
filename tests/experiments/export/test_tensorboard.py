"""TensorBoard's own reader finds what was recorded in the event files."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rnnplay.errors import InputError
from rnnplay.experiments.export.export import export
from rnnplay.experiments.export.request import Export
from rnnplay.experiments.export.tensorboard_events import TAGS, VALIDATION_TAGS, LiveEvents
from rnnplay.runs.metrics.records import Rollback, Started
from rnnplay.workspace import Workspace
from tests.experiments.export.made_runs import make_run, step, validation


def read(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def scalars(found: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(one.step, one.value) for one in found.Scalars(tag)]


def test_an_export_has_scalars_texts_and_hyperparameters(workspace: Workspace, tmp_path: Path) -> None:
    done = export(Export([make_run(workspace), make_run(workspace, "other")], "tensorboard", tmp_path / "tb"))
    assert {path.parent for path in done.files} == {tmp_path / "tb" / "run", tmp_path / "tb" / "other"}
    found = read(tmp_path / "tb" / "run")
    assert set(found.scalars.Keys()) == {*TAGS, *VALIDATION_TAGS}
    assert scalars(found, "loss/training") == [(1, 2.0), (2, 2.0), (3, 1.75)]
    assert scalars(found, "gradient_norm/before_clipping") == [(1, 0.5), (2, 3.0), (3, 0.5)]
    assert scalars(found, "loss/validation") == [(2, 1.5), (3, 1.25)]
    events = [one.tensor_proto.string_val[0].decode() for one in found.Tensors("events")]
    assert events == ["lr set to 0.005", "length"]
    assert {"settings", "_hparams_/experiment", "_hparams_/session_start_info"} <= set(found.tensors.Keys())
    times = [one.wall_time for one in found.Scalars("loss/training")]
    assert times == sorted(times) and times[1] - times[0] == pytest.approx(0.5)  # 100 tokens at 200 a second


def test_event_files_of_others_are_neither_replaced_nor_mixed_with(workspace: Workspace, tmp_path: Path) -> None:
    run, folder = make_run(workspace), tmp_path / "tb"
    export(Export([run], "tensorboard", folder))
    with pytest.raises(InputError, match="exists already"):
        export(Export([run], "tensorboard", folder))
    export(Export([run], "tensorboard", folder, force=True))
    (folder / "run" / "events.out.tfevents.1.host.2").write_bytes(b"")
    with pytest.raises(InputError, match=r"tfevents\.1\.host\.2 exists already"):
        export(Export([run], "tensorboard", folder, force=True))


def test_what_a_rollback_undoes_in_training_is_forgotten_by_the_reader(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnplay.experiments.export.tensorboard_events.STEP_SECONDS", 0.0)
    config = make_run(workspace).info().config
    live = LiveEvents(tmp_path, "run", config)
    live.record(Started(run="run", parameters=1, vocabulary=2, device="cpu"))
    for record in (step(1), step(2), step(3, loss=9.0), validation(3)):
        live.record(record)
    live.record(Rollback(step=3, to=1, cause="by hand", remedy="none"))
    live.record(step(2, loss=1.0))
    live.close()
    found = read(tmp_path / "run")
    assert scalars(found, "loss/training") == [(1, 2.0), (2, 1.0)]
    assert scalars(found, "loss/validation") == []


def test_a_full_disk_ends_the_events_and_is_said_not_raised(workspace: Workspace, tmp_path: Path) -> None:
    live = LiveEvents(tmp_path, "run", make_run(workspace).info().config)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    live._events.record = refuse  # type: ignore[method-assign, assignment]
    live.record(validation(1))
    assert live.problem is not None and live.problem.errno == errno.ENOSPC
    live.record(validation(2))
    live.close()
