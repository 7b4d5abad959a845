"""The course of a race in the interface: what the engines are told, and what becomes of each variant. No screen."""

from __future__ import annotations

import asyncio

import pytest

from rnnplay.engine import messages
from rnnplay.errors import ConfigError
from rnnplay.experiments.variants import MOST, vary
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.race.race_settings import single_variant
from rnnplay.tui.race.ranking import ranking
from rnnplay.tui.run_state import Phase
from tests.tui.race.world import READY, SETUP, RaceWorld
from tests.tui.stage import Stage, completion, validation


def phases(live: LiveRace) -> dict[str, str]:
    return {one.label: one.entry.phase for one in live.entrants}


async def settled() -> None:
    """Lets the tasks that are under way go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_begin_together_each_in_an_engine_of_its_own(stage: Stage) -> None:
    world = RaceWorld(stage, share="threads")
    rnn, gru, lstm = world.entrants
    await world.begin(lstm)
    assert len(stage.engines) == 3  # the run in front has none yet
    assert [one.controller.state.run for one in (rnn, gru, lstm)] == ["race-01-rnn", "race-01-gru", "race-01-lstm"]
    assert world.allowed(rnn) == messages.Allow(steps=0)
    world.begin_run(lstm)
    assert [world.allowed(one) for one in world.entrants] == [messages.Allow()] * 3
    assert world.live.training and not world.live.over


async def test_an_engine_that_dies_is_out_until_it_is_resumed(stage: Stage) -> None:
    world = RaceWorld(stage)
    await world.begin()
    gru = world.entrants[1]
    for one in world.entrants:
        world.train(one, 5, 2.0)
    world.engine(gru).die(-9)
    await settled()
    assert phases(world.live) == {"RNN": "trains", "GRU": "failed", "LSTM": "trains"}
    assert "SIGKILL" in gru.entry.why and not world.live.over
    world.say(gru, READY)  # its engine is started again by itself, and has no run
    assert not world.engine(gru).of(messages.Train)
    await world.live.resume(gru)
    (train,) = world.engine(gru).of(messages.Train)
    assert (train.run, train.resume) == ("race-01-gru", True)
    assert world.engine(gru).of(messages.Allow) == [messages.Allow(steps=0)]
    world.begin_run(gru, step=5)
    assert phases(world.live)["GRU"] == "waits" and world.allowed(gru).steps != 0


async def test_one_and_all_are_paused(stage: Stage) -> None:
    world = RaceWorld(stage, share="threads")
    await world.begin()
    rnn, gru, lstm = world.entrants
    for one in world.entrants:
        world.train(one, 2, 2.0)
    world.live.pause(gru)
    assert world.engine(gru).of(messages.Pause) and not world.engine(rnn).of(messages.Pause)
    world.say(gru, messages.Paused(step=2))
    assert not world.live.paused
    world.live.pause_all()
    for one in (rnn, lstm):
        world.say(one, messages.Paused(step=2))
    assert world.live.paused and len(world.engine(gru).of(messages.Pause)) == 1
    world.live.pause_all()
    assert [len(world.engine(one).of(messages.Continue)) for one in world.entrants] == [1, 1, 1]


async def test_a_dropped_variant_ends_with_a_checkpoint_and_leaves_the_table(stage: Stage) -> None:
    world = RaceWorld(stage)
    await world.begin()
    gru = world.entrants[1]
    for one, loss in zip(world.entrants, (3.0, 1.0, 2.0), strict=True):
        world.train(one, 5, loss)
    world.live.drop(gru)
    assert [row.label for row in world.live.standings().rows] == ["LSTM", "RNN"]
    engine = world.engine(gru)
    assert engine.of(messages.Stop) and not engine.quits
    world.finish(gru, "stopped")
    await settled()
    assert engine.quits and gru.controller not in world.controllers.all


async def test_a_run_that_is_renamed_stays_in_its_race(stage: Stage) -> None:
    world = RaceWorld(stage)
    await world.begin()
    one = world.live.entrants[0]
    world.controllers.renamed(one.entry.run, "renamed")
    assert not one.present
    world.live.renamed(one.entry.run, "renamed")
    assert one.present
    assert one.entry.run == "renamed"


async def test_a_variant_joins_under_the_same_number(stage: Stage) -> None:
    world = RaceWorld(stage)
    await world.begin()
    with pytest.raises(ConfigError, match="That is the variant LSTM"):
        world.live.add(single_variant("cell=lstm", SETUP))
    one = world.live.add(single_variant("cell=gru hidden=16", SETUP))
    assert (one.label, one.number, one.entry.run) == ("cell=gru hidden=16", 3, "race-01-cell-gru-hidden-16")
    await one.controller.start_engine()
    world.say(one, READY)
    assert one.controller.state.run == one.entry.run
    for hidden in range(20, 20 + MOST - 4):
        world.live.add(single_variant(f"hidden={hidden}", SETUP))
    with pytest.raises(ConfigError, match="at most 6 variants"):
        world.live.add(single_variant("hidden=99", SETUP))


async def test_the_next_seed_follows_in_the_same_engines(stage: Stage) -> None:
    world = RaceWorld(stage, vary(SETUP, {"cell": ["rnn", "lstm"]}), repeats=2)
    await world.begin()
    for one in world.entrants:
        world.train(one, 5, 2.0)
        world.finish(one)
    assert len(world.live.races) == 2 and not world.live.over and len(stage.engines) == 2
    for one in world.entrants:
        world.begin_run(one)  # after it the other one is told to begin
        world.train(one, 5, 2.0)
        world.finish(one)
    assert [one.controller.state.run for one in world.entrants] == ["race-01-rnn-seed-2", "race-01-lstm-seed-2"]
    assert world.entrants[0].controller.state.config.seed == SETUP.seed + 1
    assert world.live.over


async def test_a_race_that_was_stopped_goes_on_with_no_further_seed(stage: Stage) -> None:
    world = RaceWorld(stage, repeats=3)
    await world.begin()
    world.live.stop()
    for one in world.entrants:
        assert one.controller.state.phase is Phase.STOPPING
        world.finish(one, "stopped")
    assert world.live.over and len(world.live.races) == 1


async def test_an_engine_that_has_ended_its_run_trains_anything_without_a_limit(stage: Stage) -> None:
    """The playground may train another run in it."""
    world = RaceWorld(stage, share="steps")
    await world.begin()
    rnn = world.entrants[0]
    assert world.allowed(rnn) != messages.Allow()
    world.train(rnn, 5, 2.0)
    world.finish(rnn)
    assert world.allowed(rnn) == messages.Allow()
    rnn.controller.train(SETUP)
    world.tell(rnn, 1.0, validation(7, 9.0))
    assert rnn.entry.progress.validations[-1].loss == 2.0 and not rnn.present


async def test_every_variant_is_asked_for_the_prompt(stage: Stage) -> None:
    world = RaceWorld(stage)
    await world.begin()
    world.live.prompt = "Once"
    world.live.ask()
    for one in world.entrants:
        (asked,) = world.engine(one).of(messages.Complete)
        world.say(one, completion(asked.request, f" {one.label}", ("a", 0.5)))
    assert [one.completion.suggestion for one in world.entrants if one.completion] == [" RNN", " GRU", " LSTM"]
    world.live.ask()  # at once again: nothing has changed
    assert len(world.engine(world.entrants[0]).of(messages.Complete)) == 1


async def test_an_engine_that_does_not_answer_is_woken_or_killed(stage: Stage) -> None:
    world = RaceWorld(stage)
    await world.begin()
    gru = world.entrants[1]
    for one in world.entrants:
        world.train(one, 5, 2.0)
    gru.controller.engine_silent = 12.0
    assert "The engine of GRU does not answer" in ranking(world.live, "steps").sentence
    world.live.pause(gru)
    assert world.engine(gru).woken == 1 and not world.engine(gru).of(messages.Pause)
    world.live.drop(gru)
    assert gru.entry.phase == "failed" and not world.engine(gru).of(messages.Stop)
    assert [row.label for row in world.live.standings().rows] == ["RNN", "LSTM"]


async def test_closing_leaves_the_run_in_front_alone(stage: Stage) -> None:
    world = RaceWorld(stage)
    await world.begin()
    gru = world.entrants[1]
    world.controllers.bring_to_front(gru.controller)
    await world.live.close()
    assert [engine.quits for engine in stage.engines] == [1, 0, 1]
    assert set(world.controllers.all) == {world.live.own, gru.controller}
