"""Files that an earlier version wrote, when knobs and tensors had other names, are read as if written today.

In tests/data/kept: a run of six steps, a preset, the interface's settings and a file for --config.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from rnnplay.cli.main import program
from rnnplay.common.jsonl import decode_line
from rnnplay.config import RENAMED, RunConfig, knobs
from rnnplay.errors import InputError
from rnnplay.inspection.loaded_model import SavedRun
from rnnplay.presets import find_preset
from rnnplay.runs.checkpoint_state import TENSORS_FILE
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Record, Rollback, Step, Tuned, Validation
from rnnplay.settings import read_settings
from rnnplay.tui.settings import load_settings
from rnnplay.workspace import Workspace

KEPT = Path(__file__).parent / "data" / "kept"
DECAY = 0.9
RESUMED = [2.68829727, 2.54132962, 2.45618224, 2.40494657]
"""What the version that wrote the run went on with: the losses of steps 7 to 10."""
EVALUATED = {6: 2.6645150078667537, 10: 2.499867418077257}
"""The validation losses of its EMA weights, by step."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    shutil.copytree(KEPT, tmp_path / "kept")
    return Workspace(tmp_path / "kept").create()


@pytest.fixture
def run(workspace: Workspace) -> RunFolder:
    return RunFolder(workspace.checkpoints / "kept")


def rnnplay(workspace: Workspace, *args: str) -> str:
    result = CliRunner().invoke(program, [*args, "--workspace", str(workspace.root)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_new_name_is_a_knob_and_no_old_one_is() -> None:
    assert set(RENAMED.values()) <= knobs().keys()
    assert not RENAMED.keys() & knobs().keys()


def test_a_run_goes_on_where_the_version_that_wrote_it_left_off(workspace: Workspace, run: RunFolder) -> None:
    assert run.info().config.ema_decay == DECAY
    assert b"trained." in (run.checkpoint().path / TENSORS_FILE).read_bytes()
    rnnplay(workspace, "train", "--resume", "--run", "kept", "--steps", "10")
    steps = [one for one in run.metrics() if isinstance(one, Step)]
    assert [one.loss for one in steps[6:]] == pytest.approx(RESUMED, rel=1e-4)
    validations = {one.step: one.loss for one in run.metrics() if isinstance(one, Validation)}
    assert validations[10] == pytest.approx(EVALUATED[10], rel=1e-4)
    written = (run.checkpoint().path / TENSORS_FILE).read_bytes()
    assert b"raw." in written and b"trained." not in written
    assert "average" not in json.loads((run.path / "run.json").read_bytes())["config"]
    rnnplay(workspace, "train", "--resume", "--run", "kept", "--steps", "12")  # from what was written anew


def test_a_run_is_evaluated_and_looked_into(workspace: Workspace, run: RunFolder) -> None:
    found = json.loads(rnnplay(workspace, "eval", "kept", "--json"))
    assert found["loss"] == pytest.approx(EVALUATED[6], rel=1e-4)
    subject = SavedRun(run, "latest", workspace)
    assert not subject.model.weights()["embedding.weight"].equal(subject.raw_model.weights()["embedding.weight"])


def test_a_preset_and_a_settings_file_say_the_knob_by_its_former_name(workspace: Workspace) -> None:
    assert find_preset("mine", workspace.presets).config.ema_decay == DECAY
    assert read_settings(workspace.root / "run.toml")["ema_decay"] == DECAY
    args = ("--config", str(workspace.root / "run.toml"), "--batch-size", "2", "--bptt", "8", "--split", "80/10/10")
    rnnplay(workspace, "train", *args, "--preset", "mine", "--run", "new", "--threads", "1")
    assert RunFolder(workspace.checkpoints / "new").info().config.ema_decay == DECAY


def test_a_settings_file_with_both_names_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "both.toml"
    file.write_text("average = 0.9\nema_decay = 0.99\n")
    with pytest.raises(InputError, match="average is the former name of ema_decay"):
        read_settings(file)


def test_the_former_option_is_accepted_and_not_shown(workspace: Workspace) -> None:
    args = ("--corpus", "small", "--batch-size", "2", "--bptt", "8", "--split", "80/10/10", "--steps", "1")
    rnnplay(workspace, "train", *args, "--average", "0.9", "--run", "new", "--hidden", "4", "--threads", "1")
    assert RunFolder(workspace.checkpoints / "new").info().config.ema_decay == DECAY
    shown = CliRunner().invoke(program, ["train", "--help"]).stdout
    assert "--ema-decay" in shown and "--average" not in shown


@pytest.mark.parametrize(
    "options", [["--average", "0.5", "--ema-decay", "0.4"], ["--ema-decay=0.4", "--average=0.5"]], ids=" ".join
)
def test_a_command_line_with_both_names_is_refused(options: list[str], workspace: Workspace) -> None:
    args = ("--corpus", "small", "--run", "new", "--workspace", str(workspace.root))
    result = CliRunner().invoke(program, ["train", *options, *args])
    assert result.exit_code == 2
    assert "--average is the former name of --ema-decay" in " ".join(result.stderr.split())
    assert not (workspace.checkpoints / "new").exists()


def test_the_settings_of_the_interface_are_read(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNPLAY_CONFIG", str(workspace.root / "settings.json"))
    assert (load_settings().theme, load_settings().language) == ("rnnplay-light", "zh")


def test_records_of_tuned_knobs_have_the_present_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RENAMED, "rate", "lr")
    tuned = decode_line(b'{"type":"tuned","step":1,"knob":"rate","value":0.1}', Record)
    assert tuned == Tuned(step=1, knob="lr", value=0.1)
    back = Rollback(step=9, to=4, cause="by hand", remedy="lower-rate", changed={"rate": 0.1, "clip": "norm"})
    assert back.changed == {"lr": 0.1, "clip": "norm"}
    assert RunConfig(lr=0.1).lr == tuned.value
