"""Metrics computed from scripted records and results, and conditions judged by them."""

from __future__ import annotations

import math

import pytest

from rnnplay.inspection.results import (
    Candidate,
    ClippedStep,
    Completed,
    DistanceAccuracy,
    ForcedCompletion,
    GateMap,
    GradientCurve,
    Predictions,
    Result,
)
from rnnplay.lessons.lesson import Condition, Lesson, Step, Variant
from rnnplay.lessons.measurements import Measurements, condition_text, sources
from rnnplay.lessons.observations import RECENT, total_variation
from rnnplay.runs.metrics.records import Finished, Record, Rollback, Skipped, Started, Validation
from rnnplay.runs.metrics.records import Step as StepRecord


def started(vocabulary: int = 62) -> Started:
    return Started(run="r", parameters=1000, vocabulary=vocabulary, device="cpu")


def step(number: int, loss: float = 2.0, norm: float = 1.0, after: float | None = None) -> StepRecord:
    return StepRecord(
        step=number,
        loss=loss,
        grad_norm=norm,
        grad_norm_clipped=norm if after is None else after,
        clipped=after is not None,
        lr=0.1,
        tokens=10 * number,
        tokens_per_second=1.0,
    )


def validation(number: int, loss: float) -> Validation:
    return Validation(step=number, loss=loss, perplexity=math.exp(loss), bits_per_character=loss / math.log(2))


def curve(number: int, hidden: list[list[float]], cell: list[list[float]] | None = None) -> GradientCurve:
    return GradientCurve(run="r", step=number, distances=list(range(len(hidden[0]))), hidden=hidden, cell=cell or [])


def gates(values: list[list[float]], low: float = 0.0, high: float = 0.0) -> GateMap:
    return GateMap(
        run="r",
        step=5,
        cell="lstm",
        layers=1,
        units=len(values),
        layer=0,
        quantity="forget_gate",
        order="index",
        property="quotes",
        first=0,
        shown=list(range(len(values))),
        scores=[0.0] * len(values),
        values=values,
        tokens=["a"] * len(values[0]),
        low=low,
        high=high,
        histogram=[0] * 20,
    )


def measured(metric: str, *seen: Record | Result) -> tuple[float, int] | None:
    """What `metric` is after all of `seen`."""
    measurements = Measurements()
    for one in seen:
        measurements.take("rnn", one)
    return measurements.measure(metric, "rnn")


def test_nothing_is_known_before_anything_was_seen() -> None:
    """No metric makes up a number; "diverged" is not 0 before the first step."""
    from rnnplay.lessons.metrics import METRICS

    for name, metric in METRICS.items():
        parameter = {"": "", "distance": "@4", "quantity": "@forget_gate"}[metric.parameter]
        found = measured(name + parameter)
        assert found is None or (name in ("steps", "rollbacks") and found == (0, 0)), name


def test_loss_is_the_mean_of_recent_steps() -> None:
    """Old steps leave it; the naive mean agrees."""
    losses = [5.0 - 0.01 * number for number in range(RECENT + 50)]
    records = [step(number, loss) for number, loss in enumerate(losses, 1)]
    found = measured("loss", started(), *records)
    assert found is not None
    assert found[0] == pytest.approx(sum(losses[-RECENT:]) / RECENT)
    assert found[1] == len(losses)


def test_the_first_loss_is_that_of_step_one() -> None:
    """Over ln V; a run that is resumed does not begin anew."""
    assert measured("first_loss_ratio", started(62), step(1, math.log(62)), step(2, 1.0)) == pytest.approx((1.0, 2))
    assert measured("first_loss_ratio", started(62), step(7, 1.0)) is None


def test_clipping_in_the_records() -> None:
    """Share of steps clipped, and the largest norms before and after; infinite ones do not count as largest."""
    norms = [step(1, norm=0.5), step(2, norm=8.0, after=1.0), step(3, norm=math.inf), step(4, norm=math.nan)]
    seen: list[Record] = [started(), *norms]
    assert measured("clipped_fraction", *seen) == (0.25, 4)
    assert measured("grad_norm_max", *seen) == (8.0, 4)
    assert measured("grad_norm_clipped_max", *seen) == (1.0, 4)


@pytest.mark.parametrize(
    "bad",
    [
        step(3, loss=math.nan),
        step(3, norm=math.inf),
        Skipped(step=3, cause="loss not finite"),
        Rollback(step=3, to=0, cause="loss far above its level", remedy="clip", count=1),
    ],
)
def test_a_run_has_diverged_at_the_first_bad_step(bad: Record) -> None:
    """By its numbers, or by what it says of itself; and it stays so."""
    good = (started(), step(1), step(2))
    assert measured("diverged", *good) == (0.0, 2)
    assert measured("diverged_step", *good) is None
    later = (*good, bad, step(4), step(5, loss=math.nan))
    assert measured("diverged", *later) == (1.0, 5)
    assert measured("diverged_step", *later) == (3.0, 5)


