"""Declares the knobs of what is done with a trained model. rnnplay/config.py declares those of a run."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rnnplay.knob_texts import stop_strings
from rnnplay.knobs import Knob, check


class SamplingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How text is drawn from a model. Raises ConfigError for an invalid value."""

    length: Annotated[int, Knob("tokens to write", "sampling", low=1, high=1_000_000)] = 300
    temperature: Annotated[
        float, Knob("logits are divided by this", "sampling", low=0, high=100, zero="always the most probable")
    ] = 0.8
    top_k: Annotated[
        int, Knob("sample from the k most probable tokens only", "sampling", low=0, high=10_000_000, zero="all")
    ] = 0
    top_p: Annotated[
        float,
        Knob("sample from the most probable tokens that together hold this probability", "sampling", above=0, high=1),
    ] = 1.0
    seed: Annotated[
        int,
        Knob("of the random numbers: the same one writes the same text", "sampling", low=0, high=2**63 - 1, zero="new"),
    ] = 0
    min_p: Annotated[
        float,
        Knob(
            "sample from tokens with at least this fraction of the probability of the most probable one",
            "sampling",
            low=0,
            high=1,
            zero="all",
        ),
    ] = 0.0
    typical_p: Annotated[
        float,
        Knob(
            "sample from the most typical tokens, those about as surprising as is to be expected, that together hold "
            "this probability",
            "sampling",
            above=0,
            high=1,
        ),
    ] = 1.0
    repetition_penalty: Annotated[
        float,
        Knob(
            "logits of recent tokens are divided by this, negative ones multiplied; 1 changes nothing; of use where "
            "tokens are words",
            "sampling",
            low=0.1,
            high=100,
            label="penalty",
        ),
    ] = 1.0
    repetition_window: Annotated[
        int, Knob("how many last tokens the penalty is for", "sampling", low=1, high=1_000_000, label="window")
    ] = 64
    stop: Annotated[
        str,
        Knob(
            r"end before any of these strings, separated by | (\| is a bar, \n a newline, \\ a backslash); off: none",
            "sampling",
        ),
    ] = "off"
    whole_sentences: Annotated[
        bool,
        Knob(
            "after the length, write on to the end of a sentence, at most to twice the length",
            "sampling",
            label="sentences",
        ),
    ] = False

    def __post_init__(self) -> None:
        check(self)
        stop_strings(self.stop)

    @property
    def seeded(self) -> SamplingConfig:
        """These settings with the seed that is used: a random one in place of 0, short enough to be typed again."""
        if self.seed:
            return self
        from random import randrange

        return msgspec.structs.replace(self, seed=randrange(1, 10**6))


class CompletionConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is suggested to a user who writes. Raises ConfigError for an invalid value."""

    words: Annotated[int, Knob("words to choose from", "completion", low=1, high=100)] = 5
    floor: Annotated[
        float,
        Knob(
            "suggest nothing that saves fewer keystrokes than this on average: its probability times (characters - 1) "
            "to the power of 0.6, as some of them a later suggestion would save",
            "completion",
            low=0,
            high=100,
        ),
    ] = 0.05
    prior: Annotated[
        float,
        Knob(
            "the probability of a word that neither the corpus nor the text has is multiplied by this; 1 changes "
            "nothing",
            "completion",
            low=0,
            high=1,
        ),
    ] = 0.1
    lines: Annotated[bool, Knob("suggest newlines, and what follows them, too", "completion")] = False
    effort: Annotated[
        int,
        Knob("continuations examined; more find better words and take longer", "completion", low=1, high=10_000),
    ] = 64

    def __post_init__(self) -> None:
        check(self)


class AdaptationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model adapts to the text that it reads. Raises ConfigError for an invalid value."""

    dynamic: Annotated[
        bool, Knob("update a copy of the weights after each segment of the text (Krause et al. 2018)", "adaptation")
    ] = False
    dynamic_lr: Annotated[
        float,
        Knob("learning rate of these updates", "adaptation", low=0, high=10, when=("dynamic", (True,))),
    ] = 0.0005
    dynamic_decay: Annotated[
        float,
        Knob(
            "fraction by which each update also pulls a weight back to the trained one",
            "adaptation",
            low=0,
            high=1,
            when=("dynamic", (True,)),
        ),
    ] = 0.01
    dynamic_segment: Annotated[
        int,
        Knob("tokens of a segment", "adaptation", low=1, high=10_000, when=("dynamic", (True,))),
    ] = 20
    cache: Annotated[
        bool,
        Knob("also predict what followed similar hidden states in the recent text (Grave et al. 2017)", "adaptation"),
    ] = False
    cache_size: Annotated[
        int,
        Knob("positions of the recent text that are kept", "adaptation", low=1, high=100_000, when=("cache", (True,))),
    ] = 2000
    cache_theta: Annotated[
        float,
        Knob(
            "how much more similar states count, θ in the paper", "adaptation", low=0, high=100, when=("cache", (True,))
        ),
    ] = 1.0
    cache_lambda: Annotated[
        float,
        Knob("weight of the cache in the mixture, λ", "adaptation", above=0, high=0.99, when=("cache", (True,))),
    ] = 0.15

    def __post_init__(self) -> None:
        check(self)

    @property
    def adapts(self) -> bool:
        """Whether anything adapts."""
        return self.dynamic or self.cache
