"""Declares every knob: its type, default, limits, one line of help, and whether it may change while training.

Those of the text and the model are in model_config.py, those of what is done with a trained model in
generation_config.py. The options of the command line, the form in the
terminal, docs/options.md and the error messages are all generated from these declarations. To add a knob, add a field
here and the code that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from rnnplay.errors import ConfigError
from rnnplay.generation_config import AdaptationConfig, CompletionConfig, SamplingConfig
from rnnplay.knob_combinations import ADAPTIVE_HIDDEN, check_together
from rnnplay.knob_texts import sample_prompts, split_fractions
from rnnplay.knobs import GROUPS, RENAMED, Knob, KnobSpec, Value, check, knobs_of, shown, with_new_names
from rnnplay.model_config import ModelConfig, NormalForm, TokenKind, WordBoundary

__all__ = [
    "ADAPTIVE_HIDDEN",
    "GROUPS",
    "RENAMED",
    "AdaptationConfig",
    "CompletionConfig",
    "Knob",
    "KnobSpec",
    "NormalForm",
    "RunConfig",
    "SamplingConfig",
    "TokenKind",
    "Value",
    "WordBoundary",
    "knobs",
    "split_fractions",
    "with_new_names",
    "with_values",
]

ConfigT = TypeVar("ConfigT", bound=msgspec.Struct)


class RunConfig(ModelConfig, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """All settings that determine a run. Raises ConfigError for an invalid value."""

    steps: Annotated[int, Knob("stop after this many steps", "length", low=0, high=10**12, zero="no limit")] = 0
    epochs: Annotated[
        float, Knob("stop after this many passes over the text", "length", low=0, high=10**9, zero="no limit")
    ] = 0.0
    minutes: Annotated[
        float,
        Knob(
            "stop after this many minutes of training, the last validation included",
            "length",
            low=0,
            high=10**7,
            zero="no limit",
        ),
    ] = 0.0
    batch_size: Annotated[int, Knob("sequences per step", "length", low=1, high=65_536)] = 32
    bptt: Annotated[
        int, Knob("timesteps per step: the gradient goes back no further", "length", low=1, high=65_536)
    ] = 64
    bptt_jitter: Annotated[
        float,
        Knob(
            "standard deviation of the number of timesteps of a step, drawn around bptt, in one of twenty steps around "
            "half of it; the learning rate is scaled with it",
            "length",
            low=0,
            high=1000,
            label="bptt jitter",
            zero="off",
            when=("feed", ("auto", "stream")),
        ),
    ] = 0.0
    seed: Annotated[
        int,
        Knob(
            "seed of the initial weights, of dropout and of the order of the data; 0 is one like any other",
            "length",
            low=0,
            high=2**63 - 1,
        ),
    ] = 1

    optimizer: Annotated[
        Literal["sgd", "rmsprop", "adam", "adamw", "muon"],
        Knob(
            "the rule that updates the weights; muon updates the recurrent layers' matrices, and adamw all else", "rate"
        ),
    ] = "adam"
    lr: Annotated[float, Knob("learning rate", "rate", above=0, high=1000, live=True)] = 0.002
    momentum: Annotated[
        float, Knob("momentum of SGD and RMSprop", "rate", low=0, high=0.9999, when=("optimizer", ("sgd", "rmsprop")))
    ] = 0.0
    beta2: Annotated[
        float,
        Knob(
            "decay per step of Adam's mean of squared gradients",
            "rate",
            low=0.5,
            high=0.99999,
            when=("optimizer", ("adam", "adamw", "muon")),
        ),
    ] = 0.999
    muon_ratio: Annotated[
        float,
        Knob(
            "Muon's learning rate of the recurrent layers' matrices, in multiples of lr, which is that of all else",
            "rate",
            above=0,
            high=1000,
            label="muon ratio",
            when=("optimizer", ("muon",)),
        ),
    ] = 2.0
    weight_decay: Annotated[
        float,
        Knob(
            "strength of the pull of the weights towards zero: by itself with adamw and muon (0.1 is usual), in the "
            "gradient with sgd, rmsprop and adam (at most 0.001)",
            "rate",
            low=0,
            high=10,
        ),
    ] = 0.0
    ema_decay: Annotated[
        float,
        Knob(
            "decay per step of an exponential moving average (EMA) of the weights, which is then what is validated, "
            "saved and prompted",
            "rate",
            low=0,
            high=0.99999,
            zero="off",
        ),
    ] = 0.0
    asgd_window: Annotated[
        int,
        Knob(
            "averaging once validation stalls (NT-ASGD): from the first validation on that is worse than the best of "
            "those before it, the last N left out, the mean of all later weights is validated, saved and prompted",
            "rate",
            low=0,
            high=10_000,
            zero="off",
            when=("eval_every", range(1, 10**9 + 1)),
        ),
    ] = 0
    schedule: Annotated[
        Literal["constant", "warmup", "cosine", "linear", "plateau"],
        Knob("how the learning rate changes over the run", "rate", live=True),
    ] = "constant"
    warmup_steps: Annotated[
        int,
        Knob(
            "steps from zero to the full learning rate",
            "rate",
            low=0,
            high=10**9,
            when=("schedule", ("warmup", "cosine", "linear")),
        ),
    ] = 100
    lr_floor: Annotated[
        float,
        Knob(
            "fraction of the learning rate below which it never falls",
            "rate",
            low=0,
            high=1,
            when=("schedule", ("cosine", "linear", "plateau")),
        ),
    ] = 0.02
    plateau_factor: Annotated[
        float,
        Knob(
            "the learning rate is multiplied by this when validation stalls",
            "rate",
            above=0,
            high=0.99,
            label="factor",
            when=("schedule", ("plateau",)),
        ),
    ] = 0.5
    plateau_patience: Annotated[
        int,
        Knob(
            "validations without improvement before that",
            "rate",
            low=0,
            high=10_000,
            label="patience",
            when=("schedule", ("plateau",)),
        ),
    ] = 1

    clip: Annotated[
        Literal["norm", "value", "off"], Knob("how gradients that are too large are clipped", "clipping", live=True)
    ] = "norm"
    clip_threshold: Annotated[
        float,
        Knob(
            "the largest norm (or value) that a gradient keeps",
            "clipping",
            above=0,
            high=1e9,
            live=True,
            label="threshold",
            when=("clip", ("norm", "value")),
        ),
    ] = 1.0

    divergence: Annotated[
        Literal["rollback", "stop", "off"],
        Knob("when the loss explodes: go back to the last good state, stop, or carry on", "divergence", live=True),
    ] = "rollback"
    divergence_remedy: Annotated[
        Literal["none", "lower-rate", "clip"],
        Knob(
            "what changes after a rollback: nothing, half the learning rate, or norm clipping at 1.0 (at half, "
            "where it is on)",
            "divergence",
            live=True,
            label="remedy",
            when=("divergence", ("rollback",)),
        ),
    ] = "lower-rate"
    max_rollbacks: Annotated[
        int,
        Knob(
            "rollbacks after which a run that diverges again stops",
            "divergence",
            low=0,
            high=10_000,
            label="rollbacks",
            when=("divergence", ("rollback",)),
        ),
    ] = 8
    good_seconds: Annotated[
        float,
        Knob(
            "seconds between good states kept in memory to go back to",
            "divergence",
            low=0,
            high=10**7,
            zero="checkpoints on disk only",
        ),
    ] = 5.0

    eval_every: Annotated[
        int, Knob("steps between validations", "evaluation", low=0, high=10**9, label="every", zero="only at the end")
    ] = 200
    eval_tokens: Annotated[
        int,
        Knob(
            "tokens of the validation text read each time", "evaluation", low=0, high=10**12, label="tokens", zero="all"
        ),
    ] = 200_000
    early_stop: Annotated[
        int,
        Knob(
            "stop after this many validations without improvement",
            "evaluation",
            low=0,
            high=10_000,
            zero="never",
            when=("eval_every", range(1, 10**9 + 1)),
        ),
    ] = 0

    sample_prompts: Annotated[
        str,
        Knob(
            r"prompts completed at each validation, for the sample log, separated by | (\| is a bar, \n a newline, \\ "
            "a backslash); auto: beginnings of three lines of the text; off: none",
            "evaluation",
            label="prompts",
        ),
    ] = "auto"

    checkpoint_every: Annotated[
        int,
        Knob("steps between checkpoints", "checkpoints", low=0, high=10**9, label="every", zero="by time only"),
    ] = 0
    checkpoint_seconds: Annotated[
        float,
        Knob("seconds between checkpoints", "checkpoints", low=0, high=10**7, label="seconds", zero="by steps only"),
    ] = 30.0
    keep: Annotated[int, Knob("checkpoints kept besides the best", "checkpoints", low=1, high=10_000)] = 3

    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], Knob("where the model runs", "machine")] = "auto"
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Knob("auto: bfloat16 products where the hardware has them", "machine"),
    ] = "auto"
    threads: Annotated[
        int,
        Knob(
            "CPU threads of the trainer, at most one per processor",
            "machine",
            low=0,
            high=1024,
            zero="the fastest number of those whose cores no other program uses",
        ),
    ] = 0

    def __post_init__(self) -> None:
        check(self)
        split_fractions(self.split)
        sample_prompts(self.sample_prompts)
        if not self.corpus.strip():
            raise ConfigError("corpus", f"corpus must be the name of a corpus or a path; got {shown(self.corpus)}.")
        check_together(
            tokens=self.tokens, softmax=self.softmax, tie=self.tie, embedding=self.embedding, hidden=self.hidden
        )
        if self.ema_decay and self.asgd_window:
            raise ConfigError(
                "asgd_window",
                "asgd_window and ema_decay are both on, but only one average of the weights is kept; turn one of them "
                "off.",
            )

    @property
    def averages(self) -> bool:
        """Whether an average of the weights is kept, which is then what is validated, saved and prompted."""
        return self.ema_decay > 0 or self.asgd_window > 0


def knobs(config_type: type[msgspec.Struct] = RunConfig) -> dict[str, KnobSpec]:
    """Returns all knobs of `config_type` by name, in the order of their declaration."""
    return knobs_of(config_type)


def with_values(config: ConfigT, values: Mapping[str, Any]) -> ConfigT:
    """Returns `config` with some knobs changed; raises ConfigError for an unknown name or an invalid value.

    steps, epochs and minutes together are the length: where `values` sets any of them, the others become 0.
    """
    specs = knobs(type(config))
    changed: dict[str, Value] = {}
    for name, value in values.items():
        if name not in specs:
            raise ConfigError(name, f"Unknown knob {shown(name)}; the knobs are {', '.join(specs)}.")
        changed[name] = specs[name].check(value)
    lengths = ("steps", "epochs", "minutes")
    if any(changed.get(name) for name in lengths):
        for name in lengths:
            changed.setdefault(name, 0 if name == "steps" else 0.0)
    return msgspec.structs.replace(config, **changed)
