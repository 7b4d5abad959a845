"""run.json keeps what a run was branched from, and files without that are read as before."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from rnnplay.errors import InputError
from rnnplay.runs.info import Parent, encode_info, read_info
from tests.runs.test_folder import info

PARENT = Parent(run="first", step=1200, created="2025-01-01T00:00:00+00:00", optimizer=True, added_tokens=3)


def written(path: Path, **parent: object) -> Path:
    about = json.loads(encode_info(info("second")))
    about["parent"] = json.loads(msgspec.json.encode(PARENT)) | parent
    (path / "run.json").write_text(json.dumps(about))
    return path / "run.json"


def test_the_parent_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = read_info(written(tmp_path)).parent
    assert found == PARENT and found.name == "first@1200"


def test_a_file_of_an_earlier_version_has_no_parent(tmp_path: Path) -> None:
    about = json.loads(encode_info(info("first")))
    del about["parent"]
    (tmp_path / "run.json").write_text(json.dumps(about))
    assert read_info(tmp_path / "run.json").parent is None


@pytest.mark.parametrize(
    "bad", [{"run": "\x1b[2J"}, {"run": "x" * 300}, {"created": "\x07"}, {"step": -1}, {"added_tokens": -1}]
)
def test_an_invalid_parent_is_refused_in_a_sentence(bad: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is broken"):
        read_info(written(tmp_path, **bad))


@pytest.mark.parametrize(("kept", "read"), [({"format": 1}, -1.0), ({}, 0.0)], ids=["format 1", "now"])
def test_a_dropout_of_zero_means_what_it_meant_when_it_was_written(
    kept: dict[str, int], read: float, tmp_path: Path
) -> None:
    about = json.loads(encode_info(info("first"))) | kept
    about["config"] |= {"dropout": 0.5, "input_dropout": 0.0, "layer_dropout": 0.25}
    (tmp_path / "run.json").write_text(json.dumps(about))
    found = read_info(tmp_path / "run.json")
    assert (found.config.input_dropout, found.config.layer_dropout) == (read, 0.25)
    (tmp_path / "run.json").write_bytes(encode_info(found))
    assert read_info(tmp_path / "run.json") == found
