"""Training time leaves pauses out and goes on after a restart; the length is reached when it says."""

from __future__ import annotations

from typing import Any

import pytest

from rnnplay.common.working_time import WorkingTime
from rnnplay.config import RunConfig, with_values
from rnnplay.training.length import extended, fraction_done, in_words, is_over, seconds_left
from rnnplay.training.stopwatch import Speed, Stopwatch


def test_pauses_do_not_count_and_earlier_seconds_do() -> None:
    now = [100.0]
    watch = Stopwatch(7.0, WorkingTime(lambda: now[0], lambda _: {0: now[0]}))
    now[0] += 50
    assert watch.seconds == 7, "not started yet"
    watch.start()
    now[0] += 3
    watch.stop()
    now[0] += 1000
    watch.start()
    watch.start()
    now[0] += 2
    assert watch.seconds == 12
    watch.stop()


def test_neither_does_a_stop_of_the_process_which_is_told_once() -> None:
    now, attended = [100.0], [0.0]
    watch = Stopwatch(7.0, WorkingTime(lambda: now[0], lambda _: {0: attended[0]}))
    watch.start()
    attended[0] += 1
    now[0] += 1
    assert (watch.seconds, watch.left_out()) == (8, 0)
    now[0] += 500
    assert (watch.seconds, watch.left_out(), watch.left_out()) == (8, 500, 0)
    watch.stop()
    now[0] += 500
    watch.start()
    assert (watch.seconds, watch.left_out()) == (8, 0), "a pause is asked for, and not told"
    watch.stop()


def test_speed_is_that_of_the_last_second() -> None:
    speed = Speed()
    assert speed.tokens_per_second == 0
    for _ in range(50):
        speed.add(1.0, 10)
    for _ in range(20):
        speed.add(0.1, 10)
    assert speed.tokens_per_second == pytest.approx(100)
    assert speed.step_seconds == pytest.approx(0.1)


def test_the_first_step_counts_only_until_there_is_another() -> None:
    """It starts threads and allocates memory; on a busy machine that took 3 s, and every other step 0.05 s."""
    speed = Speed()
    speed.add(3.0, 10)
    assert speed.tokens_per_second == pytest.approx(10 / 3) and not speed.known
    speed.add(0.05, 10)
    assert speed.tokens_per_second == pytest.approx(200) and speed.known
    speed.add(0.15, 10)
    assert speed.step_seconds == pytest.approx(0.1)


def test_what_is_no_training_is_held_out() -> None:
    now, attended = [100.0], [100.0]
    watch = Stopwatch(0.0, WorkingTime(lambda: now[0], lambda _: {0: attended[0]}))
    with watch.held():
        now[0] += 5
    assert watch.seconds == 0, "it was not started, and is not now"
    watch.start()
    now[0] += 50  # stopped
    assert watch.seconds == 0
    with watch.held():
        now[0] += 1
        attended[0] += 1
    now[0] += 1
    attended[0] += 1
    assert (watch.seconds, watch.left_out()) == (1, 50), "a stop before is still told"
    watch.stop()


def test_fraction_is_of_whatever_ends_first() -> None:
    config = RunConfig(steps=100, epochs=2, minutes=1)
    assert fraction_done(config, 10, 1.0, 15) == 0.5
    assert fraction_done(config, 10, 0.1, 45) == 0.75
    assert fraction_done(config, 200, 0.1, 45) == 1.0
    assert fraction_done(RunConfig(), 200, 0.1, 45) == 0.0


def test_a_run_is_over_when_its_length_is_reached() -> None:
    assert is_over(RunConfig(steps=10), 10, 0, 0) and not is_over(RunConfig(steps=10), 9, 9, 9e9)
    assert is_over(RunConfig(epochs=1.5), 0, 1.5, 0) and not is_over(RunConfig(epochs=1.5), 99, 1.49, 9e9)
    assert not is_over(RunConfig(), 10**9, 10**9, 10**9)


def test_by_time_the_last_step_ends_nearest_to_the_budget() -> None:
    config = RunConfig(minutes=1)
    assert not is_over(config, 0, 0, 59.4, step_seconds=1.0), "ends at 60.4, nearer than 59.4"
    assert is_over(config, 0, 0, 59.6, step_seconds=1.0), "would end at 60.6"


def test_time_is_left_for_the_validation_that_closes_the_run() -> None:
    config = RunConfig(minutes=1)
    assert is_over(config, 0, 0, 55.0, closing=5.0) and not is_over(config, 0, 0, 54.9, closing=5.0)
    assert fraction_done(config, 0, 0, 55.0, closing=5.0) == 1.0
    assert seconds_left(config, fraction_done(config, 0, 0, 11.0, 5.0), 11.0, closing=5.0) == 49.0
    assert not is_over(config, 0, 0, 29.9, closing=100.0), "half of the time is for steps"


def test_in_words() -> None:
    assert in_words(RunConfig(steps=1000)) == "1,000 steps"
    assert in_words(RunConfig(minutes=1)) == "1 minute"
    assert in_words(RunConfig()) == "no limit"


@pytest.mark.parametrize(
    ("values", "fraction", "longer_values"),
    [
        ({"steps": 100}, 1.0, {"steps": 200}),
        ({"steps": 100}, 0.0, {"steps": 200}),
        ({"epochs": 2.0}, 1.5, {"epochs": 5.0}),
        ({"minutes": 2.0}, 1.0, {"minutes": 4.0}),
        ({"minutes": 2.0}, 1.003, {"minutes": 4.0}),
    ],
)
def test_longer_adds_the_length_to_what_is_done(
    values: dict[str, Any], fraction: float, longer_values: dict[str, Any]
) -> None:
    config = with_values(RunConfig(), values)
    assert extended(config, fraction) == with_values(config, longer_values)


def test_what_has_no_end_cannot_be_longer() -> None:
    assert extended(RunConfig(), 0.0) == RunConfig()
