"""Evaluates a model on a text it was not trained on: as a stream with the state carried, or in windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from rnnplay.common.formatting import perplexity, unknown_warning
from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.generation_config import AdaptationConfig
from rnnplay.model.generation.adaptation.adaptive_reader import AdaptiveReader, gradient_rms
from rnnplay.model.hardware import copy_to, keep_memory
from rnnplay.model.language_model import IGNORED, LanguageModel, State, autocast
from rnnplay.text.encoding.encoded import EncodedCorpus, EncodedSplit
from rnnplay.text.feeds import Batch, evaluation_batches, window_batches
from rnnplay.text.tokenizers.build import Tokenizer

ROWS = 8
"""Number of sections of a stream read side by side during training.

Each starts from a zero state, which costs it some 10 nats.
"""

TOKENS_PER_ROW = 2048
"""Smallest number of tokens in a section, so that those nats do not matter."""

TIMESTEPS = 256

MOST_LOGITS = 1 << 23
"""Largest number of logits computed at a time."""

WINDOW_ROWS = 64

RMS_SEGMENTS = 500
"""Segments of the training text that give the scale of the gradients."""

UNKNOWN_ID = 0

BITS_PER_BYTE = 8.0
"""The cost of each byte of the text that `<unk>` hides: as many bits as it takes in the file."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of one pass over a split, or over a part of it."""

    loss: float
    """Mean over the tokens, in nats."""
    perplexity: float
    """e^loss."""
    bits_per_character: float
    """(All tokens' nats / ln 2 + 8 bits for each byte that `<unk>` hides) / characters of the text."""
    tokens: int
    characters: float
    unknown_fraction: float = 0.0
    """Fraction of the tokens that are `<unk>`."""


class _Sum:
    """The sums over the batches read so far."""

    def __init__(self) -> None:
        self.nats = 0.0
        self.tokens = 0
        self.unknown = 0

    def evaluation(self, split: EncodedSplit, targets: int) -> Evaluation:
        """The figures over all batches; raises InputError if they have no token.

        `targets`: those of the whole `split`.
        """
        if not self.tokens:
            raise InputError(
                "This part of the text is empty; choose another part, or give it more of the text in split."
            )
        characters = split.characters * self.tokens / max(1, targets)
        # Which bytes a part of a split hides is not known, only how many one `<unk>` hides on average.
        one = split.hidden / split.unknown if split.unknown else split.characters / max(1, split.tokens)
        bits = self.nats / math.log(2) + BITS_PER_BYTE * one * self.unknown
        loss = self.nats / self.tokens
        return Evaluation(
            loss=loss,
            perplexity=perplexity(loss),
            bits_per_character=bits / characters if characters else math.nan,
            tokens=self.tokens,
            characters=characters,
            unknown_fraction=self.unknown / self.tokens,
        )


