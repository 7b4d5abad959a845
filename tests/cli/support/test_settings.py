"""Where a run's settings come from, and that the options are those declared in config.py."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from rnnplay.cli.commands.model.generate import command as generate_command
from rnnplay.cli.commands.model.generate import sampling_config
from rnnplay.cli.commands.training.train import command
from rnnplay.cli.options_page import render
from rnnplay.cli.support.settings import lasting_corpus, layered, new_settings
from rnnplay.config import RunConfig, SamplingConfig, knobs
from rnnplay.errors import ConfigError, InputError
from rnnplay.workspace import Workspace


def parsed(*arguments: str) -> dict[str, object]:
    """What the callback of `train` would be given for the knobs."""
    context = command.make_context("train", list(arguments))
    return {name: value for name, value in context.params.items() if name in knobs() and value is not None}


def test_every_knob_has_its_option() -> None:
    """The command line's names are a contract; none may get lost."""
    options = {name: param for param in command.params for name in (*param.opts, *param.secondary_opts)}
    for spec in knobs().values():
        assert spec.option in options
        if spec.kind == "bool":
            assert "--no-" + spec.option[2:] in options
    assert {"--config", "--preset", "--run", "--resume", "--workspace", "--json"} <= set(options)
    sampling = {name for param in generate_command.params for name in param.opts}
    assert {spec.option for spec in knobs(SamplingConfig).values()} <= sampling


def test_only_what_is_given_overrides() -> None:
    """A default that counted as given would undo the preset."""
    assert parsed() == {}
    assert parsed("--no-tie", "--hidden", "128", "--lr", "1e-3", "--clip-threshold", "0.5") == {
        "tie": False,
        "hidden": 128,
        "lr": 0.001,
        "clip_threshold": 0.5,
    }


def test_help_shows_default_limits_and_choices() -> None:
    """One reads in --help what a knob is and what it may be."""
    shown = " ".join(command.get_help(click.Context(command, info_name="train")).split())
    for words in (
        "--cell rnn|lstm|gru",
        "--tie / --no-tie",
        "the recurrent cell [default: lstm]",
        "(with cell rnn)",
        "(0: no limit)",
        "Clipping:",
        "--clip-threshold X",
    ):
        assert words in shown


def test_the_command_line_wins_over_the_file_over_the_preset(tmp_path: Path) -> None:
    """Defaults, then the preset, then the file, then what was typed."""
    file = tmp_path / "run.toml"
    file.write_text("hidden = 96\nlayers = 2\nlr = 1\n", encoding="utf-8")
    config = new_settings("tiny", file, {"layers": 3}, Workspace(tmp_path))
    assert (config.embedding, config.hidden, config.layers, config.lr) == (32, 96, 3, 1.0)
    assert config.bptt == RunConfig().bptt


def test_a_length_replaces_the_lengths_below_it(tmp_path: Path) -> None:
    """--steps on a preset of minutes means so many steps, however long they take."""
    assert new_settings(None, None, {}, Workspace(tmp_path)).minutes == 2.0
    config = new_settings("quick", None, {"steps": 10}, Workspace(tmp_path))
    assert (config.steps, config.minutes) == (10, 0.0)
    both = new_settings("quick", None, {"steps": 10, "minutes": 1.0}, Workspace(tmp_path))
    assert (both.steps, both.minutes) == (10, 1.0)
    assert layered({"minutes": 2.0}, {"hidden": 3}) == {"minutes": 2.0, "hidden": 3}


def test_values_are_checked_together_only_at_the_end(tmp_path: Path) -> None:
    """A preset of tied weights and half of a new size in the file is no error if the command line gives the rest."""
    file = tmp_path / "run.toml"
    file.write_text("hidden = 64\n", encoding="utf-8")
    assert new_settings("words", file, {"embedding": 64}, Workspace(tmp_path)).tie
    with pytest.raises(ConfigError, match="With preset words, tie needs embedding = hidden"):
        new_settings("words", file, {}, Workspace(tmp_path))


def test_a_corpus_is_kept_by_name_or_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may be resumed from another folder, and its settings may be read by others."""
    workspace = Workspace(tmp_path / "workspace").create()
    (workspace.corpora / "mine.txt").write_text("text", encoding="utf-8")
    (tmp_path / "other.txt").write_text("text", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert lasting_corpus("mine", workspace) == "mine"
    assert lasting_corpus("workspace/corpora/mine.txt", workspace) == "mine"
    assert lasting_corpus("./other.txt", workspace) == str((tmp_path / "other.txt").resolve())
    with pytest.raises(InputError):
        lasting_corpus("another", workspace)
    absolute = tmp_path.resolve()
    assert lasting_corpus("./other.txt, mine,*.txt", workspace) == f"{absolute}/other.txt,mine,{absolute}/*.txt"


def test_the_options_page_is_up_to_date() -> None:
    """docs/options.md is made from config.py: python -m rnnplay.cli.options_page --out docs/options.md."""
    page = Path(__file__).parents[3] / "docs" / "options.md"
    assert page.read_text(encoding="utf-8") == render()
    assert all(f"`{spec.option}" in render() for spec in knobs().values())


def test_sampling_without_a_seed_draws_one_that_can_be_told() -> None:
    """Another text each time, but any of them can be drawn again."""
    one, other = sampling_config({}, False), sampling_config({}, False)
    assert one.seed and other.seed and one.seed != other.seed
    assert sampling_config({"seed": 7}, True) == SamplingConfig(seed=7, temperature=0.0)
    with pytest.raises(InputError, match="exclude each other"):
        sampling_config({"temperature": 1.0}, True)
    with pytest.raises(ConfigError):
        sampling_config({"top_p": 0.0}, False)