def test_a_rollback_puts_the_steps_back() -> None:
    """So that a condition `after` a step waits again; going back by hand is no rollback of the run's own."""
    seen = (started(), step(1), step(2), Rollback(step=2, to=1, cause="loss not finite", remedy="clip", count=1))
    assert measured("steps", *seen) == (1.0, 1)
    assert measured("rollbacks", *seen) == (1.0, 1)
    by_hand = (started(), step(1), step(2), Rollback(step=2, to=1, cause="by hand", remedy="none"))
    assert measured("rollbacks", *by_hand) == (0.0, 1)
    assert measured("diverged", *by_hand) == (0.0, 1)


def test_validation_is_the_newest() -> None:
    """With the step it was made at."""
    seen = (started(), validation(10, 2.0), step(11), validation(20, 1.5), step(21), Finished(step=21, reason="length"))
    assert measured("validation_loss", *seen) == (1.5, 20)
    assert measured("validation_perplexity", *seen) == pytest.approx((math.exp(1.5), 20))


def test_gradient_ratios_are_of_the_top_layer() -> None:
    """Norm at the distance over that at 0; a curve of step 0 is the initial one and not the trained one's."""
    trained = curve(9, [[9.0, 9.0, 9.0], [4.0, 2.0, 1.0]], [[1.0, 1.0, 1.0], [1.0, 0.9, 0.8]])
    initial = curve(0, [[1.0, 1.0, 1.0], [1.0, 3.0, 9.0]])
    assert measured("gradient_ratio@2", trained, initial) == (0.25, 9)
    assert measured("initial_gradient_ratio@2", trained, initial) == (9.0, 0)
    assert measured("gradient_cell_ratio@2", trained) == (0.8, 9)
    assert measured("gradient_cell_ratio@2", curve(9, [[1.0, 1.0, 1.0]])) is None
    assert measured("gradient_ratio@3", trained) is None
    assert measured("gradient_ratio@1", initial) is None


def test_gradients_that_are_nothing_at_all() -> None:
    """0 over 0 is no number, and holds nothing."""
    found = measured("gradient_ratio@1", curve(1, [[0.0, 0.0]]))
    assert found is not None
    assert math.isnan(found[0])


def test_accuracy_is_that_of_the_bin_the_distance_is_in() -> None:
    """Bins are given by their lower edges; an empty one has no accuracy."""
    found = DistanceAccuracy(
        run="r",
        step=7,
        kind="recall",
        chance=0.125,
        trained=80,
        distances=[1, 5, 10, 40],
        correct=[10, 5, 0, 2],
        count=[10, 10, 0, 10],
        accuracy=[1.0, 0.5, 0.0, 0.2],
        low=[0.0] * 4,
        high=[1.0] * 4,
    )
    assert measured("accuracy@1", found) == (1.0, 7)
    assert measured("accuracy@9", found) == (0.5, 7)
    assert measured("accuracy@10", found) is None
    assert measured("accuracy@500", found) == (0.2, 7)
    assert measured("accuracy@0", found) is None


def test_gates() -> None:
    """Smallest and largest of all shown, and how far a unit moves over the text, against hand-made numbers."""
    found = gates([[0.0, 1.0], [0.4, 0.4]], low=0.25, high=0.5)
    assert measured("smallest@forget_gate", found) == (0.0, 5)
    assert measured("largest@forget_gate", found) == (1.0, 5)
    assert measured("mean@forget_gate", found) == pytest.approx((0.45, 5))
    assert measured("variation@forget_gate", found) == pytest.approx((0.25, 5))
    assert measured("closed_fraction@forget_gate", found) == (0.25, 5)
    assert measured("open_fraction@forget_gate", found) == (0.5, 5)
    assert measured("mean@input_gate", found) is None


def test_one_clipped_step() -> None:
    """The numbers as the inspection found them."""
    found = ClippedStep(
        run="r", step=3, mode="norm", threshold=1.0, before=4.0, after=1.0, scale=0.25, cosine=1.0, parameters=[]
    )
    assert measured("scale", found) == (0.25, 3)
    assert measured("cosine", found) == (1.0, 3)
    assert measured("clip_excess", found) == (0.0, 3)
    assert measured("clip_before", found) == (4.0, 3)
    assert measured("clip_after", found) == (1.0, 3)


