"""A run on disk as an inspection sees it: each checkpoint with the knobs that were live there."""

from __future__ import annotations

from pathlib import Path

from rnnplay.inspection.loaded_model import SavedRun
from tests.training.world import World


def test_a_checkpoint_has_the_knobs_that_it_was_trained_with(tmp_path: Path) -> None:
    world = World(tmp_path)
    try:
        trainer = world.trainer(world.config(checkpoint_every=5, keep=10, clip_threshold=0.5))
        while trainer.step < 7:
            trainer.advance()
        trainer.tune("clip_threshold", 0.01)
        while trainer.advance() is None:
            pass
        saved = {which: SavedRun(world.folder(), which, world.workspace).config for which in ("5", "latest")}
        assert saved["5"].clip_threshold == 0.5
        assert saved["latest"].clip_threshold == 0.01
        world.resume(world.config(steps=25, clip_threshold=0.3, checkpoint_every=5, keep=10))  # which changes run.json
        assert SavedRun(world.folder(), "5", world.workspace).config.clip_threshold == 0.5
    finally:
        world.kill()
