"""Tokens smaller than words that encode every text: bytes and byte pairs, and normal forms for all kinds."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnplay.config import NormalForm, RunConfig, TokenKind
from rnnplay.errors import InputError
from rnnplay.text.corpora.catalogue import Card, Corpus
from rnnplay.text.corpora.reading import iter_text
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.text.encoding.lacking import lacking_tokens
from rnnplay.text.tokenizers import bpe, preparing
from rnnplay.text.tokenizers.build import BpeTokenizer, Tokenizer, build_tokenizer, load_tokenizer
from rnnplay.text.tokenizers.preparing import prepared, prepared_chunks
from rnnplay.text.tokenizers.utf8 import joined, split_unfinished, to_bytes

pytest.importorskip("tokenizers")

TEXT = 'The cat "Käthe" saw 猫, then the well-known 🐈 came;\r\n\n  the cat left the mat.\n<unk> is no cat.\n' * 5
KINDS: tuple[TokenKind, ...] = ("byte", "bpe")
texts = st.lists(st.sampled_from([*"ab e\u0301é\n\tﬁ猫🐈<>'", "the cat", "  ", "\n\n", " don't"])).map("".join)


def build(kind: TokenKind, normal_form: NormalForm = "none", lowercase: bool = False) -> Tokenizer:
    return build_tokenizer([TEXT], kind, bpe_size=300, normal_form=normal_form, lowercase=lowercase)


PAIRS = build("bpe")


def chunked(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(places)]


@pytest.mark.parametrize("tokenizer", [PAIRS, build("byte")], ids=["bpe", "byte"])
@settings(max_examples=60)
@given(text=texts, cuts=st.lists(st.integers(0, 40), max_size=4))
def test_every_text_is_given_back_however_it_is_cut(tokenizer: Tokenizer, text: str, cuts: list[int]) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids.tolist()) == text
    assert 0 not in ids
    parts = [np.zeros(0, np.int64), *tokenizer.encode_chunks(chunked(text, cuts))]
    assert np.concatenate(parts).tolist() == ids.tolist()
    assert tokenizer.unknown_in(text) == []
    assert lacking_tokens([text], tokenizer).tokens == []
    pieces = [tokenizer.decode_after(None, token) for token in ids.tolist()]
    assert joined("".join(pieces)) == text
    assert ids.tolist().count(tokenizer.newline) == text.count("\n")  # lines can be fed one by one


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_is_saved_and_loaded(kind: TokenKind) -> None:
    tokenizer = build(kind, "nfkc", lowercase=True)
    loaded = load_tokenizer(tokenizer.to_bytes())
    assert loaded.to_bytes() == tokenizer.to_bytes()
    assert (loaded.kind, loaded.lowercase, loaded.normal_form) == (kind, True, "nfkc")
    assert loaded.encode(TEXT).tolist() == tokenizer.encode(TEXT).tolist()
    data = json.loads(tokenizer.to_bytes())
    data["tokens"][5] = "?"
    with pytest.raises(InputError, match="damaged"):
        load_tokenizer(json.dumps(data).encode())


def test_damaged_merges_are_refused() -> None:
    data = json.loads(PAIRS.to_bytes())
    data["merges"][0] = "nothing known"
    with pytest.raises(InputError, match="merges are invalid"):
        load_tokenizer(json.dumps(data).encode())


def test_merges_are_those_of_the_most_frequent_pairs() -> None:
    """Computed by hand: "ab" twelve times, then "abab" six times."""
    pairs = build_tokenizer(["abab\n" * 6], "bpe", bpe_size=1000)
    assert isinstance(pairs, BpeTokenizer)
    assert pairs.merges == ["a b", "ab ab"]
    assert [pairs.tokens[token] for token in pairs.encode("ababab\n")] == ["abab", "ab", "\n"]
    assert pairs.size == 259
    assert pairs.tokens[pairs.encode("é")[0]] == "<0xC3>"


def test_other_programs_read_tokenizer_json() -> None:
    """Its ids are those of the model's rows."""
    import tokenizers

    ((name, data),) = PAIRS.companions().items()
    other = tokenizers.Tokenizer.from_str(data.decode())
    assert name == "tokenizer.json"
    assert other.encode(TEXT).ids == PAIRS.encode(TEXT).tolist()
    assert other.decode(other.encode(TEXT).ids) == TEXT
    assert other.get_vocab_size() == PAIRS.size


