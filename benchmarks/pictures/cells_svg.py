"""Draws a terminal's screen as SVG, each character in its cell whatever the reader's font.

Lines, blocks and braille are drawn as shapes, as terminals draw them, so that charts have neither gaps nor steps.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from html import escape

from rich.cells import cell_len
from rich.color import ColorType
from rich.style import Style
from textual.strip import Strip

WIDTH, HEIGHT, FONT = 8, 17, 13.29
"""Width and height of a cell and size of its text, in pixels."""
MARGIN, TITLE = 10, 30
ARMS = {
    "─": "lr", "━": "lr", "│": "ud", "┤": "udl", "├": "udr", "┼": "udlr", "┬": "dlr", "┴": "ulr", "╌": "lr", "┄": "lr",
}  # fmt: skip
CORNERS = {"╭": (1, 1), "╮": (-1, 1), "╰": (1, -1), "╯": (-1, -1)}
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each bit of a braille character."""
FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', 'Noto Sans Mono', monospace"


def to_svg(strips: Iterable[Strip], columns: int, rows: int, title: str, background: str) -> str:
    """Draws the screen in a window with a title."""
    body = [f'<g transform="translate({MARGIN} {TITLE})">', *drawn(strips, background), "</g>"]
    return framed(body, columns, rows, title, background)


def framed(body: Iterable[str], columns: int, rows: int, title: str, background: str) -> str:
    """Puts the elements of `body` into a window with a title."""
    width, height = columns * WIDTH + 2 * MARGIN, rows * HEIGHT + TITLE + MARGIN
    lights = "".join(
        f'<circle cx="{18 + 18 * number}" cy="15" r="5.5" fill="{colour}"/>'
        for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="{FONTS}" font-size="{FONT}">',
            f'<rect width="{width}" height="{height}" rx="9" fill="{background}" stroke="#555" stroke-width="0.7"/>',
            lights,
            f'<text x="{width / 2}" y="20" text-anchor="middle" fill="#8a8fa3">{escape(title)}</text>',
            *body,
            "</svg>\n",
        ]
    )


def drawn(strips: Iterable[Strip], background: str) -> list[str]:
    """Returns the elements that draw these rows, the first at the top left; shapes of a colour are one path."""
    fills: dict[str, list[str]] = defaultdict(list)
    lines: dict[str, list[str]] = defaultdict(list)
    dots: dict[str, list[str]] = defaultdict(list)
    backs: dict[str, list[tuple[int, int, int]]] = defaultdict(list)  # where each begins, ends, and its top
    texts: list[str] = []
    for row, strip in enumerate(strips):
        column, y = 0, row * HEIGHT
        for text, style, control in strip:
            if control:
                continue
            front, back = colours(style or Style(), background)
            width, x = cell_len(text), column * WIDTH
            if back != background:
                if not backs[back] or backs[back][-1][1:] != (x, y):
                    backs[back].append((x, x, y))
                backs[back][-1] = (backs[back][-1][0], x + width * WIDTH, y)
            for start, word in words(text):
                texts.append(written(word, x + cell_len(text[:start]) * WIDTH, y, front, style or Style()))
            for run in re.findall(r"─+|━+|.", text):
                if run[0] in "─━":
                    lines[front].append(f"M{x} {y + HEIGHT / 2}h{len(run) * WIDTH}")
                for shapes, shape in ((fills, filled), (lines, stroked), (dots, dotted)):
                    if run[0] not in "─━" and (path := shape(run, x, y)):
                        shapes[front].append(path)
                x += WIDTH * cell_len(run)
            column += width
    return [
        *(
            f'<path fill="{colour}" d="{"".join(f"M{x} {y}H{end}v{HEIGHT}H{x}z" for x, end, y in shapes)}"/>'
            for colour, shapes in backs.items()
        ),
        *(f'<path fill="{colour}" d="{"".join(shapes)}"/>' for colour, shapes in fills.items()),
        *(f'<path fill="none" stroke="{colour}" d="{"".join(shapes)}"/>' for colour, shapes in lines.items()),
        *(
            f'<path fill="none" stroke="{colour}" stroke-width="2" stroke-linecap="square" d="{"".join(shapes)}"/>'
            for colour, shapes in dots.items()
        ),
        *texts,
    ]


