"""A race that was stopped is found again by the names of its runs, whatever is said of it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError, FinishedError, InputError
from rnnplay.experiments import resumption
from rnnplay.experiments.fairness import matched
from rnnplay.experiments.race import Race
from rnnplay.experiments.race_names import run_names
from rnnplay.experiments.race_plan import plan_race
from rnnplay.experiments.resumption import StoppedRace, find_stopped, held, known_as
from rnnplay.experiments.sharing import Reached
from rnnplay.experiments.standings import Progress
from rnnplay.experiments.sweep.storage import JOURNAL
from rnnplay.experiments.sweep.studies import studies_folder
from rnnplay.experiments.variants import Variant, ready, vary
from rnnplay.runs.checkpoint_state import Ending, TrainingState
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo
from rnnplay.runs.lock import RunLock
from rnnplay.runs.management.notes import NO_NOTES, write_notes
from rnnplay.runs.metrics.records import Rollback, Tuned, Validation
from rnnplay.text.tokenizers.build import build_tokenizer
from rnnplay.workspace import Workspace

SETUP = RunConfig(hidden=16, embedding=8, steps=100)
STATE = msgspec.convert(
    {
        "format": 2,
        "step": 100,
        "tokens": 10_000,
        "seconds": 20.0,
        "epoch": 0.1,
        "created": 0.0,
        "feed": {},
        "gains": {},
        "live": {},
        "device": "cpu",
        "precision": "float32",
        "threads": 1,
        "metrics_bytes": 0,
        "sha256": {},
    },
    TrainingState,
)
INFO = RunInfo(
    run="run",
    config=SETUP,
    corpus_sha256="",
    rnnplay="",
    torch="",
    created="",
    parameters=7,
    vocabulary=4,
)


def stop(workspace: Workspace, variants: list[Variant], repeats: int = 1, keep: int = 9) -> None:
    """Leaves the runs of a race behind, without checkpoints; of the last seed only `keep`."""
    plan = plan_race(SETUP, variants, cores=2, repeats=repeats)
    for number, (race, names) in enumerate(zip(plan.races(), run_names(plan.races(), ()), strict=True), 1):
        for variant, name in list(zip(race, names, strict=True))[: keep if number == repeats else None]:
            info = RunInfo(
                run=name,
                config=variant.config,
                corpus_sha256="0" * 64,
                rnnplay="0.1.0",
                torch="2.6",
                created="2025-01-01T00:00:00+00:00",
                parameters=1,
                vocabulary=4,
            )
            RunFolder(workspace.checkpoints / name).create(info, build_tokenizer(["abc"], "char"))


def lower(workspace: Workspace, run: str, lr: float) -> None:
    """Leaves what a rollback that lowers the learning rate leaves."""
    folder = RunFolder(workspace.checkpoints / run)
    info = folder.info()
    folder.write_info(msgspec.structs.replace(info, config=msgspec.structs.replace(info.config, lr=lr)))
    folder.log.path.write_bytes(msgspec.json.encode(Tuned(step=0, knob="lr", value=lr)) + b"\n")


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> Progress:
    """What every run has done, whatever is on disk."""
    done = Progress()

    def of(folder: RunFolder, before: RunConfig, config: RunConfig) -> Progress:
        made = Progress()
        made.ended = "" if config.steps > before.steps else done.ended
        return made

    monkeypatch.setattr(resumption, "progress_of", of)
    monkeypatch.setattr(RunFolder, "checkpoints", lambda self: [self.path])
    return done


def found(workspace: Workspace, **changes: Any) -> StoppedRace:
    return find_stopped("race-01", workspace, changes)


@pytest.mark.usefixtures("progress")
def test_variants_have_their_labels_again(workspace: Workspace) -> None:
    stop(workspace, ready("clip", SETUP))
    stopped = found(workspace)
    assert stopped.runs == [["race-01-clip-0.25", "race-01-clip-1", "race-01-clip-5", "race-01-clip-off"]]
    assert [variant.label for variant in stopped.variants[0]] == ["clip 0.25", "clip 1", "clip 5", "clip off"]
    plan = plan_race(SETUP, stopped.variants[0], cores=2)
    race = Race(plan, stopped.variants[0], stopped.runs[0])
    ended = Progress()
    ended.ended = "length"
    race.take_up(race.entries[0], ended)
    race.take_up(race.entries[1], Progress())
    assert [entry.over for entry in race.entries[:2]] == [True, False] and race.entries[1].resume


@pytest.mark.usefixtures("progress")
def test_sizes_that_were_matched_are_not_in_the_labels(workspace: Workspace) -> None:
    stop(workspace, matched(ready("cells", SETUP), SETUP, lambda _: 50))
    assert sorted(variant.label for variant in found(workspace).variants[0]) == ["GRU", "LSTM", "RNN"]
    stop(workspace, vary(SETUP, {"hidden": [8, 16]}))


@pytest.mark.usefixtures("progress")
def test_sizes_that_were_varied_are(workspace: Workspace) -> None:
    stop(workspace, vary(SETUP, {"hidden": [8, 16]}))
    assert sorted(variant.label for variant in found(workspace).variants[0]) == ["hidden 16", "hidden 8"]


@pytest.mark.usefixtures("progress")
def test_seeds_are_told_apart_also_if_not_all_have_begun(workspace: Workspace) -> None:
    stop(workspace, ready("cells", SETUP), repeats=2, keep=2)
    stopped = found(workspace)
    assert [len(race) for race in stopped.runs] == [3, 2]
    assert [variant.config.seed for race in stopped.variants for variant in race] == [1, 1, 1, 2, 2]
    assert {variant.label for variant in stopped.variants[1]} == {"RNN", "GRU"}


@pytest.mark.usefixtures("progress")
def test_a_rate_that_a_rollback_lowered_changes_no_label(workspace: Workspace) -> None:
    stop(workspace, ready("cells", SETUP), repeats=2)
    lower(workspace, "race-01-rnn", 0.001)
    lower(workspace, "race-01-rnn-seed-2", 0.0005)
    stopped = found(workspace)
    for race in stopped.variants:
        assert sorted(variant.label for variant in race) == ["GRU", "LSTM", "RNN"]


@pytest.mark.usefixtures("progress")
def test_where_the_rate_was_varied_labels_are_taken_from_names(workspace: Workspace) -> None:
    stop(workspace, vary(SETUP, {"lr": [0.1, 0.2, 0.4]}), repeats=2)
    lower(workspace, "race-01-lr-0.4", 0.1)
    for race in found(workspace).variants:
        assert [variant.label for variant in race] == ["lr 0.1", "lr 0.2", "lr 0.4"]


@pytest.mark.usefixtures("progress")
@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ({"lr": [0.001, 1000.0]}, ["lr 0.001", "lr 1000"]),
        ({"cell": ["gru", "lstm"], "lr": [0.1]}, ["GRU", "LSTM"]),
        (
            {"cell": ["gru", "lstm"], "lr": [0.1, 0.2]},
            [f"cell={c} lr={lr}" for c in ("gru", "lstm") for lr in (0.1, 0.2)],
        ),
        ({"clip_threshold": [0.25, 5.0]}, ["clip 0.25", "clip 5"]),
    ],
)
def test_a_label_is_readable_also_when_what_was_varied_was_changed_by_hand(
    workspace: Workspace, values: dict[str, Any], labels: list[str]
) -> None:
    variants = vary(SETUP, values)
    stop(workspace, variants)
    for name in run_names([variants], ())[0]:
        folder = RunFolder(workspace.checkpoints / name)
        tuned = [Tuned(step=0, knob=knob, value=0.5) for knob in values if knob != "cell"]
        info = folder.info()
        config = msgspec.structs.replace(info.config, **{one.knob: one.value for one in tuned})
        folder.write_info(msgspec.structs.replace(info, config=config))
        folder.log.path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in tuned))
    assert [variant.label for variant in found(workspace).variants[0]] == labels


@pytest.mark.usefixtures("progress")
def test_a_length_that_not_all_took_is_neither_what_varies_nor_in_the_labels(workspace: Workspace) -> None:
    """One that has ended keeps its length when the others get a shorter one; the race goes on all the same."""
    stop(workspace, ready("cells", SETUP))
    folder = RunFolder(workspace.checkpoints / "race-01-lstm")
    info = folder.info()
    folder.write_info(msgspec.structs.replace(info, config=msgspec.structs.replace(info.config, steps=0, minutes=5.0)))
    stopped = found(workspace, steps=260, minutes=0.0)
    assert sorted(variant.label for variant in stopped.variants[0]) == ["GRU", "LSTM", "RNN"]
    assert {variant.config.steps for variant in stopped.variants[0]} == {260}


@pytest.mark.usefixtures("progress")
def test_a_race_of_which_one_run_is_left(workspace: Workspace) -> None:
    stop(workspace, ready("cells", SETUP), keep=1)
    with pytest.raises(InputError, match="the race race-01 only race-01-"):
        found(workspace)


@pytest.mark.usefixtures("progress")
def test_a_race_of_seeds_is_one_race(workspace: Workspace) -> None:
    stop(workspace, vary(SETUP, {"seed": [1, 2, 3]}))
    assert [variant.label for variant in found(workspace).variants[0]] == ["seed 1", "seed 2", "seed 3"]


def test_changes_are_checked_for_all(workspace: Workspace, progress: Progress) -> None:
    stop(workspace, ready("rates", SETUP))
    assert {variant.config.clip_threshold for variant in found(workspace, clip_threshold=0.5).variants[0]} == {0.5}
    with pytest.raises(ConfigError, match="lr is what varies in race-01"):
        found(workspace, lr=0.5)
    with pytest.raises(ConfigError, match="hidden is 9, but the run 'race-01-lr-"):
        found(workspace, hidden=9)
    progress.ended = "length"
    with pytest.raises(FinishedError, match="have ended; to go on, give them more steps") as refused:
        found(workspace)
    assert refused.value.longer == {"steps": 200}
    for steps in (100, 60):
        with pytest.raises(FinishedError, match="more steps") as refused:
            found(workspace, steps=steps)
        assert refused.value.longer == {"steps": 200}
    assert len(found(workspace, steps=200).runs[0]) == 3


def test_a_race_that_is_not_there_is_named_with_those_that_are(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="there is no race at all"):
        found(workspace)
    for run in ("race-02-lstm", "race-02-rnn", "tales-lstm-256-01"):
        (workspace.checkpoints / run).mkdir()
    with pytest.raises(InputError, match="the races are race-02"):
        found(workspace)


def test_progress_is_that_of_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validations after it are trained again; their times follow from their steps."""
    folder = RunFolder(tmp_path)
    state = STATE
    records = [
        *(Validation(step=step, loss=1 / step, perplexity=1.0, bits_per_character=1.0) for step in (40, 80)),
        Rollback(step=90, to=60, cause="by hand", remedy="none", count=2),
        *(Validation(step=step, loss=1 / step, perplexity=1.0, bits_per_character=1.0) for step in (100, 120)),
    ]
    monkeypatch.setattr(resumption, "read_state", lambda path: state)
    monkeypatch.setattr(RunFolder, "checkpoint", lambda self, which: self)
    monkeypatch.setattr(RunFolder, "info", lambda self: INFO)
    monkeypatch.setattr("rnnplay.runs.metrics.thinned.ThinnedLog.read", lambda self: iter(records))
    progress = resumption.progress_of(folder, SETUP, msgspec.structs.replace(SETUP, steps=200))
    assert [one.at for one in progress.validations] == [Reached(40, 4_000, 8.0), Reached(100, 10_000, 20.0)]
    assert (progress.reached, progress.rollbacks, progress.ended) == (Reached(100, 10_000, 20.0), 2, "")


