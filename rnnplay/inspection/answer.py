"""Answers every question about a model, for the engine, `rnnplay inspect` and the lessons alike."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from rnnplay.inspection.cell.timestep import timestep
from rnnplay.inspection.cell.unrolled import UnrolledText, unroll_text
from rnnplay.inspection.clipping import clipped_step
from rnnplay.inspection.distances import distance_accuracy, require_dependency_kind
from rnnplay.inspection.gates import gate_map
from rnnplay.inspection.gradients import ProbeBatch, gradient_curve, probe_batch
from rnnplay.inspection.loaded_model import LoadedModel, initial_model
from rnnplay.inspection.predictions import connectivity, predictions
from rnnplay.inspection.questions import (
    ClippingQuestion,
    ConnectivityQuestion,
    DistancesQuestion,
    GatesQuestion,
    GradientsQuestion,
    PredictionsQuestion,
    Question,
    TimestepQuestion,
    WhatIfQuestion,
)
from rnnplay.inspection.results import Completed, Forced, ForcedCompletion, GradientCurve, Result
from rnnplay.inspection.what_if import completed, forcing_hook
from rnnplay.model.generation.completion import complete
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.workspace import Workspace


@dataclass(slots=True)
class Cache:
    """Data that later answers can reuse: the text read last, and the windows of the gradient probe."""

    text_key: Hashable = None
    model: LanguageModel | None = None
    text: UnrolledText | None = None
    corpus: EncodedCorpus | None = None
    distance: int = -1
    probe: ProbeBatch | None = None

    def unrolled(
        self, model: LanguageModel, tokenizer: Tokenizer, text: str, step: int, forced: Sequence[Forced] = ()
    ) -> UnrolledText:
        """Returns `unroll_text`'s result, recomputed only if the model, its weights, the text or `forced` changed."""
        # `step` alone does not identify the weights: going back to a checkpoint changes them, and bumps the tensors'
        # versions. The versions alone do not either: a fused optimizer step leaves them unchanged.
        key = (text, repr(forced), step, *(parameter._version for parameter in model.parameters()))
        if self.text is None or self.model is not model or self.text_key != key:
            self.text = unroll_text(model, tokenizer, text, forcing_hook(model.config, forced))
            self.model, self.text_key = model, key
        return self.text

    def windows(self, loaded: LoadedModel, distance: int) -> ProbeBatch:
        """Returns the probe windows of the run's validation text, for that `distance`."""
        corpus = loaded.corpus
        if self.probe is None or self.corpus is not corpus or self.distance != distance:
            self.probe = probe_batch(corpus.validation, corpus.feed, distance)
            self.corpus, self.distance = corpus, distance
        return self.probe


def answer(loaded: LoadedModel, question: Question, workspace: Workspace, cache: Cache | None = None) -> Result:
    """Answers `question` from the current weights; leaves the model, random state and position in the text unchanged.

    `workspace` holds the corpora. Raises InputError if the model lacks what is asked about, or if a text is empty, too
    long or missing.
    """
    cache = cache or Cache()
    model, tokenizer, config, run, step = loaded.model, loaded.tokenizer, loaded.config, loaded.run, loaded.step
    match question:
        case GradientsQuestion():
            return _gradients(loaded, question, cache)
        case ClippingQuestion():
            batch, state = loaded.next_batch()
            return clipped_step(loaded.raw_model, batch, state, config.clip, config.clip_threshold, run, step)
        case PredictionsQuestion():
            return predictions(model, tokenizer, question.text, run, step, forcing_hook(config, question.forced))
        case GatesQuestion():
            unrolled = cache.unrolled(model, tokenizer, question.text, step, question.forced)
            return gate_map(
                unrolled,
                tokenizer,
                layer=question.layer,
                quantity=question.quantity,
                order=question.order,
                property=question.property,
                first=question.first,
                count=question.count,
                run=run,
                step=step,
            )
        case ConnectivityQuestion():
            return connectivity(model, tokenizer, question.text, question.position, run, step)
        case DistancesQuestion():
            return distance_accuracy(model, tokenizer, require_dependency_kind(config, workspace), run, step)
        case WhatIfQuestion():
            return _what_if(loaded, question)
        case TimestepQuestion():
            return timestep(
                model, tokenizer, question.text, question.position, question.first, question.count, run, step
            )


def _gradients(loaded: LoadedModel, question: GradientsQuestion, cache: Cache) -> GradientCurve:
    windows = cache.windows(loaded, question.distance)
    if question.initial:
        return gradient_curve(initial_model(loaded), windows, loaded.run, 0)
    return gradient_curve(loaded.model, windows, loaded.run, loaded.step)


def _what_if(loaded: LoadedModel, question: WhatIfQuestion) -> ForcedCompletion:
    def completion(forced: Sequence[Forced]) -> Completed:
        hook = forcing_hook(loaded.config, forced)
        return completed(complete(loaded.model, loaded.tokenizer, question.text, question.candidates, hook))

    untouched, forced = completion(()), completion(question.forced)
    return ForcedCompletion(run=loaded.run, step=loaded.step, untouched=untouched, forced=forced)
