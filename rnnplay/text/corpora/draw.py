"""Random choices that are the same for the same seed under every version of Python."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Uses `random.Random.random` alone: the only method that promises the same numbers in every version."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, limit: int) -> int:
        """A whole number from 0 to limit - 1."""
        return min(int(self._random() * limit), limit - 1)

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self._random() < probability

    def pick(self, choices: Sequence[T]) -> T:
        """Returns one of the choices, all equally likely."""
        return choices[self.below(len(choices))]

    def common(self, choices: Sequence[T]) -> T:
        """Returns one of the choices, earlier ones more often: Zipf's law with a flattened head."""
        sums = _zipf_sums(len(choices))
        return choices[min(bisect_right(sums, self._random() * sums[-1]), len(choices) - 1)]

    def several(self, choices: Sequence[T], count: int) -> list[T]:
        """Returns `count` different choices in random order, earlier ones of the list more often."""
        rest = list(choices)
        drawn = []
        for _ in range(count):
            sums = _zipf_sums(len(rest))
            drawn.append(rest.pop(min(bisect_right(sums, self._random() * sums[-1]), len(rest) - 1)))
        return drawn


@cache
def _zipf_sums(size: int) -> tuple[float, ...]:
    return tuple(accumulate(1.0 / (rank + 6) for rank in range(size)))
