"""Tokenizers must give back exactly the text they were given, however it is cut, from memory and from disk."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnplay.errors import InputError
from rnnplay.text.encoding.lacking import lacking_tokens
from rnnplay.text.tokenizers import units, words
from rnnplay.text.tokenizers.build import (
    UNKNOWN,
    CharTokenizer,
    Tokenizer,
    WordTokenizer,
    build_tokenizer,
    load_tokenizer,
)
from rnnplay.text.tokenizers.units import tokens_in
from rnnplay.text.tokenizers.vocabulary import id_type

# Dense in what decides: spaces, newlines, marks, word parts, display forms of reserved tokens, other scripts.
awkward = st.sampled_from(
    [
        *"ab Z09_'’-.,\"()\n\t␣⁀é漢Σσςİß😀\u0301\u0940\x0b\x1c\u2028\u3000\ufeff",
        "  ",
        "    ",
        "<unk>",
        "it's",
        "well-known",
    ]
)
pieces = st.lists(st.one_of(awkward, st.text(max_size=5), st.sampled_from([" said, ", ' "Oh!" ', "\n    x = f(y)\n"])))
texts = pieces.map("".join).map(lambda text: text.encode("utf-8", "ignore").decode())


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """All limits so small that short texts meet them."""
    monkeypatch.setattr(units, "_STEP", 7)
    monkeypatch.setattr(units, "_LONGEST_UNIT", 12)
    monkeypatch.setattr(units, "_MOST_UNITS", 3)
    monkeypatch.setattr(words, "_MOST_TYPES", 100_000)


def chunked(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(places)]


KINDS = ("char", "word", "word at white space")


def built(chunks: list[str], kind: str, **options: bool | int) -> Tokenizer:
    return build_tokenizer(
        chunks,
        "char" if kind == "char" else "word",
        word_boundary="whitespace" if kind == "word at white space" else "punctuation",
        **options,  # type: ignore[arg-type]
    )


def build(text: str, kind: str = "word", **options: bool | int) -> Tokenizer:
    return built([text], kind, **options)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150)
@given(text=texts)
@example(text="a  b   c     d         e\n    f\n     \n ")
@example(text='"Oh!" said the king, "it\'s the well-known <unk>." <unk>,<unk>␣ ⁀ ␣␣␣␣')
@example(text=" \n = A <unk>, B = \n \n x\ty \n\nz  \n   w")
@example(text="x" * 1000 + " " * 33 + "-" * 70 + "'" + "y" * 48 + "'z")
def test_decoding_gives_the_text_back(kind: str, text: str) -> None:
    tokenizer = build(text, kind)
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int64
    assert tokenizer.decode(ids.tolist()) == text
    assert tokenizer.unknown_in(text) == []
    if "<unk>" not in text:
        assert 0 not in ids.tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.usefixtures("small_steps")
def test_where_a_text_is_cut_changes_nothing(kind: str, lowercase: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    @settings(max_examples=150)
    @given(text=texts, cuts=st.lists(st.integers(0, 80), max_size=6))
    @example(text="a" * 40 + "'" + "b" * 60 + "      " * 7 + "<unk>c", cuts=[20, 41, 90])
    @example(text="ΑΣ ΑΣΑ", cuts=[2, 5])
    @example(text=" \n a . \n b  \n c\nd", cuts=[1, 2, 6, 7, 9, 10])
    def check(text: str, cuts: list[int]) -> None:
        whole = build(text, kind, lowercase=lowercase)
        parts = built(chunked(text, cuts), kind, lowercase=lowercase)
        assert parts.to_bytes() == whole.to_bytes()
        arrays = list(whole.encode_chunks(chunked(text, cuts)))
        assert all(array.dtype == id_type(whole.size) for array in arrays)
        ids = [token for array in arrays for token in array.tolist()]
        assert ids == whole.encode(text).tolist()
        with monkeypatch.context() as large:
            large.setattr(units, "_STEP", 1 << 20)
            large.setattr(units, "_LONGEST_UNIT", 1 << 20)
            large.setattr(units, "_MOST_UNITS", 1 << 20)
            assert ids == whole.encode(text).tolist()

    check()


@settings(max_examples=100)
@given(text=texts, other=texts)
def test_text_of_another_corpus_loses_only_what_is_unknown(text: str, other: str) -> None:
    for kind in KINDS:
        tokenizer = build(text, kind)
        ids = tokenizer.encode(other).tolist()
        unknown = tokenizer.unknown_in(other)
        assert bool(unknown) <= (0 in ids)
        if not unknown:
            assert tokenizer.decode(ids) == other
        if kind == "char":
            assert "".join(UNKNOWN if c in unknown else c for c in other) == tokenizer.decode(ids)


@settings(max_examples=100)
@given(text=texts, ids=st.lists(st.integers(0, 10_000), max_size=30), lowercase=st.booleans())
def test_saved_and_loaded_is_the_same_and_pieces_add_up(text: str, ids: list[int], lowercase: bool) -> None:
    for kind in KINDS:
        tokenizer = build(text, kind, lowercase=lowercase)
        loaded = load_tokenizer(tokenizer.to_bytes())
        assert type(loaded) is type(tokenizer)
        assert loaded.to_bytes() == tokenizer.to_bytes()
        assert loaded.encode(text).tolist() == tokenizer.encode(text).tolist()
        any_ids = [token % tokenizer.size for token in ids]  # as a model may write them
        shown = tokenizer.decode(any_ids)
        assert loaded.decode(any_ids) == shown
        before = [None, *any_ids[:-1]]
        pairs = zip(before, any_ids, strict=False)
        assert "".join(tokenizer.decode_after(previous, token) for previous, token in pairs) == shown


def test_tokens_of_words() -> None:
    # Marks apart, apostrophes and hyphens inside words kept, combining marks part of their word.
    text = "Don't re-do it -- 'he said'. e\u0301te\u0301 हिन्दी x_1\n\t<unk>!"
    expected = ["Don't", "re-do", "it", "-", "-", "'", "he", "said", "'", ".", "e\u0301te\u0301", "हिन्दी", "x_1"]
    assert [token for token in tokens_in(text) if token != " "] == [*expected, "\n", "\t", "<unk>", "!"]


def test_tokens_between_white_space() -> None:
    """A published corpus that is divided into tokens has just those, and an end of line for each newline."""
    text = " \n = Homarus <unk> = \n \n It 's a 17th @-@ century U.S. lobster ( 60 @,@ 000 ) . \n It 's . \n"
    tokenizer = build(text, "word at white space")
    shown = [tokenizer.tokens[token] for token in tokenizer.encode(text)]
    # The space at the very beginning has no newline before it.
    assert shown == ["␣", *(token for line in text.splitlines() for token in [*line.split(), "\n"])]
    assert set(tokenizer.tokens[5:]) == {*text.split()} - {UNKNOWN}
    assert tokenizer.decode(tokenizer.encode(text).tolist()) == text
    loaded = load_tokenizer(tokenizer.to_bytes())
    assert loaded.tokens == tokenizer.tokens and loaded.encode(text).tolist() == tokenizer.encode(text).tolist()
    assert tokenizer.unknown_in("It 's 17th-century .\n") == ["17th-century"]
    assert lacking_tokens(["It 's 17th-century .\n"], tokenizer) == ([("17th-century", 1)], 5)
    words_of = [one for at, one in enumerate(tokenizer.tokens) if tokenizer.is_word_part(at)]
    assert {"'s", "17th", "U.S.", "It"} < set(words_of) and not {".", "@-@", "=", "(", "\n"} & set(words_of)
    long = "y" * 600
    assert [len(token) for token in tokens_in(f"a,b\t{long}", "whitespace")] == [3, 1, 256, 256, 88]


def test_what_is_saved_of_words_up_to_punctuation_is_as_before() -> None:
    """A run of an earlier version goes on only if its vocabulary.json is the same, byte for byte."""
    saved = json.loads(build("a b, c.\n").to_bytes())
    assert list(saved) == ["format", "kind", "lowercase", "tokens", "marks", "spaces"]
    assert json.loads(build("a b, c.\n", "word at white space").to_bytes())["word_boundary"] == "whitespace"


def test_the_spacing_rule_is_learned_from_the_text() -> None:
    # The usual spacing of a text costs no tokens, in prose, in tokenised corpora and in code.
    for text in (
        "Yes, said he. No, said (she). " * 30,
        "Yes , said he . No , said ( she ) . " * 30,
        "f(x, y) = g.h[x]; " * 30,
    ):
        tokenizer = build(text.strip())
        assert isinstance(tokenizer, WordTokenizer)
        shown = [tokenizer.tokens[token] for token in tokenizer.encode(text.strip())]
        assert "␣" not in shown
        assert "⁀" not in shown
    tokenizer = build("one, two, three, four")
    shown = [tokenizer.tokens[token] for token in tokenizer.encode("one,two  ,    three\n        four")]
    assert shown == ["one", ",", "⁀", "two", "␣", "␣", ",", "␣␣␣␣", "three", "\n", "␣␣␣␣", "␣␣␣␣", "four"]


def test_vocabulary_order_min_count_and_limit() -> None:
    text = "b b b a a c c d, B"
    assert build(text).tokens == [UNKNOWN, "\n", "␣", "⁀", "␣␣␣␣", "b", "a", "c", ",", "B", "d"]
    assert build(text, min_count=2).tokens[5:] == ["b", "a", "c"]
    assert build(text, max_vocabulary=7).tokens[5:] == ["b", "a"]
    assert build(text, max_vocabulary=1).tokens[5:] == ["b"]
    assert build(text, lowercase=True).tokens[5:] == ["b", "a", "c", ",", "d"]
    limited = build(text, min_count=2)
    assert limited.decode(limited.encode("d a b").tolist()) == "<unk> a b"
    assert limited.unknown_in("d a, b! d") == ["d", ",", "!"]

    assert build("cabbac\n", "char").tokens == [UNKNOWN, "\n", "a", "b", "c"]
    assert build("cabba\n", "char", min_count=2).tokens == [UNKNOWN, "a", "b"]
    assert build("cabbb\n", "char", max_vocabulary=3).tokens == [UNKNOWN, "\n", "b"]
    assert build("aaab", "char", max_vocabulary=2, keep_newline=True).tokens == [UNKNOWN, "\n"]
    assert build("ABab", "char", lowercase=True).tokens == [UNKNOWN, "a", "b"]


def test_counts_agree_with_a_naive_count(monkeypatch: pytest.MonkeyPatch) -> None:
    # The tables of units are folded many times on the way.
    monkeypatch.setattr(units, "_MOST_UNITS", 5)
    monkeypatch.setattr(units, "_STEP", 50)
    text = "the cat, the dog; the end.\nA cat? " * 20 + "x " * 7
    naive = Counter(token for token in tokens_in(text) if token not in (" ", "\n"))
    by_count = sorted(naive, key=lambda token: (-naive[token], token))
    assert build(text).tokens[5:] == by_count


def test_newline_and_word_parts() -> None:
    tokenizer = build("it's, a_b\n", "char")
    assert tokenizer.newline == tokenizer.tokens.index("\n")
    assert "".join(t for i, t in enumerate(tokenizer.tokens) if tokenizer.is_word_part(i)) == "'_abist"
    assert build("abc", "char").newline is None
    assert build("\tabc", "char").newline is None
    assert build("abc", "char", keep_newline=True).newline == 1
    words_of = build("it's, a <unk>\n")
    assert words_of.newline == 1
    assert [t for i, t in enumerate(words_of.tokens) if words_of.is_word_part(i)] == ["a", "it's"]


def test_a_lone_surrogate_in_a_prompt_is_unknown() -> None:
    # A terminal can deliver bytes that are not text; Python gives them as surrogates.
    for kind in KINDS:
        tokenizer = build("abc \n", kind)
        assert tokenizer.encode("abc \udce9").tolist()[-1] == 0
        assert tokenizer.unknown_in("\udce9") == ["\udce9"]
    assert "\udce9" not in build("a\udce9", "char").tokens


def _changed(change: Callable[[dict[str, object]], None], kind: str = "word") -> bytes:
    saved = json.loads(build("a b, c.\n", kind).to_bytes())
    change(saved)
    return json.dumps(saved).encode()


def test_a_damaged_vocabulary_is_refused_in_one_sentence() -> None:
    load_tokenizer(_changed(lambda saved: None))
    damaged = [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"[" * 100_000,
        build("abc").to_bytes()[:-5],
        _changed(lambda saved: saved.update(format=99)),
        _changed(lambda saved: saved.update(kind="syllable")),
        _changed(lambda saved: saved.update(more=1)),
        _changed(lambda saved: saved.update(tokens=["a", "b"])),
        _changed(lambda saved: saved["tokens"].append("a")),  # type: ignore[attr-defined]
        _changed(lambda saved: saved["tokens"].append("a b")),  # type: ignore[attr-defined]
        _changed(lambda saved: saved["tokens"].append("")),  # type: ignore[attr-defined]
        _changed(lambda saved: saved["spaces"].pop()),  # type: ignore[attr-defined]
        _changed(lambda saved: saved.update(spaces=["x" * 5] * 5)),
        _changed(lambda saved: saved["marks"].append("word")),  # type: ignore[attr-defined]
        _changed(lambda saved: saved["marks"].append("\n"), "word at white space"),  # type: ignore[attr-defined]
        _changed(lambda saved: saved.update(marks=["."]), "word at white space"),
        _changed(lambda saved: saved["tokens"].append("a\tb"), "word at white space"),  # type: ignore[attr-defined]
        _changed(lambda saved: saved.update(word_boundary="whitespace")),
        _changed(lambda saved: saved.update(word_boundary="syllable")),
        _changed(lambda saved: saved.update(kind="char")),
        _changed(lambda saved: saved["tokens"].append("ab"), "char"),  # type: ignore[attr-defined]
        _changed(lambda saved: saved["tokens"].append("a"), "char"),  # type: ignore[attr-defined]
        _changed(lambda saved: saved["tokens"].pop(0), "char"),  # type: ignore[attr-defined]
    ]
    for data in damaged:
        with pytest.raises(InputError) as caught:
            load_tokenizer(data)
        assert "vocabulary" in str(caught.value)
        assert str(caught.value).endswith(".")


def test_ids_of_large_vocabularies_fit() -> None:
    assert [id_type(size) for size in (256, 257, 65_536, 65_537)] == [np.uint8, np.uint16, np.uint16, np.int32]
    characters = [chr(0x4E00 + index) for index in range(20_000)]
    tokenizer = CharTokenizer(characters)
    assert tokenizer.encode("".join(characters)).tolist() == list(range(1, 20_001))
    text = " ".join(f"w{index}" for index in range(70_000))
    many = build(text)
    assert many.decode(many.encode(text).tolist()) == text


def test_a_million_distinct_characters_take_no_minutes() -> None:
    """Once each; what is built for them is counted in numbers, not one by one in Python."""
    points = [point for point in range(0x21, 0x110000) if not 0xD800 <= point < 0xE000]
    text = "".join(map(chr, points)) + "ab"
    began = time.process_time()
    tokenizer = build_tokenizer([text], "char", keep_newline=True)
    again = load_tokenizer(tokenizer.to_bytes())
    assert time.process_time() - began < 10, "some 0.7 s on a quiet machine"
    assert again.size == tokenizer.size == len(points) + 2
    assert (again.encode(text[:99]) == tokenizer.encode(text[:99])).all() and again.decode([2]) == "!"
    assert build_tokenizer([text], "char", max_vocabulary=4).tokens[1:] == ["!", "a", "b"]
    assert build_tokenizer([text], "char", max_vocabulary=4, keep_newline=True).tokens[1:] == ["\n", "a", "b"]