def colours(style: Style, background: str) -> tuple[str, str]:
    """Returns foreground and background as #rrggbb."""

    def hexadecimal(name: str, default: str) -> str:
        colour = getattr(style, name)
        return default if colour is None or colour.type is ColorType.DEFAULT else colour.get_truecolor().hex

    front, back = hexadecimal("color", "#e0e0e0"), hexadecimal("bgcolor", background)
    return (back, front) if style.reverse else (front, back)


def dotted(character: str, x: float, y: float) -> str:
    """Returns the path of a braille character's dots, lines of no length, whose cell is at x, y; "" for others."""
    code = ord(character)
    if not 0x2800 < code <= 0x28FF:
        return ""
    places = ((x + 2 + across * WIDTH / 2, y + 2 + down * HEIGHT / 4) for across, down in braille(code))
    return "".join(f"M{round(left)} {round(top)}h0" for left, top in places)


def braille(code: int) -> Iterator[tuple[int, int]]:
    """Yields column and row of each dot of a braille character."""
    yield from (place for bit, place in enumerate(DOTS) if code >> bit & 1)


def filled(character: str, x: float, y: float) -> str:
    """Returns the path of a block character whose cell is at x, y; "" for others."""
    code = ord(character)
    if 0x2581 <= code <= 0x2588:  # ▁ … █
        tall = HEIGHT * (code - 0x2580) / 8
        return f"M{x} {y + HEIGHT - tall:.5g}h{WIDTH}v{tall:.4g}h-{WIDTH}z"
    if 0x2589 <= code <= 0x258F:  # ▉ … ▏
        wide = WIDTH * (0x2590 - code) / 8
        return f"M{x} {y}h{wide:.4g}v{HEIGHT}h-{wide:.4g}z"
    return ""


def stroked(character: str, x: float, y: float) -> str:
    """Returns the path of a line-drawing character; "" for others."""
    middle, centre, right, bottom = x + WIDTH / 2, y + HEIGHT / 2, x + WIDTH, y + HEIGHT
    if character in CORNERS:
        across, down = CORNERS[character]
        edge, end = (right if across > 0 else x), (bottom if down > 0 else y)
        return f"M{middle} {end}V{centre + 4 * down}Q{middle} {centre} {edge} {centre}"
    if character in "╌┄":
        return f"M{x + 1} {centre}h2.5m2 0h2"
    if character == "│":
        return f"M{middle} {y}v{HEIGHT}"
    arms = {"l": f"M{x} {centre}H{middle}", "r": f"M{middle} {centre}H{right}"}
    arms |= {"u": f"M{middle} {y}V{centre}", "d": f"M{middle} {centre}V{bottom}"}
    return "".join(arms[arm] for arm in ARMS.get(character, ""))


def words(text: str) -> Iterator[tuple[int, str]]:
    """Yields the runs of `text` that are written as letters, and where they start."""
    kept = "".join(" " if filled(character, 0, 0) or stroked(character, 0, 0) else character for character in text)
    for match in re.finditer(r"[^ \u2800-\u28ff]+(?: [^ \u2800-\u28ff]+)*", kept):
        yield match.start(), match[0]


def written(word: str, x: float, y: float, colour: str, style: Style) -> str:
    """Returns the text element of a word, as wide as its cells."""
    kind = (' font-weight="bold"' if style.bold else "") + (' font-style="italic"' if style.italic else "")
    width = cell_len(word) * WIDTH
    return f'<text x="{x}" y="{y + 13}" textLength="{width}" fill="{colour}"{kind}>{escape(word)}</text>'
