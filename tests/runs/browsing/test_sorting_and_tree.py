"""Lists of runs are in the order that a column says, or arranged under their parents."""

from __future__ import annotations

import msgspec
import pytest

from rnnplay.runs.browsing.sorting import COLUMNS, NEWEST_FIRST, Order, in_order, next_order
from rnnplay.runs.browsing.tree import as_tree
from rnnplay.runs.index import ListedRun
from rnnplay.runs.info import Parent
from tests.runs.browsing.listed_runs import a_broken_run, a_run

OLD = a_run("run-10", "2026-03-01T10:00:00+00:00", step=5, valid=0.5)
MIDDLE = a_run("run-2", "2026-03-02T10:00:00+00:00", step=7, valid=0.9, cell="gru", tags=("b",))
NEW = a_run("Other", "2026-03-03T10:00:00+00:00", lr=0.5)
BROKEN = a_broken_run("broken")
RUNS = [MIDDLE, BROKEN, NEW, OLD]


@pytest.mark.parametrize(
    ("column", "descending", "names"),
    [
        ("created", True, "Other run-2 run-10 broken"),
        ("created", False, "run-10 run-2 Other broken"),
        ("run", False, "broken Other run-2 run-10"),
        ("run", True, "run-10 run-2 Other broken"),
        ("valid", False, "run-10 run-2 Other broken"),
        ("valid", True, "run-2 run-10 Other broken"),  # what has no loss is last in either direction
        ("step", True, "run-2 run-10 Other broken"),
        ("lr", False, "run-2 run-10 Other broken"),  # the newest of equal ones first
        ("lr", True, "Other run-2 run-10 broken"),
        ("model", False, "run-2 Other run-10 broken"),
        ("tags", False, "run-2 Other run-10 broken"),
    ],
)
def test_columns_order_runs(column: str, descending: bool, names: str) -> None:
    assert [run.name for run in in_order(RUNS, Order(column, descending))] == names.split()


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_orders_every_run_in_both_directions(column: str) -> None:
    for descending in (True, False):
        assert {run.name for run in in_order(RUNS, Order(column, descending))} == {run.name for run in RUNS}


def test_a_column_chosen_again_turns_its_direction() -> None:
    order = next_order(NEWEST_FIRST, "valid")
    assert order == Order("valid", False) and next_order(order, "valid") == Order("valid", True)
    assert next_order(order, "step") == Order("step", True)


def drawn(runs: list[ListedRun]) -> list[str]:
    return [f"{branch.lines}{branch.run.name}" for branch in as_tree(runs)]


def test_branches_are_below_their_parents() -> None:
    root = a_run("root", "2026-03-01T10:00:00+00:00")
    one, two = (a_run(name, f"2026-03-0{n}T10:00:00+00:00", parent=root) for n, name in ((2, "one"), (3, "two")))
    leaf = a_run("leaf", "2026-03-04T10:00:00+00:00", parent=one)
    other = a_run("other", "2026-03-05T10:00:00+00:00")
    assert drawn([leaf, other, one, two, root]) == ["other", "root", "├ one", "│ └ leaf", "└ two"]
    assert drawn([leaf, two]) == ["leaf", "two"], "the parents are not in the list"


def test_a_parent_is_known_after_it_was_renamed_and_not_by_its_name() -> None:
    renamed, child = a_run("renamed"), a_run("child", "2026-03-02T10:00:00+00:00", parent=a_run("first"))
    another = a_run("first", "2026-03-03T10:00:00+00:00")
    assert drawn([another, child, renamed]) == ["first", "renamed", "└ child"]


def test_runs_that_claim_to_be_each_others_parents_are_all_listed() -> None:
    def child_of(run: ListedRun, parent: str, created: str) -> ListedRun:
        assert run.info is not None
        run.info = msgspec.structs.replace(run.info, parent=Parent(run=parent, step=1, created=created))
        return run

    a = child_of(a_run("a", "1"), "b", "2")
    b = child_of(a_run("b", "2"), "a", "1")
    own = child_of(a_run("own", "3"), "own", "3")
    assert sorted(branch.run.name for branch in as_tree([a, b, own, BROKEN])) == ["a", "b", "broken", "own"]
