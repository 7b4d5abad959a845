"""Which keys of the race's screen do something."""

from __future__ import annotations

from rnnplay.engine import messages
from rnnplay.tui.race.race_keys import KeyContext, is_enabled
from tests.tui.race.world import RaceWorld
from tests.tui.stage import Stage


def enabled(world: RaceWorld, at: int = 0, curves: bool = True, typing: bool = False) -> set[str]:
    now = KeyContext(live=world.live, selected=world.entrants[at], curves=curves, typing=typing)
    actions = ("pause_all", "continue_all", "stop", "pause", "resume", "view", "view_curves", "lines", "prompt")
    return {action for action in actions if is_enabled(action, now)}


async def test_while_it_trains_when_it_is_paused_and_at_its_end(stage: Stage) -> None:
    world = RaceWorld(stage)
    await world.begin()
    for one in world.entrants:
        world.train(one, 5, 2.0)
    assert enabled(world) == {"pause_all", "stop", "pause", "view", "lines", "prompt"}
    for one in world.entrants:
        world.say(one, messages.Paused(step=5))
    assert enabled(world, curves=False) == {"continue_all", "stop", "pause", "view_curves", "prompt"}
    for one in world.entrants:
        world.finish(one, "stopped")
    assert enabled(world, typing=True) == {"resume", "view", "lines"}


async def test_one_that_never_began_can_be_started_again(stage: Stage) -> None:
    world = RaceWorld(stage)
    world.live.race.failed(world.entrants[0].entry, "The engine could not be started.")
    assert "resume" in enabled(world) and "resume" not in enabled(world, 1)
