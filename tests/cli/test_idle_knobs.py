"""A knob that was set and has no effect is said by every command that takes it, once, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.conftest import small_text

TINY = ("--corpus", "small", "--hidden", "8", "--embedding", "6", "--batch-size", "4", "--bptt", "12", "--threads", "1")
IDLE = "Note: momentum (only with optimizer sgd or rmsprop) has no effect here."
GROWS = "Without weight decay the matrices that Muon updates grow"


@pytest.fixture(autouse=True)
def text(workspace: Path) -> Path:
    """The workspace, with a small text."""
    (workspace / "corpora" / "small.txt").write_text(small_text(), encoding="utf-8")
    return workspace


def said(invoke: Invoke, *words: str) -> list[str]:
    result = invoke(*words, *TINY)
    assert result.exit_code == 0, result.stderr
    return result.stderr.splitlines()


@pytest.mark.parametrize("command", [("train", "--steps", "1"), ("lr-range", "--test-steps", "20")], ids=str)
def test_one_that_is_set_is_said_and_one_that_has_an_effect_or_is_of_the_preset_is_not(
    command: tuple[str, ...], invoke: Invoke, workspace: Path
) -> None:
    assert said(invoke, *command, "--momentum", "0.9").count(IDLE) == 1
    file = workspace / "mine.toml"
    file.write_text("momentum = 0.9\nforget_bias = 2.0\n")
    both = said(invoke, *command, "--config", str(file), "--cell", "gru")
    assert (
        "Note: momentum (only with optimizer sgd or rmsprop) and forget_bias (only with cell lstm) have no effect here."
        in both
    )
    assert "no effect" not in " ".join(said(invoke, *command, "--momentum", "0.9", "--optimizer", "sgd"))
    assert "no effect" not in " ".join(said(invoke, *command, "--optimizer", "sgd")), "beta2 is the preset's"
    assert "no effect" not in " ".join(said(invoke, *command, "--momentum", "0")), "it asks for nothing"


def test_a_dropout_between_layers_of_which_there_is_one_is_said(invoke: Invoke) -> None:
    one = "Note: layer_dropout (only with layers 2 or more) has no effect here."
    assert one in said(invoke, "train", "--steps", "1", "--layer-dropout", "0.3")
    assert one not in said(invoke, "train", "--steps", "1", "--layer-dropout", "0.3", "--layers", "2")


def test_a_race_and_a_sweep_say_it_unless_a_variant_has_use_for_it(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna")
    monkeypatch.setattr("rnnplay.cli.commands.training.race._race", lambda *_: 0)
    monkeypatch.setattr("rnnplay.cli.commands.training.sweep._supervise", lambda *_: 0)
    for command in ("race", "sweep"):
        words = (command, "--steps", "1", "--momentum", "0.9", "--vary")
        assert said(invoke, *words, "lr=0.01,0.02").count(IDLE) == 1
        assert IDLE not in said(invoke, *words, "optimizer=adam,sgd")
    varied = said(invoke, "sweep", "--steps", "1", "--vary", "momentum=0,0.9")
    assert varied.count(IDLE) == 1
    assert "no effect" not in " ".join(
        said(invoke, "sweep", "--vary", "layer_dropout=0,0.3", "--vary", "layers=1..2:2")
    )


def test_a_resumed_run_says_it_of_a_live_knob(invoke: Invoke) -> None:
    said(invoke, "train", "--steps", "1", "--clip", "off", "--run", "one")
    result = invoke("train", "--resume", "--run", "one", "--steps", "2", "--clip-threshold", "0.5")
    assert "Note: clip_threshold (only with clip norm or value) has no effect here." in result.stderr.splitlines()


def test_a_model_that_adapts_in_one_way_has_no_use_for_the_settings_of_the_other(invoke: Invoke) -> None:
    said(invoke, "train", "--steps", "1", "--run", "one")
    note = "Note: cache_size (only with cache on) has no effect here."
    for words in (("complete", "one", "th"), ("eval", "one", "--tokens", "50")):
        result = invoke(*words, "--dynamic", "--cache-size", "100")
        assert (result.exit_code, result.stderr.splitlines().count(note)) == (0, 1), result.stderr
        assert note not in invoke(*words, "--cache", "--cache-size", "100").stderr


def test_the_range_test_says_what_training_would_of_weight_decay(invoke: Invoke) -> None:
    words = ("lr-range", "--test-steps", "20", "--optimizer", "muon")
    assert GROWS in " ".join(said(invoke, *words, "--weight-decay", "0"))
    assert GROWS not in " ".join(said(invoke, *words, "--weight-decay", "0.1"))
