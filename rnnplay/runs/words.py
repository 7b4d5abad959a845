"""words.txt in a run's folder: the words of its training text, by which completions are judged.

It is written when a run begins and only read afterwards; a folder without it, as earlier versions wrote them, is
complete all the same.
"""

from __future__ import annotations

from pathlib import Path

from rnnplay.common.files import read_bounded, replace_durably
from rnnplay.errors import InputError
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.text.known_words import MOST_WORDS, frequent_words

WORDS_FILE = "words.txt"
COUNTED_TOKENS = 2_000_000
"""Tokens at the beginning of a training text whose words are counted, which takes at most a second or two."""

_LARGEST = 1 << 24


def write_words(folder: Path, corpus: EncodedCorpus) -> None:
    """Writes the words of the training text, the most frequent first; none where the tokens are words."""
    if corpus.tokenizer.kind != "word":
        words = frequent_words([corpus.tokenizer.decode(corpus.train.ids[:COUNTED_TOKENS].tolist())])
        replace_durably(folder / WORDS_FILE, "".join(f"{word}\n" for word in words).encode("utf-8", "replace"))


def run_words(folder: Path, new: EncodedCorpus | None) -> list[str]:
    """Writes the words of `new`, if it is the text of a run that begins, and returns those of the run at `folder`."""
    if new is not None:
        write_words(folder, new)
    return read_words(folder)


def read_words(folder: Path) -> list[str]:
    """The words of the run at `folder`; none if it lacks them or they cannot be read."""
    try:
        data = read_bounded(folder / WORDS_FILE, _LARGEST)
    except InputError:
        return []
    return data.decode("utf-8", "replace").split("\n", MOST_WORDS)[:MOST_WORDS]
