"""Compares a text with a vocabulary that was made from another one, and extends the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from rnnplay.common.formatting import fraction_of_tokens
from rnnplay.common.terminal_text import sanitize_line
from rnnplay.config import RunConfig, knobs
from rnnplay.errors import ConfigError, LackingTokensError
from rnnplay.text.corpora.reading import iter_text
from rnnplay.text.tokenizers.build import Tokenizer, WordTokenizer
from rnnplay.text.tokenizers.characters import CharCounter
from rnnplay.text.tokenizers.words import WordCounter

_NAMED = 8
"""Tokens named in an error."""


class Lacking(NamedTuple):
    """The tokens of a text that a vocabulary lacks."""

    tokens: list[tuple[str, int]]
    """With the number of times they occur, the most frequent first."""
    total: int
    """Number of tokens of the text, spaces between words not counted."""


def lacking_tokens(chunks: Iterable[str], tokenizer: Tokenizer, min_count: int = 1) -> Lacking:
    """Finds the tokens that occur at least `min_count` times in the joined `chunks` and have no id."""
    if tokenizer.kind in ("byte", "bpe"):
        return Lacking([], 0)  # every text is bytes
    counter = (
        WordCounter(tokenizer.lowercase, tokenizer.normal_form, tokenizer.rule.boundary)
        if isinstance(tokenizer, WordTokenizer)
        else CharCounter(tokenizer.lowercase, tokenizer.normal_form)
    )
    counter.count(chunks)
    counts = counter.counts()
    found = [(token, count) for token, count in counts if count >= min_count and not tokenizer.knows(token)]
    return Lacking(found, sum(count for _, count in counts))


def fitting_tokenizer(
    path: Path,
    name: str,
    tokenizer: Tokenizer,
    parent: str,
    config: RunConfig,
    extend: bool,
    progress: Callable[[int], None] | None,
) -> Tokenizer:
    """Returns the tokenizer with which the text at `path` is read by a run branched from `parent`.

    It is `tokenizer`, the parent's, or, with `extend`, that one and the tokens of the text that it lacks, the most
    frequent first, as many as `max_vocabulary` allows. Tokens seen less than `min_count` times are read as `<unk>`.

    Raises LackingTokensError for other tokens without an id, ConfigError for a `max_vocabulary` without room for any.
    """
    lacking = lacking_tokens(iter_text(path, progress=progress), tokenizer, config.min_count)
    if not lacking.tokens:
        return tokenizer
    if not extend or config.softmax == "adaptive":
        raise _error(lacking, name, tokenizer, parent, config)
    room = config.max_vocabulary - tokenizer.size if config.max_vocabulary else len(lacking.tokens)
    if room <= 0:
        raise ConfigError(
            "max_vocabulary",
            f"max_vocabulary is {config.max_vocabulary:,}, and the vocabulary of {parent} has {tokenizer.size:,} "
            "already, so no token can be added; give a larger one, or 0 for no limit.",
        )
    return tokenizer.extended(token for token, _ in lacking.tokens[:room])


def _error(lacking: Lacking, name: str, tokenizer: Tokenizer, parent: str, config: RunConfig) -> LackingTokensError:
    kinds, count = len(lacking.tokens), sum(count for _, count in lacking.tokens)
    one, many = ("character", "characters") if tokenizer.kind == "char" else ("word", "words and marks")
    named = ", ".join(f"'{_short(token)}'" for token, _ in lacking.tokens[:_NAMED])
    more = f" and {kinds - _NAMED:,} more" if kinds > _NAMED else ""
    fraction = fraction_of_tokens(count / lacking.total)
    ways = []
    if extendable := config.softmax != "adaptive":
        ways.append("add them to the vocabulary")
    if (least := lacking.tokens[0][1] + 1) <= knobs()["min_count"].knob.high:
        ways.append(f"have them read as <unk> with a min_count of {least:,}")
    why = "" if extendable else ". A vocabulary with an adaptive softmax is ordered by frequency and cannot be extended"
    return LackingTokensError(
        f"{name} has {kinds:,} {one if kinds == 1 else many} that the vocabulary of {parent} lacks: {named}{more} "
        f"({count:,} of {lacking.total:,}, {fraction}); {', or '.join(ways) or 'take another text'}{why}.",
        least if len(ways) == 1 + extendable else 0,
        extendable,
    )


def _short(token: str) -> str:
    return sanitize_line(token if len(token) <= 20 else token[:19] + "…")
