"""`rnnplay complete` and `rnnplay eval --keystrokes` with their knobs: what adapts, what is kept, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rnnplay.cli.main import program
from tests.training.world import World, run_to_end

TEXT = "Bob sees Bob.\n" * 12


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    run_to_end(world.trainer(world.config()))
    run_to_end(world.trainer(world.config(feed="lines"), "lines"))
    world.kill()
    yield world


def rnnplay(world: World, *words: str) -> Result:
    return CliRunner().invoke(program, ["--workspace", str(world.workspace.root), *words])


def test_a_completion_may_adapt_and_says_what_that_was_worth(world: World) -> None:
    plain = rnnplay(world, "complete", "run", TEXT, "--json")
    adapted = rnnplay(world, "complete", "run", TEXT, "--json", "--dynamic", "--dynamic-lr", "0.01", "--words", "2")
    found = json.loads(adapted.stdout)
    assert "learned" not in json.loads(plain.stdout)
    assert found["learned"]["tokens"] == 160 and found["learned"]["after"] < found["learned"]["before"]
    assert len(found["words"]) == 2 and set(found["words"][0]) == {"text", "probability", "phrase"}
    told = rnnplay(world, "complete", "run", TEXT, "--cache")
    assert "Adapted to the text: " in told.stderr and "over 160 tokens." in told.stderr
    assert "too short to learn from" in rnnplay(world, "complete", "run", "Bob", "--cache").stderr


def test_adapted_weights_are_kept_on_demand_alone(world: World, tmp_path: Path) -> None:
    path = str(world.folder().path)
    kept = rnnplay(world, "complete", path, TEXT, "--dynamic", "--keep", "bob")
    assert kept.exit_code == 0, kept.stderr
    assert "Kept as bob, branched from run@20; its validation loss is " in kept.stderr
    info = world.folder("bob").info()
    assert info.parent is not None and info.parent.created == world.folder().info().created
    again = rnnplay(world, "complete", "run", TEXT, "--dynamic", "--keep", "bob")
    assert again.exit_code and "There is a run 'bob' already" in again.stderr
    for words in (["--keep", "x"], ["--cache", "--keep", "x"]):
        refused = rnnplay(world, "complete", "run", TEXT, *words)
        assert refused.exit_code and "--keep saves the weights that --dynamic adapts" in refused.stderr
    assert not world.folder("x").path.exists()
    before = sorted(world.workspace.root.rglob("*"))
    for name in ("../x", "/tmp/x", ".", ""):
        refused = rnnplay(world, "complete", "run", TEXT, "--dynamic", "--keep", name)
        assert refused.exit_code and f"A run cannot be called {name!r}" in refused.stderr
    assert sorted(world.workspace.root.rglob("*")) == before, "nothing is written outside of checkpoints/"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["complete", "run", "a", "--dynamic-lr", "1"], "need --dynamic or --cache"),
        (["complete", "run", "a", "--floor", "-1"], "floor must be a number from 0 to 100; got -1."),
        (["complete", "run", "a", "--prior", "2"], "prior must be a number from 0 to 1; got 2."),
        (["complete", "lines", "a", "--cache"], "reads each line from an empty context, so it cannot adapt"),
        (["eval", "run", "--floor", "1"], "--floor needs --keystrokes"),
        (["eval", "run", "--keystrokes", "--cache", "--tokens", "5"], "--characters says how much"),
    ],
)
def test_what_makes_no_sense_is_refused(world: World, words: list[str], why: str) -> None:
    refused = rnnplay(world, *words)
    assert refused.exit_code == 2 and why in refused.stderr, refused.stderr


def test_keystrokes_of_a_model_that_adapts(world: World) -> None:
    words = ["eval", "run", "--keystrokes", "--characters", "60", "--json", "--effort", "8"]
    plain, adapted = (json.loads(rnnplay(world, *words, *more).stdout) for more in ([], ["--dynamic", "--cache"]))
    assert "learned" not in plain and plain["completion"]["effort"] == 8 and plain["completion"]["lines"]
    assert adapted["learned"]["tokens"] == 40
    assert "over 40 tokens" in rnnplay(world, *words[:-3], "--cache").stdout
