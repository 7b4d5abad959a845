"""The knobs that a sweep varies, and the values that it tries: `lr=1e-4..1e-1:log`, `cell=rnn,gru,lstm`.

A knob has either a list of values, or a range of numbers, from which values are drawn, evenly or on a logarithmic
scale. A range with a number of points, `lr=1e-4..1e-1:log:4`, is a list of evenly spaced values for a grid.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from rnnplay.common.numbers import whole_number
from rnnplay.common.other_tools import meant_as
from rnnplay.config import RENAMED, RunConfig, Value, knobs, with_values
from rnnplay.errors import ConfigError, InputError
from rnnplay.knobs import shown

MOST_POINTS = 100_000
"""Combinations of a grid; more are a mistake."""

EXAMPLES = "lr=0.001,0.003,0.01 or lr=1e-4..1e-1:log"


class Dimension(msgspec.Struct, frozen=True, kw_only=True):
    """A knob and what is tried of it: `values`, or numbers from `low` to `high`."""

    knob: str
    values: list[Value] = []
    """Listed, or the points of a range; empty for a range without a number of points."""
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    """Whether the numbers of the range are even on a logarithmic scale."""

    @property
    def is_range(self) -> bool:
        """Whether values are drawn from a range."""
        return self.high > self.low

    @property
    def whole(self) -> bool:
        """Whether the knob's values are whole numbers."""
        return knobs()[self.knob].kind == "int"

    @property
    def text(self) -> str:
        """As it is written on the command line."""
        if not self.is_range:
            return f"{self.knob}={','.join(map(value_text, self.values))}"
        points = f":{len(self.values)}" if self.values else ""
        return f"{self.knob}={self.low:g}..{self.high:g}{':log' if self.log else ''}{points}"


