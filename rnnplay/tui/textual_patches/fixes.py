"""Fixes of Textual's layout, drawing and mouse handling, which ended the interface, froze it or filled its memory."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from textual._styles_cache import StylesCache
from textual.await_complete import AwaitComplete
from textual.color import Color
from textual.content import Content
from textual.errors import NoWidget
from textual.events import MouseDown
from textual.geometry import Size
from textual.notifications import Notification, Notifications
from textual.screen import Screen
from textual.style import Style
from textual.widgets import OptionList

_wrap_and_format = Content._wrap_and_format
_screen_resized = Screen._screen_resized
_compositor_refresh = Screen._compositor_refresh
_dismiss = Screen.dismiss
_move_page = OptionList._move_page
_add = Notifications.add


def _wrapped(text: Content, width: int, *arguments: Any, **options: Any) -> Any:
    """Wraps a text without any width as in one column.

    Most widgets ask for no height if they have no width; an OptionList, such as that of the palette, subtracts its
    padding first and then divides by the rest, in a narrow window beside the help.
    """
    return _wrap_and_format(text, max(width, 1 + 2 * int(options.get("line_pad", 0))), *arguments, **options)


def _newest(screen: Screen[Any], size: Size) -> None:
    """Lays out for the current size of the terminal; ignores a former size that arrives late.

    A screen sends itself each size that it takes. Two sizes at once, as while the edge of a window is dragged, bring
    each other back; during a batch of changes this blocks everything else: keys, and the end of the batch.
    """
    if size == screen.app.size:
        _screen_resized(screen, size)


def _behind(screen: Screen[Any]) -> None:
    """Paints what has changed; of a screen that another one hides, nothing, and behind a dialog once.

    Textual marks a screen behind another one as changed again whenever it has had its changes painted: from the first
    change on, the whole terminal is painted as often as that is possible.
    """
    front = screen.app.screen
    if front is screen or front.is_modal:
        _compositor_refresh(screen)
    else:
        screen._compositor._dirty_regions.clear()  # all of it is painted when it comes to the front
        screen._dirty_widgets.clear()
    if front is not screen:
        screen._repaint_required = False


def _page(options: OptionList, direction: Any) -> None:
    """Moves by a page; does nothing in a list without any room, of which no line has been laid out."""
    if options._lines:
        _move_page(options, direction)


@lru_cache(1024)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    """The styles inside and outside a border.

    Textual caches them with the widget's lines that ask for them: with all that 1,024 widgets had drawn when they were
    removed, some tens of megabytes.
    """
    return Style(background=base_background + background), Style(background=base_background)


def _add_once(shown: Notifications, notification: Notification) -> Notifications:
    """Shows a sentence in place of the same one, if that is still there.

    Else a key that is refused five times, or held down, covers the screen with its refusal.
    """
    what = notification.message, notification.title, notification.severity
    for one in list(shown):
        if (one.message, one.title, one.severity) == what:
            del shown[one]
    return _add(shown, notification)


def _dismiss_in_front(screen: Screen[Any], result: Any = None) -> AwaitComplete:
    """Closes a screen that is in front; does nothing for one that is closed, or behind another one.

    Textual would close the one in front instead, and end the interface when the one behind is answered again. Two keys
    at once may answer twice, and a worker may answer when the user has gone on.
    """
    return _dismiss(screen, result) if screen.app.screen is screen else AwaitComplete()


def fix_textual() -> None:
    """Installs the fixes; may be called more than once."""
    Content._wrap_and_format = _wrapped  # type: ignore[method-assign, assignment]
    StylesCache.get_inner_outer = staticmethod(_inner_outer)  # type: ignore[method-assign, assignment]
    Screen._screen_resized = _newest  # type: ignore[method-assign, assignment]
    Screen._compositor_refresh = _behind  # type: ignore[method-assign, assignment]
    Screen.dismiss = _dismiss_in_front  # type: ignore[method-assign, assignment]
    Notifications.add = _add_once  # type: ignore[method-assign, assignment]
    OptionList._move_page = _page  # type: ignore[method-assign, assignment]


def is_on_removed(event: MouseDown, screen: Screen[object]) -> bool:
    """Whether `event` is on a widget that has been removed since it was drawn.

    Textual 8.2.8 looks for the parent of the pressed widget, and ends if there is none.
    """
    try:
        widget, _ = screen.get_widget_at(event.x, event.y)
    except NoWidget:
        return False
    return widget is not screen and widget.parent is None
