"""Encoded corpora: exact ids, splits and counts; a cache that may be shared, broken or removed; texts too short."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tracemalloc
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnplay.config import RunConfig
from rnnplay.errors import InputError, RnnplayError
from rnnplay.text.corpora import reading
from rnnplay.text.corpora.catalogue import Card, Corpus
from rnnplay.text.encoding.encoded import EncodedCorpus, EncodedSplit, encode_corpus
from rnnplay.text.tokenizers import units
from rnnplay.text.tokenizers.build import build_tokenizer
from rnnplay.text.tokenizers.splitting import LineEnds, cut, without_blank_lines

Tokens = Literal["char", "word"]

PROSE = "".join(
    f'The cat no. {index} said, "Oh, {index % 7}!" and went.\n{chr(10) * (index % 5 == 0)}' for index in range(300)
)


def corpus(folder: Path, text: str | bytes = PROSE, feed: str = "stream", name: str = "cats") -> Corpus:
    path = folder / f"{name}.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, (1_000_000_000, 1_000_000_000))  # long ago, so that it may be indexed
    return Corpus(name, Card(name=name, file=path.name, feed=feed), path)  # type: ignore[arg-type]


def parts(encoded: EncodedCorpus) -> list[EncodedSplit]:
    return [encoded.train, encoded.validation, encoded.test]


def texts(encoded: EncodedCorpus) -> list[str]:
    return [encoded.tokenizer.decode(part.ids.tolist()) for part in parts(encoded)]


def folders(cache: Path) -> list[Path]:
    return [place for place in (cache / "encoded").iterdir() if place.is_dir()]


@pytest.mark.parametrize("tokens", ["char", "word"])
@pytest.mark.parametrize("chunk_bytes", [64, 1 << 20])
def test_stream_parts_are_the_text_cut_at_line_ends(
    tmp_path: Path, tokens: Tokens, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading.iter_text, "__defaults__", (chunk_bytes, None))
    encoded = encode_corpus(corpus(tmp_path), RunConfig(tokens=tokens, split="70/20/10"), tmp_path / "cache")
    assert "".join(texts(encoded)) == PROSE
    for text, fraction, part in zip(texts(encoded), (0.7, 0.2, 0.1), parts(encoded), strict=True):
        assert text.endswith("\n")
        assert abs(len(text) - fraction * len(PROSE)) < 60
        assert part.characters == len(text)
        assert part.ids.dtype == np.uint8 if tokens == "char" else np.uint16
        assert part.line_starts is None
        with pytest.raises(ValueError, match="read-only"):
            part.ids[0] = 1
    assert len(texts(encoded)[0]) >= 0.7 * len(PROSE)


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_lines_are_the_lines_that_are_not_blank(tmp_path: Path, tokens: Tokens) -> None:
    text = PROSE + "\n \n\t\n\n  the last line, without an end"
    encoded = encode_corpus(corpus(tmp_path, text, "lines"), RunConfig(tokens=tokens), tmp_path / "cache")
    assert encoded.feed == "lines"
    found = []
    for part in parts(encoded):
        assert part.line_starts is not None
        assert part.line_starts.dtype == np.int64
        for start, end in zip(part.line_starts[:-1], part.line_starts[1:], strict=True):
            found.append(encoded.tokenizer.decode(part.ids[start:end].tolist()))
        assert part.line_starts[0] == 0
        assert part.line_starts[-1] == part.tokens
    assert found == [line + "\n" for line in text.split("\n") if line.strip()]
    assert sum(part.characters for part in parts(encoded)) == sum(map(len, found))


def test_the_config_decides_the_feed_before_the_card(tmp_path: Path) -> None:
    cases: list[tuple[str, Literal["auto", "stream", "lines"], str]] = [
        ("lines", "auto", "lines"),
        ("lines", "stream", "stream"),
        ("stream", "lines", "lines"),
    ]
    for card, wanted, feed in cases:
        encoded = encode_corpus(corpus(tmp_path, feed=card), RunConfig(feed=wanted), tmp_path / "cache")
        assert encoded.feed == feed
        assert (encoded.train.line_starts is not None) == (feed == "lines")


@settings(max_examples=200)
@given(
    lines=st.lists(st.text("ab", max_size=12) | st.text("ab ", max_size=12), max_size=30),
    chunk=st.integers(1, 30),
    fractions=st.sampled_from([(0.9, 0.05, 0.05), (0.5, 0.5, 0.0), (0.6, 0.2, 0.2)]),
)
@example(lines=["a" * 500], chunk=7, fractions=(0.9, 0.05, 0.05))
def test_cutting_keeps_all_text_in_order(lines: list[str], chunk: int, fractions: tuple[float, ...]) -> None:
    text = "\n".join(lines)
    chunks = [text[start : start + chunk] for start in range(0, len(text), chunk)]
    ends = LineEnds()
    assert list(ends.counting(chunks)) == chunks
    pieces = list(cut(chunks, ends, fractions))
    assert "".join(piece for _, piece in pieces) == text
    assert [part for part, _ in pieces] == sorted(part for part, _ in pieces)
    if " " in text:
        return
    # Where a part ends does not depend on the chunks.
    whole = LineEnds()
    list(whole.counting([text] if text else []))
    for part in range(3):
        expected = "".join(piece for number, piece in cut([text] if text else [], whole, fractions) if number == part)
        assert "".join(piece for number, piece in pieces if number == part) == expected
        if len(text) == 500 and fractions[part]:
            assert len(expected) == round(500 * fractions[part])


@settings(max_examples=200)
@given(text=st.text("a \n\t", max_size=60), chunk=st.integers(1, 20))
def test_blank_lines_go_wherever_the_text_is_cut(text: str, chunk: int) -> None:
    chunks = [text[start : start + chunk] for start in range(0, len(text), chunk)]
    expected = "".join(line + "\n" for line in text.split("\n") if line.strip())
    assert "".join(without_blank_lines(chunks)) == expected


def test_a_second_time_only_opens_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cats, cache = corpus(tmp_path), tmp_path / "cache"
    first = encode_corpus(cats, RunConfig(), cache)

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("the text was read again")

    monkeypatch.setattr("rnnplay.text.encoding.encoding.iter_text", never)
    monkeypatch.setattr("rnnplay.text.corpora.content_hash._BLOCK", "never")  # nor is it hashed
    again = encode_corpus(cats, RunConfig(batch_size=7, lr=0.1), cache)
    assert again.sha256 == first.sha256
    assert texts(again) == texts(first)
    assert isinstance(again.train.ids, np.memmap)


def test_each_setting_that_matters_has_its_own_cache(tmp_path: Path) -> None:
    cats, cache = corpus(tmp_path), tmp_path / "cache"
    differing: list[dict[str, Any]] = [
        {},
        {"tokens": "word"},
        {"tokens": "word", "word_boundary": "whitespace"},
        {"lowercase": True},
        {"min_count": 2},
        {"max_vocabulary": 9},
        {"split": "80/10/10"},
        {"feed": "lines"},
    ]
    for number, values in enumerate(differing, start=1):
        encode_corpus(cats, RunConfig(**values), cache)
        assert len(folders(cache)) == number
    encode_corpus(cats, RunConfig(seed=3, hidden=7), cache)
    assert len(folders(cache)) == len(differing)


def test_a_changed_text_is_encoded_anew_and_a_moved_one_is_not(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = encode_corpus(corpus(tmp_path), RunConfig(), cache)
    (tmp_path / "elsewhere").mkdir()
    moved = encode_corpus(corpus(tmp_path / "elsewhere"), RunConfig(), cache)
    assert moved.sha256 == first.sha256
    assert len(folders(cache)) == 1
    changed = encode_corpus(corpus(tmp_path, PROSE.replace("cat", "dogs")), RunConfig(), cache)
    assert changed.sha256 != first.sha256
    assert "dogs" in texts(changed)[0]


def test_a_changed_text_is_noticed_though_its_size_and_time_were_put_back(tmp_path: Path) -> None:
    cache, cats = tmp_path / "cache", corpus(tmp_path)
    first = encode_corpus(cats, RunConfig(), cache)
    changed = encode_corpus(corpus(tmp_path, PROSE.replace("cat", "dog")), RunConfig(), cache)
    assert changed.sha256 != first.sha256 and "dog" in texts(changed)[0]


def test_a_text_changed_at_once_is_noticed_though_its_size_and_time_are_the_same(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cats = corpus(tmp_path)
    assert cats.path is not None
    os.utime(cats.path)  # just now: the clock of the file system may be too coarse to tell the next change
    stat = cats.path.stat()
    encode_corpus(cats, RunConfig(), cache)
    cats.path.write_text(PROSE.replace("cat", "dog"))
    os.utime(cats.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert "dog" in texts(encode_corpus(cats, RunConfig(), cache))[0]


@pytest.mark.parametrize("name", ["meta.json", "vocabulary.json", "train.ids", "validation.ids", "test.lines"])
@pytest.mark.parametrize("damage", ["missing", "empty", "longer", "foreign"])
def test_a_broken_cache_is_silently_made_again(tmp_path: Path, name: str, damage: str) -> None:
    cats, cache = corpus(tmp_path, feed="lines"), tmp_path / "cache"
    expected = texts(encode_corpus(cats, RunConfig(), cache))
    (folder,) = folders(cache)
    path = folder / name
    good = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "longer": good + b"x", "foreign": bytes(len(good))}[damage])
    (cache / "encoded" / "index.json").write_bytes(b"no index")
    assert texts(encode_corpus(cats, RunConfig(), cache)) == expected
    assert path.read_bytes() == good
    assert folders(cache) == [folder]


def test_what_stands_in_the_cache_s_place_is_replaced(tmp_path: Path) -> None:
    cats, cache = corpus(tmp_path), tmp_path / "cache"
    expected = texts(encode_corpus(cats, RunConfig(), cache))
    (folder,) = folders(cache)
    shutil.rmtree(folder)
    folder.write_text("a file")
    assert texts(encode_corpus(cats, RunConfig(), cache)) == expected


def _encode_elsewhere(folder: Path, start: Any, results: Any) -> None:
    start.wait()
    path = folder / "cats.txt"
    encoded = encode_corpus(Corpus("cats", Card(name="cats", file="cats.txt"), path), RunConfig(), folder / "cache")
    results.put(encoded.train.ids.sum().item())


def test_processes_that_encode_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    corpus(tmp_path)
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_encode_elsewhere, args=(tmp_path, start, results)) for _ in range(3)]
    for process in processes:
        process.start()
    sums = {results.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert len(sums) == 1
    assert len(folders(tmp_path / "cache")) == 1


def test_nothing_is_left_where_encoding_fails(tmp_path: Path) -> None:
    bad = corpus(tmp_path, PROSE.encode() + b"\xff" + PROSE.encode())
    with pytest.raises(InputError, match=rf"0xFF at offset {len(PROSE):,} "):
        encode_corpus(bad, RunConfig(), tmp_path / "cache")
    assert folders(tmp_path / "cache") == []


def test_a_text_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    cats = corpus(tmp_path)
    assert cats.path is not None
    path = cats.path

    def grow(what: str, done: int, total: int) -> None:
        if what == "encoding" and path.stat().st_size == len(PROSE):
            with path.open("a") as file:
                file.write("more\n")

    with pytest.raises(InputError, match="changed while"):
        encode_corpus(cats, RunConfig(), tmp_path / "cache", grow)


def test_a_cache_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(RnnplayError, match=r"cannot be written to .*--workspace\.$"):
        encode_corpus(corpus(tmp_path), RunConfig(), tmp_path / "cache")


def test_progress_is_told_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading.iter_text, "__defaults__", (1024, None))
    seen: list[tuple[str, int, int]] = []
    cats = corpus(tmp_path)
    encode_corpus(cats, RunConfig(), tmp_path / "cache", lambda *told: seen.append(told))
    size = len(PROSE)
    assert list(dict.fromkeys(what for what, _, _ in seen)) == ["reading", "counting", "encoding"]
    assert all(total == size for _, _, total in seen)
    for what in ("reading", "counting", "encoding"):
        done = [number for told, number, _ in seen if told == what]
        assert done == sorted(done)
        assert done[-1] == size
    again: list[tuple[str, int, int]] = []
    encode_corpus(cats, RunConfig(), tmp_path / "cache", lambda *told: again.append(told))
    assert again == [("encoding", size, size)]


def test_a_given_tokenizer_is_used(tmp_path: Path) -> None:
    for kind in ("char", "word"):
        tokenizer = build_tokenizer(["The cat\n"], "char" if kind == "char" else "word")
        encoded = encode_corpus(corpus(tmp_path), RunConfig(tokens="char"), tmp_path / "cache", tokenizer=tokenizer)
        assert encoded.tokenizer.to_bytes() == tokenizer.to_bytes()
        assert sum(part.characters for part in parts(encoded)) == len(PROSE)
        ids = np.concatenate([part.ids for part in parts(encoded)])
        assert ids.tolist() == tokenizer.encode(PROSE).tolist()
    without = build_tokenizer(["abc"], "char")
    with pytest.raises(InputError, match="no newline"):
        encode_corpus(corpus(tmp_path, feed="lines"), RunConfig(), tmp_path / "cache", tokenizer=without)


def test_lowercase_and_newlines_and_marks(tmp_path: Path) -> None:
    encoded = encode_corpus(
        corpus(tmp_path, ("ÀB c\r\n" * 100).encode("utf-16")), RunConfig(lowercase=True, bptt=8), tmp_path / "cache"
    )
    assert "".join(texts(encoded)) == "àb c\n" * 100


def test_too_short_for_a_batch_says_what_is_needed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(InputError) as caught:
        encode_corpus(corpus(tmp_path, "abcdefghij" * 3), RunConfig(batch_size=16, bptt=2), cache)
    message = str(caught.value)
    assert "has 27 characters, but needs at least 33 for one batch of 16 rows of 2" in message
    assert "at least 37 characters" in message
    assert "or a smaller batch size or bptt" in message
    encode_corpus(corpus(tmp_path, "abcdefghij" * 4), RunConfig(batch_size=16, bptt=2), cache)
    encode_corpus(corpus(tmp_path, "abcdefghij" * 4), RunConfig(batch_size=35, bptt=1), cache)
    with pytest.raises(InputError, match="training part"):  # from the cache as well
        encode_corpus(corpus(tmp_path, "abcdefghij" * 4), RunConfig(batch_size=36, bptt=1), cache)
    with pytest.raises(InputError, match="validation part of cats has 1 character, but"):
        encode_corpus(corpus(tmp_path, "abcdefghij" * 2), RunConfig(batch_size=2, bptt=2), cache)
    with pytest.raises(InputError, match="tokens, but needs at least 33"):
        encode_corpus(corpus(tmp_path, "a word, b. " * 5), RunConfig(tokens="word", bptt=1), cache)


def test_lines_need_one_line_in_train_and_validation(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(InputError, match="no line that is not blank"):
        encode_corpus(corpus(tmp_path, "\n \n\n\n", "lines"), RunConfig(), cache)
    with pytest.raises(InputError, match="validation part"):
        encode_corpus(corpus(tmp_path, "x", "lines"), RunConfig(), cache)
    encoded = encode_corpus(corpus(tmp_path, "ab\n" * 40, "lines"), RunConfig(), cache)
    assert [len(part.ids) // 3 for part in parts(encoded)] == [36, 2, 2]


@pytest.mark.parametrize("tokens", ["char", "word"])
@pytest.mark.parametrize("piece", ["word, and more of it; ", "nospacesatall-"])
def test_memory_does_not_grow_with_the_text(
    tmp_path: Path, tokens: Tokens, piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Though it is one long line. All limits a sixteenth and less of what they are, for speed.
    monkeypatch.setattr(reading.iter_text, "__defaults__", (1 << 14, None))
    monkeypatch.setattr("rnnplay.text.corpora.content_hash._BLOCK", 1 << 14)
    monkeypatch.setattr(units, "_LONGEST_UNIT", 1 << 15)
    monkeypatch.setattr(units, "_MOST_CHARACTERS", 1 << 16)
    peaks = []
    for size in (100_000, 400_000, 1_600_000):
        text = piece * (size // len(piece))
        long = corpus(tmp_path, text)
        tracemalloc.start()
        encoded = encode_corpus(long, RunConfig(tokens=tokens, bptt=8), tmp_path / "cache")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert sum(part.characters for part in parts(encoded)) == len(text)
    assert peaks[2] - peaks[1] < 300_000  # the first warms up
