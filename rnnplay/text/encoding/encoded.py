"""A corpus as token ids in memory-mapped files, split into train, validation and test.

The text is read in chunks, never whole: once to hash, once to count, once to encode (encoding.py). The result is cached
(encoded_cache.py), and a later run with the same text and settings only opens it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from rnnplay.config import RunConfig, split_fractions
from rnnplay.errors import InputError, TooShortError
from rnnplay.knob_texts import corpus_label, leads_elsewhere
from rnnplay.text.corpora.cards import clean
from rnnplay.text.corpora.catalogue import Corpus, find_corpus
from rnnplay.text.corpora.content_hash import content_hash
from rnnplay.text.corpora.reading import check_text_file
from rnnplay.text.encoding import encoded_cache
from rnnplay.text.encoding.encoding import Feed, Progress, Report, encode, settings
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.vocabulary import AnyIds
from rnnplay.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class EncodedSplit:
    """One part of a corpus."""

    ids: AnyIds
    """Shape (tokens,), read-only, of the smallest integer type that holds the vocabulary's ids."""
    characters: int
    """Number of characters of the text in `ids`; for lines: of the lines that are not blank, with their newlines."""
    line_starts: NDArray[np.int64] | None
    """For lines: the start of each line in `ids`, and the end, shape (lines + 1,); each line ends in its newline."""
    unknown: int = 0
    """Number of `ids` that are `<unk>`."""
    hidden: int = 0
    """Bytes (UTF-8) of the text that were read as `<unk>`."""

    @property
    def tokens(self) -> int:
        """Number of ids."""
        return len(self.ids)

    @property
    def unknown_fraction(self) -> float:
        """Fraction of the tokens that are `<unk>`."""
        return self.unknown / self.tokens if self.tokens else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class EncodedCorpus:
    """A corpus ready to train on."""

    name: str
    sha256: str
    """SHA-256 of the text file's bytes."""
    tokenizer: Tokenizer
    feed: Feed
    train: EncodedSplit
    validation: EncodedSplit
    test: EncodedSplit
    remark: str = ""
    """What the user should know about where it came from."""
    split: str = ""
    """The split, if the text's own files make it."""


def encode_corpus(
    corpus: Corpus,
    config: RunConfig,
    cache: Path,
    progress: Progress | None = None,
    tokenizer: Tokenizer | None = None,
) -> EncodedCorpus:
    """Encodes `corpus` as `config` asks, or opens the copy in the cache under `cache`.

    The vocabulary is that of the whole text, as in the published figures for character and word models. `tokenizer`:
    encode with this one instead. Where the text's own files are its split, that of `config` plays no part. Raises
    InputError for a file that is not text, or is too short for `config`.
    """
    path = corpus.materialise(cache)
    report = Report(progress, check_text_file(path).st_size)
    sha256 = content_hash(path, cache, report.doing("reading"))
    if split := corpus.split(cache):
        config = msgspec.structs.replace(config, split=split)
    encoded = _encoded(corpus, path, sha256, config, cache, tokenizer, report)
    return replace(encoded, split=split, remark=corpus.about_parts)


def encode_again(
    config: RunConfig,
    sha256: str,
    tokenizer: Tokenizer,
    workspace: Workspace,
    progress: Progress | None = None,
    use_copy: bool = True,
) -> EncodedCorpus:
    """Opens the text that a run was trained on, by its `sha256`: the encoded copy in the cache, else the corpus.

    If the copy is used and the corpus has changed or is gone, `remark` says so. Raises InputError if there is no copy
    and the corpus is not that text; without `use_copy` the corpus must be there and unchanged.
    """
    feed: Feed = "lines" if config.feed == "lines" else "stream"

    def copied(old: bool) -> EncodedCorpus | None:
        loaded = _load(workspace.cache, sha256, config, feed, tokenizer, old) if use_copy else None
        if loaded is None:
            return None
        remark = _difference(config, sha256, workspace)
        if old:
            remark = f"{remark} An earlier version wrote that; whether it is as it was cannot be checked.".strip()
        encoded = _whole(clean(corpus_label(config.corpus, suffix=False)) or "the text", sha256, feed, loaded, remark)
        _check_length(encoded, config)
        return encoded

    if (copy := copied(old=False)) is not None:
        return copy
    try:
        return _from_corpus(config, sha256, tokenizer, workspace, progress, use_copy)
    except InputError:
        if (copy := copied(old=True)) is not None:
            return copy
        raise


