"""Two ways in which laying out ends, or never ends, in Textual, mended."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen

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


def mend_layout() -> None:
    """From now on; once or several times."""
    Content._wrap_and_format = _wrapped  # type: ignore[method-assign, assignment]
    Screen._screen_resized = _newest  # type: ignore[method-assign, assignment]
