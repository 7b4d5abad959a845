"""Completes fixed prompts at validations, so that one can see a model learn; samples.jsonl keeps them."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice, pairwise

import numpy as np

from rnnplay.common.files import NotOwnError
from rnnplay.common.working_time import working_time
from rnnplay.config import RunConfig, SamplingConfig
from rnnplay.errors import RnnplayError
from rnnplay.knob_texts import sample_prompts
from rnnplay.model.generation.sampling import generate_together
from rnnplay.model.language_model import LanguageModel
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.samples.logged import LoggedSample, SampleFile
from rnnplay.text.encoding.encoded import EncodedCorpus, EncodedSplit
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.training.recorder import Recorder

SAMPLING = {
    kind: SamplingConfig(length=length, temperature=0.8, seed=1)
    for kind, length in (("char", 64), ("byte", 64), ("bpe", 24), ("word", 16))
}
"""How prompts are completed, by the kind of token. The seed is fixed: what differs from step to step is the model."""

COST_FRACTION = 0.01
"""Fraction of the time that samples may take: a validation that comes too soon for that is left out."""

SAMPLES = "its samples"
MOST_WAITING = 1_000
"""Samples kept while they cannot be written."""

PROMPTS = 3
_LOOKED_AT = 1 << 14
"""Tokens that are searched for a line to begin with."""
_SHORT_LINE, _LONG_PROMPT = 12, 24
"""In characters."""


class SampleLog:
    """Completes the prompts of one run. Draws no random number that anything else draws."""

    def __init__(
        self,
        config: RunConfig,
        corpus: EncodedCorpus,
        folder: RunFolder,
        recorder: Recorder,
        clock: Callable[[], float] = working_time,
    ) -> None:
        wanted = sample_prompts(config.sample_prompts)
        self.prompts = line_beginnings(corpus.validation, corpus.tokenizer) if wanted is None else wanted
        self._tokenizer = corpus.tokenizer
        self._file, self._recorder, self._clock = SampleFile(folder.path), recorder, clock
        self._waiting: list[LoggedSample] = []
        self._cost = 0.0
        """Seconds that samples took when they were fastest: a busy machine does not make them rarer."""
        self._taken = 0.0

    def take(self, step: int, model: LanguageModel, loss: float | None = None, last: bool = False) -> None:
        """Completes the prompts with `model`, after `step` steps, unless the last time is too recent for their cost.

        `last`: whatever they cost. A model that gives no finite numbers is left out. Never raises OSError.
        """
        began = self._clock()
        if not self.prompts or not (last or began - self._taken >= self._cost / COST_FRACTION):
            return
        try:
            texts = generate_together(model, self._tokenizer, self.prompts, SAMPLING[self._tokenizer.kind])
        except RnnplayError:
            return  # the run has diverged, which is reported elsewhere
        for prompt, text in zip(self.prompts, texts, strict=True):
            self._waiting.append(LoggedSample(step=step, prompt=prompt, text=text, loss=loss))
        self._write()
        self._taken = self._clock()
        self._cost = min(self._cost or math.inf, self._taken - began)

    def cut(self, step: int) -> None:
        """Drops the samples after step `step`, on disk and in memory. Never raises OSError."""
        self._waiting = [sample for sample in self._waiting if sample.step <= step]
        try:
            self._file.cut(step)
        except NotOwnError:
            pass  # reported when something is to be written
        except OSError as error:
            self._recorder.failed(SAMPLES, error)

    def _write(self) -> None:
        try:
            self._file.append(self._waiting)
        except FileNotFoundError:
            pass  # the run's folder is gone, and is created again within about a second
        except OSError as error:
            self._recorder.failed(SAMPLES, error)
        else:
            self._waiting = []
            self._recorder.worked(SAMPLES)
        self._waiting = self._waiting[-MOST_WAITING:]


def line_beginnings(split: EncodedSplit, tokenizer: Tokenizer) -> tuple[str, ...]:
    """The beginnings of PROMPTS lines of `split` at equal distances, each once; fewer if it has no more.

    They are a few words of a long line, some letters of a short one, without tokens that are `<unk>`.
    """
    found: dict[str, None] = {}
    for part in range(PROMPTS):
        place = (2 * part + 1) * len(split.ids) // (2 * PROMPTS)
        near = np.asarray(split.ids[place : place + _LOOKED_AT])
        ends = np.flatnonzero(near == tokenizer.newline) if tokenizer.newline is not None else np.zeros(0, np.int64)
        starts = [*(ends + 1).tolist(), len(near)] if len(ends) else [0, len(near)]
        known = (near[start:end] for start, end in pairwise(starts))
        lines = [tokenizer.decode(line.tolist()).strip() for line in known if line.all()]
        lines.sort(key=lambda line: len(line) < _LONG_PROMPT)  # a stable sort: the first long one, else the first
        texts = (text for line in lines if (text := _beginning(line)) and text not in found)
        found.update(dict.fromkeys(islice(texts, 1)))
    return tuple(found)


def _beginning(line: str) -> str:
    if len(line) < _SHORT_LINE:
        return line[: len(line) // 3]
    limit = min(_LONG_PROMPT, 2 * len(line) // 3)
    space = line.rfind(" ", 0, limit + 1)
    return line[:space] if space >= _SHORT_LINE // 3 else line[: _SHORT_LINE // 2]
