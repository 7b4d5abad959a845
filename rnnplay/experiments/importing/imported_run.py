"""Makes a run of an imported model: the folder that training one would have made, after no steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from rnnplay.config import RunConfig, TokenKind, with_values
from rnnplay.experiments.importing.plain_model import PlainModel, plain_model
from rnnplay.experiments.importing.vocabulary_file import Vocabulary, read_vocabulary
from rnnplay.experiments.importing.weights_file import read_tensors
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Record, Validation
from rnnplay.text.corpora.catalogue import Corpus, find_corpus
from rnnplay.text.corpora.reading import iter_text
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.text.tokenizers.build import WordTokenizer
from rnnplay.training.checkpointing.branching import Branch
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace

NEVER = -30.0
"""Bias of a token that the model has not: its probability is below 1e-12, and its loss is a number all the same."""


@dataclass(frozen=True)
class Import:
    """What is to be imported."""

    weights: Path
    vocabulary: Path | None
    """None for bytes whose ids are their numbers."""
    corpus: str
    """The text that the run is evaluated and inspected on, and trained on if it is resumed."""
    nonlinearity: Literal["tanh", "relu"] | None = None
    """For a plain RNN; None: as the file says, else tanh."""
    tokens: TokenKind | None = None
    """None: told by the vocabulary."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Names of tensors that are not found by themselves."""
    leave_out: bool = False
    """Whether tokens that no text can have are left out."""


@dataclass(frozen=True)
class Imported:
    """A model that was imported."""

    config: RunConfig
    parameters: int
    vocabulary: Vocabulary
    notes: list[str]
    validation: Validation


def import_model(
    wanted: Import, name: Callable[[RunConfig], RunFolder], workspace: Workspace
) -> tuple[RunFolder, Imported]:
    """Imports a model into the folder that `name` returns for its settings. Raises InputError, or OSError."""
    tensors, metadata = read_tensors(wanted.weights)
    model = plain_model(tensors, wanted.named)
    corpus = find_corpus(wanted.corpus, workspace)
    text = _beginning(corpus, workspace)
    vocabulary = read_vocabulary(wanted.vocabulary, model.vocabulary, wanted.tokens, text, wanted.leave_out)
    nonlinearity = wanted.nonlinearity or ("relu" if metadata.get("nonlinearity") == "relu" else "tanh")
    config = with_values(
        RunConfig(),
        {
            "corpus": wanted.corpus,
            "tokens": vocabulary.tokenizer.kind,
            "lowercase": vocabulary.tokenizer.lowercase,
            "normal_form": vocabulary.tokenizer.normal_form,
            **({"bpe_size": vocabulary.tokenizer.size} if vocabulary.tokenizer.kind == "bpe" else {}),
            **(
                {"word_boundary": vocabulary.tokenizer.rule.boundary}
                if isinstance(vocabulary.tokenizer, WordTokenizer)
                else {}
            ),
            "cell": model.cell,
            "nonlinearity": nonlinearity,
            "embedding": model.embedding,
            "hidden": model.hidden,
            "layers": model.layers,
            "tie": model.tie,
        },
    )
    # A single token is enough to evaluate the model on; training on a short text takes small batches.
    smallest = with_values(config, {"batch_size": 1, "bptt": 1})
    encoded = encode_corpus(corpus, smallest, workspace.cache, tokenizer=vocabulary.tokenizer)
    bptt = min(config.bptt, max(1, encoded.train.tokens - 1))
    batch_size = max(1, min(config.batch_size, (encoded.train.tokens - 1) // bptt))
    config = with_values(config, {"batch_size": batch_size, "bptt": bptt})
    folder = name(config)
    reached: list[Validation] = []

    def take(record: Record) -> None:
        if isinstance(record, Validation):
            reached.append(record)

    said = f"imported from {wanted.weights.name}"
    notices = [f"The weights were {said}{'; ' if model.notes else ''}{'; '.join(model.notes)}."]
    trainer = Trainer(config, encoded, folder, take, branch=Branch(None, with_rows(model, vocabulary), {}, notices))
    try:
        trainer.finish("stopped")
    finally:
        trainer.close()
    return folder, Imported(config, trainer.model.size, vocabulary, model.notes, reached[0])


def with_rows(model: PlainModel, vocabulary: Vocabulary) -> dict[str, Tensor]:
    """The weights with the rows of embedding and output in the order of our ids.

    A token that the model has not is read as the mean of all others (as zeros where it is tied), and next to never
    predicted.
    """
    weights = dict(model.weights)
    for name in ("embedding.weight", "output.weight", "output.bias"):
        if (rows := weights.get(name)) is None:
            continue
        filling = torch.zeros_like(rows[0])
        if name == "embedding.weight" and not model.tie:
            filling = rows.mean(0)
        if name == "output.bias":
            filling = rows.min().clamp(max=0) + NEVER
        weights[name] = torch.stack([filling if row is None else rows[row] for row in vocabulary.rows])
    return weights


def _beginning(corpus: Corpus, workspace: Workspace) -> list[str]:
    """The first million characters of the text."""
    pieces: list[str] = []
    characters = 1 << 20
    for piece in iter_text(corpus.materialise(workspace.cache)):
        pieces.append(piece)
        characters -= len(piece)
        if characters <= 0:
            break
    return pieces
