"""Faults of Textual's layout and drawing, mended: one ends the interface, one freezes it, one fills its memory."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.style import Style

_wrap_and_format = Content._wrap_and_format
_screen_resized = Screen._screen_resized


def _wrapped(text: Content, width: int, *arguments: Any, **options: Any) -> Any:
    """Wrap a text for which there is no room as in one column.

    Most widgets ask for no height where they have no width; an OptionList, such as the palette's, takes its padding off
    the width first and then divides by what is left, in a narrow window beside the help.
    """
    return _wrap_and_format(text, max(width, 1 + 2 * int(options.get("line_pad", 0))), *arguments, **options)


def _newest(screen: Screen[Any], size: Size) -> None:
    """Lay out for the size that the terminal has now; for one that it had before, that is still to come.

    A screen tells itself of each size that it takes. Of two sizes at once, as while a window's edge is drawn, each
    brings the other back; during a batch of changes that leaves nothing else its turn: keys, or the end of the batch.
    """
    if size == screen.app.size:
        _screen_resized(screen, size)


@lru_cache(1024)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    """The styles inside and outside of a border.

    Textual keeps them together with the widget's lines that ask for them: with all that 1,024 widgets had drawn when
    they were removed, some tens of megabytes.
    """
    return Style(background=base_background + background), Style(background=base_background)


def mend_layout() -> None:
    """From now on; once or several times."""
    Content._wrap_and_format = _wrapped  # type: ignore[method-assign, assignment]
    StylesCache.get_inner_outer = staticmethod(_inner_outer)  # type: ignore[method-assign, assignment]
    Screen._screen_resized = _newest  # type: ignore[method-assign, assignment]
