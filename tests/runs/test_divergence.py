"""When a run counts as diverged: seen from its losses alone, whatever their level and noise."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import pytest

from rnnplay.common.jsonl import decode_line, encode_line
from rnnplay.runs.divergence import ABOVE_STEPS, STUCK_STEPS, Watch


def watched(losses: Iterable[float]) -> Watch:
    watch = Watch()
    for loss in losses:
        watch = watch.after(loss, math.isfinite(loss))
    return watch


def noisy(level: float, steps: int, spread: float = 0.3) -> list[float]:
    draw = random.Random(steps)
    return [level * (1 + spread * draw.uniform(-1, 1)) for _ in range(steps)]


@pytest.mark.parametrize("level", [0.02, 0.5, 1.5, 9.0])
def test_noise_is_calm(level: float) -> None:
    watch = Watch()
    for loss in noisy(level, 2000):
        watch = watch.after(loss, True)
        assert watch.calm and not watch.far_above and not watch.repeated


def test_learning_is_calm_from_any_start() -> None:
    assert watched([1e4 * 0.97**step + 1.5 for step in range(1000)]).calm


@pytest.mark.parametrize("height", [5.0, 30.0, 1e4, 1e30])
def test_a_jump_that_heals_is_left_alone(height: float) -> None:
    """Within some hundred steps, from whatever height; char-rnn's guard at 3× would have ended the run."""
    watch = watched(noisy(1.5, 200))
    troubled = 0
    for step in range(400):
        watch = watch.after(1.5 + min(height, 40) * 0.97**step if step else height, True)
        troubled += not watch.calm
        assert not watch.far_above, step
    assert troubled and watch.calm and watch.level == pytest.approx(1.5, rel=0.3)


def test_one_spike_is_soon_forgotten() -> None:
    watch = watched([*noisy(1.5, 200), 1e38, *noisy(1.5, 30)])
    assert watch.calm


@pytest.mark.parametrize("height", [4.5, 50.0, 1e6])
def test_a_loss_that_stays_far_above_is_a_divergence(height: float) -> None:
    watch = watched([*noisy(1.5, 200), *noisy(height, STUCK_STEPS + 40, 0.05)])
    assert watch.far_above and not watch.calm
    assert not watched([*noisy(1.5, 200), *noisy(height, STUCK_STEPS // 2, 0.05)]).far_above, "not at once"


def test_a_loss_that_grows_does_not_take_its_level_along() -> None:
    growing = [1.5 * 1.02**step for step in range(260)]
    assert watched([*noisy(1.5, 100), *growing]).far_above


def test_healing_has_an_end() -> None:
    falling = [200 * 0.998**step for step in range(ABOVE_STEPS + 50)]
    assert watched([*noisy(1.5, 200), *falling]).far_above


def test_bad_steps_here_and_there_are_no_divergence_but_many_are() -> None:
    rare = [math.nan if step % 15 == 7 else 1.5 for step in range(600)]
    often = [math.nan if step % 5 == 2 else 1.5 for step in range(600)]
    assert not any(watched(rare[:end]).repeated for end in range(600))
    assert any(watched(often[:end]).repeated for end in range(600))
    assert watched([1.5, math.nan, math.inf, -math.inf]).repeated


def test_a_watch_comes_back_from_disk_to_the_last_bit() -> None:
    watch = watched([*noisy(1.5, 50), *noisy(9.0, 17), math.nan])
    assert decode_line(encode_line(watch), Watch) == watch and watch.strikes and watch.above
    fresh: Watch = decode_line(encode_line(Watch()), Watch)
    assert math.isnan(fresh.level) and fresh.low == math.inf and fresh.valid
