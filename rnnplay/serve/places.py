"""How many may be in at once, who waits for a place, and which processors go with it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence


class Place:
    """A place that somebody has or waits for."""

    def __init__(self) -> None:
        self.free: asyncio.Future[tuple[int, ...]] = asyncio.get_running_loop().create_future()
        """Done, with the numbers of the processors to run on, once the place may be taken."""


class Places:
    """Gives out `count` places in the order in which they are asked for.

    With each go `threads` of the `processors`, those that the fewest others have. No processors: any.
    """

    def __init__(self, count: int, threads: int = 1, processors: Sequence[int] = ()) -> None:
        self.count = count
        self._threads = min(threads, len(processors))
        self._processors = tuple(processors)
        self._taken: dict[Place, tuple[int, ...]] = {}
        self._waiting: list[Place] = []

    @property
    def taken(self) -> int:
        return len(self._taken)

    @property
    def waiting(self) -> bool:
        """Whether anybody is in line."""
        return bool(self._waiting)

    def ask(self) -> Place:
        """Asks for a place; give it back in any case."""
        place = Place()
        self._waiting.append(place)
        self._give()
        return place

    def position(self, place: Place) -> int:
        """1 for who is next in line, and so on; 0 for who has a place."""
        return self._waiting.index(place) + 1 if place in self._waiting else 0

    def give_back(self, place: Place) -> None:
        """Gives up a place, or waiting for one; may be called twice."""
        if place in self._waiting:
            self._waiting.remove(place)
        elif self._taken.pop(place, None) is not None:
            self._give()

    def _give(self) -> None:
        while self._waiting and len(self._taken) < self.count:
            place = self._waiting.pop(0)
            self._taken[place] = processors = self._least_used()
            if not place.free.done():
                place.free.set_result(processors)

    def _least_used(self) -> tuple[int, ...]:
        used = Counter(number for numbers in self._taken.values() for number in numbers)
        return tuple(sorted(sorted(self._processors, key=lambda number: used[number])[: self._threads]))
