"""Splits a text into train, validation and test, and prepares a text that is fed line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

PARTS = ("train", "validation", "test")

_FARTHEST_SPACE = 200
"""Characters searched for a space at which to end a part."""
_MOST_WAITING = 1 << 20
"""White-space characters held back until it is known whether a line is blank; with more than that it is not."""


class LineEnds:
    """Counts characters and records each chunk's first newline, enough to find line ends later."""

    def __init__(self) -> None:
        self.characters = 0
        self._first: list[int] = []

    def counting(self, chunks: Iterable[str]) -> Iterator[str]:
        """Passes `chunks` through while counting them."""
        for chunk in chunks:
            newline = chunk.find("\n")
            if newline >= 0:
                self._first.append(self.characters + newline)
            self.characters += len(chunk)
            yield chunk

    def after(self, character: int) -> int | None:
        """The first recorded line end at or after `character`: the position just behind its newline."""
        return next((newline + 1 for newline in self._first if newline >= character), None)


def cut(chunks: Iterable[str], ends: LineEnds, fractions: Sequence[float]) -> Iterator[tuple[int, str]]:
    """Yields (part, text) of the `chunks` that `ends` has counted; `fractions` gives the size of each part.

    A part ends at the first line end after its fraction of the characters. If that would take more than half of the
    next part, it ends at the next space instead, or exactly at its fraction.
    """
    total = ends.characters
    targets = [round(sum(fractions[: part + 1]) * total) for part in range(len(fractions) - 1)]
    part, start = 0, 0
    end: int | None = None  # of the part, once the chunk with its target has come
    before = "\n"  # the character before the chunk
    for chunk in chunks:
        done, stop = start, start + len(chunk)
        while part < len(targets):
            if end is None:
                target = max(targets[part], done)
                if target >= stop:
                    break
                end = _end(before, chunk, start, target, ends, fractions[part + 1] * total / 2)
            if end > stop:
                break
            if end > done:
                yield part, chunk[done - start : end - start]
            part, done, end = part + 1, max(end, done), None
        if done < stop:
            yield part, chunk[done - start :]
        start, before = stop, chunk[-1]


def _end(before: str, chunk: str, start: int, target: int, ends: LineEnds, slack: float) -> int:
    if (chunk[target - start - 1] if target > start else before) == "\n":
        return target
    newline = chunk.find("\n", target - start)
    end = start + newline + 1 if newline >= 0 else ends.after(start + len(chunk))
    if end is not None and end - target <= slack:
        return end
    space = chunk.find(" ", target - start, target - start + min(_FARTHEST_SPACE, int(slack)))
    return start + space + 1 if space >= 0 else target


def without_blank_lines(chunks: Iterable[str]) -> Iterator[str]:
    r"""Joins `chunks` without lines of white space only; the last line ends in "\\n", too."""
    blank = True  # the line so far, which the next chunk continues
    waiting = ""  # its white space
    for chunk in chunks:
        text = waiting + chunk
        waiting = ""
        head = ""
        if not blank:
            newline = text.find("\n")
            if newline < 0:
                yield text
                continue
            head, text = text[: newline + 1], text[newline + 1 :]
        lines = text.split("\n")
        rest = lines.pop()
        kept = [line for line in lines if line.strip()]
        blank = len(rest) <= _MOST_WAITING and not rest.strip()
        if blank:
            waiting = rest
        text = head + "".join([line + "\n" for line in kept]) + ("" if blank else rest)
        if text:
            yield text
    if not blank:
        yield "\n"
