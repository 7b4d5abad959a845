"""The table of a race: what is in its lines, in which order, and what fits."""

from __future__ import annotations

import pytest

from rnnplay.engine import messages
from rnnplay.experiments.variants import vary
from rnnplay.runs.metrics.records import Finished, Tuned
from rnnplay.tui.chart.palette import DIED
from rnnplay.tui.race.race_charts import end_of, loss_series, norm_series
from rnnplay.tui.race.race_status import note_text, playground_text, seconds_left, status_pieces, training_text
from rnnplay.tui.race.ranking import figure_text, ranking, table_lines
from tests.tui.race.world import SETUP, RaceWorld
from tests.tui.stage import Stage, step_at


async def raced(stage: Stage, repeats: int = 1) -> RaceWorld:
    world = RaceWorld(stage, repeats=repeats)
    await world.begin()
    for one, loss in zip(world.entrants, (3.0, 1.0, 2.0), strict=True):
        world.train(one, 5, loss)
    return world


def text_of(world: RaceWorld, width: int = 118) -> list[str]:
    return [line.plain for line in table_lines(ranking(world.live, "steps"), width)]


async def test_the_best_is_first_and_has_its_own_mark(stage: Stage) -> None:
    head, *lines = text_of(await raced(stage))
    assert head.split()[:4] == ["at", "5", "steps", "valid"]
    assert [line.split()[:4] for line in lines] == [
        ["1", "▲", "GRU", "1.000"],
        ["2", "◆", "LSTM", "2.000"],
        ["3", "■", "RNN", "3.000"],
    ]


async def test_before_the_first_validation_nothing_is_ranked(stage: Stage) -> None:
    world = RaceWorld(stage)
    await world.begin()
    assert [line.split()[:3] for line in text_of(world)[1:]] == [
        ["–", "■", "RNN"],
        ["–", "▲", "GRU"],
        ["–", "◆", "LSTM"],
    ]
    assert note_text(world.live, ranking(world.live, "steps"), "curves")[0].startswith("The ranking begins when")


@pytest.mark.parametrize("width", [20, 40, 76, 118, 198])
async def test_a_line_fits_and_keeps_the_figure_and_the_state(stage: Stage, width: int) -> None:
    world = await raced(stage)
    lines = text_of(world, width)
    assert width < 40 or all(len(line) <= width for line in lines)
    assert all(("training" if width >= 40 else "●") in line and "." in line for line in lines[1:])
    assert ("parameters" in lines[0]) == (width > 100)


async def test_one_that_died_is_last_with_a_cross_in_table_and_chart(stage: Stage) -> None:
    world = await raced(stage)
    gru = world.entrants[1]
    world.tell(gru, 11.0, step_at(6, float("nan")), Finished(step=6, reason="diverged"))
    lines = text_of(world)
    assert "GRU" in lines[-1] and lines[-1].startswith(" –") and "× diverged at 6" in lines[-1]
    ended = {series.name: series.end for series in loss_series(world.entrants, "steps", "training")}
    assert ended == {"RNN": "", "GRU": DIED, "LSTM": ""}


async def test_an_engine_that_died_is_told_in_the_note(stage: Stage) -> None:
    world = await raced(stage)
    world.engine(world.entrants[0]).die(-9)
    note, error = note_text(world.live, ranking(world.live, "steps"), "curves")
    assert error and note.startswith("RNN: Its engine has ended") and note.endswith("press r to resume it.")
    assert "failed" in next(line for line in text_of(world) if "RNN" in line)


async def test_over_several_seeds_the_mean_ranks_and_the_ranges_are_compared(stage: Stage) -> None:
    world = RaceWorld(stage, vary(SETUP, {"cell": ["rnn", "lstm"]}), repeats=2)
    await world.begin()
    for losses in ((2.0, 1.5), (2.2, 1.9)):
        for one, loss in zip(world.entrants, losses, strict=True):
            if one.entry.progress.started is None:
                world.begin_run(one)
            world.train(one, 5, loss)
            world.finish(one)
    head, first, second = text_of(world)
    assert head.split()[3:7] == ["mean", "range", "of", "2"]
    assert first.split()[:5] == ["1", "▲", "LSTM", "1.700", "1.500–1.900"]
    assert second.split()[:5] == ["2", "■", "RNN", "2.100", "2.000–2.200"]
    assert "LSTM is ahead of RNN with every seed" in ranking(world.live, "steps").sentence
    series = loss_series(world.entrants, "steps", "training")
    assert [one.mark for one in series] == ["", "", "■", "▲"]  # earlier seeds are behind, without marks


async def test_with_one_seed_the_difference_may_be_noise(stage: Stage) -> None:
    world = await raced(stage)
    for one in world.entrants:
        world.finish(one)
    assert ranking(world.live, "steps").sentence.startswith("GRU is ahead of LSTM with one seed")


