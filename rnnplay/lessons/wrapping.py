"""Chinese in narrow places: it has no spaces, and renderers of Markdown in terminals break lines at spaces only."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from rich.cells import cell_len

_WIDE = "\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
_CLOSING = "，。；：、！？）》」”"
"""Never begins a line."""
_OPENING = "（《「“"
"""Never ends one."""
_PIECE = re.compile(rf"[{_OPENING}]*(?:`[^`]*`|[{_WIDE}]|[^\s{_WIDE}{_OPENING}{_CLOSING}]+|\s+)[{_CLOSING}]*")
_MARK = re.compile(r"(?:\d+\. |- )?")
_MARGIN = 3
"""Columns that renderers indent the items of a list by."""


def wrapped(markdown: str, width: int) -> str:
    """`markdown` with a hard break wherever its Chinese has to go to a new line to fit into `width` columns.

    Headings, code and lines without Chinese stay as they are. Lines of one paragraph are joined first, without a space
    where Chinese meets.
    """
    parts = re.split(r"(^```.*?^```)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else _lines(_joined(part), width) for part in parts)


def plain_text(markdown: str) -> str:
    """`markdown` without its marks, for a pipe: headings underlined, code set in by four columns; lines stay."""
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
    """`line` of plain text with newlines where its Chinese has to go to a new line; without Chinese, as it is."""
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
    room = max(2, width - (_MARGIN if mark else 0))
    return mark + ("\\\n" + " " * len(mark)).join(_filled(line[len(mark) :], room))


def _filled(text: str, room: int) -> Iterator[str]:
    """The lines, none wider than `room` unless a single piece is."""
    held = ""
    for piece in _PIECE.findall(text):
        if held and cell_len(held + piece.rstrip()) > room:
            yield held.rstrip()
            held = piece.lstrip()
        else:
            held += piece
    yield held.rstrip()


def narrowed(equations: str, width: int) -> str:
    """Lines of equations brought into `width` columns where they are wider: what follows a gap goes to a line below."""
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
