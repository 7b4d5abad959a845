"""What the mouse may be pressed on."""

from __future__ import annotations

from textual.errors import NoWidget
from textual.events import MouseDown
from textual.screen import Screen


def is_on_removed(event: MouseDown, screen: Screen[object]) -> bool:
    """Whether `event` is where a widget was drawn that has been removed since.

    Tried with Textual 8.2.8, which looks for the parent of what is pressed, and ends where there is none any more.
    """
    try:
        widget, _ = screen.get_widget_at(event.x, event.y)
    except NoWidget:
        return False
    return widget is not screen and widget.parent is None
