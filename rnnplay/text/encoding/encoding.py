"""Encodes a text: builds its tokenizer, and writes the ids of its parts into a folder of the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Literal

from rnnplay.config import RunConfig, split_fractions
from rnnplay.text.corpora.content_hash import check_unchanged
from rnnplay.text.corpora.reading import check_text_file, iter_text
from rnnplay.text.encoding import encoded_cache
from rnnplay.text.tokenizers.build import Tokenizer, build_tokenizer
from rnnplay.text.tokenizers.splitting import PARTS, LineEnds, cut, without_blank_lines

Progress = Callable[[str, int, int], None]
"""Called with the stage ("reading", "counting" or "encoding"), bytes done and bytes in total."""

Feed = Literal["stream", "lines"]


class Report:
    """Reports stages of the work on a text of `total` bytes to a Progress, if there is one."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self.total = total

    def doing(self, what: str) -> Callable[[int], None]:
        """Returns what takes the bytes done of one stage."""

        def done(number: int) -> None:
            if self._progress is not None:
                self._progress(what, number, self.total)

        return done


def settings(config: RunConfig, feed: Feed, tokenizer: Tokenizer | None) -> dict[str, object]:
    """Returns all that the ids of a text depend on; with a `tokenizer` given, that and the split."""
    if tokenizer is not None:
        return {"feed": feed, "split": config.split, "tokenizer": hashlib.sha256(tokenizer.to_bytes()).hexdigest()}
    found: dict[str, object] = {
        "feed": feed,
        "split": config.split,
        "tokens": config.tokens,
        "lowercase": config.lowercase,
    }
    if config.tokens in ("char", "word"):
        found |= {"min_count": config.min_count, "max_vocabulary": config.max_vocabulary}
    if config.tokens == "bpe":
        found["bpe_size"] = config.bpe_size
    if config.tokens == "word" and config.word_boundary != "punctuation":
        found["word_boundary"] = config.word_boundary
    if config.normal_form != "none":  # only then, so that keys of earlier versions stay
        found["normal_form"] = config.normal_form
    return found


def encode(
    path: Path, folder: Path, key: str, config: RunConfig, feed: Feed, tokenizer: Tokenizer | None, report: Report
) -> None:
    """Encodes the text at `path` into `folder`, as the entry `key` of the cache, with a new tokenizer if none is given.

    The text is read twice, to count and to encode, and is never in memory as a whole. Raises InputError if it is not
    text or changes meanwhile.
    """
    before = check_text_file(path)
    ends = LineEnds()
    as_bytes = config.tokens == "byte"
    noted = ends.counting(iter_text(path, progress=report.doing("counting"), as_bytes=as_bytes))
    if tokenizer is None:
        tokenizer = build_tokenizer(
            noted,
            config.tokens,
            lowercase=config.lowercase,
            normal_form=config.normal_form,
            word_boundary=config.word_boundary,
            bpe_size=config.bpe_size,
            min_count=config.min_count,
            max_vocabulary=config.max_vocabulary,
            keep_newline=feed == "lines",
            must_know=True,
        )
    for _ in noted:  # all that a tokenizer of bytes, or a given one, had no need of
        pass
    chunks = iter_text(path, progress=report.doing("encoding"), as_bytes=as_bytes)
    newline = tokenizer.newline if feed == "lines" else None
    texts = groupby(cut(chunks, ends, split_fractions(config.split)), key=lambda pair: pair[0])
    written: dict[int, encoded_cache.PartMeta] = {}
    for part, pairs in texts:
        written[part] = _write_part(folder, PARTS[part], (text for _, text in pairs), tokenizer, newline)
    for part, name in enumerate(PARTS):
        if part not in written:
            written[part] = _write_part(folder, name, (), tokenizer, newline)
    check_unchanged(path, before)
    encoded_cache.write_meta(folder, key, tokenizer, [written[part] for part in range(len(PARTS))])


def _write_part(
    folder: Path, name: str, chunks: Iterable[str], tokenizer: Tokenizer, newline: int | None
) -> encoded_cache.PartMeta:
    if newline is not None:
        chunks = without_blank_lines(chunks)
    characters = 0

    def counted() -> Iterator[str]:
        nonlocal characters
        for chunk in chunks:
            characters += len(chunk)
            yield chunk

    files = encoded_cache.PartFiles(folder, name, newline)

    def hide(size: int) -> None:
        files.hidden += size

    try:
        for ids in tokenizer.encode_chunks(counted(), hide):
            files.write(ids)
        return files.close(characters)
    finally:
        files.abandon()
