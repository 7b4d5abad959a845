"""Turns: nobody waits for ever, nobody runs ahead, and the cores are used."""

from __future__ import annotations

import pytest

from rnnplay.experiments.sharing import Reached, Share, Sharing, Turns, choose_sharing


@pytest.mark.parametrize(
    ("share", "variants", "cores", "device", "expected"),
    [
        (None, 2, 2, "cpu", ("threads", 2, 1)),
        (None, 2, 5, "cpu", ("threads", 2, 2)),
        (None, 3, 2, "cpu", ("seconds", 2, 1)),
        (None, 3, 1, "cpu", ("seconds", 1, 1)),
        ("threads", 6, 2, "cpu", ("threads", 6, 1)),
        ("steps", 2, 8, "cpu", ("steps", 2, 4)),
        ("tokens", 6, 4, "cpu", ("tokens", 4, 1)),
        (None, 2, 16, "cuda:0", ("seconds", 1, 16)),
        ("steps", 2, 16, "cuda", ("steps", 1, 16)),
    ],
)
def test_cores_are_shared_out(
    share: Share | None, variants: int, cores: int, device: str, expected: tuple[Share, int, int]
) -> None:
    chosen = choose_sharing(share, variants, cores, device)
    assert (chosen.share, chosen.at_once, chosen.threads) == expected


def test_the_screen_says_how() -> None:
    assert choose_sharing(None, 2, 2).described(2) == "both at once on 2 cores, 1 thread each"
    assert (
        choose_sharing(None, 3, 2).described(3) == "turns of equal seconds, 2 of 3 at a time on 2 cores, 1 thread each"
    )
    assert choose_sharing("steps", 2, 4).described(2) == "turns of equal steps, both at once on 4 cores, 2 threads each"


class Simulated:
    """Variants with a duration for each step, trained as their limits allow; the clock moves in hundredths."""

    def __init__(self, sharing: Sharing, step_seconds: dict[str, float], tokens: dict[str, int] | None = None) -> None:
        self.turns: Turns[str] = Turns(sharing)
        self.sharing = sharing
        self.reached = dict.fromkeys(step_seconds, Reached())
        self.step_seconds = step_seconds
        self.tokens = tokens or dict.fromkeys(step_seconds, 100)
        self.rest = dict.fromkeys(step_seconds, 0.0)
        self.trained = 0.0
        """Seconds of training of all."""
        self.furthest_apart = 0.0

    def run(self, seconds: float, tick: float = 0.01) -> None:
        for _ in range(round(seconds / tick)):
            limits = self.turns.limits(self.reached)
            measure = self.sharing.measure
            training = [
                key
                for key, limit in limits.items()
                if self.rest[key] > 0 or limit is None or self.reached[key].of(measure) < limit
            ]
            assert self.sharing.share == "threads" or len(training) <= self.sharing.at_once + 1  # one ends its step
            for key in training:
                self.trained += tick
                self.rest[key] += tick
                if self.rest[key] >= self.step_seconds[key]:
                    self.rest[key] = 0.0
                    at = self.reached[key]
                    self.reached[key] = Reached(
                        at.steps + 1, at.tokens + self.tokens[key], at.seconds + self.step_seconds[key]
                    )
            values = [one.of(measure) for one in self.reached.values()]
            self.furthest_apart = max(self.furthest_apart, max(values) - min(values))


def test_with_a_core_each_nobody_waits() -> None:
    race = Simulated(choose_sharing(None, 2, 2), {"rnn": 0.02, "lstm": 0.1})
    race.run(20)
    assert race.trained == pytest.approx(40)
    assert set(race.turns.limits(race.reached).values()) == {None}


@pytest.mark.parametrize(("variants", "cores"), [(3, 2), (6, 2), (6, 4), (2, 1)])
def test_turns_of_equal_seconds_keep_the_variants_together_and_the_cores_busy(variants: int, cores: int) -> None:
    race = Simulated(
        choose_sharing("seconds", variants, cores), {str(one): 0.02 + 0.04 * one for one in range(variants)}
    )
    race.run(60)
    assert race.furthest_apart <= 2.6
    assert race.trained >= 0.97 * 60 * cores


@pytest.mark.parametrize("share", ["steps", "tokens"])
@pytest.mark.parametrize(("variants", "cores"), [(2, 2), (3, 2), (2, 1)])
def test_turns_of_equal_steps_or_tokens_go_at_the_pace_of_the_slowest(share: Share, variants: int, cores: int) -> None:
    """A turn is what the slowest does in a second, so one with large steps is at most a few of them behind."""
    durations = dict(zip("abc"[:variants], (0.01, 0.05, 0.2), strict=False))
    race = Simulated(choose_sharing(share, variants, cores), durations, {"a": 10, "b": 20, "c": 70})
    race.run(60)
    turn = race.turns.turn(race.reached)
    assert race.furthest_apart <= 2.6 * turn + 70
    slowest = max(durations.values())
    assert min(one.steps for one in race.reached.values()) > (0.9 if cores >= variants else 0.3) * 60 / slowest / 2


def test_one_that_pauses_or_has_ended_is_not_waited_for() -> None:
    race = Simulated(choose_sharing("steps", 3, 2), {"a": 0.02, "b": 0.05, "c": 0.1})
    race.run(5)
    stuck = race.reached.pop("c")
    race.run(10)
    assert min(one.steps for one in race.reached.values()) > stuck.steps + 50


def test_one_that_joins_later_catches_up_first() -> None:
    race = Simulated(choose_sharing("seconds", 3, 2), {"a": 0.02, "b": 0.05})
    race.run(10)
    race.reached["c"], race.step_seconds["c"], race.tokens["c"], race.rest["c"] = Reached(), 0.05, 100, 0.0
    before = dict(race.reached)
    race.run(5)
    assert race.reached["c"].seconds > 3.9  # it waited for the end of a turn
    assert all(race.reached[key].seconds - before[key].seconds <= 1.1 for key in "ab")


def test_limits_move_in_few_messages() -> None:
    turns: Turns[str] = Turns(choose_sharing("seconds", 2, 2))
    seen = {turns.limits({"a": Reached(n, n, n / 100), "b": Reached(n, n, n / 100)})["a"] for n in range(1000)}
    assert len(seen) <= 45
