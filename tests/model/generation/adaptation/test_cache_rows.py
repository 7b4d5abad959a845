"""The rows of a cache, held against plain concatenation: appended to, gone back to, and built on twice."""

from __future__ import annotations

import random

import torch
from torch import Tensor

from rnnplay.model.generation.adaptation.cache_rows import CacheRows

SIZE, HIDDEN = 10, 3


def drawn(count: int) -> tuple[Tensor, Tensor]:
    return torch.randn(count, HIDDEN), torch.randint(0, 99, (count,))


def test_every_row_stays_what_was_put_in_whatever_is_built_on_earlier_ones() -> None:
    chance = random.Random(4)
    moments: list[tuple[CacheRows, Tensor, Tensor]] = [
        (CacheRows(HIDDEN), torch.zeros(0, HIDDEN), torch.zeros(0, dtype=torch.int64))
    ]
    for _ in range(60):
        rows, states, tokens = moments[-1] if chance.random() < 0.7 else chance.choice(moments)
        more = drawn(chance.randint(1, 7))
        moments.append(
            (rows.with_more(*more, SIZE), torch.cat([states, more[0]]), torch.cat([tokens, more[1]])),
        )
    for rows, states, tokens in moments:
        for count in (0, 1, SIZE):
            found = rows.last(count)
            assert found[0].equal(states[max(0, len(states) - count) :])
            assert found[1].equal(tokens[max(0, len(tokens) - count) :])


def test_rows_are_written_once_and_not_copied_by_reading_on() -> None:
    rows = CacheRows(HIDDEN).with_more(*drawn(4), SIZE)
    longer = rows.with_more(*drawn(4), SIZE)
    assert longer.last(8)[0].data_ptr() == rows.last(4)[0].data_ptr()
    for _ in range(300):
        longer = longer.with_more(*drawn(1), SIZE)
        assert len(longer._memory.states) <= 2 * SIZE + 2
    assert longer.last(SIZE + 1)[1].shape == (SIZE + 1,)
