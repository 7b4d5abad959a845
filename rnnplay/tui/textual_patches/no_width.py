"""A text laid out where there is no room for it is wrapped as in one column, instead of ending the interface.

Most of Textual's widgets ask for no height where they have no width; an OptionList, such as the palette's, takes its
padding off the width first and then divides by what is left, in a narrow window beside the help.
"""

from __future__ import annotations

from typing import Any

from textual.content import Content

_wrap_and_format = Content._wrap_and_format


def _wrapped(text: Content, width: int, *arguments: Any, **options: Any) -> Any:
    return _wrap_and_format(text, max(width, 1 + 2 * int(options.get("line_pad", 0))), *arguments, **options)


def allow_no_width() -> None:
    """From now on; once or several times."""
    Content._wrap_and_format = _wrapped  # type: ignore[method-assign, assignment]
