"""Trials are trained as ordinary runs: resumed where they were left, the same as in one go; one may diverge."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.experiments.sweep.studies import create_study, open_study
from rnnplay.experiments.sweep.table import Table
from rnnplay.experiments.sweep.worker import Progress, Worker, kept_validations
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Rollback, Step, Validation
from rnnplay.workspace import Workspace
from tests.conftest import small_text
from tests.experiments.sweep.conftest import MakePlan


def work(study: str, workspace: Workspace, steps: int | None = None) -> Table:
    """Works on a study until it is done, or for about that many steps, and returns its table."""
    opened = open_study(study, workspace)
    seen = 0

    def stopping() -> bool:
        nonlocal seen
        seen += 1
        return steps is not None and seen > steps

    Worker(opened, workspace, 1, lambda _: None, stopping).run()
    opened.close()
    return open_study(study, workspace).table()


def test_an_interrupted_grid_ends_as_an_uninterrupted_one(workspace: Workspace, plan: MakePlan, tmp_path: Path) -> None:
    made = plan("cell=rnn,gru", "lr=0.01,0.03")
    create_study("s", made, workspace).close()
    other = Workspace(tmp_path / "other").create()
    (other.corpora / "small.txt").write_text(small_text(), encoding="utf-8")
    create_study("s", made, other).close()
    whole = work("s", other)
    assert whole.over and whole.count("done") == 4
    for _ in range(3):
        partly = work("s", workspace, steps=9)
        assert not partly.over
    ended = work("s", workspace)
    assert ended.trials == whole.trials
    assert ended.best() == whole.best()
    for trial in ended.trials:
        both = [RunFolder(one.checkpoints / trial.run).metrics() for one in (workspace, other)]
        here, there = ([(one.step, one.loss) for one in records if isinstance(one, Step)] for records in both)
        assert here == there and len(here) == 12


def test_a_run_that_ended_before_the_study_was_told_is_not_trained_again(
    workspace: Workspace, plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_study("s", plan("lr=0.01,0.02"), workspace).close()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnplay.experiments.sweep.study.Study.done", killed)
    with pytest.raises(KeyboardInterrupt):
        work("s", workspace)
    monkeypatch.undo()
    before = (workspace.checkpoints / "s-000" / "metrics.jsonl").read_bytes()
    assert open_study("s", workspace).table().trials[0].state == "interrupted"
    assert work("s", workspace).count("done") == 2
    assert (workspace.checkpoints / "s-000" / "metrics.jsonl").read_bytes() == before


def test_a_run_that_diverges_has_no_value_and_the_study_goes_on(workspace: Workspace, plan: MakePlan) -> None:
    explosive = {"cell": "rnn", "nonlinearity": "relu", "optimizer": "sgd", "clip": "off"}
    create_study("s", plan("lr=1000,0.01", **explosive), workspace).close()
    table = work("s", workspace)
    assert [trial.state for trial in table.trials] == ["diverged", "done"]
    assert table.trials[0].value is None and table.trials[0].reason.startswith("diverged after step")
    assert table.over and table.best() is not None


def test_values_that_do_not_fit_together_fail_alone(workspace: Workspace, plan: MakePlan) -> None:
    made = plan("tie=on,off", "hidden=6..8", sampler="random", trials=6)
    create_study("s", made, workspace).close()
    table = work("s", workspace)
    failed = [trial for trial in table.trials if trial.params["tie"] and trial.params["hidden"] != 6]
    assert failed and all(trial.state == "failed" and "tie needs" in trial.reason for trial in failed)
    assert table.count("done") == 6 - len(failed)


def test_a_text_too_short_for_one_combination_fails_that_one_alone(workspace: Workspace, plan: MakePlan) -> None:
    create_study("s", plan("batch_size=4,60000"), workspace).close()
    table = work("s", workspace)
    assert [trial.state for trial in table.trials] == ["done", "failed"]
    assert "needs at least 720,001 for one batch" in table.trials[1].reason


def test_another_text_under_the_same_name_is_noticed(workspace: Workspace, plan: MakePlan) -> None:
    create_study("s", plan("lr=0.01,0.02"), workspace).close()
    work("s", workspace, steps=9)
    (workspace.corpora / "small.txt").write_text(small_text(8_000), encoding="utf-8")
    with pytest.raises(InputError, match="not the one that the study 's' was begun with"):
        work("s", workspace)


def test_a_run_behind_the_others_is_pruned(workspace: Workspace, plan: MakePlan) -> None:
    rates = "lr=0.03,0.031,0.032,0.033,1e-7"
    create_study("s", plan(rates, prune=True), workspace).close()
    table = work("s", workspace)
    assert [trial.state for trial in table.trials] == ["done"] * 4 + ["pruned"]
    assert table.trials[-1].reason == "behind the others at step 4"


def test_progress_is_reported(workspace: Workspace, plan: MakePlan) -> None:
    study = create_study("s", plan("lr=0.01,0.02"), workspace)
    reports: list[Progress] = []
    Worker(study, workspace, 1, reports.append, lambda: False).run()
    assert [report.number for report in reports if report.ended] == [0, 1]
    assert any(not report.ended and math.isfinite(report.loss) for report in reports)


def test_validations_of_undone_steps_do_not_count() -> None:
    made = [Validation(step=step, loss=loss, perplexity=1, bits_per_character=1) for step, loss in ((4, 3.0), (8, 1.0))]
    undone = Rollback(step=9, to=4, cause="by hand", remedy="none")
    assert [one.step for one in kept_validations([*made, undone, made[1]])] == [4, 8]
    assert [one.step for one in kept_validations([*made, undone])] == [4]
