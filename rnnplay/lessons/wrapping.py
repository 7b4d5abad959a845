"""Wraps Chinese in narrow columns: it has no spaces, and Markdown renderers in terminals break lines only there."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from rich.cells import cell_len

_WIDE = "\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
_CLOSING = "，。；：、！？）》」”"
"""Characters that never begin a line."""
_OPENING = "（《「“"
"""Characters that never end a line."""
_PIECE = re.compile(rf"[{_OPENING}]*(?:`[^`]*`|[{_WIDE}]|[^\s{_WIDE}{_OPENING}{_CLOSING}]+|\s+)[{_CLOSING}]*")
_MARK = re.compile(r"(?:\d+\. |- )?")
_MARGIN = 3
"""Columns by which Markdown renderers indent list items."""


def wrapped(markdown: str, width: int) -> str:
    """Inserts hard breaks into `markdown` wherever Chinese text must wrap to fit `width` columns.

    Headings, code and lines without Chinese stay unchanged. The lines of a paragraph are joined first, without a space
    between Chinese characters.
    """
    parts = re.split(r"(^```.*?^```)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else _lines(_joined(part), width) for part in parts)


def plain_text(markdown: str) -> str:
    """Removes the Markdown marks, for output to a pipe: headings are underlined, code indented by four columns."""
    lines: list[str] = []
    code = False
    for line in markdown.split("\n"):
        if line.startswith("```"):
            code = not code
        elif code:
            lines.append(f"    {line}".rstrip())
        elif line.startswith("#"):
            title = line.lstrip("#").strip()
            lines += [title, ("=" if line.startswith("# ") else "-") * cell_len(title)]
        else:
            lines.append(re.sub(r"`([^`]*)`", r"\1", line).replace("**", ""))
    return "\n".join(lines)


def broken(line: str, width: int) -> str:
    """Wraps a line of plain text if it contains Chinese; otherwise returns it unchanged."""
    return "\n".join(_filled(line, width)) if re.search(f"[{_WIDE}]", line) else line


def _joined(text: str) -> str:
    if not re.search(f"[{_WIDE}]", text):
        return text
    text = re.sub(rf"(?<=[{_WIDE}{_CLOSING}])\n(?=[{_WIDE}{_OPENING}])", "", text)
    return re.sub(r"(?<=\S)\n(?=(?!\d+\. |- |#)\S)", " ", text)


def _lines(text: str, width: int) -> str:
    return "\n".join(
        _broken(line, width) if re.search(f"[{_WIDE}]", line) and not line.startswith("#") else line
        for line in text.split("\n")
    )


def _broken(line: str, width: int) -> str:
    match = _MARK.match(line)
    mark = match[0] if match else ""
    columns = max(2, width - (_MARGIN if mark else 0))
    return mark + ("\\\n" + " " * len(mark)).join(_filled(line[len(mark) :], columns))


def _filled(text: str, width: int) -> Iterator[str]:
    """Yields the lines, none wider than `width` unless a single piece is."""
    held = ""
    for piece in _PIECE.findall(text):
        if held and cell_len(held + piece.rstrip()) > width:
            yield held.rstrip()
            held = piece.lstrip()
        else:
            held += piece
    yield held.rstrip()


def narrowed(equations: str, width: int) -> str:
    """Wraps lines of equations wider than `width` columns: what follows a wide gap moves to a line of its own."""
    found: list[str] = []
    for line in equations.split("\n"):
        if cell_len(line) <= width:
            found.append(line)
            continue
        first, *others = _GAP.split(line)
        for piece in (first, *("  " + other for other in others)):
            found += textwrap.wrap(piece, width, subsequent_indent="    ", break_long_words=False)
    return "\n".join(found)


_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
