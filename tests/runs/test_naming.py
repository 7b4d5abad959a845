"""New runs, races and sweeps get names of their own, also those that start at the same moment."""

from __future__ import annotations

import subprocess
import sys

from rnnplay.config import RunConfig
from rnnplay.experiments.race_names import race_number, reserve_names
from rnnplay.experiments.race_plan import plan_race
from rnnplay.experiments.sweep.studies import reserve_study
from rnnplay.experiments.variants import ready
from rnnplay.runs.folder import check_run_name
from rnnplay.runs.lock import RunLock
from rnnplay.runs.naming import give_back, new_run_name, reserve_run
from rnnplay.workspace import Workspace
from tests.runs.test_folder import make_run


def test_new_names_are_free_and_proper(workspace: Workspace) -> None:
    config = RunConfig(corpus="tales")
    assert new_run_name(config, workspace) == "tales-lstm-256-01"
    make_run(workspace, "tales-lstm-256-07")
    assert new_run_name(config, workspace) == "tales-lstm-256-08"
    for corpus in ("/home/me/mein schöner Text.txt", "...", "日本語.txt", "x" * 300):
        check_run_name(new_run_name(RunConfig(corpus=corpus), workspace))


def test_a_race_reserves_its_names_and_gives_back_those_that_did_not_begin(workspace: Workspace) -> None:
    setup = RunConfig()
    plan = plan_race(setup, ready("nonlinearity", setup), cores=2)
    assert reserve_names(plan.races(), workspace) == [["race-01-tanh", "race-01-relu"]]
    assert reserve_names(plan.races(), workspace) == [["race-02-tanh", "race-02-relu"]]
    make_run(workspace, "race-01-tanh")
    with (workspace.checkpoints / "race-02-tanh" / "run.lock").open("w"):
        pass
    lock = RunLock.take(workspace.checkpoints / "race-02-tanh")  # it is about to begin
    give_back(["race-01-tanh", "race-01-relu", "race-02-tanh", "race-02-relu"], workspace)
    assert sorted(path.name for path in workspace.checkpoints.iterdir()) == ["race-01-tanh", "race-02-tanh"]
    lock.release()


def test_a_variant_that_is_added_keeps_the_number_of_its_race(workspace: Workspace) -> None:
    plan = plan_race(RunConfig(), ready("nonlinearity", RunConfig()), cores=2)
    reserve_names(plan.races(), workspace)
    assert reserve_names([[plan.variants[0]]], workspace, 1) == [["race-01-tanh-2"]]


def test_races_that_start_at_the_same_moment_in_several_processes_have_numbers_of_their_own(
    workspace: Workspace,
) -> None:
    """Also where no name of the one is a name of the other, as with `cells` and `clip`."""
    program = """
import sys
from pathlib import Path
from rnnplay.config import RunConfig
from rnnplay.experiments.race_names import reserve_names
from rnnplay.experiments.race_plan import plan_race
from rnnplay.experiments.variants import ready
from rnnplay.workspace import Workspace
plan = plan_race(RunConfig(), ready(sys.argv[2], RunConfig()), cores=2)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(10):
    print(reserve_names(plan.races(), Workspace(Path(sys.argv[1])))[0][0], flush=True)
"""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(workspace.root), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("cells", "clip")
    ]
    for one in racers:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    numbers: list[int] = []
    for one in racers:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for one in racers:
        numbers += [race_number(line) for line in one.communicate()[0].splitlines()]
    assert sorted(numbers) == list(range(1, 21))


def test_runs_and_sweeps_that_start_together_differ(workspace: Workspace) -> None:
    names = [reserve_run(RunConfig(corpus="small"), workspace).name for _ in range(2)]
    assert names == ["small-lstm-256-01", "small-lstm-256-02"]
    assert [reserve_study("small", workspace) for _ in range(2)] == ["small-sweep-01", "small-sweep-02"]


def test_where_nothing_can_be_created_a_name_is_given_all_the_same(workspace: Workspace) -> None:
    """What cannot be written is said where the run begins to write it."""
    workspace.checkpoints.rmdir()
    workspace.checkpoints.touch()
    assert reserve_run(RunConfig(corpus="small"), workspace).name == "small-lstm-256-01"
