"""Knobs: their declaration, and how their values are parsed, checked and named in an error.

rnnplay/config.py declares the knobs of a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from rnnplay.common.numbers import meant, real_number, whole_number
from rnnplay.errors import ConfigError

Kind = Literal["int", "float", "bool", "choice", "text"]
Value = int | float | bool | str
T = TypeVar("T")

RENAMED = {"average": "ema_decay"}
"""Present names of knobs by those of earlier versions, so that old files and command lines stay valid."""

GROUPS = {
    "corpus": "Corpus",
    "model": "Model",
    "regularisation": "Regularisation",
    "length": "Length",
    "rate": "Optimizer",
    "clipping": "Clipping",
    "divergence": "Divergence",
    "evaluation": "Evaluation",
    "checkpoints": "Checkpoints",
    "machine": "Machine",
    "sampling": "Sampling",
    "completion": "Completion",
    "adaptation": "Adaptation",
}
"""The groups of knobs, in the order of the form, with their titles."""


@dataclass(frozen=True, slots=True)
class Knob:
    """What a knob declares besides its type and default."""

    help: str
    group: str
    low: float = -math.inf
    high: float = math.inf
    above: float = -math.inf
    """An exclusive lower limit."""
    live: bool = False
    """Whether it may change between two steps, without a restart."""
    kept: bool = False
    """Whether a branch keeps it: the shapes of its parent's weights, or the meaning of their ids, depend on it."""
    alike: tuple[str, ...] = ()
    """Values with which the weights are the same, so that a branch may change from one to another."""
    label: str = ""
    """Its name in the form, where the knob's name is too long."""
    when: tuple[str, tuple[str | bool, ...] | range] | None = None
    """A knob and those of its values with which this one has an effect."""
    zero: str = ""
    """What 0 means, where it is not a number like others."""
    minus: str = ""
    """What -1 means, where it is allowed besides the range because 0 is a number like others."""

    def may_branch(self, parents: Value, own: Value) -> bool:
        """Whether a branch may have its `own` value with the weights of one that has its `parents`."""
        return not self.kept or own == parents or {own, parents} <= set(self.alike)


@dataclass(frozen=True, slots=True)
class KnobSpec:
    """A knob with its name, type and default, for the command line and the form."""

    name: str
    kind: Kind
    default: Value
    choices: tuple[str, ...]
    knob: Knob

    @property
    def label(self) -> str:
        """The short name in the form."""
        return self.knob.label or self.name.replace("_", " ")

    @property
    def option(self) -> str:
        """The name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def special(self) -> tuple[int, str] | None:
        """The number that is not one like others, 0 or -1, with what it means; None if there is none."""
        if self.knob.zero:
            return 0, self.knob.zero
        return (-1, self.knob.minus) if self.knob.minus else None

    def meaning(self, value: Value) -> str:
        """What `value` means if it is the knob's special number; "" otherwise."""
        return self.special[1] if self.special and value == self.special[0] and not isinstance(value, bool) else ""

    @property
    def allowed(self) -> str:
        """The allowed range in words."""
        if self.kind == "choice":
            return ", ".join(self.choices[:-1]) + " or " + self.choices[-1]
        if self.kind == "bool":
            return "true or false"
        if self.kind == "text":
            return "text"
        what = "a whole number" if self.kind == "int" else "a number"
        low = (
            f" above {_plain(self.knob.above)}"
            if self.knob.above != -math.inf
            else f" from {_plain(self.knob.low)}"
            if self.knob.low != -math.inf
            else ""
        )
        if self.knob.high == math.inf:
            return what + low
        if low.startswith(" above"):
            return f"{what}{low}, at most {_plain(self.knob.high)}"
        return f"{what}{low} to {_plain(self.knob.high)}{', or -1' if self.knob.minus else ''}"

    def check(self, value: object) -> Value:
        """Returns `value` in the knob's own type; raises ConfigError if it is invalid."""
        if type(value) is type(self.default) and value == self.default:
            return self.default  # as most values are, of the fifty of each of thousands of runs
        given = value
        if self.kind == "float" and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e300:
            value = float(value)
        fits = {"int": int, "float": float, "bool": bool, "choice": str, "text": str}[self.kind]
        right_type = isinstance(value, fits) and not (self.kind == "int" and isinstance(value, bool))
        if not right_type or not self._within(value):
            raise ConfigError(self.name, f"{self.name} must be {self.allowed}; got {shown(given)}{self._hint(given)}.")
        return value  # type: ignore[return-value]

    def parse(self, text: str) -> Value:
        """Parses what a user typed; raises ConfigError if it is invalid."""
        text = text.strip()
        parsed: object = text
        if self.kind == "bool":
            words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
            parsed = words.get(text.lower(), text)
        elif self.kind == "choice" and text.lower() in self.choices:
            parsed = text.lower()
        elif (number := self._number(text)) is not None:
            parsed = number
        return self.check(parsed)  # raises with what was expected

    def text(self, value: Value) -> str:
        """Formats `value` as the form and every table show it: 0 or -1 as its meaning, if it has a special one."""
        return self.meaning(value) or typed(value)

    def takes(self, text: str) -> bool:
        """Whether `parse` accepts `text`."""
        try:
            self.parse(text)
        except ConfigError:
            return False
        return True

    @property
    def needs(self) -> str:
        """What the knob has an effect with, "cell rnn or gru" or "layers 2 or more"; "" if with anything."""
        if self.knob.when is None:
            return ""
        other, values = self.knob.when
        fit = f"{values[0]} or more" if isinstance(values, range) else " or ".join(map(typed, values))
        return f"{other} {fit}"

    def relevant(self, config: msgspec.Struct) -> bool:
        """Whether the knob has an effect with the other values of `config`."""
        if self.knob.when is None:
            return True
        other, values = self.knob.when
        return getattr(config, other) in values

    def _number(self, text: str) -> int | float | None:
        """Parses `text` as a number of the knob's type; None if it is not one or the knob is not a number."""
        if self.kind == "int":
            return whole_number(text)
        return real_number(text) if self.kind == "float" else None

    def _hint(self, value: object) -> str:
        """Returns what to write instead of an invalid value; "" if that is unclear."""
        if self.name == "clip" and real_number(str(value)) is not None:  # in other programs it is a number
            return "; the number is that of clip_threshold"
        if not isinstance(value, str):
            return ""
        text = meant(value, whole=self.kind == "int") or value.strip()
        number = self._number(text)
        if number is None or not self._within(number):
            return ""
        return f"; write {text}" if text != value.strip() else f"; write {text} without quotes"

    def _within(self, value: Any) -> bool:
        if self.kind == "choice":
            return value in self.choices
        if self.kind in ("int", "float"):
            if self.knob.minus and value == -1:
                return True
            # In this form NaN is refused.
            return bool(self.knob.low <= value <= self.knob.high and value > self.knob.above)
        return True


