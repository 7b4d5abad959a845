"""Standings: compared at equal steps, tokens or seconds; what died comes last."""

from __future__ import annotations

import math

from rnnplay.experiments.standings import Progress, rank
from rnnplay.runs.metrics.records import Finished, Record, Rollback, Started, Step, Validation


def step(number: int, loss: float = 1.0) -> Step:
    return Step(
        step=number,
        loss=loss,
        grad_norm=1.0,
        grad_norm_clipped=1.0,
        clipped=False,
        lr=0.1,
        tokens=100 * number,
        tokens_per_second=1000.0,
    )


def validation(number: int, loss: float) -> Validation:
    return Validation(step=number, loss=loss, perplexity=math.exp(loss), bits_per_character=2 * loss)


def trained(losses: dict[int, float], seconds_a_step: float = 0.01, *more: Record) -> Progress:
    """A variant that was validated with these losses by step."""
    progress = Progress()
    progress.take(Started(run="run", parameters=1234, vocabulary=10, device="cpu"))
    for number, loss in losses.items():
        progress.take(step(number), number * seconds_a_step)
        progress.take(validation(number, loss), number * seconds_a_step)
    for record in more:
        progress.take(record)
    return progress


FAST = trained({100: 2.0, 200: 1.5, 300: 1.0, 400: 0.9}, 0.01)
SLOW = trained({100: 1.4, 200: 1.2}, 0.02)


def test_ranked_at_equal_steps_not_by_who_is_further() -> None:
    table = rank([("fast", FAST), ("slow", SLOW)], "steps")
    assert table.at == 200
    assert [(row.label, row.rank, row.equal) for row in table.rows] == [("slow", 1, 1.2), ("fast", 2, 1.5)]
    assert {row.label: row.last for row in table.rows} == {"fast": 0.9, "slow": 1.2}
    assert table.rows[0].parameters == 1234


def test_ranked_at_equal_seconds() -> None:
    table = rank([("fast", FAST), ("slow", SLOW)], "seconds")
    assert table.at == 4.0
    assert [(row.label, row.equal) for row in table.rows] == [("fast", 0.9), ("slow", 1.2)]


def test_between_two_validations_a_loss_is_interpolated() -> None:
    """One that is validated seldom would otherwise be compared with what it was long before."""
    seldom = trained({100: 2.0, 300: 1.0})
    often = trained({100: 1.9, 200: 1.6})
    table = rank([("often", often), ("seldom", seldom)], "steps")
    found = [(row.label, row.equal, row.interpolated) for row in table.rows]
    assert found == [("seldom", 1.5, True), ("often", 1.6, False)]
    rising = trained({100: 1.0, 300: 2.0})
    table = rank([("often", often), ("rising", rising)], "steps")
    assert (table.rows[0].equal, table.rows[0].interpolated) == (1.0, False)
    assert rank([("often", often), ("rising", rising)], "steps", "last").rows[0].equal == 1.5


def test_seconds_that_differ_by_a_step_are_equal() -> None:
    """Two runs of the same minutes end with validations a few hundredths of a second apart."""
    first, second = trained({100: 2.0, 795: 1.5}, 0.01), trained({100: 2.0, 802: 1.4}, 0.01)
    table = rank([("first", first), ("second", second)], "seconds")
    assert (table.at, [row.equal for row in table.rows]) == (7.95, [1.4, 1.5])


def test_best_and_last() -> None:
    worse = trained({100: 1.0, 200: 3.0})
    other = trained({100: 2.0, 200: 2.0})
    assert [row.label for row in rank([("worse", worse), ("other", other)], "steps", "best").rows] == ["worse", "other"]
    assert [row.label for row in rank([("worse", worse), ("other", other)], "steps", "last").rows] == ["other", "worse"]


def test_bits_per_character_where_tokens_differ() -> None:
    table = rank([("fast", FAST), ("slow", SLOW)], "steps", quality="bits_per_character")
    assert table.rows[0].equal == 2.4


def test_one_that_diverged_comes_last_and_is_not_waited_for() -> None:
    dead = trained({100: 0.5}, 0.01, step(120, math.nan), Finished(step=100, reason="diverged"))
    table = rank([("dead", dead), ("fast", FAST), ("slow", SLOW)], "steps")
    assert [row.label for row in table.rows] == ["slow", "fast", "dead"]
    assert (table.rows[2].died, table.rows[2].rank, table.rows[2].state) == (120, 0, "diverged")
    assert table.at == 200


def test_one_that_trains_on_without_finite_losses_has_died_too() -> None:
    dead = trained({100: 0.5}, 0.01, step(130, math.nan), validation(130, math.nan))
    table = rank([("dead", dead), ("slow", SLOW)], "steps")
    assert [(row.label, row.died) for row in table.rows] == [("slow", None), ("dead", 130)]
    assert table.rows[1].best == 0.5


def test_one_that_ended_early_keeps_what_it_reached() -> None:
    early = trained({100: 1.3}, 0.01, Finished(step=100, reason="early stop"))
    assert rank([("early", early), ("fast", FAST)], "steps").at == 400
    length = trained({100: 1.3}, 0.01, Finished(step=100, reason="length"))
    assert rank([("length", length), ("fast", FAST)], "steps").at == 100


def test_validations_that_a_rollback_undid_do_not_count() -> None:
    undone = trained({100: 1.0, 200: 0.5}, 0.01, Rollback(step=210, to=150, cause="by hand", remedy="none", count=1))
    table = rank([("undone", undone), ("slow", SLOW)], "steps")
    assert table.at == 100
    assert (table.rows[0].equal, table.rows[0].rollbacks, table.rows[0].step) == (1.0, 1, 150)


def test_without_a_validation_there_is_no_rank() -> None:
    table = rank([("a", Progress()), ("b", trained({}))], "steps")
    assert [(row.rank, row.equal, row.state) for row in table.rows] == [(0, None, "waits"), (0, None, "waits")]


def test_equal_losses_have_equal_ranks() -> None:
    table = rank([("a", trained({100: 1.0})), ("b", trained({100: 1.0})), ("c", trained({100: 2.0}))], "steps")
    assert [row.rank for row in table.rows] == [1, 1, 3]


def test_without_a_finite_loss_there_is_no_best() -> None:
    """As in lists and comparisons of runs; it is still last, behind one that has only just begun to learn."""
    dead, slow = trained({100: math.nan, 200: math.inf}), trained({100: 9.0, 200: 8.0})
    rows = rank([("dead", dead), ("slow", slow)], "steps").rows
    assert [(row.label, row.best) for row in rows] == [("slow", 8.0), ("dead", None)]


def test_of_a_very_short_race_each_is_compared_at_its_end() -> None:
    """One was validated for the first time when the other had ended: none would have a rank."""
    end = Finished(step=1, reason="length")
    quick, slow = trained({10: 2.0}, 0.1, end), trained({40: 1.5}, 0.1, end)
    table = rank([("quick", quick), ("slow", slow)], "seconds")
    assert [(row.label, row.rank, row.equal) for row in table.rows] == [("slow", 1, 1.5), ("quick", 2, 2.0)]
    assert table.at == 0, "at no time in common"
    slow.ended = ""
    assert [row.rank for row in rank([("quick", quick), ("slow", slow)], "seconds").rows] == [1, 0], "it trains on"
    unseen = trained({}, 0.1, end)
    assert [row.rank for row in rank([("quick", quick), ("unseen", unseen)], "seconds").rows] == [0, 0]