async def test_charts_have_one_look_a_variant(stage: Stage) -> None:
    world = await raced(stage)
    both = loss_series(world.entrants, "tokens", "both")
    assert [(one.mark, one.style) for one in both[:2]] == [("■", "line"), ("■", "dots")]
    assert len({one.color for one in both}) == 3
    assert [one.mark for one in norm_series(world.entrants, "tokens")] == ["■", "▲", "◆"]
    assert (end_of(world.live, "steps"), end_of(world.live, "seconds")) == (100, None)


async def test_the_first_line_says_how_the_cores_are_shared(stage: Stage) -> None:
    world = await raced(stage)
    left, right = status_pieces(world.live)
    assert "turns of equal seconds, 2 of 3 at a time on 2 cores" in ", ".join(piece.content.plain for piece in left)
    assert right[0].content.plain == "● 2 of 3 training, 1 waiting"
    assert playground_text(world.live) == "race: 2 of 3 training (R)"
    assert seconds_left(world.live) is None


async def test_only_those_that_train_are_counted_as_training(stage: Stage) -> None:
    world = await raced(stage)
    rnn, gru, lstm = world.entrants
    world.tell(gru, 11.0, step_at(6, float("nan")))
    assert training_text(world.live) == "2 of 3 training, 1 diverged", "also while it trains on"
    world.tell(gru, 11.0, Finished(step=6, reason="diverged"))
    world.say(lstm, messages.Paused(step=5))
    assert training_text(world.live) == "1 of 3 training, 1 diverged, 1 paused"
    world.finish(rnn, "stopped")
    assert training_text(world.live) == "0 of 3 training, 1 diverged, 1 paused, 1 stopped"


async def test_with_a_core_for_each_all_train(stage: Stage) -> None:
    world = RaceWorld(stage, share="threads")
    await world.begin()
    for one in world.entrants:
        world.train(one, 5, 2.0)
    assert training_text(world.live) == "3 of 3 training"


async def test_a_knob_that_was_changed_by_hand_is_in_the_title_wherever_it_is_shown(stage: Stage) -> None:
    world = RaceWorld(stage, vary(SETUP, {"lr": [0.001, 1000.0]}))
    await world.begin()
    for one in world.entrants:
        world.train(one, 5, 2.0)
    fast = world.entrants[1]
    world.tell(fast, 11.0, Tuned(step=5, knob="lr", value=0.01))
    titles = {one.name for one in loss_series(world.entrants, "steps", "both")}
    assert titles == {"lr 0.001", "lr 1000 → 0.01"}
    assert any("lr 1000 → 0.01" in line for line in text_of(world))
    world.tell(fast, 12.0, Tuned(step=5, knob="clip_threshold", value=0.5))
    assert fast.title == "lr 1000, now lr 0.01, clip threshold 0.5"
    assert fast.label == "lr 1000", "what it is found by stays"
    world.tell(fast, 13.0, *(Tuned(step=5, knob=knob, value=value) for knob, value in (("lr", 1000.0),)))
    world.tell(fast, 13.0, Tuned(step=5, knob="clip_threshold", value=SETUP.clip_threshold))
    assert fast.title == "lr 1000"


def test_figures() -> None:
    assert [figure_text(value) for value in (None, float("nan"), float("inf"), 1.23456)] == ["–", "–", "inf", "1.235"]


async def test_a_label_is_readable_before_the_word_for_the_state(stage: Stage) -> None:
    world = RaceWorld(stage, vary(SETUP, {"clip_threshold": [0.25, 5.0]}))
    await world.begin()
    for one in world.entrants:
        world.train(one, 5, 2.0)
    assert [line.split()[2:4] for line in text_of(world, 38)[1:]] == [["clip", "0.25"], ["clip", "5"]]
    assert "training" in text_of(world, 60)[1]
    world.say(world.entrants[0], messages.Paused(step=5))
    assert "‖" in text_of(world, 28)[1] and "0.25" in text_of(world, 28)[1]


async def test_a_seed_that_was_stopped_is_not_compared(stage: Stage) -> None:
    world = RaceWorld(stage, vary(SETUP, {"cell": ["rnn", "lstm"]}), repeats=3)
    await world.begin()
    for losses, reason in (((2.0, 1.5), "length"), ((9.0, 9.5), "stopped")):
        for one, loss in zip(world.entrants, losses, strict=True):
            if one.entry.progress.started is None:
                world.begin_run(one)
            world.train(one, 5, loss)
            world.finish(one, reason)
    assert ranking(world.live, "steps").seeds == 1 and "range of 1" in text_of(world)[0]
