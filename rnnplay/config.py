"""Every knob once: its type, default, limits, one line of help, and whether it may change while training.

The options of the command line, the form in the terminal, docs/options.md and the error messages are all
made from these declarations. To add a knob, add a field here and the code that uses it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from rnnplay.common.numbers import meant, meant_split, real_number, whole_number
from rnnplay.errors import ConfigError

GROUPS = {
    "corpus": "Corpus",
    "model": "Model",
    "length": "Length",
    "rate": "Optimizer",
    "clipping": "Clipping",
    "divergence": "Divergence",
    "evaluation": "Evaluation",
    "checkpoints": "Checkpoints",
    "machine": "Machine",
    "sampling": "Sampling",
}

ADAPTIVE_HIDDEN = 16
"""Units with which the rarest words of an adaptive softmax, whose vectors are a sixteenth as long, still have one."""


@dataclass(frozen=True, slots=True)
class Knob:
    """What a knob's declaration says beside its type and default."""

    help: str
    group: str
    low: float = -math.inf
    high: float = math.inf
    above: float = -math.inf
    """An exclusive lower limit."""
    live: bool = False
    """May change between two steps, without a restart."""
    label: str = ""
    """In the form, where the name is too long: its last words."""
    when: tuple[str, tuple[str, ...]] | None = None
    """Only of use while the knob named has one of these values."""
    zero: str = ""
    """What 0 means, where it is not a number like others."""


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that determines a run. Raises ConfigError for a value that is not allowed."""

    corpus: Annotated[str, Knob("a bundled corpus, a .txt in corpora/, or a path", "corpus")] = "tales"
    tokens: Annotated[Literal["char", "word"], Knob("what one token is", "corpus")] = "char"
    lowercase: Annotated[bool, Knob("read the text in lower case", "corpus")] = False
    min_count: Annotated[
        int, Knob("tokens seen less often than this become <unk>", "corpus", low=1, high=1_000_000)
    ] = 1
    max_vocabulary: Annotated[
        int,
        Knob(
            "keep only the most frequent tokens", "corpus", low=0, high=10_000_000, label="vocabulary", zero="no limit"
        ),
    ] = 0
    feed: Annotated[
        Literal["auto", "stream", "lines"],
        Knob("one stream with carried state, or each line a sequence; auto: as the card says", "corpus"),
    ] = "auto"
    split: Annotated[str, Knob("train/validation/test in percent of the text, in its order", "corpus")] = "90/5/5"

    cell: Annotated[Literal["rnn", "lstm", "gru"], Knob("the recurrent cell", "model")] = "lstm"
    nonlinearity: Annotated[Literal["tanh", "relu"], Knob("of the plain RNN", "model", when=("cell", ("rnn",)))] = (
        "tanh"
    )
    embedding: Annotated[int, Knob("size of a token's vector", "model", low=1, high=16_384)] = 64
    hidden: Annotated[int, Knob("units of the hidden state per layer", "model", low=1, high=16_384)] = 256
    layers: Annotated[int, Knob("recurrent layers, one on another", "model", low=1, high=16)] = 1
    dropout: Annotated[
        float, Knob("fraction dropped on the embedding, between layers and on the output", "model", low=0, high=0.95)
    ] = 0.0
    tie: Annotated[bool, Knob("output weights are the embedding's (embedding = hidden)", "model")] = False
    softmax: Annotated[
        Literal["full", "adaptive"],
        Knob(
            "of the output; adaptive: rarer words in clusters that are looked into only when needed, quicker from some "
            "10,000 words on",
            "model",
            when=("tokens", ("word",)),
        ),
    ] = "full"
    forget_bias: Annotated[
        float,
        Knob("forget gate's bias at the start", "model", low=-20, high=20, when=("cell", ("lstm",))),
    ] = 1.0
    recurrent_gain: Annotated[
        float, Knob("scale of the orthogonal recurrent weights", "model", above=0, high=10, label="gain")
    ] = 1.0

    steps: Annotated[int, Knob("stop after so many steps", "length", low=0, high=10**12, zero="no limit")] = 0
    epochs: Annotated[
        float, Knob("stop after so many passes over the text", "length", low=0, high=10**9, zero="no limit")
    ] = 0.0
    minutes: Annotated[
        float,
        Knob(
            "stop after so many minutes of training, the last validation included",
            "length",
            low=0,
            high=10**7,
            zero="no limit",
        ),
    ] = 0.0
    batch_size: Annotated[int, Knob("sequences a step", "length", low=1, high=65_536)] = 32
    bptt: Annotated[int, Knob("timesteps a step: the gradient goes back no further", "length", low=1, high=65_536)] = 64
    seed: Annotated[int, Knob("of weights, dropout and order", "length", low=0, high=2**63 - 1)] = 1

    optimizer: Annotated[
        Literal["sgd", "rmsprop", "adam", "adamw"], Knob("the rule that updates the weights", "rate")
    ] = "adam"
    lr: Annotated[float, Knob("learning rate", "rate", above=0, high=1000, live=True)] = 0.002
    momentum: Annotated[
        float, Knob("of SGD and RMSprop", "rate", low=0, high=0.9999, when=("optimizer", ("sgd", "rmsprop")))
    ] = 0.0
    beta2: Annotated[
        float,
        Knob(
            "fraction that Adam's mean of squared gradients keeps of itself each step",
            "rate",
            low=0.5,
            high=0.99999,
            when=("optimizer", ("adam", "adamw")),
        ),
    ] = 0.999
    weight_decay: Annotated[float, Knob("pull of the weights to zero", "rate", low=0, high=10)] = 0.0
    average: Annotated[
        float,
        Knob(
            "fraction that a moving average of the weights keeps of itself each step; the average is what is "
            "validated, saved and typed to",
            "rate",
            low=0,
            high=0.99999,
            zero="off",
        ),
    ] = 0.0
    schedule: Annotated[
        Literal["constant", "warmup", "cosine", "plateau"], Knob("how the learning rate moves", "rate", live=True)
    ] = "constant"
    warmup_steps: Annotated[
        int,
        Knob(
            "steps from zero to the full rate",
            "rate",
            low=0,
            high=10**9,
            when=("schedule", ("warmup", "cosine")),
        ),
    ] = 100
    lr_floor: Annotated[
        float,
        Knob(
            "fraction of the learning rate where it ends",
            "rate",
            low=0,
            high=1,
            when=("schedule", ("cosine", "plateau")),
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
            "validations without a gain before that",
            "rate",
            low=0,
            high=10_000,
            label="patience",
            when=("schedule", ("plateau",)),
        ),
    ] = 1

    clip: Annotated[
        Literal["norm", "value", "off"], Knob("how large gradients are made smaller", "clipping", live=True)
    ] = "norm"
    clip_threshold: Annotated[
        float,
        Knob(
            "the largest norm (or value) let through",
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
        Knob("when the loss explodes: go back to the last good state, stop, or let it be", "divergence", live=True),
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
            "stop after so many validations without a gain",
            "evaluation",
            low=0,
            high=10_000,
            zero="never",
        ),
    ] = 0

    checkpoint_every: Annotated[
        int,
        Knob("steps between checkpoints", "checkpoints", low=0, high=10**9, label="every", zero="by time only"),
    ] = 0
    checkpoint_seconds: Annotated[
        float,
        Knob("seconds between checkpoints", "checkpoints", low=0, high=10**7, label="seconds", zero="by steps only"),
    ] = 30.0
    keep: Annotated[int, Knob("checkpoints kept, beside the best", "checkpoints", low=1, high=10_000)] = 3

    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], Knob("where the model runs", "machine")] = "auto"
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Knob("auto: bfloat16 products where the hardware has them", "machine"),
    ] = "auto"
    threads: Annotated[
        int,
        Knob(
            "CPU threads of the trainer, at most one a processor",
            "machine",
            low=0,
            high=1024,
            zero="the fastest number, of cores that no other program uses",
        ),
    ] = 0

    def __post_init__(self) -> None:
        check(self)
        split_shares(self.split)
        if not self.corpus.strip():
            raise ConfigError("corpus", "corpus is empty; give a corpus's name or a path.")
        if self.tie and self.embedding != self.hidden:
            raise ConfigError(
                "tie",
                f"tie needs embedding = hidden, but embedding is {self.embedding} and hidden is {self.hidden}; "
                "set both to the same size or turn tie off.",
            )
        if self.softmax == "adaptive":
            _check_adaptive(self)


def _check_adaptive(config: RunConfig) -> None:
    if config.tokens != "word":
        raise ConfigError(
            "softmax",
            "softmax is adaptive, which needs ids in the order of their frequency, as only words have them; "
            "set tokens to word or softmax to full.",
        )
    if config.tie:
        raise ConfigError(
            "softmax", "softmax is adaptive, whose output has no weights that tie could share; turn one of them off."
        )
    if config.hidden < ADAPTIVE_HIDDEN:
        raise ConfigError(
            "softmax",
            f"softmax is adaptive, which needs hidden of at least {ADAPTIVE_HIDDEN}, but hidden is {config.hidden}; "
            "raise it or set softmax to full.",
        )


class SamplingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How text is drawn from a model. Raises ConfigError for a value that is not allowed."""

    length: Annotated[int, Knob("tokens to write", "sampling", low=1, high=1_000_000)] = 300
    temperature: Annotated[
        float, Knob("logits are divided by this", "sampling", low=0, high=100, zero="always the most probable")
    ] = 0.8
    top_k: Annotated[
        int, Knob("draw from the k most probable only", "sampling", low=0, high=10_000_000, zero="all")
    ] = 0
    top_p: Annotated[
        float,
        Knob("draw from the most probable that hold this probability together", "sampling", above=0, high=1),
    ] = 1.0
    seed: Annotated[int, Knob("of the draw", "sampling", low=0, high=2**63 - 1, zero="another each time")] = 0

    def __post_init__(self) -> None:
        check(self)


