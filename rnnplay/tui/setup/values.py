"""The next sensible number of a knob."""

from __future__ import annotations

import math

from rnnplay.config import KnobSpec, Value, knobs


def nudged(spec: KnobSpec | str, value: Value, direction: int) -> Value:
    """The next sensible number above (`direction` 1) or below (-1) `value`, within the limits of the knob.

    `spec` may be the name of a knob of RunConfig. Powers of two if the default is one; steps of 0.05 for fractions;
    1-2-5 steps where there is no practical upper limit; values that are not numbers stay.
    """
    if isinstance(spec, str):
        spec = knobs()[spec]
    if isinstance(value, str | bool):
        return value
    if spec.kind == "int":
        return _nudged_int(spec, int(value), direction)
    return _nudged_float(spec, float(value), direction)


class Nudges:
    """Nudges one number; a nudge back returns to the number before it, also if that is on no round step."""

    def __init__(self) -> None:
        self._made: list[tuple[Value, int, Value]] = []
        """Each nudge that can be taken back: the value before, the direction, and the value after."""

    def nudged(self, spec: KnobSpec | str, value: Value, direction: int) -> Value:
        """As the function does, or the value before the last nudge, if that was in the other direction."""
        if self._made and self._made[-1][2] != value:
            self._made = []  # another value has been typed
        if self._made and self._made[-1][1] == -direction:
            return self._made.pop()[0]
        there = nudged(spec, value, direction)
        if there != value:
            self._made.append((value, direction, there))
        return there


def _nudged_int(spec: KnobSpec, value: int, direction: int) -> int:
    default, high = int(spec.default), spec.knob.high
    if default >= 16 and default & (default - 1) == 0:
        power = math.log2(max(value, 1))
        there = 2.0 ** max(math.floor(power + 1e-9) + 1 if direction > 0 else math.ceil(power - 1e-9) - 1, 0)
    elif high >= 2**62 or (high < 10**9 and value + direction <= 10):  # a seed, or a small count
        there = value + direction
    elif value == 0:
        there = 100 if direction > 0 else 0
    else:
        there = math.floor(_one_two_five(value, direction))
    return int(min(max(there, spec.knob.low), high))


def _nudged_float(spec: KnobSpec, value: float, direction: int) -> float:
    low, high = max(spec.knob.low, spec.knob.above), spec.knob.high
    if spec.knob.minus and direction < 0 and value <= low:
        return -1.0
    even = 0.05 if high <= 1 else 0.5 if low < 0 else 0.1 if high <= 100 and spec.default else 0.0
    smallest = 1e-5 if high <= 1000 else 0.01
    if even:
        count = math.floor(value / even + 1e-6) + 1 if direction > 0 else math.ceil(value / even - 1e-6) - 1
        there = round(count * even, 6)
    elif value == 0:
        there = max(smallest, 1.0 if high > 1000 else 0.0) if direction > 0 else 0.0
    else:
        there = _one_two_five(value, direction)
        if there < smallest * 0.99:
            there = 0.0
    there = min(max(there, low), high)
    if there <= spec.knob.above:  # the limit itself is not allowed: no lower than the smallest step above it
        there = min(value, spec.knob.above + (0.01 if even else smallest))
    return there


def _one_two_five(number: float, direction: int) -> float:
    """The next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … from a positive `number`."""
    exponent = math.floor(math.log10(number) + 1e-9)
    ladder = [float(f"{digit}e{exponent + shift}") for shift in (-1, 0, 1) for digit in (1, 2, 5)]
    if direction > 0:
        return min(rung for rung in ladder if rung > number * (1 + 1e-9))
    return max(rung for rung in ladder if rung < number * (1 - 1e-9))
