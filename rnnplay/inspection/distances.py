"""Measures how accurately a model predicts characters determined by an earlier one, by the distance between them."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator

import torch

from rnnplay.common.working_time import working_time
from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.inspection.forward_pass import finite_weights
from rnnplay.inspection.results import DistanceAccuracy
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.corpora.dependencies import TASKS, Dependency, Draw, Task
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.workspace import Workspace

EDGES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160)
"""Lower edges of the distance bins; one more bin begins just above the largest distance in the training text."""

BEYOND = 2
"""The longest test lines are this many times the largest size in the training text."""

SEED = 1_000_003
"""Seed of the test lines, so that they differ from the training text."""

Z = 1.959964
"""The 97.5th percentile of the standard normal distribution."""


def dependency_kind(config: RunConfig, workspace: Workspace) -> str | None:
    """Returns the kind of dependencies in the corpus of `config`, or None if they are not known."""
    try:
        source = find_corpus(config.corpus, workspace).card.source
    except InputError:
        return None
    return source if source in TASKS else None


def require_dependency_kind(config: RunConfig, workspace: Workspace) -> str:
    """Returns `dependency_kind`'s result; raises InputError naming the suitable corpora if it is None."""
    kind = dependency_kind(config, workspace)
    if kind is None:
        *others, last = TASKS
        raise InputError(
            f"Accuracy by distance needs a corpus with known dependencies: {', '.join(others)} or {last}; "
            "train a run on one of them."
        )
    return kind


def distance_accuracy(
    model: LanguageModel, tokenizer: Tokenizer, kind: str, run: str = "", step: int = 0, lines: int = 100
) -> DistanceAccuracy:
    """Measures the accuracy on freshly generated lines of `kind`, `lines` of each size.

    A prediction is correct if, among the position's alternatives, the right one has the largest logit. Distances extend
    beyond those of the training text. The model's mode, gradients and torch's random state stay unchanged. Raises
    InputError for a model that does not read characters, or whose vocabulary lacks some.
    """
    began = working_time()
    task = TASKS[kind]
    edges = bin_edges(task)
    correct, count = [0] * len(edges), [0] * len(edges)
    mode = model.training
    model.eval()  # disables dropout
    try:
        for texts in _test_lines(task, lines):
            for dependency, is_correct in zip(*_predicted_correctly(model, tokenizer, task, texts), strict=True):
                bin_ = bisect.bisect_right(edges, dependency.distance) - 1
                count[bin_] += 1
                correct[bin_] += is_correct
    finally:
        model.train(mode)
    kept = [bin_ for bin_, tested in enumerate(count) if tested]
    intervals = [wilson_interval(correct[bin_], count[bin_]) for bin_ in kept]
    known = 1.0 if finite_weights(model) else math.nan
    return DistanceAccuracy(
        run=run,
        step=step,
        kind=kind,
        chance=task.chance,
        trained=task.trained,
        distances=[edges[bin_] for bin_ in kept],
        correct=[correct[bin_] for bin_ in kept],
        count=[count[bin_] for bin_ in kept],
        accuracy=[known * correct[bin_] / count[bin_] for bin_ in kept],
        low=[known * low for low, _ in intervals],
        high=[known * high for _, high in intervals],
        seconds=working_time() - began,
    )


def bin_edges(task: Task) -> list[int]:
    """Lower edges of the bins; no bin mixes distances that occur in training with distances that do not."""
    return sorted({*EDGES, task.trained + 1})


def line_sizes(task: Task) -> list[int]:
    """Sizes of the test lines, about 12 to 20 of them, up to BEYOND times the largest training size."""
    smallest, largest = task.sizes
    if task.kind == "recall":  # distance = size + 2, so these hit the edges exactly
        return [edge - 2 for edge in bin_edges(task) if smallest <= edge - 2 <= BEYOND * largest]
    last = BEYOND * largest
    steps = max(1, (last - smallest) // 14)
    return list(range(smallest, last + 1, steps))


def wilson_interval(correct: int, count: int) -> tuple[float, float]:
    """The 95% score interval of a fraction (Wilson 1927): (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)."""
    fraction, square = correct / count, Z * Z / count
    middle = fraction + square / 2
    half = Z * math.sqrt(fraction * (1 - fraction) / count + square / (4 * count))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def _test_lines(task: Task, lines: int) -> Iterator[list[str]]:
    draw = Draw(SEED)
    for size in line_sizes(task):
        yield [task.make(draw, size) for _ in range(lines)]


@torch.inference_mode()
def _predicted_correctly(
    model: LanguageModel, tokenizer: Tokenizer, task: Task, texts: list[str]
) -> tuple[list[Dependency], list[bool]]:
    """Returns all dependencies of `texts`, and whether each was predicted correctly."""
    # In training, each line was read after a newline, from a zero state.
    rows = [_ids(tokenizer, "\n" + text) for text in texts]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=model.device)  # (B, T)
    with torch.autocast(model.device.type, enabled=False):
        hidden, _ = model.rnn(model.embedding(ids), model.zero_state(len(rows)))  # (B, T, H)
        tested = [(row, dependency) for row, text in enumerate(texts) for dependency in task.dependencies(text)]
        places = torch.tensor([(row, dependency.position) for row, dependency in tested], device=model.device)
        # With the newline in front, the state at index p has read everything before character p of the line.
        logits = model.logits(hidden[places[:, 0], places[:, 1]]).float().cpu()  # (dependencies, V)
    correct: list[bool] = []
    for (row, dependency), scores in zip(tested, logits, strict=True):
        alternatives = _ids(tokenizer, dependency.alternatives)
        best = int(scores[alternatives].argmax())
        correct.append(dependency.alternatives[best] == texts[row][dependency.position])
    return [dependency for _, dependency in tested], correct


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    if tokenizer.kind != "char" or tokenizer.unknown_in(text):
        raise InputError(
            "Accuracy by distance needs a character-level model that knows all characters; train one with "
            "--tokens char."
        )
    return [int(token) for token in tokenizer.encode(text)]