@cache
def knobs_of(config_type: type[msgspec.Struct]) -> dict[str, KnobSpec]:
    """Returns all knobs of `config_type` by name, in the order of their declaration."""
    hints = get_type_hints(config_type, include_extras=True)
    defaults = {field.name: field.default for field in msgspec.structs.fields(config_type)}
    return {name: _spec(name, hints[name], defaults[name]) for name in defaults}


def check(config: msgspec.Struct) -> None:
    """Raises ConfigError for the first invalid value of `config`."""
    for spec, value in zip(knobs_of(type(config)).values(), msgspec.structs.astuple(config), strict=True):
        if value is not spec.default:
            spec.check(value)


def idle(names: Iterable[str], configs: Sequence[msgspec.Struct]) -> list[KnobSpec]:
    """Returns the knobs of `names` that have an effect in none of `configs`, and in one of them not their default."""
    specs = knobs_of(type(configs[0]))
    found = (specs[name] for name in dict.fromkeys(names))
    return [
        spec
        for spec in found
        if not any(map(spec.relevant, configs)) and any(getattr(one, spec.name) != spec.default for one in configs)
    ]


def with_new_names(values: dict[str, T]) -> dict[str, T]:
    """Returns `values` with renamed knobs under their present names."""
    if RENAMED.keys().isdisjoint(values):
        return values
    return {RENAMED.get(name, name): value for name, value in values.items()}


def of_format_1(values: dict[str, T]) -> dict[str, T | float]:
    """Returns the settings of a run.json or a study of format 1, in which a 0 of these meant "as dropout"."""
    return {**values, **{name: -1.0 for name in ("input_dropout", "layer_dropout") if values.get(name) == 0}}


def _spec(name: str, hint: Any, default: Any) -> KnobSpec:
    base, knob = get_args(hint)
    if get_origin(base) is Literal:
        return KnobSpec(name, "choice", default, get_args(base), knob)
    kinds: dict[type, Kind] = {int: "int", float: "float", bool: "bool", str: "text"}
    return KnobSpec(name, kinds[base], default, (), knob)


def _plain(number: float) -> str:
    return f"{int(number):,}" if float(number).is_integer() and abs(number) < 1e19 else f"{number:g}"


def typed(value: Value) -> str:
    """Formats a knob's value as a user would type it: 0.01, 256, lstm, on."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, float):
        return str(value)
    short = f"{value:g}"  # six digits: a value with more is shown in full
    return short if float(short) == value else repr(value)


def shown(value: object) -> str:
    """Formats `value` for an error, shortened to 60 characters."""
    text = repr(value) if isinstance(value, str) else typed(value) if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
