"""The plan of a study: what is varied, from which settings, how trials are chosen, and what they are judged by."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from rnnplay.common.files import as_name, is_name
from rnnplay.config import RunConfig, Value, with_new_names
from rnnplay.errors import InputError
from rnnplay.experiments.sweep.space import Dimension, grid, with_combination
from rnnplay.knobs import of_format_1
from rnnplay.runs.metrics.records import Validation

Sampler = Literal["grid", "random", "tpe"]
SAMPLERS: tuple[Sampler, ...] = ("grid", "random", "tpe")
METRICS = {
    "validation_loss": "the lowest validation loss of the run, in nats per token",
    "last_validation_loss": "the validation loss at its end",
    "bits_per_character": "the lowest bits per character; comparable where the tokens differ",
}
DEFAULT_METRIC = "validation_loss"
DEFAULT_TRIALS = 20
MOST_TRIALS = 100_000
MOST_SEEDS = 1_000
FORMAT = 2
_LONGEST_NAME = 60


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a study is; the same for all who work on it."""

    format: int = FORMAT
    config: RunConfig
    """The settings of all trials, apart from what is varied."""
    dimensions: list[Dimension]
    sampler: Sampler = "grid"
    trials: int
    """Combinations to try."""
    repeat: int = 1
    """Seeds with which each is trained: the seed in `config` and those after it."""
    metric: str = DEFAULT_METRIC
    prune: bool = False

    @property
    def knobs(self) -> list[str]:
        """Names of the knobs that are varied."""
        return [dimension.knob for dimension in self.dimensions]

    @property
    def seeds(self) -> list[int]:
        """The seeds of each combination."""
        return [self.config.seed + number for number in range(self.repeat)]

    @property
    def runs(self) -> int:
        """Runs in all."""
        return self.trials * self.repeat


def make_plan(
    config: RunConfig,
    dimensions: list[Dimension],
    sampler: Sampler | None,
    trials: int | None,
    repeat: int = 1,
    metric: str = DEFAULT_METRIC,
    prune: bool = False,
) -> Plan:
    """Makes the plan of a new study; raises InputError if it never ends or its parts do not fit together."""
    if not dimensions:
        raise InputError(
            "A sweep varies something; give --vary for each knob, as in --vary cell=rnn,lstm --vary lr=1e-4..1e-1:log."
        )
    if not (config.steps or config.epochs or config.minutes) and not {"steps", "epochs", "minutes"} & {
        dimension.knob for dimension in dimensions
    }:
        raise InputError("The runs of a sweep need an end; give --steps, --epochs or --minutes.")
    listed = all(dimension.values for dimension in dimensions)
    chosen = sampler or ("grid" if listed and trials is None else "random")
    if chosen == "grid":
        points = grid(dimensions)
        if trials is not None and trials != len(points):
            raise InputError(
                f"A grid tries all its {len(points):,} combinations; leave --trials out, or give --sampler random."
            )
        for point in points:
            with_combination(config, point)
        trials = len(points)
    return Plan(
        config=config,
        dimensions=dimensions,
        sampler=chosen,
        trials=trials or DEFAULT_TRIALS,
        repeat=repeat,
        metric=metric,
        prune=prune,
    )


def longer(plan: Plan, asked: Plan, study: str) -> Plan:
    """Returns the plan of the study named `study` with the number of trials in `asked`.

    Raises InputError if `asked` differs in anything else.
    """
    same = msgspec.structs.replace(asked, trials=plan.trials)
    if same == plan:
        return asked if asked.trials > plan.trials else plan
    differing = [
        name for name in RunConfig.__struct_fields__ if getattr(plan.config, name) != getattr(asked.config, name)
    ]
    differing += [
        name for name in ("sampler", "repeat", "metric", "prune") if getattr(plan, name) != getattr(asked, name)
    ]
    if plan.dimensions != asked.dimensions:
        differing.append("vary")
    raise InputError(
        f"There is a study {study!r} already, with another {' and '.join(differing)}; go on with it by its name alone, "
        "or choose another with --study."
    )


def encode_plan(plan: Plan) -> Any:
    """Converts a plan to what JSON holds."""
    return msgspec.to_builtins(plan)


def decode_plan(found: object, study: str) -> Plan:
    """Reads a plan; raises InputError if it is not one that this version can work on."""
    try:
        if isinstance(found, dict) and isinstance(config := found.get("config"), dict):
            config = with_new_names(config)
            found = {**found, "config": of_format_1(config) if found.get("format") == 1 else config}
        plan = msgspec.convert(found, Plan)
    except (msgspec.ValidationError, InputError) as error:
        raise InputError(
            f"The study {study!r} was not made by this version of rnnplay ({str(error)[:200]})."
        ) from error
    if plan.format > FORMAT or plan.metric not in METRICS or not plan.dimensions:
        raise InputError(f"The study {study!r} was made by a later rnnplay; update rnnplay.")
    return msgspec.structs.replace(plan, format=FORMAT)


def trial_config(plan: Plan, params: dict[str, Value], seed: int) -> RunConfig:
    """The settings of one trial; raises ConfigError if they do not fit together."""
    return with_combination(plan.config, {**params, "seed": seed})


def value_of(metric: str, validations: Iterable[Validation]) -> tuple[float, int] | None:
    """Returns the metric of a run and the step at which it was reached; None if no validation was finite."""
    name = "bits_per_character" if metric == "bits_per_character" else "loss"
    found = [(float(getattr(one, name)), one.step) for one in validations]
    if metric == "last_validation_loss":
        found = found[-1:]
    return min((pair for pair in found if math.isfinite(pair[0])), default=None)


def check_study_name(name: str) -> str:
    """Returns `name` if it is a valid name for a study; raises InputError otherwise. Never accepts a path."""
    if not is_name(name, _LONGEST_NAME):
        raise InputError(
            f"A study cannot be called {name[:100]!r}; use at most {_LONGEST_NAME} letters, digits, dots, dashes and "
            "underscores, beginning with a letter or digit."
        )
    return name


def study_name(corpus: str, taken: Iterable[str]) -> str:
    """Returns a free name like "tales-sweep-01"."""
    stem = f"{as_name(Path(corpus).stem, 40) or 'text'}-sweep"
    used = set(taken)
    return next(name for number in range(1, 10**9) if (name := f"{stem}-{number:02d}") not in used)


def run_name(study: str, number: int) -> str:
    """The run of a trial."""
    return f"{study}-{number:03d}"
