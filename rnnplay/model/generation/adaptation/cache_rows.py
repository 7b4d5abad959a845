"""The rows of a continuous cache: hidden states and the tokens that followed them, in one piece of memory."""

from __future__ import annotations

import torch
from torch import Tensor


class CacheRows:
    """The rows up to some position of a text; `with_more` is the same at a later one.

    Later ones share the memory of earlier ones, so that each row is written once, and all rows can be multiplied by
    without being copied. What was built on an earlier one before stays as it is.
    """

    def __init__(self, hidden: int) -> None:
        """No rows yet, of `hidden` units each."""
        self._memory = _Memory(0, hidden)
        self._end = 0

    def __len__(self) -> int:
        return self._end

    def with_more(self, states: Tensor, tokens: Tensor, size: int) -> CacheRows:
        """These rows and states (T, H) with tokens (T,); of those before, `size` at least are kept."""
        memory, end, count = self._memory, self._end, len(states)
        if memory.filled != end or end + count > len(memory.tokens):
            # Full, or something else was built on these rows before.
            memory, end = self._moved(min(end, size), count)
        memory.states[end : end + count] = states
        memory.tokens[end : end + count] = tokens
        memory.filled = end + count
        found = CacheRows.__new__(CacheRows)
        found._memory, found._end = memory, end + count
        return found

    def last(self, count: int) -> tuple[Tensor, Tensor]:
        """The last `count` rows, or all if there are fewer: states (N, H) and tokens (N,). They are not copied."""
        rows = slice(max(0, self._end - count), self._end)
        return self._memory.states[rows], self._memory.tokens[rows]

    def _moved(self, kept: int, more: int) -> tuple[_Memory, int]:
        """Other memory with the last `kept` rows, and room for as many again and `more`."""
        states, tokens = self.last(kept)
        memory = _Memory(2 * (kept + more), states.shape[1])
        memory.states[:kept] = states
        memory.tokens[:kept] = tokens
        return memory, kept


class _Memory:
    def __init__(self, rows: int, hidden: int) -> None:
        self.states = torch.empty(rows, hidden)
        self.tokens = torch.empty(rows, dtype=torch.int64)
        self.filled = 0
        """Rows that were written."""
