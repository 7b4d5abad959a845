"""What the user chooses in the dialog of a race, and the plan that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from rnnplay.config import RunConfig, Value, knobs, with_values
from rnnplay.engine.messages import BranchFrom
from rnnplay.errors import ConfigError, RnnplayError
from rnnplay.experiments.fairness import CountTokens
from rnnplay.experiments.race_plan import RacePlan, plan_race
from rnnplay.experiments.sweep.space import parse_dimension
from rnnplay.experiments.variants import READY, Variant, ready, vary
from rnnplay.knobs import Knob, shown
from rnnplay.training.length import LENGTHS
from rnnplay.tui.keymap import key_name
from rnnplay.tui.widgets.visible import visible_line

VARY = "vary"
"""The choice of knobs and values to be typed, after the ready-made sets."""
CHOICES = (*READY, VARY)
MINUTES = 1.0
"""The length of a race whose setup has none."""


class RaceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the dialog."""

    vary: Annotated[
        str,
        Knob(
            "knobs and their values, such as cell=rnn,lstm lr=0.001,0.01; several knobs make every combination",
            "race",
        ),
    ] = ""
    parameters: Annotated[
        bool,
        Knob(
            "choose the hidden sizes such that all variants have about as many parameters as the setup",
            "race",
            label="match parameters",
        ),
    ] = False
    repeat: Annotated[
        int,
        Knob(
            "races one after the other, each with another seed: their range shows what is noise", "race", low=1, high=20
        ),
    ] = 1
    share: Annotated[
        Literal["auto", "threads", "steps", "tokens", "seconds"],
        Knob(
            "threads: all train at once; steps, tokens, seconds: in turns of equally many; auto: at once if there is a "
            "core for each, else in turns of equal seconds",
            "race",
            label="sharing of cores",
        ),
    ] = "auto"
    minutes_each: Annotated[
        float,
        Knob(
            "minutes of training for each variant",
            "race",
            low=0,
            high=10_000,
            label="minutes each",
            zero="the setup's",
        ),
    ] = 0.0


EXAMPLES = "lr=0.001,0.01 or cell=rnn,gru"


def varied_values(text: str) -> dict[str, list[Value]]:
    """Parses knobs and their values, separated by spaces; raises RnnplayError, in a sentence."""
    values: dict[str, list[Value]] = {}
    for word in text.split():
        name, equals, given = word.partition("=")
        if not (name and equals and given):
            raise ConfigError(name, f"A knob is written with its values, such as {EXAMPLES}; got {shown(word)}.")
        if name == "seed":
            raise ConfigError(name, "seed is not varied: repeat the race instead, each time with another seed.")
        try:
            dimension = parse_dimension(word)
        except RnnplayError as error:
            raise ConfigError(name, _without_option(str(error))) from error
        if not dimension.values:
            raise ConfigError(name, f"{word} is a range; say how many values of it to train, as in {word}:3.")
        if dimension.knob in values:
            raise ConfigError(name, f"{dimension.knob} is given twice; put all its values into one list.")
        if dimension.knob in LENGTHS:
            raise ConfigError(name, f"{dimension.knob} is the length of the race, the same for all variants.")
        values[dimension.knob] = dimension.values
    return values


def _without_option(message: str) -> str:
    """Returns an error about an argument of --vary as one about what was typed here."""
    text = message.removeprefix("--vary").removeprefix(":").lstrip()
    return text[:1].upper() + text[1:] if text.startswith("unknown") else text


def chosen_variants(choice: str, vary_text: str, setup: RunConfig) -> list[Variant]:
    """Returns the variants of a choice; raises RnnplayError, in a sentence, for what was typed wrong."""
    if choice != VARY:
        return ready(choice, setup)
    if not vary_text.strip():
        raise ConfigError("vary", f"Type a knob and its values, such as {EXAMPLES}.")
    return vary(setup, varied_values(vary_text))


def with_length(setup: RunConfig, minutes: float = 0.0) -> RunConfig:
    """Returns the setup with a length: that of `minutes`, or its own, or else a minute."""
    if minutes:
        return with_values(setup, {**dict.fromkeys(LENGTHS, 0), "minutes": minutes})
    return setup if any(getattr(setup, name) for name in LENGTHS) else with_values(setup, {"minutes": MINUTES})


