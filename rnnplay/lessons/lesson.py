"""The parts of a lesson: the declarations in its lesson.toml, and its page in one language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from rnnplay.config import RunConfig, with_values
from rnnplay.inspection.cell.drawing import Stage
from rnnplay.inspection.results import Forced
from rnnplay.lessons.languages import locale_code

View = Literal["playground", "gradients", "gates", "clipping", "distances", "predictions", "what if", "timestep"]
"""The view of the interface in which a step takes place."""

Comparison = Literal["<", "<=", ">", ">="]


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be measured for a step to tick: metric(variant) [- metric(minus) | / metric(over)] comparison value."""

    metric: str
    """A name in metrics.METRICS, followed by "@" and its parameter if it takes one, as in "accuracy@40"."""
    variant: str
    comparison: Comparison
    value: float
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Steps after which the variant is measured: what already holds for untrained weights must not tick early."""
    minus: str = ""
    """Another variant, whose measurement is subtracted."""
    over: str = ""
    """Another variant, by whose measurement this one is divided."""

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that the condition compares."""
        return tuple(variant for variant in (self.variant, self.minus, self.over) if variant)


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to do and observe. The page says what to do, in the same order."""

    view: View
    conditions: Annotated[list[Condition], msgspec.Meta(min_length=1)]
    look: bool = False
    """Whether the page asks the user to look: the step then ticks only while its view is showing it."""

    stage: Stage | None = None
    """The stage that the timestep view must show."""

    @property
    def quantity(self) -> str:
        """The quantity that the gates view must show, the stage that the timestep view must; "" for any other view."""
        if self.view == "timestep":
            return self.stage or ""
        return self.conditions[0].metric.partition("@")[2] if self.view == "gates" else ""

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that the step needs, each once."""
        return tuple(dict.fromkeys(variant for condition in self.conditions for variant in condition.variants))


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of the experiment."""

    title: dict[str, str]
    """The title in each language."""
    values: dict[str, Any] = {}
    """Knobs of RunConfig on top of the lesson's common ones."""
    learning_rates: list[float] = []
    """The grid from which the variant's learning rate was chosen; empty if the rate itself is the point."""
    branch: str = ""
    """The variant before it whose run's weights this one begins with, its vocabulary extended; "" for random ones."""


class Probe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The texts and interventions that inspections use."""

    text: str = ""
    """The text for gates and predictions."""
    prompt: str = ""
    """The prompt for the what-if view."""
    forced: list[Forced] = []
    """The quantities that the what-if view forces."""


class Lesson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contents of a lesson.toml."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    name: str
    minutes: Annotated[float, msgspec.Meta(gt=0, le=4)]
    """Approximate time for all variants together on two cores."""
    common: dict[str, Any]
    """Knobs of RunConfig that all variants share."""
    variants: dict[str, Variant]
    """The variants in the order in which they run."""
    steps: Annotated[list[Step], msgspec.Meta(min_length=1)]
    probe: Probe = Probe()
    pages: dict[str, str] = {}
    """The pages of a lesson of the user's own, Markdown by the language's code; not a field of lesson.toml."""

    def title_of(self, variant: str, language: str) -> str:
        """Returns the variant's title in `language`, or else in one that it has."""
        titles = self.variants[variant].title
        return titles[preferred(titles, language)]

    def config(self, variant: str, seed: int | None = None) -> RunConfig:
        """Returns the config of `variant`; raises ConfigError for an invalid value, KeyError for an unknown variant."""
        values = {**self.common, **self.variants[variant].values}
        return with_values(RunConfig(), values if seed is None else {**values, "seed": seed})

    def run_name(self, variant: str, seed: int) -> str:
        """Returns the name of the variant's run; the seed has at least two digits, as the interface numbers runs."""
        return f"lesson-{self.number}-{variant}-{seed:02d}"


def preferred(languages: Iterable[str], wanted: str) -> str:
    """Returns the one of the languages (at least one) to show to whoever reads `wanted`.

    That one, else the locale's, else English, else the first.
    """
    there = list(languages)
    return next((code for code in (wanted, locale_code(), "en") if code in there), there[0])


@dataclass(frozen=True, slots=True)
class Page:
    """A lesson's text in one language, as Markdown."""

    title: str
    markdown: str
    """The whole page."""
    text: str
    equation: str
    steps: tuple[str, ...]
    """The items under "What to do", one line each."""
    watch: str
    question: str
    answer: str
    change: str
    """The section "Now change this yourself"."""
