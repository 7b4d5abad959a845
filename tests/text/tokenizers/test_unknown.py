"""What has no token: counted as it is encoded, and refused where there is nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import pytest

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.text.corpora.catalogue import Card, Corpus
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.text.tokenizers.build import build_tokenizer
from rnnplay.text.tokenizers.vocabulary import Tokenizer

TEXT = 'The cat "Käthe" saw 猫, then well-known 🐈 came; the cat left.\n<unk> is no cat.\n' * 3


def corpus(folder: Path, text: str) -> Corpus:
    path = folder / "text.txt"
    path.write_text(text, encoding="utf-8", newline="\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return Corpus("text", Card(name="text", file=path.name), path)


def hidden_in(tokenizer: Tokenizer, text: str, size: int) -> int:
    found: list[int] = []
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    for _ in tokenizer.encode_chunks(chunks, found.append):
        pass
    return sum(found)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_bytes_hidden_are_those_of_what_has_no_token(size: int) -> None:
    """Wherever the text is cut. A literal <unk> hides nothing: it is what the text says."""
    characters = build_tokenizer(["The cat\nw"], "char")
    expected = sum(len(one.encode()) for one in TEXT if one not in "The cat\nw")
    assert hidden_in(characters, TEXT, size) == expected
    words = build_tokenizer(["The cat , . ; the saw is no <unk>\n"], "word")
    unread = ['"', '"', "Käthe", "猫", "then", "well-known", "🐈", "came", "left"]
    assert hidden_in(words, TEXT, size) == 3 * sum(len(one.encode()) for one in unread)
    assert hidden_in(build_tokenizer([TEXT], "word"), TEXT, size) == 0


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_a_corpus_knows_how_much_of_it_is_unknown(tokens: Literal["char", "word"], tmp_path: Path) -> None:
    """Also when it is opened from the cache."""
    for _ in range(2):
        config = RunConfig(tokens=tokens, min_count=2, split="80/10/10", batch_size=2, bptt=4)
        encoded = encode_corpus(corpus(tmp_path, TEXT * 10 + "rare words £5\n"), config, tmp_path / "cache")
        parts = (encoded.train, encoded.validation, encoded.test)
        for part in parts:
            assert part.unknown == part.ids.tolist().count(0)
        names = {"char": "d£5", "word": "rarewords£5"}[tokens]
        assert sum(part.hidden for part in parts) == len(names.encode())
        assert encoded.test.unknown_fraction == encoded.test.unknown / encoded.test.tokens > 0


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"min_count": 1_000_000}, "With min_count 1,000,000 all of the text is <unk>; the most frequent character"),
        ({"min_count": 500, "tokens": "word"}, "the most frequent word occurs 9 times, so give a lower min_count"),
        ({"min_count": 1_000_000, "feed": "lines"}, "all of the text is <unk>"),
        ({"max_vocabulary": 2, "feed": "lines"}, "With max_vocabulary 2 all of the text is <unk>; give a larger one"),
    ],
)
def test_a_vocabulary_of_nothing_but_unknown_is_refused(values: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        encode_corpus(corpus(tmp_path, TEXT), RunConfig(batch_size=2, bptt=4, **values), tmp_path / "cache")
    assert complaint in str(caught.value)


def test_a_text_of_unknown_words_alone_is_refused_too() -> None:
    with pytest.raises(InputError, match="give a text with words"):
        build_tokenizer(["<unk> <unk>\n<unk>\n"], "word", must_know=True)
    assert (
        build_tokenizer(["\n\n"], "char", must_know=True).size == 2
    )  # newlines are all that it has, and they are known