def length_text(setup: RunConfig) -> str:
    """Describes the length: "2 min", "500 steps", "1 epoch or 2 min"."""
    parts = []
    for name in LENGTHS:
        if value := getattr(setup, name):
            word = {"minutes": "min"}.get(name, name if value != 1 else name.removesuffix("s"))
            parts.append(f"{value:,g} {word}")
    return " or ".join(parts)


def check_kept(variants: Sequence[Variant], setup: RunConfig, branch: BranchFrom | None) -> None:
    """Raises ConfigError for a variant whose model the weights of `branch` do not fit."""
    if branch is None:
        return
    for name, spec in knobs().items():
        own = getattr(setup, name)
        if not all(spec.knob.may_branch(own, getattr(variant.config, name)) for variant in variants):
            raise ConfigError(
                name,
                f"{name} cannot be varied: all begin with the weights of {visible_line(branch.checkpoint)}, whose "
                f"{name} is {spec.text(own)}; vary another knob.",
            )


def plan_of(
    settings: RaceSettings,
    choice: str,
    setup: RunConfig,
    cores: int,
    vocabulary: CountTokens,
    device: str = "cpu",
    branch: BranchFrom | None = None,
) -> RacePlan:
    """Returns the plan of a race of `setup`, from the weights of `branch` if given.

    Raises RnnplayError for what was typed wrong.
    """
    setup = with_length(setup, settings.minutes_each)
    variants = chosen_variants(choice, settings.vary, setup)
    check_kept(variants, setup, branch)
    if branch is not None and settings.parameters:
        raise ConfigError(
            "parameters",
            "A branch keeps its parent's sizes, so parameters cannot be matched; "
            f"switch that off ({key_name('race-plan.match')}).",
        )
    return plan_race(
        setup,
        variants,
        branch=branch,
        cores=cores,
        device=device if setup.device == "auto" else setup.device,
        share=settings.share if settings.share != "auto" else None,
        match_parameters=vocabulary if settings.parameters else None,
        repeats=settings.repeat,
    )


def single_variant(text: str, setup: RunConfig) -> Variant:
    """Returns the variant that `text` describes, such as "cell=gru hidden=128"; raises RnnplayError."""
    if not text.strip():
        raise ConfigError("", "Type what the variant has otherwise than the setup, such as cell=gru hidden=128.")
    values = varied_values(text)
    for name, given in values.items():
        if len(given) > 1:
            raise ConfigError(name, f"One variant has one value of {name}; leave the others out.")
    changed = {name: given[0] for name, given in values.items()}
    return Variant(label=" ".join(text.split()), config=with_values(setup, changed), changed=changed)


def duration_text(plan: RacePlan) -> str:
    """Says how long the whole race takes, if its length is in minutes: "about 6 min in all"; "" if that is obvious."""
    minutes = plan.setup.minutes
    whole = minutes * plan.repeats * max(1.0, len(plan.variants) / plan.sharing.at_once)
    return f"about {whole:.3g} min in all" if minutes and whole > minutes else ""


def sharing_text(plan: RacePlan, asked: str) -> str:
    """Says how the cores are shared, and why if that was left to the default."""
    text = plan.sharing.described(len(plan.variants))
    if asked != "auto":
        if plan.sharing.share == "threads" and len(plan.variants) > plan.sharing.cores:
            return f"{text}: they slow each other down, and not all equally"
        return text
    if plan.sharing.share == "threads":
        return f"{text}, as there is a core for each"
    return f"{text}, as there are fewer cores than variants"


def preview_lines(plan: RacePlan, vocabulary: CountTokens | None) -> list[tuple[str, str]]:
    """Returns for each variant its label, and its size: "1×256  331,000 parameters"."""
    from rnnplay.model.parameter_count import parameter_count  # imported on first use: slow

    lines = []
    for variant in plan.variants:
        config = variant.config
        size = f"{config.layers}×{config.hidden}"
        if vocabulary is not None:
            size += f"  {parameter_count(config, vocabulary(config)):,} parameters"
        lines.append((visible_line(variant.label), size))
    return lines


def choice_title(choice: str) -> str:
    """Returns the line of a choice in the dialog."""
    return READY[choice].title if choice != VARY else "knobs and values of your own"


def choices() -> Sequence[str]:
    """Returns the lines of the dialog's list."""
    return [choice_title(choice) for choice in CHOICES]
