"""Draws commands and knob names in toasts in colour rather than between backticks.

Tested with Textual 8, whose toasts render the notification's text themselves and offer no hook.
"""

from __future__ import annotations

from textual.content import Content
from textual.widgets._toast import Toast

from rnnplay.tui.widgets.visible import code_drawn

_render = Toast.render


def draw_code_in_toasts() -> None:
    """Patches Textual's toasts; may be called more than once."""
    Toast.render = render  # type: ignore[method-assign, assignment]


def render(toast: Toast) -> Content:
    """Renders `toast` as Textual does, with code in colour if the notification has no markup."""
    drawn = _render(toast)
    message = toast._notification.message
    if toast._notification.markup or "`" not in message:
        return drawn
    head = drawn.plain[: len(drawn.plain) - len(message)]
    return Content.assemble(drawn[: len(head)], code_drawn(message))
