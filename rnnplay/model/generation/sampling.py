"""Draws text from a model.

Everything here leaves the model unchanged: no gradients, the mode (training or not) restored before anything is
returned, torch's global random state untouched. So it may run between two training steps in the same thread, and a
sample may extend over many steps, each token from the weights at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnnplay.config import SamplingConfig
from rnnplay.errors import RnnplayError
from rnnplay.knob_texts import stop_strings
from rnnplay.model.generation.context import UNKNOWN_ID, Writer, prompt_ids
from rnnplay.model.generation.endings import before_stop, to_sentence_end
from rnnplay.model.generation.filters import drawing_probabilities, filters_apply
from rnnplay.model.generation.reading import read
from rnnplay.model.generation.stepper import Floats, stepper_of
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.vocabulary import Ids


def generate_ids(
    model: LanguageModel,
    prompt: Sequence[int] | Ids,
    sampling: SamplingConfig,
    restart: int | None = None,
    length: int | None = None,
    after: tuple[Floats, Floats] | None = None,
) -> Iterator[int]:
    """Draws `length` ids (by default `sampling.length`), one after another, after those of `prompt` (at least one).

    `restart`: an id before which the state is set to zero, as it was in training on lines. `after`: the logits (V,) and
    the state (S,) after the prompt, where it has been read already.
    Raises RnnplayError if the model returns NaN or infinities, or its vocabulary has only <unk>.
    """
    length = sampling.length if length is None else length
    drawer = Drawer(sampling, sampling.seed or None, prompt)
    logits, state = read(model, prompt) if after is None else after
    for count in range(length):
        token = drawer.draw(logits)
        yield token
        if count + 1 < length:
            # Another may step this model, or train it, while this sample waits.
            batch = stepper_of(model).batch(1)
            batch.states[0] = 0 if token == restart else state
            logits = batch.step([token])[0]
            state[:] = batch.states[0]


def generate(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str,
    sampling: SamplingConfig,
    after: tuple[Floats, Floats] | None = None,
) -> Iterator[str]:
    """Continues `prompt`, yielding text as it is drawn; `prompt` and the pieces together read as one text.

    The model first reads a newline if it has one, as texts begin after one. The text ends before the first of the stop
    strings, and with `sampling.whole_sentences` with a sentence, for which up to twice the length is drawn. `after` as
    in `generate_ids`. Raises as that does, and ConfigError for stop strings that cannot be read.
    """
    context = prompt_ids(model, tokenizer, prompt)
    writer = Writer(tokenizer, context, prompt)
    restart = tokenizer.newline if model.config.feed == "lines" else None
    length = sampling.length * (2 if sampling.whole_sentences else 1)
    pieces: Iterator[str] = map(writer.write, generate_ids(model, context, sampling, restart, length, after))
    if sampling.whole_sentences:
        pieces = to_sentence_end(pieces, sampling.length)
    return filter(None, before_stop(pieces, stop_strings(sampling.stop)))


def generate_together(
    model: LanguageModel, tokenizer: Tokenizer, prompts: Sequence[str], sampling: SamplingConfig
) -> list[str]:
    """Continues every one of `prompts`, side by side, which takes little longer than one of them.

    The k-th continuation, counted from 0, is what `generate` gives for that prompt with k added to the seed, but for
    rounding: with the same random numbers, different prompts soon lead to the same text. Stop strings
    and whole sentences are not looked for. Raises as `generate_ids` does.
    """
    contexts = [prompt_ids(model, tokenizer, prompt) for prompt in prompts]
    writers = [Writer(tokenizer, ids, prompt) for ids, prompt in zip(contexts, prompts, strict=True)]
    drawers = [Drawer(sampling, sampling.seed + k, ids) for k, ids in enumerate(contexts)]
    restart = tokenizer.newline if model.config.feed == "lines" else None
    rows, states = zip(*(read(model, ids) for ids in contexts), strict=True)
    logits = np.stack(rows)  # (B, V)
    batch = stepper_of(model).batch(len(prompts))
    batch.states[:] = states
    texts = [""] * len(prompts)
    for count in range(sampling.length):
        tokens = [drawer.draw(row) for row, drawer in zip(logits, drawers, strict=True)]
        texts = [text + writer.write(token) for text, writer, token in zip(texts, writers, tokens, strict=True)]
        if count + 1 < sampling.length:
            if restart in tokens:
                batch.states[[token == restart for token in tokens]] = 0
            logits = batch.step(tokens)
    return texts


class Drawer:
    """Draws one token after another by the settings, with random numbers of its own."""

    def __init__(self, sampling: SamplingConfig, seed: int | None, prompt: Sequence[int] | Ids = ()) -> None:
        """`seed`: None for a new one each time; `prompt`: the tokens before, for the repetition penalty."""
        self._sampling, self._filtered = sampling, filters_apply(sampling)
        self._recent = [int(token) for token in prompt[-sampling.repetition_window :]]
        self._random = np.random.Generator(np.random.PCG64(seed)).random

    def draw(self, logits: Floats) -> int:
        """Draws one id by logits (V,), never <unk>. Raises RnnplayError if the vocabulary has nothing else."""
        sampling = self._sampling
        if len(logits) == 1:
            raise RnnplayError("The model's vocabulary has no token but <unk>; train it with a lower min_count.")
        scores = logits.astype(np.float64)
        scores[UNKNOWN_ID] = -np.inf
        if self._filtered:
            scores = drawing_probabilities(scores, sampling, self._recent)
            token = int(scores.argmax()) if sampling.temperature == 0 else self._choose(scores)
            self._recent = [*self._recent[-sampling.repetition_window + 1 or len(self._recent) :], token]
            return token
        if sampling.temperature == 0:
            return int(scores.argmax())
        # As `tempered`, but for the division by the sum: here the random number is multiplied by it.
        np.subtract(scores, scores.max(), scores)
        np.divide(scores, sampling.temperature, scores)
        np.exp(scores, scores)
        return self._choose(scores)

    def _choose(self, weights: np.ndarray) -> int:
        """Draws an index in proportion to `weights` (V,), which are used up."""
        np.cumsum(weights, out=weights)
        # Less than the last sum, however it is rounded: so what is found has a probability above 0.
        return int(weights.searchsorted(min(self._random() * weights[-1], np.nextafter(weights[-1], 0)), "right"))