def _from_corpus(
    config: RunConfig,
    sha256: str,
    tokenizer: Tokenizer,
    workspace: Workspace,
    progress: Progress | None,
    use_copy: bool,
) -> EncodedCorpus:
    """Encodes the text with that hash anew; raises InputError if it is gone."""
    cache = workspace.cache
    if leads_elsewhere(config.corpus):
        raise InputError(
            f"run.json gives {clean(config.corpus)} as the run's text, a relative path, which is not followed; "
            "say on the command line, with --corpus, where it is."
        )
    try:
        corpus = find_corpus(config.corpus, workspace)
        path = corpus.materialise(cache)
        report = Report(progress, check_text_file(path).st_size)
    except InputError as gone:
        raise InputError(
            f"The text that the run was trained on is gone, and so is its encoded copy in {clean(str(cache))}; "
            "put it back, or say on the command line, with --corpus, where it is now "
            f"({str(gone).rstrip('.')})."
        ) from gone
    if content_hash(path, cache, report.doing("reading")) != sha256:
        text = f"The text of {clean(config.corpus)} is not the one that the run was trained on"
        if use_copy:
            raise InputError(f"{text}, and there is no encoded copy of that; put it back, or start a new run.")
        raise InputError(f"{text}; leave --corpus out to go on with that one, or start a new run without resuming.")
    return _encoded(corpus, path, sha256, config, cache, tokenizer, report)


def _difference(config: RunConfig, sha256: str, workspace: Workspace) -> str:
    """Describes how the corpus differs from the text with that hash; empty if it does not."""
    if leads_elsewhere(config.corpus):
        return ""
    shown = clean(config.corpus)
    try:
        path = find_corpus(config.corpus, workspace).materialise(workspace.cache)
        if content_hash(path, workspace.cache, lambda _: None) == sha256:
            return ""
    except (InputError, OSError):
        return f"The text of {shown} is gone; the run goes on from its encoded copy."
    return f"The text of {shown} has changed since; the run goes on from the encoded copy of what it was."


def _encoded(
    corpus: Corpus,
    path: Path,
    sha256: str,
    config: RunConfig,
    cache: Path,
    tokenizer: Tokenizer | None,
    report: Report,
) -> EncodedCorpus:
    feed: Feed = corpus.card.feed if config.feed == "auto" else config.feed
    if tokenizer is not None and feed == "lines" and tokenizer.newline is None:
        raise InputError(f"The vocabulary given for {clean(corpus.name)} has no newline; choose feed stream.")
    loaded = _load(cache, sha256, config, feed, tokenizer)
    if loaded is None:
        key = encoded_cache.cache_key(sha256, settings(config, feed, tokenizer))
        with encoded_cache.new_folder(cache, key) as folder:
            encode(path, folder, key, config, feed, tokenizer, report)
        loaded = encoded_cache.load(cache, key)
        if loaded is None:
            raise InputError(f"The cache {clean(str(cache))} does not keep what is written to it; use another folder.")
    report.doing("encoding")(report.total)
    encoded = _whole(corpus.name, sha256, feed, loaded)
    _check_length(encoded, config)
    return encoded


def _load(
    cache: Path, sha256: str, config: RunConfig, feed: Feed, tokenizer: Tokenizer | None, old: bool = False
) -> encoded_cache.Loaded | None:
    """Loads this text from the cache; with a `tokenizer`, also a copy encoded with an equal one."""
    if tokenizer is not None:
        made = encoded_cache.load(cache, encoded_cache.cache_key(sha256, settings(config, feed, None)), old)
        if made is not None and made[0].to_bytes() == tokenizer.to_bytes():
            return made
    return encoded_cache.load(cache, encoded_cache.cache_key(sha256, settings(config, feed, tokenizer)), old)


def _whole(name: str, sha256: str, feed: Feed, loaded: encoded_cache.Loaded, remark: str = "") -> EncodedCorpus:
    tokenizer, parts = loaded
    train, validation, test = (
        EncodedSplit(ids, about.characters, starts, about.unknown, about.hidden) for ids, about, starts in parts
    )
    return EncodedCorpus(name, sha256, tokenizer, feed, train, validation, test, remark)


def _check_length(corpus: EncodedCorpus, config: RunConfig) -> None:
    """Raises TooShortError if a part is too short for one step or one validation, and says what length suffices."""
    fractions = split_fractions(config.split)
    name = clean(corpus.name)
    if corpus.feed == "lines":
        for part, split in (("training", corpus.train), ("validation", corpus.validation)):
            if split.line_starts is None or len(split.line_starts) < 2:
                raise TooShortError(
                    f"The {part} part of {name} has no line that is not blank, but needs one; give a text with more "
                    f"lines or a larger fraction of it (split is {config.split})."
                )
        return
    unit = {"char": "characters", "byte": "bytes"}.get(corpus.tokenizer.kind, "tokens")
    tokens = sum(split.tokens for split in (corpus.train, corpus.validation, corpus.test))
    characters = sum(split.characters for split in (corpus.train, corpus.validation, corpus.test))
    for part, split, fraction, least, other in (
        ("training", corpus.train, fractions[0], config.batch_size * config.bptt + 1, "a smaller batch size or bptt"),
        ("validation", corpus.validation, fractions[1], 2, "a larger validation part in split"),
    ):
        if split.tokens < least:
            enough = ceil(least / fraction * max(characters, 1) / max(tokens, 1))
            reason = f" for one batch of {config.batch_size:,} rows of {config.bptt:,}" if part == "training" else ""
            has = f"{split.tokens:,} {unit if split.tokens != 1 else unit[:-1]}"
            raise TooShortError(
                f"The {part} part of {name} has {has}, but needs at least {least:,}{reason}; "
                f"give a text of at least {enough:,} characters (this one has {characters:,}) or {other}."
            )
