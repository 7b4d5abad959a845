"""The animated SVG of a recording: which screens become frames, and what is drawn of them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from benchmarks.pictures.animated_svg import LAST_SECONDS, STILL_SECONDS, TYPED_SECONDS, animated, frames

RED_BLOCK, BRAILLE = "\x1b[38;2;255;0;0m█\x1b[0m", "⣿"


def test_keys_that_are_typed_are_frames_and_charts_less_often() -> None:
    """A row with the prompt's mark is looked at ten times a second, the rest once; the last screen is never lost."""
    typed = [(1 + TYPED_SECONDS * 1.1 * number, letter) for number, letter in enumerate("abc", 1)]
    moved = [(3 + STILL_SECONDS * 0.3 * number, f"\x1b[1;1H{number}") for number in range(5)]
    found = frames([(0.5, "\x1b[2J"), (1.0, "\x1b[2;1H› "), *typed, *moved], 10, 2)
    texts = ["".join(cell.data for row in screen for cell in row).split() for _, screen in found]
    assert texts == [["›"], ["›", "a"], ["›", "ab"], ["›", "abc"], ["0", "›", "abc"], ["4", "›", "abc"]]
    assert [at for at, _ in found][:2] == [1.0, typed[0][0]]


def test_a_row_is_drawn_once_and_every_frame_shown() -> None:
    """The file is XML without a script; times add up to the length, at the end of which it begins again."""
    events = [(0.0, f"same{BRAILLE}\r\n{RED_BLOCK}"), (2.0, "\x1b[2;3Hx"), (4.0, "\x1b[2;3Hy")]
    picture = animated(frames(events, 10, 2), 10, 2, "a title")
    tree = ElementTree.fromstring(picture)
    names = [element.get("id") for element in tree.iter("{http://www.w3.org/2000/svg}g")]
    assert sum(name is not None and name.startswith("r") for name in names) == 4
    assert picture.count(">same<") == 1 and picture.count('href="#r0"') == 3
    assert 'fill="#ff0000"' in picture and picture.count("h0M") == 7 and "<script" not in picture
    assert f"play {4 + LAST_SECONDS:.1f}s step-end infinite" in picture
    assert re.findall(r"([\d.]+)%\{", picture) == ["0.00", "28.57", "57.14"]
