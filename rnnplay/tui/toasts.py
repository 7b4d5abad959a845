"""Commands and names of knobs that a toast quotes, drawn in colour rather than between backticks.

Tried with Textual 8: a toast makes its text of the notification when it is drawn, and cannot be told to do otherwise.
"""

from __future__ import annotations

from textual.content import Content
from textual.widgets._toast import Toast

from rnnplay.tui.widgets.visible import code_drawn

_render = Toast.render


def draw_code_in_toasts() -> None:
    """From now on; once or several times."""
    Toast.render = render  # type: ignore[method-assign, assignment]


def render(toast: Toast) -> Content:
    """As Textual's, for a notification without markup."""
    drawn = _render(toast)
    message = toast._notification.message
    if toast._notification.markup or "`" not in message:
        return drawn
    head = drawn.plain[: len(drawn.plain) - len(message)]
    return Content.assemble(drawn[: len(head)], code_drawn(message))
