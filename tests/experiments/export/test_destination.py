"""An export never replaces what it was not told to replace, and says what is in the way before any work."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rnnplay.errors import InputError
from rnnplay.experiments.export.destination import destination, writing
from rnnplay.experiments.export.export import export
from rnnplay.experiments.export.formats import FORMATS, require
from rnnplay.experiments.export.request import Export, planned
from rnnplay.workspace import Workspace
from tests.experiments.export.made_runs import make_run


def test_an_existing_file_stays_without_force(workspace: Workspace, tmp_path: Path) -> None:
    run, path = make_run(workspace), tmp_path / "run.jsonl"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="exists already; give another path, or --force"):
        export(Export([run], "jsonl", path))
    assert path.read_text(encoding="utf-8") == "mine"
    export(Export([run], "jsonl", path, force=True))
    assert path.read_text(encoding="utf-8").startswith('{"type":"run"')


def test_other_files_of_a_folder_stay_with_force(workspace: Workspace, tmp_path: Path) -> None:
    run, folder = make_run(workspace), tmp_path / "out"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    (folder / "steps.csv").write_text("old", encoding="utf-8")
    export(Export([run], "csv", folder, force=True))
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert (folder / "steps.csv").read_text(encoding="utf-8").startswith("run,step,loss")


def test_a_link_or_a_device_is_not_replaced(workspace: Workspace, tmp_path: Path) -> None:
    run, link = make_run(workspace), tmp_path / "link.jsonl"
    (tmp_path / "target").write_text("mine", encoding="utf-8")
    link.symlink_to(tmp_path / "target")
    with pytest.raises(InputError, match="not a plain file"):
        export(Export([run], "jsonl", link, force=True))
    with pytest.raises(InputError, match="not a plain file"):
        export(Export([run], "jsonl", Path(os.devnull), force=True))
    assert (tmp_path / "target").read_text(encoding="utf-8") == "mine"


def test_paths_that_nothing_can_be_written_at_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    run = make_run(workspace)
    (tmp_path / "file").write_text("", encoding="utf-8")
    for path, folder, sentence in (
        (tmp_path / "a b" / "x.svg", False, f"does not exist; to create it: mkdir -p '{tmp_path}/a b'"),
        (tmp_path / "file" / "x.svg", False, "is not a folder"),
        (tmp_path / "file", True, "is a file, but this format is a folder of files"),
        (run.path / "x.svg", False, "the folder of a run"),
        (run.path / "new", True, "the folder of a run"),
        (run.path, True, "the folder of a run"),
        (Path("/"), True, "not the name of a folder"),
    ):
        with pytest.raises(InputError, match=re.escape(sentence)):
            destination(path, "default", folder)


@pytest.mark.parametrize(
    ("format_", "name", "sentence"),
    [
        ("svg", "x.png", "call it x.svg, or export to png"),
        ("png", "x.SVG", "call it x.png, or export to svg"),
        ("png", "x.pdf", "call it x.png."),
        ("report", "x.onnx", "call it x.html, or export to onnx"),
        ("jsonl", "x.csv", "call it x.jsonl, or export to csv"),
        ("csv", "x.csv", "is named as a file, but csv is a folder of files; call it x."),
        ("csv", "x.jsonl", "is a folder of files; call it x, or export to jsonl"),
        ("tensorboard", "x.png", "is a folder of files"),
        ("safetensors", "x.onnx", "call it x.safetensors, or export to onnx"),
        ("onnx", "x.safetensors", "call it x.onnx, or export to safetensors"),
    ],
)
def test_a_file_is_not_named_as_one_of_another_format(
    workspace: Workspace, tmp_path: Path, format_: str, name: str, sentence: str
) -> None:
    """A program that goes by the ending would not open it."""
    with pytest.raises(InputError, match=re.escape(sentence)):
        export(Export([make_run(workspace)], format_, tmp_path / name))
    assert not (tmp_path / name).exists()


def test_other_names_are_the_users_own(workspace: Workspace, tmp_path: Path) -> None:
    run = make_run(workspace)
    for format_, name in (
        ("jsonl", "x"),
        ("jsonl", "x.txt"),
        ("report", "x.htm"),
        ("csv", "v1.2"),
        ("onnx", "a.b.ONNX"),
    ):
        assert planned(Export([run], format_, tmp_path / name))[0].is_relative_to(tmp_path / name)
    (tmp_path / "figures.png").mkdir()
    assert planned(Export([run], "svg", tmp_path / "figures.png")) == [tmp_path / "figures.png" / f"{run.name}.svg"]


def test_a_folder_that_may_not_be_looked_into_is_named(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(workspace)

    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refused)
    with pytest.raises(InputError, match=r"x\.jsonl cannot be looked at \(Permission denied\)"):
        planned(Export([run], "jsonl", tmp_path / "x.jsonl"))


def test_a_file_goes_into_a_folder_that_is_named(tmp_path: Path) -> None:
    assert destination(tmp_path, "run.svg", folder=False) == tmp_path / "run.svg"
    assert destination(None, "run.svg", folder=False) == Path("run.svg")


def test_a_failed_export_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(InputError, match=r"cannot be written \(No space left"), writing(path) as file:
        file.write(b"half")
        raise OSError(28, "No space left on device")
    assert [one.name for one in tmp_path.iterdir()] == ["x"] and path.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("kind", ["csv", "tensorboard"])
def test_a_failed_export_leaves_no_empty_folders(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    run = make_run(workspace)
    with run.log.path.open("a", encoding="utf-8") as file:
        file.write("no record\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"line 12, is not a record of rnnplay"):
        export(Export([run], kind, tmp_path / "out"))
    assert sorted(tmp_path.iterdir()) == before


def test_what_cannot_be_exported_so_is_said(workspace: Workspace) -> None:
    one, two = make_run(workspace, "one"), make_run(workspace, "two")
    for wanted, sentence in (
        (Export([one, two], "onnx"), "holds one run; name one, or choose one of csv, jsonl"),
        (Export([one, one], "csv"), "named twice"),
        (Export([one], "csv", checkpoint="best"), "--checkpoint is for exports of weights, safetensors and onnx"),
    ):
        with pytest.raises(InputError) as caught:
            export(wanted)
        assert sentence in str(caught.value)


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(InputError, match=r"needs the package no_such_package, .* -m pip install no_such_package"):
        require(("no_such_package", "numpy"), "Export to onnx")
    for name, kind in FORMATS.items():
        require(kind.needs, name)
