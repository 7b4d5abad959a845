"""What a lesson is: the declarations in its lesson.toml, and its page in one language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from rnnplay.config import RunConfig, with_values
from rnnplay.inspection.results import Forced

View = Literal["playground", "gradients", "gates", "clipping", "distances", "predictions", "what if"]
"""Where in the interface a step is seen."""

Comparison = Literal["<", "<=", ">", ">="]


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be measured for a step to tick: metric(variant) [- metric(minus) | / metric(over)] comparison value."""

    metric: str
    """A name of measurements.METRICS, "@" and its parameter behind it where it has one: "accuracy@40"."""
    variant: str
    comparison: Comparison
    value: float
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Measured once the variant has done so many steps: what holds of untrained weights anyway must not tick early."""
    minus: str = ""
    """Another variant, whose measurement is subtracted."""
    over: str = ""
    """Another variant, by whose measurement it is divided."""

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants it looks at."""
        return tuple(variant for variant in (self.variant, self.minus, self.over) if variant)


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to do and see. What to do is said in the page, in the same order."""

    view: View
    conditions: Annotated[list[Condition], msgspec.Meta(min_length=1)]
    look: bool = False
    """The page asks to look at it: the step ticks only while the view shows it."""

    @property
    def quantity(self) -> str:
        """What the view of the gates has to show for it; "" for any other view."""
        return self.conditions[0].metric.partition("@")[2] if self.view == "gates" else ""

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants whose runs it takes, each once."""
        return tuple(dict.fromkeys(variant for condition in self.conditions for variant in condition.variants))


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of the experiment."""

    title: dict[str, str]
    """By language."""
    values: dict[str, Any] = {}
    """Knobs of RunConfig that differ from the lesson's common ones."""
    rates: list[float] = []
    """The grid of learning rates that the variant's is the best of; empty where the rate is part of what is shown."""


class Probe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What inspections look at."""

    text: str = ""
    """For gates and predictions."""
    prompt: str = ""
    """For what if."""
    forced: list[Forced] = []
    """For what if."""


class Lesson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lesson.toml."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    name: str
    minutes: Annotated[float, msgspec.Meta(gt=0, le=4)]
    """About how long all variants take together on two cores."""
    common: dict[str, Any]
    """Knobs of RunConfig that all variants share."""
    variants: dict[str, Variant]
    """In the order they are run."""
    steps: Annotated[list[Step], msgspec.Meta(min_length=1)]
    probe: Probe = Probe()

    def config(self, variant: str, seed: int | None = None) -> RunConfig:
        """The run of `variant`; raises ConfigError for a value that is not allowed, KeyError for an unknown variant."""
        values = {**self.common, **self.variants[variant].values}
        return with_values(RunConfig(), values if seed is None else {**values, "seed": seed})

    def run_name(self, variant: str, seed: int) -> str:
        """What the variant's run is called: with two digits or more, as the interface numbers runs."""
        return f"lesson-{self.number}-{variant}-{seed:02d}"


@dataclass(frozen=True, slots=True)
class Page:
    """A lesson's text in one language, as Markdown."""

    title: str
    markdown: str
    """The whole page."""
    text: str
    equation: str
    steps: tuple[str, ...]
    """What to do, a line a step."""
    watch: str
    question: str
    answer: str
    change: str
    """ "Now change this yourself"."""
