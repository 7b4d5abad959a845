"""Feeds must give the tokens that a naive loop gives, each exactly once an epoch, and go on exactly where they were."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import Counter
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnplay.text.encoding.encoded import EncodedSplit
from rnnplay.text.feeds import Batch, Feed, LineFeed, StreamFeed, evaluation_batches, make_feed

NEWLINE = 1


def stream(tokens: int) -> EncodedSplit:
    """Ids that are their own places."""
    return EncodedSplit(np.arange(tokens, dtype=np.uint16), tokens, None)


def lines(lengths: list[int]) -> EncodedSplit:
    """Lines of so many ids beside the newline, all ids distinct."""
    ids: list[int] = []
    starts = [0]
    for length in lengths:
        ids += [*range(10 + len(ids), 10 + len(ids) + length), NEWLINE]
        starts.append(len(ids))
    return EncodedSplit(np.array(ids, dtype=np.uint16), len(ids), np.array(starts, dtype=np.int64))


def counted(batch: Batch) -> list[tuple[int, int]]:
    """(input, target) of all targets that count."""
    mask = np.ones(batch.targets.shape, dtype=bool) if batch.mask is None else batch.mask
    return list(zip(batch.inputs[mask].tolist(), batch.targets[mask].tolist(), strict=True))


def check_form(batch: Batch, rows: int, length: int) -> None:
    for array in (batch.inputs, batch.targets):
        assert array.dtype == np.int64
        assert array.shape[0] == rows
        assert 1 <= array.shape[1] <= length
    assert batch.tokens == len(counted(batch)) > 0
    if batch.mask is not None:
        assert batch.mask.shape == batch.targets.shape
        assert not batch.mask.all()
        assert not batch.targets[~batch.mask].any()


def one_epoch(feed: Feed) -> list[Batch]:
    start = int(feed.epoch)
    batches = []
    while int(feed.epoch) == start:
        batches.append(feed.next())
    return batches


@settings(max_examples=200)
@given(tokens=st.integers(2, 120), rows=st.integers(1, 12), bptt=st.integers(1, 20))
def test_stream_is_what_a_naive_loop_gives(tokens: int, rows: int, bptt: int) -> None:
    if tokens < rows + 1:
        with pytest.raises(ValueError, match=str(rows + 1)):
            StreamFeed(stream(tokens), rows, bptt)
        return
    feed = StreamFeed(stream(tokens), rows, bptt)
    # Row by row: a contiguous share of the targets, the first rows one longer.
    shares = [len(part) for part in np.array_split(np.arange(tokens - 1), rows)]
    expected = []
    first = 0
    for share in shares:
        expected.append([(place, place + 1) for place in range(first, first + share)])
        first += share
    for _ in range(2):
        batches = one_epoch(feed)
        assert [batch.reset for batch in batches] == [True] + [False] * (len(batches) - 1)
        found: list[list[tuple[int, int]]] = [[] for _ in range(rows)]
        for index, batch in enumerate(batches):
            check_form(batch, rows, bptt)
            if index < len(batches) - 1:
                assert batch.inputs.shape[1] == bptt
                assert batch.mask is None
            for row in range(rows):
                mask = None if batch.mask is None else batch.mask[row : row + 1]
                found[row] += counted(Batch(batch.inputs[row : row + 1], batch.targets[row : row + 1], mask, False))
        assert found == expected


@settings(max_examples=200)
@given(
    lengths=st.lists(st.integers(1, 15), min_size=1, max_size=20),
    rows=st.integers(1, 6),
    bptt=st.integers(1, 8),
    seed=st.integers(0, 2**63 - 1),
)
def test_every_line_comes_once_an_epoch_whole_and_from_its_start(
    lengths: list[int], rows: int, bptt: int, seed: int
) -> None:
    split = lines(lengths)
    assert split.line_starts is not None
    ids = split.ids.tolist()
    naive = []
    for start, end in zip(split.line_starts[:-1], split.line_starts[1:], strict=True):
        line = ids[start:end]
        naive.append(((NEWLINE, *line[:-1]), tuple(line)))
    feed = LineFeed(split, rows, bptt, seed)
    for _ in range(2):
        found: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        open_rows: list[list[tuple[int, int]]] = []
        for batch in one_epoch(feed):
            check_form(batch, rows, bptt)
            if batch.reset:
                found += [(tuple(a for a, _ in row), tuple(b for _, b in row)) for row in open_rows if row]
                open_rows = [[] for _ in range(rows)]
            mask = np.ones(batch.targets.shape, dtype=bool) if batch.mask is None else batch.mask
            for row in range(rows):
                width = int(mask[row].sum())
                assert mask[row, :width].all()  # padding comes after
                open_rows[row] += zip(
                    batch.inputs[row, :width].tolist(), batch.targets[row, :width].tolist(), strict=True
                )
        found += [(tuple(a for a, _ in row), tuple(b for _, b in row)) for row in open_rows if row]
        assert Counter(found) == Counter(naive)


def test_lines_come_in_another_order_each_epoch_and_with_another_seed() -> None:
    split = lines([1] * 200)

    def order(seed: int, epoch: int) -> list[int]:
        feed = LineFeed(split, 8, 4, seed)
        for _ in range(epoch):
            one_epoch(feed)
        return [target for batch in one_epoch(feed) for _, target in counted(batch)]

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


@settings(max_examples=100)
@given(
    kind=st.sampled_from(["stream", "lines"]),
    lengths=st.lists(st.integers(1, 12), min_size=3, max_size=15),
    before=st.integers(0, 40),
    bptt=st.integers(1, 6),
)
def test_restoring_goes_on_with_identical_batches(
    kind: Literal["stream", "lines"], lengths: list[int], before: int, bptt: int
) -> None:
    split = lines(lengths)
    feed = make_feed(split, kind, 3, bptt, 7)
    for _ in range(before):
        feed.next()
    state = feed.state()
    assert all(type(value) is int for value in state.values())
    other = make_feed(split, kind, 3, bptt, 7)
    other.next()  # from wherever it is
    other.restore(dict(state))
    assert other.epoch == feed.epoch
    for _ in range(20):
        ours, theirs = feed.next(), other.next()
        assert ours.reset == theirs.reset
        np.testing.assert_array_equal(ours.inputs, theirs.inputs)
        np.testing.assert_array_equal(ours.targets, theirs.targets)
        assert (ours.mask is None) == (theirs.mask is None)
        if ours.mask is not None and theirs.mask is not None:
            np.testing.assert_array_equal(ours.mask, theirs.mask)
    assert other.state() == feed.state()


def test_lengths_that_vary_read_all_the_text_and_are_drawn_from_their_place() -> None:
    feed, again, other = (StreamFeed(stream(3000), 2, 20, seed, jitter=3.0) for seed in (1, 1, 2))
    lengths = []
    for _ in range(3):
        batches = one_epoch(feed)
        assert sum(batch.tokens for batch in batches) == 2999
        lengths.append([batch.inputs.shape[1] for batch in batches[:-1]])
    assert lengths[0] != lengths[1] and lengths[0] != [batch.inputs.shape[1] for batch in one_epoch(other)[:-1]]
    every = np.concatenate(lengths)
    assert 5 <= every.min() < every.max() <= 40
    full = every[every > 15]
    assert full.mean() == pytest.approx(20, abs=1) and full.std() == pytest.approx(3, abs=0.8)
    assert len(full) / len(every) > 0.85
    again.restore({"epoch": 2, "position": 0})  # whatever came before
    assert [batch.inputs.shape[1] for batch in one_epoch(again)[:-1]] == lengths[2]


@pytest.mark.parametrize("kind", ["stream", "lines"])
def test_epoch_grows_evenly_to_whole_numbers(kind: Literal["stream", "lines"]) -> None:
    feed = make_feed(lines([5, 9, 3, 14, 1, 2, 8]), kind, 3, 4, 1)
    seen = [feed.epoch]
    for _ in range(40):
        feed.next()
        seen.append(feed.epoch)
    assert seen[0] == 0
    assert all(a < b for a, b in itertools.pairwise(seen))
    assert {1.0, 2.0, 3.0} <= set(seen)


@pytest.mark.parametrize("kind", ["stream", "lines"])
def test_a_state_of_another_feed_is_refused(kind: Literal["stream", "lines"]) -> None:
    feed = make_feed(lines([5, 9, 3, 14, 1, 2, 8]), kind, 3, 4, 1)
    for state in ({}, {"epoch": 0, "position": 99, "line": 3, "offset": 99}, {"epoch": -1, "position": 0, "line": 0}):
        with pytest.raises(ValueError, match="position"):
            feed.restore(state)


def test_rows_of_a_stream_are_not_copied_whole() -> None:
    # A batch of a text far larger than memory must cost what a batch costs: the rows are views of the ids.
    split = stream(1000)
    feed = StreamFeed(split, 4, 10)
    split.ids[1:3] = 777
    assert feed.next().inputs[0, 1:3].tolist() == [777, 777]


@settings(max_examples=200)
@given(tokens=st.integers(0, 90), rows=st.integers(1, 10), length=st.integers(1, 15), limit=st.integers(0, 100))
def test_evaluation_of_a_stream_counts_every_target_once(tokens: int, rows: int, length: int, limit: int) -> None:
    batches = list(evaluation_batches(stream(tokens), "stream", rows, length, NEWLINE, limit))
    pairs = [pair for batch in batches for pair in counted(batch)]
    count = min(tokens - 1, limit) if limit else tokens - 1
    assert sorted(pairs) == [(place, place + 1) for place in range(max(count, 0))]
    assert [batch.reset for batch in batches] == [True] * bool(batches) + [False] * (len(batches) - 1)
    for batch in batches:
        check_form(batch, min(rows, count), length)


@settings(max_examples=200)
@given(
    lengths=st.lists(st.integers(1, 12), max_size=15),
    rows=st.integers(1, 6),
    length=st.integers(1, 9),
    limit=st.integers(0, 80),
)
def test_evaluation_of_lines_counts_every_token_once(lengths: list[int], rows: int, length: int, limit: int) -> None:
    split = lines(lengths)
    batches = list(evaluation_batches(split, "lines", rows, length, NEWLINE, limit))
    targets = [target for batch in batches for _, target in counted(batch)]
    expected: list[int] = []
    for index, size in enumerate(lengths):
        if limit and len(expected) >= limit:
            break
        assert split.line_starts is not None
        start = int(split.line_starts[index])
        expected += split.ids[start : start + size + 1].tolist()
    assert sorted(targets) == sorted(expected)
    for batch in batches:
        check_form(batch, min(rows, len(lengths)), length) if not limit else None
        assert batch.inputs[batch.inputs == NEWLINE].size <= batch.inputs.shape[0] * (1 if batch.reset else 0)


def test_millions_of_lines_need_no_lists() -> None:
    # As Python lists, the order alone would take minutes and gigabytes for a corpus of this kind.
    count = 2_000_000
    split = EncodedSplit(np.zeros(2 * count, dtype=np.uint8), 0, np.arange(0, 2 * count + 1, 2, dtype=np.int64))
    tracemalloc.start()
    feed = LineFeed(split, 32, 16, 1)
    assert feed.next().inputs.shape == (32, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * count + 1_000_000  # 4 bytes a line
    feed.restore({"epoch": 0, "line": count - 32, "offset": 0})
    assert feed.next().tokens == 64
    assert feed.epoch == 1.0