Kind = Literal["int", "float", "bool", "choice", "text"]
Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class KnobSpec:
    """One knob as declared: what every front end reads."""

    name: str
    kind: Kind
    default: Value
    choices: tuple[str, ...]
    knob: Knob

    @property
    def label(self) -> str:
        """Short name for the form."""
        return self.knob.label or self.name.replace("_", " ")

    @property
    def option(self) -> str:
        """The command line's name of it."""
        return "--" + self.name.replace("_", "-")

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
        return f"{what}{low} to {_plain(self.knob.high)}"

    def check(self, value: object) -> Value:
        """`value` in the knob's own type; raises ConfigError if it is not allowed."""
        if self.kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        fits = {"int": int, "float": float, "bool": bool, "choice": str, "text": str}[self.kind]
        right_type = isinstance(value, fits) and not (self.kind == "int" and isinstance(value, bool))
        if not right_type or not self._within(value):
            raise ConfigError(self.name, f"{self.name} must be {self.allowed}; got {_shown(value)}{self._hint(value)}.")
        return value  # type: ignore[return-value]

    def parse(self, text: str) -> Value:
        """The value a user typed; raises ConfigError if it is not allowed."""
        text = text.strip()
        parsed: object = text
        if self.kind == "bool":
            words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
            parsed = words.get(text.lower(), text)
        elif self.kind == "choice" and text.lower() in self.choices:
            parsed = text.lower()
        elif (number := self._number(text)) is not None:
            parsed = number
        return self.check(parsed)  # which says what was expected

    def relevant(self, config: msgspec.Struct) -> bool:
        """Whether the knob does anything under the other values of `config`."""
        if self.knob.when is None:
            return True
        other, values = self.knob.when
        return getattr(config, other) in values

    def _number(self, text: str) -> int | float | None:
        """The number that `text` is; None if it is none, or the knob takes none."""
        if self.kind == "int":
            return whole_number(text)
        return real_number(text) if self.kind == "float" else None

    def _hint(self, value: object) -> str:
        """What to write instead of a value that was refused, if that can be told."""
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
            # Written so that NaN is refused.
            return bool(self.knob.low <= value <= self.knob.high and value > self.knob.above)
        return True


