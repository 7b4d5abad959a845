"""Each verdict on curves drawn for it, and silence where a curve could mean several things."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from rnnplay.config import RunConfig
from rnnplay.runs.health import Health, Verdict
from rnnplay.runs.metrics.records import Record, Rollback, Started, Step, Tuned, Validation

Curve = Callable[[int], float]


def step(number: int, loss: float) -> Step:
    zero = dict.fromkeys(("grad_norm", "grad_norm_clipped", "tokens_per_second"), 0.0)
    return Step(step=number, loss=loss, clipped=False, lr=0.01, tokens=number, **zero)


def validation(number: int, loss: float) -> Validation:
    return Validation(step=number, loss=loss, perplexity=1.0, bits_per_character=1.0)


def watched(train: Curve, valid: Curve | None = None, steps: int = 1000, config: RunConfig | None = None) -> Health:
    """The health of a run with these curves: a validation each 50 steps, and some noise on each step."""
    draw, health = random.Random(1), Health(config)
    for number in range(1, steps + 1):
        health.take(step(number, train(number) + draw.gauss(0, 0.03)))
        if number % 50 == 0:
            health.take(validation(number, (valid or train)(number)))
    return health


def text(verdict: Verdict | None) -> str:
    return verdict.text if verdict else ""


def falling(number: int) -> float:
    """As a well set run falls: fast at first, then by about a tenth with each doubling of the steps."""
    return 1.2 + 3.0 * number**-0.25 if number > 1 else 4.2


def test_a_loss_that_falls_is_still_learning() -> None:
    assert text(watched(falling).verdict()) == "Still learning: validation 2.6% lower than 237 steps before."


def test_a_loss_that_stays_has_levelled_off() -> None:
    level = watched(lambda number: max(2.0, 4.2 - 0.02 * number))
    assert text(level.verdict()) == "Levelled off: validation 0.0% lower than 237 steps before."


def test_overfitting_begins_at_the_lowest_validation() -> None:
    def valid(number: int) -> float:
        return falling(number) if number <= 400 else falling(400) + 0.0005 * (number - 400)

    verdict = watched(lambda number: falling(number) - 0.0003 * number, valid).verdict()
    assert verdict is not None and verdict.kind == "overfitting"
    assert verdict.text.startswith("Overfitting since step 400: validation 1.871 → 2.171, training loss −")


def test_a_validation_that_rises_with_the_training_loss_is_not_overfitting() -> None:
    def rising(number: int) -> float:
        return falling(number) if number <= 400 else falling(400) + 0.0005 * (number - 400)

    assert watched(rising).verdict() is None


def test_a_validation_that_goes_up_and_down_shows_a_rate_too_high() -> None:
    verdict = watched(lambda _: 2.5, lambda number: 2.5 + 0.06 * (-1) ** (number // 50)).verdict()
    assert text(verdict) == "Learning rate probably too high: validation ±4.8% from one to the next."


def test_a_valley_is_not_up_and_down() -> None:
    verdict = watched(lambda _: 2.5, lambda number: 2.5 + abs(number - 500) / 1000).verdict()
    assert verdict is None or verdict.kind != "too high"


def test_first_steps_that_overshoot_and_then_nothing_show_a_rate_too_high() -> None:
    verdict = watched(lambda number: 4.2 if number == 1 else 6.0 if number < 5 else 2.1).verdict()
    assert text(verdict).startswith("Learning rate probably too high: loss 4.2")
    assert text(verdict).endswith(", now level.")


def test_a_loss_that_takes_long_to_begin_falling_shows_a_rate_too_low() -> None:
    slow = watched(lambda number: 4.2 - 0.001 * number, steps=350)
    assert text(slow.verdict()).startswith("Learning rate probably too low: loss only 8.")
    slow = watched(lambda number: 4.2 - 0.001 * number)
    assert text(slow.verdict()).startswith("Learning rate probably too low: 391 steps")
    assert "steps for the first 10% of the loss" in text(slow.verdict())


def test_a_warm_up_is_not_a_rate_too_low() -> None:
    def warming(number: int) -> float:
        return 4.2 if number < 300 else falling(number - 298)

    config = RunConfig(schedule="warmup", warmup_steps=400)
    assert text(watched(warming, steps=350).verdict()).startswith("Learning rate probably too low")
    assert watched(warming, steps=350, config=config).verdict() is None


def test_a_branch_begins_at_a_low_loss_without_a_rate_too_low() -> None:
    branch = watched(lambda number: 1.9 + 0.15 * math.exp(-number / 60), steps=390)
    assert branch.verdict() is None


@pytest.mark.parametrize("loss", [50.0, math.nan, math.inf])
def test_an_explosion_is_remembered_for_a_while(loss: float) -> None:
    health = watched(falling, steps=400)
    health.take(step(401, loss))
    assert text(health.verdict()).startswith("Unstable: the loss ")
    assert "step 401" in text(health.verdict())
    for number in range(402, 3000):
        health.take(step(number, falling(number)))
        if number % 50 == 0:
            health.take(validation(number, falling(number)))
    assert text(health.verdict()).startswith("Still learning")


def test_losses_that_stay_not_finite_are_dated_by_the_first() -> None:
    health = watched(falling, steps=400)
    for number in range(401, 500):
        health.take(step(number, math.nan))
    assert text(health.verdict()) == "Unstable: the loss has not been finite since step 401."
    health.take(step(500, 2.0))
    assert text(health.verdict()) == "Unstable: the loss was not finite at step 401."


def test_rollbacks_are_counted() -> None:
    health = watched(falling, steps=400)
    health.take(Rollback(step=400, to=350, cause="loss not finite", remedy="none"))
    assert text(health.verdict()) == "Unstable: rolled back once, last from step 400."


def test_a_new_learning_rate_is_judged_by_what_comes_after_it() -> None:
    def swinging(number: int) -> float:
        return 2.56 if number // 50 % 2 == 0 else 2.44

    health = watched(lambda _: 2.5, swinging)
    assert health.verdict() is not None
    health.take(Tuned(step=1000, knob="lr", value=0.001))
    assert health.verdict() is None


def test_a_run_that_is_resumed_forgets_what_came_after_its_checkpoint() -> None:
    whole, resumed = watched(falling), watched(falling, steps=990)
    started = Started(run="r", parameters=1, vocabulary=2, device="cpu", step=950)
    resumed.take(started)
    assert resumed.verdict() == watched(falling, steps=950).verdict()
    assert whole.verdict() != resumed.verdict()


def test_nothing_is_said_of_a_beginning() -> None:
    assert Health().verdict() is None
    assert watched(falling, steps=200).verdict() is None


def test_a_broken_loss_breaks_nothing() -> None:
    health = Health()
    records: list[Record] = [step(1, math.nan), validation(1, math.inf), step(2, 0.0), validation(2, 0.0)]
    for number in range(3, 40):
        records += [step(number, -1.0), validation(number, math.nan)]
    for record in records:
        health.take(record)
        health.verdict()


def test_memory_is_bounded() -> None:
    health = Health()
    for number in range(1, 50_001):
        health.take_steps((number,), (2.0,))
    assert len(health._losses._buckets) <= 256
    assert health._losses.mean(0) == pytest.approx(2.0)
    assert sum(count for _, _, count in health._losses._buckets) == 50_000
