"""How often a character that is determined by an earlier one is predicted right, by how much earlier that was."""

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
from rnnplay.text.corpora.dependencies import TASKS, Dependency, Task
from rnnplay.text.corpora.draw import Draw
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.workspace import Workspace

EDGES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160)
"""Lower edges of the bins of distances, beside the one that begins behind the largest trained distance."""

BEYOND = 2
"""Lines are asked of up to so many times the size of the largest training line."""

SEED = 1_000_003
"""Of the lines asked: not those of the training text."""

Z = 1.959964
"""97.5% of a normal distribution lies below."""


def kind_of(config: RunConfig, workspace: Workspace) -> str | None:
    """Which kind of dependencies the corpus of `config` has; None if they are not known."""
    try:
        source = find_corpus(config.corpus, workspace).card.source
    except InputError:
        return None
    return source if source in TASKS else None


def required_kind(config: RunConfig, workspace: Workspace) -> str:
    """As `kind_of`; raises InputError that names the corpora that have one."""
    kind = kind_of(config, workspace)
    if kind is None:
        *others, last = TASKS
        raise InputError(
            f"Accuracy by distance needs a text whose dependencies are known: {', '.join(others)} or {last}; "
            "train a run on one of these corpora."
        )
    return kind


def distance_accuracy(
    model: LanguageModel, tokenizer: Tokenizer, kind: str, run: str = "", step: int = 0, lines: int = 100
) -> DistanceAccuracy:
    """Accuracy at the determined positions of fresh lines of `kind`, `lines` of each size that is asked.

    A prediction is right if the right one of the position's alternatives has the largest logit among them. Distances
    go beyond those of the training text. The model's mode, gradients and torch's random numbers stay as they are.
    Raises InputError for a model that does not read characters, or lacks some.
    """
    began = working_time()
    task = TASKS[kind]
    edges = edges_of(task)
    correct, count = [0] * len(edges), [0] * len(edges)
    mode = model.training
    model.eval()  # no dropout
    try:
        for texts in _questions(task, lines):
            for dependency, right in zip(*_answers(model, tokenizer, task, texts), strict=True):
                bin_ = bisect.bisect_right(edges, dependency.distance) - 1
                count[bin_] += 1
                correct[bin_] += right
    finally:
        model.train(mode)
    kept = [bin_ for bin_, asked in enumerate(count) if asked]
    intervals = [wilson(correct[bin_], count[bin_]) for bin_ in kept]
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


def edges_of(task: Task) -> list[int]:
    """Lower edges of the bins; none holds both distances that were trained and such that were not."""
    return sorted({*EDGES, task.trained + 1})


def sizes_asked(task: Task) -> list[int]:
    """Sizes of lines, some 12 to 20, up to BEYOND times the largest that is trained on."""
    smallest, largest = task.sizes
    if task.kind == "recall":  # its distances are its sizes and two: exactly the bins' edges
        return [edge - 2 for edge in edges_of(task) if smallest <= edge - 2 <= BEYOND * largest]
    last = BEYOND * largest
    steps = max(1, (last - smallest) // 14)
    return list(range(smallest, last + 1, steps))


def wilson(correct: int, count: int) -> tuple[float, float]:
    """The 95% interval of a fraction (Wilson 1927): (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)."""
    fraction, square = correct / count, Z * Z / count
    middle = fraction + square / 2
    half = Z * math.sqrt(fraction * (1 - fraction) / count + square / (4 * count))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def _questions(task: Task, lines: int) -> Iterator[list[str]]:
    draw = Draw(SEED)
    for size in sizes_asked(task):
        yield [task.make(draw, size) for _ in range(lines)]


@torch.inference_mode()
def _answers(
    model: LanguageModel, tokenizer: Tokenizer, task: Task, texts: list[str]
) -> tuple[list[Dependency], list[bool]]:
    """All dependencies of `texts`, and whether each was predicted right."""
    # A line was read after a newline in training, from a state of zero.
    rows = [_ids(tokenizer, "\n" + text) for text in texts]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=model.device)  # (B, T)
    with torch.autocast(model.device.type, enabled=False):
        hidden, _ = model.rnn(model.embedding(ids), model.zero_state(len(rows)))  # (B, T, H)
        asked = [(row, one) for row, text in enumerate(texts) for one in task.dependencies(text)]
        at = torch.tensor([(row, one.position) for row, one in asked], device=model.device)
        # With the newline in front, the state at index p has read all before the line's character p.
        logits = model.logits(hidden[at[:, 0], at[:, 1]]).float().cpu()  # (dependencies, V)
    right: list[bool] = []
    for (row, one), scores in zip(asked, logits, strict=True):
        alternatives = _ids(tokenizer, one.alternatives)
        best = int(scores[alternatives].argmax())
        right.append(one.alternatives[best] == texts[row][one.position])
    return [one for _, one in asked], right


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    if tokenizer.kind != "char" or tokenizer.unknown_in(text):
        raise InputError("Accuracy by distance needs a model that reads all characters of its text; use --tokens char.")
    return [int(one) for one in tokenizer.encode(text)]