@cache
def knobs(config_type: type[msgspec.Struct] = RunConfig) -> dict[str, KnobSpec]:
    """All knobs of `config_type` by name, in the order of their declaration."""
    hints = get_type_hints(config_type, include_extras=True)
    defaults = {field.name: field.default for field in msgspec.structs.fields(config_type)}
    return {name: _spec(name, hints[name], defaults[name]) for name in defaults}


def check(config: msgspec.Struct) -> None:
    """Raises ConfigError for the first value of `config` that is not allowed."""
    for name, spec in knobs(type(config)).items():
        spec.check(getattr(config, name))


def with_values(config: RunConfig, values: dict[str, Any]) -> RunConfig:
    """`config` with some knobs changed; raises ConfigError for an unknown name or a value not allowed.

    steps, epochs and minutes say the length together: where `values` names any of them, the others become 0.
    """
    specs = knobs()
    changed: dict[str, Value] = {}
    for name, value in values.items():
        if name not in specs:
            raise ConfigError(name, f"There is no knob {_shown(name)}; the knobs are {', '.join(specs)}.")
        changed[name] = specs[name].check(value)
    lengths = ("steps", "epochs", "minutes")
    if any(changed.get(name) for name in lengths):
        for name in lengths:
            changed.setdefault(name, 0 if name == "steps" else 0.0)
    return msgspec.structs.replace(config, **changed)


def split_shares(split: str) -> tuple[float, float, float]:
    """ "90/5/5" as fractions of 1; raises ConfigError unless three numbers, the first two above 0, add up to 100."""
    parts = tuple(number for part in split.split("/") if (number := real_number(part)) is not None)
    if (
        len(parts) != 3
        or split.count("/") != 2
        or parts[0] <= 0
        or parts[1] <= 0
        or parts[2] < 0
        or abs(sum(parts) - 100) > 1e-6
    ):
        raise ConfigError(
            "split",
            "split must be train/validation/test in percent adding up to 100, train and validation above 0; "
            f"got {_shown(split)}{_split_hint(split)}.",
        )
    return parts[0] / 100, parts[1] / 100, parts[2] / 100


def _split_hint(split: str) -> str:
    if meant := meant_split(split):
        return f"; write {meant}"
    commas = ": slashes part the numbers, and a point their decimals" if "," in split else ""
    return f", like 90/5/5 or 92.5/5/2.5{commas}"


def _spec(name: str, hint: Any, default: Any) -> KnobSpec:
    base, knob = get_args(hint)
    if get_origin(base) is Literal:
        return KnobSpec(name, "choice", default, get_args(base), knob)
    kinds: dict[type, Kind] = {int: "int", float: "float", bool: "bool", str: "text"}
    return KnobSpec(name, kinds[base], default, (), knob)


def _plain(number: float) -> str:
    return f"{int(number):,}" if float(number).is_integer() and abs(number) < 1e19 else f"{number:g}"


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