def test_long_texts_without_a_space_are_cut_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpe, "_LONGEST", 10)
    monkeypatch.setattr(bpe, "_STEP", 4)
    text = "abcdefghijklmnopqrstuvwxyz" * 3
    assert max(map(len, bpe.pieces_to_encode([text]))) <= 10
    whole = list(bpe.pieces_to_encode([text]))
    assert list(bpe.pieces_to_encode(chunked(text, [3, 30, 31]))) == whole


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(InputError, match=r"rnnplay\[bpe\]"):
        build_tokenizer(["text"], "bpe", bpe_size=300)


@pytest.mark.parametrize("form", ["nfc", "nfkc"])
@settings(max_examples=60)
@given(text=texts, cuts=st.lists(st.integers(0, 40), max_size=4))
def test_normal_forms_do_not_depend_on_chunks(form: NormalForm, text: str, cuts: list[int]) -> None:
    expected = unicodedata.normalize("NFC" if form == "nfc" else "NFKC", text)
    assert "".join(prepared_chunks(chunked(text, cuts), False, form)) == expected == prepared(text, False, form)


def test_a_normal_form_without_ascii_is_cut_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_LONGEST", 5)
    text = "猫犬鳥魚馬牛羊" * 4
    assert "".join(prepared_chunks(chunked(text, [2, 11]), False, "nfc")) == text


@pytest.mark.parametrize("kind", ["char", "word", "byte", "bpe"])
def test_prompts_are_normalized_as_the_text_was(kind: TokenKind) -> None:
    tokenizer = build(kind, "nfc")
    assert tokenizer.encode("Ka\u0308the").tolist() == tokenizer.encode("Käthe").tolist()
    assert load_tokenizer(tokenizer.to_bytes()).normal_form == "nfc"
    assert b"normal_form" not in build(kind).to_bytes(), "runs of earlier versions are compared with these bytes"


def corpus(folder: Path, data: bytes) -> Corpus:
    path = folder / "any.bin"
    path.write_bytes(data)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return Corpus("any", Card(name="any", file=path.name), path)


def test_any_file_is_a_corpus_of_bytes(tmp_path: Path) -> None:
    """Zero bytes, invalid UTF-8, a byte order mark and carriage returns are read as they are."""
    data = b"\xef\xbb\xbf\0\xff\xfe\r\n\xe7\x8c\xab\xe7\x8c" * 50
    config = RunConfig(tokens="byte", feed="stream", batch_size=2, bptt=4, split="80/10/10")
    encoded = encode_corpus(corpus(tmp_path, data), config, tmp_path / "cache")
    parts = (encoded.train, encoded.validation, encoded.test)
    assert (np.concatenate([part.ids for part in parts]) - 1).astype(np.uint8).tobytes() == data
    assert sum(part.characters for part in parts) == 50 * (1 + 1 + 2 + 2 + 1 + 2)
    assert encoded.tokenizer.size == 257
    with pytest.raises(InputError):
        list(iter_text(tmp_path / "any.bin"))


@pytest.mark.parametrize("kind", ["char", *KINDS])
def test_parts_and_characters_are_the_same_whatever_a_token_is(kind: TokenKind, tmp_path: Path) -> None:
    """So that bits per character of different tokens can stand in one chart."""
    text = TEXT.replace("\r", "") * 3
    config = RunConfig(tokens=kind, bpe_size=300, batch_size=2, bptt=4, split="80/10/10")
    encoded = encode_corpus(corpus(tmp_path, text.encode()), config, tmp_path / "cache")
    parts = [encoded.tokenizer.decode(np.asarray(part.ids).tolist()) for part in (encoded.train, encoded.validation)]
    assert (len(parts[0]), len(parts[1])) == (encoded.train.characters, encoded.validation.characters)
    assert parts[0].endswith("\n") and parts[0] + parts[1] == text[: sum(map(len, parts))]
    assert encoded.train.characters == 1116


def test_unfinished_characters_wait() -> None:
    whole, rest = split_unfinished("a\udce7\udc8c")
    assert (whole, to_bytes(rest)) == ("a", b"\xe7\x8c")
    assert split_unfinished(rest + "\udcab") == ("猫", "")
    assert split_unfinished(rest + "b") == ("\ufffdb", "")