def test_what_goes_on_and_what_has_ended_is_told_as_the_engine_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that is told to resume a run past its length refuses, and the variant would be called failed."""
    state = msgspec.structs.replace(STATE, step=60)
    monkeypatch.setattr(resumption, "read_state", lambda path: state)
    monkeypatch.setattr(RunFolder, "checkpoint", lambda self, which: self)
    monkeypatch.setattr(RunFolder, "info", lambda self: INFO)
    folder = RunFolder(tmp_path)

    def ending(finished: Ending = "", **changes: Any) -> str:
        nonlocal state
        state = msgspec.structs.replace(state, finished=finished)
        return resumption.progress_of(folder, SETUP, msgspec.structs.replace(SETUP, **changes)).ended

    assert [ending(), ending(steps=60), ending(steps=40), ending(steps=61)] == ["", "length", "length", ""]
    assert [ending("length"), ending("length", steps=0), ending("length", steps=200)] == ["length", "", ""]
    assert [ending("diverged"), ending("diverged", steps=200)] == ["diverged", ""]
    resumption.tag_dropped(folder)
    assert [ending(), ending("length"), ending(steps=200)] == ["dropped", "length", "dropped"]
    write_notes(folder.path, NO_NOTES)
    assert ending() == ""


@pytest.mark.usefixtures("progress")
def test_a_run_that_a_race_or_a_study_knows_by_its_name_says_so(workspace: Workspace) -> None:
    stop(workspace, ready("cells", SETUP))
    known = "The race race-01 knows it by this name, and goes on without it."
    assert known_as("race-01-lstm", workspace) == known
    assert known_as("race-02-lstm", workspace) == known_as("lstm-001", workspace) == ""
    journal = studies_folder(workspace) / "lstm" / JOURNAL
    journal.parent.mkdir(parents=True)
    journal.write_text("{}\n")
    assert known_as("lstm-001", workspace).startswith("The study lstm knows it by this name")
    assert known_as("lstm-x", workspace) == known_as("other-001", workspace) == ""


@pytest.mark.usefixtures("progress")
def test_a_race_goes_on_in_one_process_at_a_time(workspace: Workspace) -> None:
    """Two that go on at once would each get some of the runs, and call the others failed."""
    stop(workspace, ready("cells", SETUP))
    workspace.create()
    with held("race-01", workspace):
        with (
            pytest.raises(InputError, match=r"race 'race-01' is being trained by process [0-9]+; stop it there first"),
            held("race-01", workspace),
        ):
            pass
        with held("race-02", workspace):
            assert found(workspace)
    with held("race-01", workspace):
        assert found(workspace)


@pytest.mark.usefixtures("progress")
def test_a_race_of_which_a_run_is_being_trained_does_not_go_on(workspace: Workspace) -> None:
    stop(workspace, ready("cells", SETUP))
    lock = RunLock.take(workspace.checkpoints / "race-01-gru")
    with pytest.raises(InputError, match=r"race-01-gru, a run of race-01, is being trained by process [0-9]+; stop"):
        found(workspace)
    lock.release()
    assert found(workspace)
