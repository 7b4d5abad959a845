"""Studies on disk: their names and plans, which trial is next, and claims that end with their process."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from rnnplay.errors import InputError, RnnplayError
from rnnplay.experiments.sweep.claims import PLAN, Claims, DatabaseClaims, FileClaims
from rnnplay.experiments.sweep.drawing import combinations
from rnnplay.experiments.sweep.plan import decode_plan, encode_plan, study_name
from rnnplay.experiments.sweep.storage import JOURNAL
from rnnplay.experiments.sweep.studies import create_study, open_study, studies_folder, study_names
from rnnplay.experiments.sweep.table import Trial
from rnnplay.workspace import Workspace
from tests.experiments.sweep.conftest import MakePlan

HOLD = """
import sys
from pathlib import Path
from rnnplay.experiments.sweep.claims import DatabaseClaims, FileClaims
if "://" in sys.argv[1]:
    import sqlalchemy
    claims = DatabaseClaims(sqlalchemy.create_engine(sys.argv[1]), "s")
else:
    claims = FileClaims(Path(sys.argv[1]))
print(claims.take(3), flush=True)
sys.stdin.read()
"""


def claims_at(place: str) -> Claims:
    if "://" not in place:
        return FileClaims(Path(place))
    import sqlalchemy

    return DatabaseClaims(sqlalchemy.create_engine(place), "s")


@pytest.mark.parametrize("kind", ["files", "database"])
def test_a_claim_ends_with_the_process_that_holds_it(kind: str, tmp_path: Path) -> None:
    place = str(tmp_path) if kind == "files" else f"sqlite:///{tmp_path / 'claims.db'}"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"True\n"
    mine = claims_at(place)
    assert not mine.is_free(3) and not mine.take(3)
    assert mine.take(4) and mine.take(PLAN)
    holder.kill()
    holder.communicate()
    assert mine.is_free(3) and mine.take(3)
    mine.close()
    assert mine.is_free(4)


def test_the_owner_of_a_row_notices_that_it_was_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'claims.db'}")
    slow, other = DatabaseClaims(engine, "s"), DatabaseClaims(engine, "s")
    assert slow.take(1) and not other.take(1)
    slow.beat()
    assert not slow.lost(1)
    monkeypatch.setattr("rnnplay.experiments.sweep.claims.STALE_SECONDS", -1.0)
    assert other.take(1)
    slow.beat()
    assert slow.lost(1) and not other.lost(1)
    slow.release(1)
    monkeypatch.undo()
    assert not slow.take(1)  # the release of the former owner gave nothing back
    slow.close()
    other.close()


def taken(study: object, workspace: Workspace, plan: MakePlan) -> list[Trial]:
    from rnnplay.experiments.sweep.study import Study

    assert isinstance(study, Study)
    found = []
    while (trial := study.next()) is not None:
        found.append(trial)
        study.done(trial, 1.0 + trial.number, 4, 12)
    return found


def test_a_grid_is_worked_off_in_order_and_once(workspace: Workspace, plan: MakePlan) -> None:
    made = plan("cell=rnn,gru", "lr=0.01,0.02", repeat=2)
    study = create_study("s", made, workspace)
    assert study_names(workspace) == ["s"]
    found = taken(study, workspace, plan)
    assert [(trial.number, trial.point, trial.seed, trial.params["lr"]) for trial in found] == [
        (number, number // 2, 1 + number % 2, (0.01, 0.02)[number // 2 % 2]) for number in range(8)
    ]
    assert [trial.run for trial in found[:2]] == ["s-000", "s-001"]
    again = open_study("s", workspace)
    assert again.next() is None and not again.has_next() and again.table().over
    assert again.table().best() == study.table().best()


def test_a_trial_that_another_has_is_left_alone_and_taken_up_when_that_ends(
    workspace: Workspace, plan: MakePlan
) -> None:
    create_study("s", plan("lr=0.01,0.02"), workspace).close()
    one, two = open_study("s", workspace), open_study("s", workspace)
    first, second = one.next(), two.next()
    assert first is not None and second is not None and (first.number, second.number) == (0, 1)
    assert two.next() is None and not two.has_next()
    assert [trial.state for trial in two.table().trials] == ["training", "training"]
    one.close()  # as when its process ends
    assert [trial.state for trial in two.table().trials] == ["interrupted", "training"]
    taken_up = two.next()
    assert taken_up is not None and taken_up.number == 0
    two.close()


def test_a_trial_whose_process_is_killed_each_time_fails_at_last(workspace: Workspace, plan: MakePlan) -> None:
    study = create_study("s", plan("lr=0.01,0.02"), workspace)
    for _ in range(10):
        trial = study.next()
        assert trial is not None and trial.number == 0
        study.started(trial, 0)
        study.give_back(trial)
    after = study.next()
    assert after is not None and after.number == 1
    failed = study.table().trials[0]
    assert (failed.state, failed.reason) == ("failed", "its process ended 10 times at step 0")


def test_a_random_search_draws_the_same_and_can_be_continued(workspace: Workspace, plan: MakePlan) -> None:
    few = plan("lr=1e-4..1e-1:log", "hidden=8..64", sampler="random", trials=3)
    more = plan("lr=1e-4..1e-1:log", "hidden=8..64", sampler="random", trials=5)
    assert combinations(more)[:3] == combinations(few)
    assert all(1e-4 <= float(one["lr"]) <= 1e-1 and isinstance(one["hidden"], int) for one in combinations(more))
    create_study("s", few, workspace).close()
    study = create_study("s", more, workspace)
    assert [trial.params for trial in study.table().trials] == combinations(more)
    assert open_study("s", workspace).plan.trials == 5


def test_tpe_tries_as_many_combinations_as_asked_each_with_its_seeds(workspace: Workspace, plan: MakePlan) -> None:
    study = create_study("s", plan("lr=1e-4..1e-1:log", "cell=rnn,gru", sampler="tpe", trials=3, repeat=2), workspace)
    found = taken(study, workspace, plan)
    assert [(trial.point, trial.seed) for trial in found] == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]
    assert all(found[at].params == found[at + 1].params for at in (0, 2, 4))
    assert study.table().over


def test_another_plan_under_the_same_name_is_refused(workspace: Workspace, plan: MakePlan) -> None:
    create_study("s", plan("lr=0.01,0.02"), workspace).close()
    with pytest.raises(InputError, match="with another hidden and vary;"):
        create_study("s", plan("lr=0.01,0.03", hidden=9), workspace)
    with pytest.raises(InputError, match="There is no study 'none'; the studies are s"):
        open_study("none", workspace)
    with pytest.raises(InputError, match=r"cannot be called '\.\./out'"):
        open_study("../out", workspace)
    assert study_name("tales", ["tales-sweep-01"]) == "tales-sweep-02"


def test_a_study_of_an_earlier_format_means_what_it_meant_and_can_be_continued(plan: MakePlan) -> None:
    now = plan("lr=0.01,0.02", dropout=0.5)
    kept = encode_plan(now)
    kept = {**kept, "format": 1, "config": {**kept["config"], "input_dropout": 0.0}}
    assert decode_plan(kept, "s") == now
    assert decode_plan({**kept, "format": 2}, "s").config.input_dropout == 0


def test_runs_of_others_are_not_taken_for_trials(workspace: Workspace, plan: MakePlan) -> None:
    (workspace.checkpoints / "s-000").mkdir()
    with pytest.raises(InputError, match="There is a run 's-000' already"):
        create_study("s", plan("lr=0.01,0.02"), workspace)


def test_a_line_that_was_not_written_to_its_end_is_dropped(workspace: Workspace, plan: MakePlan) -> None:
    study = create_study("s", plan("lr=0.01,0.02"), workspace)
    study.close()
    journal = studies_folder(workspace) / "s" / JOURNAL
    with journal.open("ab") as file:
        file.write(b'{"op_code":6,"wor')
    assert len(taken(open_study("s", workspace), workspace, plan)) == 2


def test_a_broken_study_says_so(workspace: Workspace) -> None:
    folder = studies_folder(workspace) / "s"
    folder.mkdir(parents=True)
    (folder / JOURNAL).write_text("not a journal\n{}\n")
    with pytest.raises(InputError, match="is broken"):
        open_study("s", workspace)


def test_a_study_that_the_disk_has_no_room_for(
    workspace: Workspace, plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("optuna.storages.journal.JournalFileBackend.append_logs", full)
        with pytest.raises(RnnplayError, match=r"journal\.jsonl cannot be written \(No space left on device\)"):
            create_study("s", plan("lr=0.1,0.2"), workspace)
    assert study_names(workspace) == []
    create_study("s", plan("lr=0.1,0.2"), workspace).close()
    assert study_names(workspace) == ["s"]