def value_text(value: Value) -> str:
    """Formats a knob's value as it is typed; numbers that were drawn, with four digits."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def param_text(params: Mapping[str, Value], name: str) -> str:
    """Formats the value of a knob for a table, 0 or -1 in the words of the form; "–" where it has none."""
    if name not in params:
        return "–"
    value = params[name]
    spec = knobs()[name]
    return spec.text(value) if not value or spec.meaning(value) else value_text(value)


def combination_text(params: Mapping[str, Value]) -> str:
    """ "cell=lstm lr=0.003"."""
    return " ".join(f"{name}={value_text(value)}" for name, value in params.items())


def parse_dimension(text: str) -> Dimension:
    """Parses the argument of `--vary`; raises InputError, or ConfigError for a value that the knob cannot have."""
    name, equals, values = text.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    name = RENAMED.get(name, name)
    if not equals or not values.strip():
        raise InputError(f"--vary takes a knob and its values, such as {EXAMPLES}; got {shown(text)}.")
    if name not in knobs():
        near = meant_as(name, [knob.replace("_", "-") for knob in knobs()])
        hint = (
            f"did you mean {near[0].split()[0].replace('-', '_')}?" if near else f"the knobs are {', '.join(knobs())}."
        )
        raise ConfigError(name, f"--vary: unknown knob {shown(name)}; {hint}")
    if name == "seed":
        raise InputError("--vary: seed is not varied as a knob; --repeat 3 trains each combination with three seeds.")
    dimension = _range(name, values) if ".." in values else _list(name, values)
    repeated = [value for value in dimension.values if dimension.values.count(value) > 1]
    if repeated:
        raise InputError(f"--vary {text}: {value_text(repeated[0])} is there twice; give each value once.")
    return dimension


def _list(name: str, values: str) -> Dimension:
    spec = knobs()[name]
    words = [word.strip() for word in values.split(",")]
    if not all(words):
        raise InputError(f"--vary {name}={values}: a value is missing between two commas.")
    if spec.kind in ("int", "float") and any(re.fullmatch("0[0-9]+", word) for word in words):
        raise InputError(f"--vary {name}={values}: a comma separates two values; write thousands without one.")
    return Dimension(knob=name, values=[spec.parse(word) for word in words])


def _range(name: str, values: str) -> Dimension:
    spec = knobs()[name]
    what = f"--vary {name}={values}"
    if spec.kind not in ("int", "float"):
        raise InputError(f"{what}: {name} is not a number and has no range; list its values, separated by commas.")
    ends, *rest = values.split(":")
    log = bool(rest) and rest[0].strip() == "log"
    rest = rest[log:]
    if len(rest) > 1:
        raise InputError(f"{what}: a range is LOW..HIGH, LOW..HIGH:log or LOW..HIGH:log:POINTS.")
    first, last = (float(spec.parse(end)) for end in ends.split("..", 1))
    if not first < last:
        raise InputError(f"{what}: a range goes from a smaller to a larger number.")
    if first < spec.knob.low:
        raise InputError(f"{what}: a range has no place for {value_text(first)}, which means {spec.meaning(first)}.")
    if log and first <= 0:
        raise InputError(f"{what}: a logarithmic range starts above 0.")
    dimension = Dimension(knob=name, low=first, high=last, log=log)
    if not rest:
        return dimension
    points = whole_number(rest[0])
    if points is None or not 2 <= points <= MOST_POINTS:
        raise InputError(f"{what}: {shown(rest[0])} is not a number of points; give 2 or more, or :log before it.")
    return msgspec.structs.replace(dimension, values=_points(dimension, points))


def _points(dimension: Dimension, count: int) -> list[Value]:
    low, high = dimension.low, dimension.high
    if dimension.log:
        low, high = math.log(low), math.log(high)
    numbers = [low + (high - low) * at / (count - 1) for at in range(count)]
    if dimension.log:
        numbers = [math.exp(number) for number in numbers]
    # Four digits: 0.001, not 0.0010000000000000002.
    rounded = [float(f"{number:.4g}") for number in numbers]
    rounded[0], rounded[-1] = dimension.low, dimension.high
    if dimension.whole:
        return list(dict.fromkeys(round(number) for number in rounded))
    return list(rounded)


def parse_dimensions(texts: Sequence[str]) -> list[Dimension]:
    """Parses all arguments of `--vary`; raises InputError for a knob that is there twice."""
    dimensions = [parse_dimension(text) for text in texts]
    names = [dimension.knob for dimension in dimensions]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--vary: {name} is there twice; give all its values in one --vary.")
    return dimensions


def grid(dimensions: Sequence[Dimension]) -> list[dict[str, Value]]:
    """Returns all combinations, the last knob varying fastest; raises InputError for a range without points."""
    for dimension in dimensions:
        if not dimension.values:
            raise InputError(
                f"--vary {dimension.text} is a range, and a grid needs its number of points: "
                f"{dimension.text}:4; or give --sampler random or tpe with --trials."
            )
    count = math.prod(len(dimension.values) for dimension in dimensions)
    if count > MOST_POINTS:
        raise InputError(f"This grid has {count:,} combinations; list fewer values, or give --sampler random --trials.")
    names = [dimension.knob for dimension in dimensions]
    products = itertools.product(*(dimension.values for dimension in dimensions))
    return [dict(zip(names, values, strict=True)) for values in products]


def examples(config: RunConfig, dimensions: Sequence[Dimension]) -> list[RunConfig]:
    """Returns configs in which each dimension has each of its values, or both its ends, on a combination or none."""
    found = [config]
    for dimension in dimensions:
        for value in dimension.values or [dimension.low, dimension.high]:
            with suppress(ConfigError):  # it may go together only with a value of another dimension
                found.append(with_values(config, {dimension.knob: int(value) if dimension.whole else value}))
    return found


def with_combination(config: RunConfig, params: Mapping[str, Value]) -> RunConfig:
    """Returns `config` with the values of a combination; raises ConfigError, naming it, if they do not fit together."""
    try:
        return with_values(config, params)
    except ConfigError as error:
        raise ConfigError(error.knob, f"With {combination_text(params)}: {error}") from error