def evaluate(
    model: LanguageModel,
    split: EncodedSplit,
    feed: Literal["stream", "lines"],
    tokenizer: Tokenizer,
    precision: torch.dtype = torch.float32,
    limit: int = 0,
    poll: Callable[[], None] = lambda: None,
    rows: int = 0,
) -> Evaluation:
    """Scores the first `limit` tokens of `split` (0: all), reading them once with the state carried.

    `rows`: number of sections of the stream read side by side; 1 reads it as one sequence, exactly but slowly; 0
    chooses. `poll` is called between chunks. The model's mode is restored. Raises InputError for an empty split.
    """
    if not rows:
        tokens = min(len(split.ids), limit or len(split.ids))
        rows = max(1, min(ROWS, tokens // TOKENS_PER_ROW)) if feed == "stream" else 4 * ROWS
    batches = evaluation_batches(split, feed, rows, _timesteps(rows, tokenizer), tokenizer.newline, limit)
    # The first token of a stream is never a target; in lines every token is one.
    return _read(model, batches, precision, poll).evaluation(split, split.tokens - (feed == "stream"))


def evaluate_windows(
    model: LanguageModel, split: EncodedSplit, tokenizer: Tokenizer, size: int, count: int, seed: int
) -> tuple[Evaluation, int]:
    """Scores windows of `size` tokens in float32, each from a zero state, as nanoGPT's figures are computed.

    `count` windows start at random positions, drawn from `seed` with replacement; 0: one window at every position. All
    `size` predictions of a window count; the first is made after one token. Returns the number of windows, too. Raises
    InputError if the split is too short for one window.
    """
    places = split.tokens - size
    if places < 1:
        raise InputError(
            f"This part of the text has {split.tokens:,} tokens, and a window of {size:,} needs one more than that; "
            "give smaller --windows."
        )
    starts = np.random.default_rng(seed).integers(0, places, count) if count else np.arange(places)
    batches = window_batches(split, starts, size, WINDOW_ROWS, _timesteps(WINDOW_ROWS, tokenizer))
    return _read(model, batches, torch.float32).evaluation(split, split.tokens), len(starts)


def evaluate_adaptively(
    model: LanguageModel,
    split: EncodedSplit,
    training: EncodedSplit,
    settings: AdaptationConfig,
    limit: int,
) -> tuple[Evaluation, Evaluation]:
    """Scores the first `limit` tokens of `split` (0: all) as one sequence, without and with a model that adapts.

    `training`: the text that gives the scale of the gradients, for dynamic evaluation. In float32 on the CPU; `model`
    stays as it is. Raises InputError for an empty split.
    """
    ids = torch.from_numpy(np.asarray(split.ids[: limit + 1 if limit else None], np.int64))
    size, rms = max(1, min(TIMESTEPS, MOST_LOGITS // model.vocabulary)), None
    keep_memory()
    plain = None
    if settings.dynamic:
        plain = _read_adaptively(AdaptiveReader(model, AdaptationConfig()), ids, size)[1]
        size = settings.dynamic_segment
        beginning = np.asarray(training.ids[: RMS_SEGMENTS * size + 1], np.int64)
        rms = gradient_rms(model, torch.from_numpy(beginning), size)
    # A cache alone changes nothing that is computed before it, so that both come from one reading.
    sums = _read_adaptively(AdaptiveReader(model, settings, rms), ids, size)
    before, after = (total.evaluation(split, split.tokens - 1) for total in (plain or sums[0], sums[1]))
    return before, after


def _read_adaptively(reader: AdaptiveReader, ids: torch.Tensor, size: int) -> tuple[_Sum, _Sum]:
    """Reads `ids` in segments of `size`; returns the nats under the weights alone, and under the model as it adapts."""
    sums = _Sum(), _Sum()
    for at in range(0, len(ids) - 1, size):
        segment = ids[at : at + size + 1]
        for nats, total in zip(reader.read(segment), sums, strict=True):
            total.nats += float(nats.sum())
            total.tokens += len(segment) - 1
            total.unknown += int((segment[1:] == UNKNOWN_ID).sum())
    return sums


def per_word(found: Evaluation, split: EncodedSplit, tokenizer: Tokenizer) -> tuple[float, int]:
    """Returns the perplexity per word of the text, whatever the tokens, and the number of words in the whole `split`.

    A word is what stands between white space, and each newline is one, too, the <eos> of published figures:
    e^(all nats, including those of what `<unk>` hides / words). `found` is of the whole split.
    """
    text = tokenizer.decode(split.ids.tolist())
    words = len(text.split()) + text.count("\n")
    nats = found.bits_per_character * found.characters * math.log(2)
    return perplexity(nats / words) if words else math.nan, words


def _timesteps(rows: int, tokenizer: Tokenizer) -> int:
    return max(16, min(TIMESTEPS, MOST_LOGITS // (rows * tokenizer.size)))


def _read(
    model: LanguageModel, batches: Iterable[Batch], precision: torch.dtype, poll: Callable[[], None] = lambda: None
) -> _Sum:
    """Scores `batches` and adds them up; `poll` is called between them. The model's mode is restored."""
    total, state = _Sum(), None
    training = model.training
    try:
        for batch in batches:
            model.eval()  # also after `poll`, whatever it did
            with torch.inference_mode():
                nats, state = _score(model, batch, None if batch.reset else state, precision)
            total.nats += nats
            total.tokens += batch.tokens
            total.unknown += batch.unknown
            poll()
    finally:
        model.train(training)
    return total


def target_ids(batch: Batch, device: torch.device) -> torch.Tensor:
    """The targets of `batch`, shape (B·T,), with IGNORED where they do not count."""
    targets = copy_to(batch.targets, device)
    if batch.mask is not None:
        targets = targets.masked_fill(~copy_to(batch.mask, device), IGNORED)
    return targets.flatten()


def _score(model: LanguageModel, batch: Batch, state: State | None, precision: torch.dtype) -> tuple[float, State]:
    with autocast(model.device, precision):
        inputs, targets = copy_to(batch.inputs, model.device), target_ids(batch, model.device)
        loss, state = model.loss(inputs, targets, state, reduction="sum")
    return float(loss), state


def much_unknown(config: RunConfig, corpus: EncodedCorpus) -> str:
    """A warning for a text of which much is `<unk>`; "" otherwise."""
    parts = {"training": corpus.train.unknown_fraction, "validation": corpus.validation.unknown_fraction}
    name = max(parts, key=parts.__getitem__)
    warning = unknown_warning(parts[name], f"the {name} text")
    smaller = config.min_count > 1 or config.max_vocabulary > 0
    return f"{warning} Give a lower min_count or a larger max_vocabulary." if warning and smaller else warning
