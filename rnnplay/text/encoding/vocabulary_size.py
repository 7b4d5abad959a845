"""Counts the vocabulary of a run's text before the run exists."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from rnnplay.config import NormalForm, RunConfig, TokenKind, WordBoundary
from rnnplay.errors import RnnplayError
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.corpora.reading import iter_text
from rnnplay.text.tokenizers.build import build_tokenizer
from rnnplay.text.tokenizers.byte_values import SIZE as BYTES
from rnnplay.workspace import Workspace

MOST_BYTES: dict[TokenKind, int] = {"char": 64 << 20, "word": 8 << 20}
"""A larger text takes more than a second to count; its vocabulary is known only once a run has begun."""


def vocabulary_size(config: RunConfig, workspace: Workspace) -> int | None:
    """V of a run with `config`; None for a text that is unreadable, too large, or generated only when it is used.

    Of byte pairs it is the largest: a short text may have fewer.
    """
    if config.tokens in ("byte", "bpe"):
        return BYTES if config.tokens == "byte" else config.bpe_size
    try:
        corpus = find_corpus(config.corpus, workspace)
        if corpus.path is None or (size := corpus.path.stat()).st_size > MOST_BYTES[config.tokens]:
            return None
        feed = config.feed if config.feed != "auto" else corpus.card.feed
        return _counted(
            corpus.path,
            corpus.card.encoding,
            (size.st_mtime_ns, size.st_size),
            config.tokens,
            config.lowercase,
            config.normal_form,
            config.word_boundary,
            config.min_count,
            config.max_vocabulary,
            feed == "lines",
        )
    except (RnnplayError, OSError):
        return None


def text_settings(config: RunConfig) -> tuple[object, ...]:
    """The part of `config` that its vocabulary depends on."""
    return (
        config.corpus,
        config.tokens,
        config.bpe_size,
        config.lowercase,
        config.normal_form,
        config.word_boundary,
        config.min_count,
        config.max_vocabulary,
        config.feed,
    )


@lru_cache(maxsize=32)
def _counted(
    path: Path,
    encoding: str,
    moment: tuple[int, int],  # noqa: ARG001  (a text that was written anew is counted anew)
    kind: TokenKind,
    lowercase: bool,
    normal_form: NormalForm,
    word_boundary: WordBoundary,
    min_count: int,
    max_vocabulary: int,
    keep_newline: bool,
) -> int:
    return build_tokenizer(
        iter_text(path, encoding=encoding),
        kind,
        lowercase=lowercase,
        normal_form=normal_form,
        word_boundary=word_boundary,
        min_count=min_count,
        max_vocabulary=max_vocabulary,
        keep_newline=keep_newline,
    ).size