def test_perplexity_of_a_text() -> None:
    """As predictions have it."""
    assert measured("text_perplexity", Predictions(run="r", step=2, tokens=[], loss=1.0, perplexity=2.7)) == (2.7, 2)


def test_what_if_is_half_the_sum_of_differences() -> None:
    """Total variation: 0 for the same, 1 for distributions that share nothing."""

    def candidates(**probabilities: float) -> list[Candidate]:
        return [Candidate(token=token, probability=p) for token, p in probabilities.items()]

    assert total_variation(candidates(a=0.7, b=0.3), candidates(a=0.7, b=0.3)) == 0
    assert total_variation(candidates(a=1.0), candidates(b=1.0)) == 1
    assert total_variation(candidates(a=0.6, b=0.4), candidates(a=0.4, b=0.6)) == pytest.approx(0.2)
    measurements = Measurements()
    one, other = (Completed(suggestion="", next=candidates(**{token: 1.0})) for token in "ab")
    measurements.take("rnn", ForcedCompletion(run="r", step=4, untouched=one, forced=other))
    assert measurements.measure("what_if_change", "rnn") == (1.0, 4)


# --- conditions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comparison", "holding"), [("<", [1.0]), ("<=", [1.0, 2.0]), (">", [3.0]), (">=", [2.0, 3.0])]
)
def test_comparisons(comparison: str, holding: list[float]) -> None:
    """As they are written; NaN holds none of them."""
    for loss in (1.0, 2.0, 3.0, math.nan):
        measurements = Measurements()
        measurements.take("rnn", validation(1, loss))
        condition = Condition(metric="validation_loss", variant="rnn", comparison=comparison, value=2.0)  # type: ignore[arg-type]
        assert measurements.judge(condition).holds == (loss in holding)


def test_a_condition_waits_for_its_step() -> None:
    """An untrained RNN is at chance at every distance; that is not what a lesson means to show."""
    condition = Condition(metric="validation_loss", variant="rnn", comparison=">", value=1.0, after=10)
    measurements = Measurements()
    measurements.take("rnn", validation(9, 2.0))
    assert not measurements.judge(condition).holds
    assert measurements.judge(condition).measured is None
    measurements.take("rnn", validation(10, 2.0))
    assert measurements.judge(condition).holds


def test_conditions_on_two_variants() -> None:
    """The difference or the ratio, once both are known for as long as is asked."""
    minus = Condition(metric="validation_loss", variant="rnn", minus="lstm", comparison=">", value=0.5, after=5)
    over = Condition(metric="validation_loss", variant="rnn", over="lstm", comparison=">", value=1.9, after=5)
    measurements = Measurements()
    measurements.take("rnn", validation(5, 2.0))
    measurements.take("lstm", validation(4, 1.0))
    assert measurements.judge(minus).measured is None
    measurements.take("lstm", validation(5, 1.0))
    assert measurements.judge(minus).measured == 1.0
    assert measurements.judge(over).measured == 2.0
    assert measurements.holds(Step(view="playground", conditions=[minus, over]))
    measurements.begin("lstm")
    assert not measurements.holds(Step(view="playground", conditions=[minus, over]))


def test_a_ratio_to_nothing_is_infinite() -> None:
    """A gradient that has vanished altogether is less than any."""
    condition = Condition(metric="gradient_ratio@1", variant="lstm", over="rnn", comparison=">", value=100)
    measurements = Measurements()
    measurements.take("lstm", curve(1, [[1.0, 0.5]]))
    measurements.take("rnn", curve(1, [[1.0, 0.0]]))
    assert measurements.judge(condition).measured == math.inf
    assert measurements.judge(condition).holds


def test_what_has_to_be_looked_at() -> None:
    """Only what some condition of that variant asks for."""
    lesson = Lesson(
        number=1,
        name="x",
        minutes=1.0,
        common={},
        variants={name: Variant(title={"en": name.upper(), "zh": name}) for name in ("rnn", "lstm")},
        steps=[
            Step(
                view="gates",
                conditions=[
                    Condition(metric="mean@forget_gate", variant="lstm", comparison=">", value=0.0),
                    Condition(metric="gradient_ratio@40", variant="lstm", over="rnn", comparison=">=", value=100),
                ],
            )
        ],
    )
    assert sources(lesson, "lstm") == {"gates": {"forget_gate"}, "gradients": {"40"}}
    assert sources(lesson, "rnn") == {"gradients": {"40"}}
    condition = lesson.steps[0].conditions[1]
    assert condition_text(condition, lesson, "en") == "‖∂L/∂h‖ 40 steps back / at 0 · LSTM / RNN ≥ 100"
    assert condition_text(condition, lesson, "zh").startswith("往回 40 步")
