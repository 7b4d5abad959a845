"""Partial updates of the screen in fewer bytes.

Textual paints a changed stretch from the left end of its widget, and gives every run of characters its whole style and
a reset, which is most of the traffic of a run over SSH. Here only the stretch itself is sent, with the differences
between styles; the screen is the same.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual import _compositor
from textual._compositor import ChopsUpdate
from textual.strip import Strip

_PLAIN = Style.null()
_RESET = "\x1b[0m"


class MinimalUpdate(ChopsUpdate):
    """Textual's update of stretches of lines, in as few bytes as possible."""

    def render_segments(self, console: Console) -> str:
        system = console._color_system or ColorSystem.TRUECOLOR
        done: list[str] = []
        style = _PLAIN
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                left, right = max(x, x1), min(end, x2)
                if len(strip.text) != strip.cell_length:  # half of a wide character cannot be painted
                    left, right = x, end
                done.append(Control.move_to(left, y).segment.text)
                for segment in strip.crop(left - x, right - x):
                    text, style = _painted(segment, style, system)
                    done.append(text)
        return "".join(done) + (_RESET if style is not _PLAIN else "")


def _painted(segment: Segment, before: Style, system: ColorSystem) -> tuple[str, Style]:
    """The output for `segment` after one of style `before`, and the style then in effect."""
    text, style = segment.text, segment.style or _PLAIN
    if style.link:
        return _codes(before, _PLAIN, system) + Strip.render_style(style, text, system), _PLAIN
    if text.isspace() and _same_blank(before, style):
        return text, before
    return _codes(before, style, system) + text, style


@lru_cache(maxsize=4096)
def _same_blank(before: Style, style: Style) -> bool:
    """Whether a blank looks the same in both styles: they have the same background and nothing else."""
    return before.bgcolor == style.bgcolor and before.without_color == style.without_color == _PLAIN


@lru_cache(maxsize=4096)
def _codes(before: Style, style: Style, system: ColorSystem) -> str:
    """The escape sequence that changes one style to the other; "" if they look the same."""
    whole = Strip.render_ansi(style, system)
    if whole == Strip.render_ansi(before, system):
        return ""
    replaced = style.color is not None and style.bgcolor is not None
    if not replaced or before.without_color != style.without_color:
        return f"\x1b[0;{whole}m" if whole else _RESET
    changed = Style(
        color=None if style.color == before.color else style.color,
        bgcolor=None if style.bgcolor == before.bgcolor else style.bgcolor,
    )
    return f"\x1b[{Strip.render_ansi(changed, system)}m"


def patch_partial_updates() -> None:
    """Makes Textual use MinimalUpdate, whose class it does not let one choose."""
    _compositor.ChopsUpdate = MinimalUpdate  # type: ignore[misc]
