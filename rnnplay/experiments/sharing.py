"""Divides the cores among the variants of a race: which may train now, and how far. Starts no processes.

Either all train at the same time, each with its part of the cores, or by turns, so that none is ahead of the others by
more than about a turn in steps, tokens or seconds of training.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Generic, Literal, NamedTuple, TypeVar

import msgspec

Measure = Literal["steps", "tokens", "seconds"]
Share = Literal["threads", "steps", "tokens", "seconds"]
SHARES: tuple[Share, ...] = ("threads", "steps", "tokens", "seconds")

TURN_SECONDS = 1.0
"""Approximate length of a turn."""

AHEAD_TURNS = 1.5
"""A variant gets another turn only while it is less than this many turns ahead of the one furthest behind."""

K = TypeVar("K", bound=Hashable)


class Reached(NamedTuple):
    """How long a variant has trained."""

    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    """Training time, without pauses and waiting."""

    def of(self, measure: Measure) -> float:
        """How long in that measure."""
        return float({"steps": self.steps, "tokens": self.tokens, "seconds": self.seconds}[measure])


class Sharing(msgspec.Struct, frozen=True, kw_only=True):
    """How the variants of a race share the machine."""

    share: Share
    """"threads": all train at the same time; otherwise by turns of equal steps, tokens or seconds."""
    at_once: int
    """Variants that train at the same time."""
    threads: int
    """CPU threads of each."""
    cores: int

    @property
    def measure(self) -> Measure:
        """The measure in which the variants stay together."""
        return "seconds" if self.share == "threads" else self.share

    def described(self, variants: int) -> str:
        """How `variants` share the machine, in a few words for the screen."""
        each = "1 thread each" if self.threads == 1 else f"{self.threads} threads each"
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        together = {1: "alone", 2: "both at once"}.get(variants, f"all {variants} at once")
        if self.share == "threads":
            return f"{together} on {cores}, {each}"
        how = f"turns of equal {self.share}"
        if self.at_once >= variants:
            return f"{how}, {together} on {cores}, {each}"
        return f"{how}, {self.at_once} of {variants} at a time on {cores}, {each}"


def choose_sharing(share: Share | None, variants: int, cores: int, device: str = "cpu") -> Sharing:
    """Returns how `variants` share `cores`, in the way asked for (None: the fairest that costs nothing).

    With a core for each, all train at the same time; with fewer, by turns of equal seconds, as trainings that share a
    core slow each other down unequally. A GPU is used by one at a time.
    """
    alone = device.partition(":")[0] != "cpu"
    if share is None:
        share = "threads" if cores >= variants and not alone else "seconds"
    at_once = variants if share == "threads" else 1 if alone else max(1, min(variants, cores))
    return Sharing(share=share, at_once=at_once, threads=max(1, cores // at_once), cores=cores)


class Turns(Generic[K]):
    """Decides which variants may train now, and how far, from how long each has trained."""

    def __init__(self, sharing: Sharing, turn_seconds: float = TURN_SECONDS) -> None:
        self.sharing = sharing
        self._turn_seconds = turn_seconds
        self._limits: dict[K, float] = {}
        """How far those may train that have not reached it yet."""

    def limits(self, reached: Mapping[K, Reached]) -> dict[K, float | None]:
        """Returns how far each variant may train, in the measure of the share; None: without a limit.

        `reached`: of each variant that takes part; one that is paused or has ended does not, and is not waited for. A
        variant at its limit, or beyond it by a part of a step, waits.
        """
        if self.sharing.share == "threads":
            return dict.fromkeys(reached)
        measure = self.sharing.measure
        at = {key: one.of(measure) for key, one in reached.items()}
        last = min(at.values(), default=0.0)
        turn = self.turn(reached)
        if len(at) <= self.sharing.at_once:
            self._limits = {key: self._moved(key, last + turn, turn) for key in at}
            return dict(self._limits)
        self._limits = {key: limit for key, limit in self._limits.items() if key in at and at[key] < limit}
        for key in sorted(at, key=at.__getitem__):
            if len(self._limits) >= self.sharing.at_once or at[key] >= last + AHEAD_TURNS * turn:
                break
            self._limits.setdefault(key, at[key] + turn)
        return {key: self._limits.get(key, at[key]) for key in at}

    def turn(self, reached: Mapping[K, Reached]) -> float:
        """The length of a turn, in the measure of the share: what the slowest does in `turn_seconds`, at least 1."""
        measure = self.sharing.measure
        if measure == "seconds":
            return self._turn_seconds
        paces = [one.of(measure) / one.seconds for one in reached.values() if one.seconds > 0 and one.steps]
        return max(1, math.ceil(min(paces, default=0.0) * self._turn_seconds))  # whole ones, as they are counted

    def _moved(self, key: K, limit: float, turn: float) -> float:
        """Returns `limit`, or the last one if that is close: each new one is a message to an engine."""
        before = self._limits.get(key)
        return before if before is not None and 0 <= limit - before < turn / 4 else limit
