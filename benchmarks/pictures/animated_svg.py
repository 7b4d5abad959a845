"""Draws a recorded terminal as an SVG that plays by itself, without a script.

Its frames stand below each other on a strip, which moves; a row that looks the same in several frames is drawn once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

import pyte
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from benchmarks.pictures.cells_svg import HEIGHT, MARGIN, TITLE, WIDTH, drawn, framed
from tests.support.terminal import without_queries

STILL_SECONDS, TYPED_SECONDS = 1.0, 0.1
"""Between two frames while only charts move, and while something is typed."""
LAST_SECONDS = 3.0
"""How long the last frame stays."""

Row = tuple[pyte.screens.Char, ...]
Frame = tuple[float, list[Row]]


def frames(events: Iterable[tuple[float, str]], columns: int, rows: int) -> list[Frame]:
    """Returns the screens that are shown, and from when on; `events` are what was written, and when, in seconds."""
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    found: list[Frame] = []
    for at, text in events:
        stream.feed(without_queries(text.encode()))
        screen_now = [tuple(screen.buffer[y][x] for x in range(columns)) for y in range(rows)]
        if not found and not any(cell.data.strip() for cell in screen_now[-1]):
            continue  # the first screen is still being drawn
        typed = found and _typed(screen_now) != _typed(found[-1][1])
        if found and at - found[-1][0] < (TYPED_SECONDS if typed else STILL_SECONDS):
            continue
        if not found or screen_now != found[-1][1]:
            found.append((at, screen_now))
    if found and screen_now != found[-1][1]:
        found.append((at, screen_now))
    return found


def _typed(screen: list[Row]) -> list[Row]:
    """The rows in which something is typed."""
    return [row for row in screen if any(cell.data == "›" for cell in row)]


def animated(frames: list[Frame], columns: int, rows: int, title: str) -> str:
    """Draws the frames in a window with a title, in a loop."""
    began, length = frames[0][0], frames[-1][0] - frames[0][0] + LAST_SECONDS
    colours = Counter(cell.bg for _, screen in frames for row in screen for cell in row)
    background = _colour(colours.most_common(1)[0][0]) or "#16161e"
    drawings: dict[str, str] = {}
    strip: list[str] = []
    height = rows * HEIGHT
    for number, (_, screen) in enumerate(frames):
        uses = []
        for y, row in enumerate(screen):
            drawing = "".join(drawn([_strip(row)], background))
            if drawing:
                name = drawings.setdefault(drawing, f"r{len(drawings)}")
                uses.append(f'<use href="#{name}" y="{y * HEIGHT}"/>')
        strip.append(f'<g transform="translate(0 {number * height})">{"".join(uses)}</g>')
    steps = "".join(
        f"{100 * (at - began) / length:.2f}%{{transform:translateY({-number * height}px)}}"
        for number, (at, _) in enumerate(frames)
    )
    body = [
        f"<style>#strip{{animation:play {length:.1f}s step-end infinite}}@keyframes play{{{steps}}}",
        # Whoever asks for less motion sees the last frame.
        "@media(prefers-reduced-motion:reduce){#strip{animation:none;"
        f"transform:translateY({-(len(frames) - 1) * height}px)}}}}</style>",
        "<defs>",
        *(f'<g id="{name}">{drawing}</g>' for drawing, name in drawings.items()),
        "</defs>",
        f'<svg x="{MARGIN}" y="{TITLE}" width="{columns * WIDTH}" height="{height}"><g id="strip">',
        *strip,
        "</g></svg>",
    ]
    return framed(body, columns, rows, title, background)


def _strip(row: Row) -> Strip:
    """A row of the emulator as Textual has it."""
    parts = []
    for look, cells in groupby(row, key=lambda cell: (cell.fg, cell.bg, cell.bold, cell.italics, cell.reverse)):
        front, back, bold, italic, reverse = look
        style = Style(color=_colour(front), bgcolor=_colour(back), bold=bold, italic=italic, reverse=reverse)
        parts.append(Segment("".join(cell.data for cell in cells), style))
    return Strip(parts)


def _colour(name: str) -> str | None:
    """A colour of pyte's as Rich has it; None for the terminal's own."""
    if name == "default":
        return None
    return f"#{name}" if len(name) == 6 and all(letter in "0123456789abcdef" for letter in name) else name
