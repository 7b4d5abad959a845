"""Lines in which a character is determined by one that stands a known distance before it.

recall      a symbol, filler, a cue, the symbol again:       C.............?C
brackets    Dyck words of three kinds, bounded depth:        ([]{()})
agreement   a subject and its verb, with nouns of either number between them:
                                                             the keys of the house near the roads are old
copy        letters, a cue, the same letters again:          bdacf|bdacf

A training line has any size up to a limit; lines of larger sizes, which the model has never seen, ask whether it has
learned the rule or the lengths.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import NamedTuple, TypeVar

T = TypeVar("T")

SEED = 1
VERSION = 1
"""Changing it generates the texts anew."""

SYMBOLS, FILLER, CUE = "ABCDEFGH", ".", "?"
LETTERS, BAR = "abcdefgh", "|"
PAIRS = {"(": ")", "[": "]", "{": "}"}
DEPTH = 6

SINGULAR = ("key", "boy", "dog", "king", "road", "house", "tree", "boat")
BETWEEN = ("of", "near", "behind", "above")
ADJECTIVES = ("old", "new", "small", "green", "lost", "here")
VERBS = (("is", "are"), ("was", "were"), ("has been", "have been"))
"""Singular and plural first differ at the character that tells them apart."""


class Draw:
    """Makes random choices that are the same for the same seed under every version of Python.

    Uses `random.Random.random` alone: the only method that promises the same numbers in every version.
    """

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


class Dependency(NamedTuple):
    """Determined by an earlier character: line[position] is one of `alternatives`, and line[earlier] says which."""

    position: int
    earlier: int
    alternatives: str

    @property
    def distance(self) -> int:
        """Timesteps between the two characters."""
        return self.position - self.earlier


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of line."""

    kind: str
    sizes: tuple[int, int]
    """The smallest and the largest size of a training line; the unit of size depends on the kind."""
    lines: int
    """Number of lines in the training text."""
    trained: int
    """The largest distance in the training text."""
    chance: float
    """Accuracy of a model that knows everything but the earlier character: 1 / number of alternatives."""
    make: Callable[[Draw, int], str]
    """Generates a line of the given size."""
    dependencies: Callable[[str], list[Dependency]]
    """Finds the dependencies in a line; raises ValueError for a line of another kind."""


def training_text(kind: str, seed: int = SEED) -> Iterator[str]:
    """Generates the lines of the corpus `kind`, newlines included; the same seed gives the same lines."""
    task, draw = TASKS[kind], Draw(seed)
    smallest, largest = task.sizes
    for _ in range(task.lines):
        yield task.make(draw, smallest + draw.below(largest - smallest + 1)) + "\n"


def recall_line(draw: Draw, size: int) -> str:
    """Generates a recall line with `size` characters of filler."""
    symbol = draw.pick(SYMBOLS)
    return symbol + FILLER * size + CUE + symbol


def recall_dependencies(line: str) -> list[Dependency]:
    """The last symbol repeats the first one."""
    symbols, _, again = line.partition(CUE)
    count = len(symbols.rstrip(FILLER))
    if not again or symbols[:count] != again or not set(again) <= set(SYMBOLS):
        raise ValueError(f"no line of recall: {line!r}")
    return [Dependency(len(symbols) + 1 + at, at, SYMBOLS) for at in range(count)]


def copy_line(draw: Draw, size: int) -> str:
    """Generates a copy line of `size` letters."""
    letters = "".join(draw.pick(LETTERS) for _ in range(size))
    return letters + BAR + letters


def copy_dependencies(line: str) -> list[Dependency]:
    """Each letter of the second half repeats the corresponding one of the first."""
    letters, _, again = line.partition(BAR)
    if not letters or letters != again or not set(letters) <= set(LETTERS):
        raise ValueError(f"no line of copy: {line!r}")
    return [Dependency(len(letters) + 1 + at, at, LETTERS) for at in range(len(letters))]


def brackets_line(draw: Draw, size: int) -> str:
    """Generates a pair of brackets around `size` pairs."""
    opening = draw.pick("([{")
    return opening + _dyck(draw, size, DEPTH - 1) + PAIRS[opening]


def brackets_dependencies(line: str) -> list[Dependency]:
    """A closing bracket has the kind of the one that it closes."""
    open_at: list[int] = []
    found: list[Dependency] = []
    closers = "".join(PAIRS.values())
    for position, bracket in enumerate(line):
        if bracket in PAIRS:
            open_at.append(position)
        elif open_at and PAIRS[line[open_at[-1]]] == bracket:
            found.append(Dependency(position, open_at.pop(), closers))
        else:
            raise ValueError(f"no line of brackets: {line!r}")
    if open_at or not line:
        raise ValueError(f"no line of brackets: {line!r}")
    return found


def agreement_line(draw: Draw, size: int) -> str:
    """Generates a line with `size` nouns of either number between the subject and its verb."""
    plural = draw.chance(0.5)
    words = ["the", _noun(draw, plural)]
    for _ in range(size):
        words += [draw.pick(BETWEEN), "the", _noun(draw, draw.chance(0.5))]
    words += [draw.pick(VERBS)[plural], draw.pick(ADJECTIVES)]
    return " ".join(words)


def agreement_dependencies(line: str) -> list[Dependency]:
    """The verb agrees with the subject, which shows in the character after its stem: an s or none."""
    stem = next((noun for noun in SINGULAR if line.startswith(("the " + noun + " ", "the " + noun + "s "))), "")
    subject = 4 + len(stem)
    for singular, plural in VERBS:
        for verb in (singular, plural):
            before, _, after = line.rpartition(f" {verb} ")
            if stem and after in ADJECTIVES and (verb == plural) == (line[subject] == "s"):
                first = next(at for at, (one, other) in enumerate(zip(singular, plural, strict=False)) if one != other)
                return [Dependency(len(before) + 1 + first, subject, singular[first] + plural[first])]
    raise ValueError(f"no line of agreement: {line!r}")


def _dyck(draw: Draw, pairs: int, depth: int) -> str:
    """Generates a balanced sequence of `pairs` bracket pairs, nested at most `depth` deep."""
    text = ""
    while pairs:
        inner = draw.below(pairs) if depth > 1 else 0
        opening = draw.pick("([{")
        text += opening + _dyck(draw, inner, depth - 1) + PAIRS[opening]
        pairs -= inner + 1
    return text


def _noun(draw: Draw, plural: bool) -> str:
    return draw.pick(SINGULAR) + ("s" if plural else "")


TASKS = {
    task.kind: task
    for task in (
        Task("recall", (1, 80), 20_000, 82, 1 / len(SYMBOLS), recall_line, recall_dependencies),
        Task("brackets", (1, 30), 12_000, 61, 1 / len(PAIRS), brackets_line, brackets_dependencies),
        Task("agreement", (0, 3), 12_000, 55, 1 / 2, agreement_line, agreement_dependencies),
        Task("copy", (1, 16), 20_000, 17, 1 / len(LETTERS), copy_line, copy_dependencies),
    )
}
