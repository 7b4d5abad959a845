"""A parent is known by when it was created: what is said of one that was renamed, removed or replaced is true."""

from __future__ import annotations

import msgspec

from rnnplay.runs.browsing.parents import Origin, Parents, find_origin
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import Parent
from rnnplay.runs.management.renaming import rename_run
from rnnplay.runs.management.trash import move_to_trash, restore_run
from rnnplay.runs.shipped import SHIPPED, shipped_run
from rnnplay.text.tokenizers.characters import CharTokenizer
from rnnplay.workspace import Workspace
from tests.runs.browsing.listed_runs import a_run
from tests.runs.test_folder import info

FIRST = "2026-03-01T10:00:00.123+00:00"
PARENT = Parent(run="first", step=3, created=FIRST)


def make(workspace: Workspace, name: str, created: str = FIRST) -> RunFolder:
    run = RunFolder(workspace.checkpoints / name)
    run.create(msgspec.structs.replace(info(name), created=created), CharTokenizer("abc"))
    return run


def test_a_parent_is_followed_through_a_new_name_and_the_trash(workspace: Workspace) -> None:
    run = make(workspace, "first")
    assert find_origin(PARENT, workspace) == Origin(PARENT, "first")
    assert find_origin(PARENT, workspace).text == "first@3"
    run = rename_run(run, "base", workspace)
    assert find_origin(PARENT, workspace).text == "base@3 (then called first)"
    assert find_origin(PARENT, workspace).name == "base@3"
    other = make(workspace, "first", "2026-04-01T10:00:00+00:00")
    assert find_origin(PARENT, workspace).text == "base@3 (then called first)"
    trashed = move_to_trash(run, workspace)
    assert find_origin(PARENT, workspace).text == "first@3 (in the trash; another run has its name)"
    restore_run(trashed, workspace)
    assert find_origin(PARENT, workspace).now == "base"
    move_to_trash(RunFolder(workspace.checkpoints / "base"), workspace)
    move_to_trash(other, workspace)
    assert find_origin(PARENT, workspace).text == "first@3 (in the trash)"


def test_a_parent_of_nowhere_is_gone_whatever_name_a_file_claims(workspace: Workspace) -> None:
    assert find_origin(PARENT, workspace).text == "first@3 (gone)"
    make(workspace, "first", "2026-04-01T10:00:00+00:00")
    assert find_origin(PARENT, workspace).text == "first@3 (gone; another run has its name)"
    outside = Parent(run="../first", step=3, created=FIRST)
    assert find_origin(outside, workspace).now is None


def test_the_shipped_model_is_a_parent_that_is_always_there(workspace: Workspace) -> None:
    shipped = Parent(run=SHIPPED, step=1, created=shipped_run().info().created)
    assert find_origin(shipped, workspace).text == f"{SHIPPED}@1"


def test_of_copies_of_a_run_the_one_with_its_name_is_the_parent() -> None:
    first, copy = a_run("first", FIRST), a_run("copy", FIRST)
    child = a_run("child", "2026-03-02T10:00:00+00:00", parent=first)
    for runs in ([copy, first, child], [child, first, copy]):
        assert Parents(runs).of(child) is first
    assert Parents([copy, child]).of(child) is copy
    assert Parents([first]).of(first) is None and Parents([first]).origin(first) is None
