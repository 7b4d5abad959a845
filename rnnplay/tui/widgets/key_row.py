"""The footer: the keys that do something now, of which help and quit are never cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey, FooterLabel

STAY = ("help", "app.help", "quit")
"""Actions whose keys stay whatever the width."""
MORE = "…"


@contextmanager
def focus_as_it_was(screen: Screen[object]) -> Iterator[None]:
    """While the terminal's window is not in front, let the widget that gets the focus back seem to have it.

    Textual takes it away meanwhile. The keys would be others with every change of windows; not drawing them, as its own
    footer does, would keep those of a run that has ended since.
    """
    widget = None if screen.app.app_focus or screen.focused is not None else screen.app._last_focused_on_app_blur
    if widget is None or not widget.is_attached or widget.screen is not screen:
        yield
        return
    screen.set_reactive(Screen.focused, widget)
    widget.set_reactive(Widget.has_focus, True)
    try:
        yield
    finally:
        screen.set_reactive(Screen.focused, None)
        widget.set_reactive(Widget.has_focus, False)


class KeyRow(Footer):
    """As Textual's, in which what does not fit is out of sight: here those keys give way to …, the last first."""

    DEFAULT_CSS = """
    KeyRow FooterLabel { margin: 0 1; }
    KeyRow.-compact FooterLabel { margin: 0 1 0 0; }
    """

    def __init__(self, *, compact: bool = False) -> None:
        super().__init__(show_command_palette=False, compact=compact)
        self._composed_for: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        with focus_as_it_was(self.screen):
            keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        for key in keys:
            # Bound to it, all keys that there ever were would be kept by this row: it has others with every focus.
            key._reactive_connect = None
        if keys and not any(key.action == "quit" for key in keys):
            # A dialog hides the application's keys, but this one works there too.
            keys += [self._key_of_quit()]
        for key in keys:
            key.set_reactive(FooterKey.compact, self.compact)
            key.set_class(self.compact, "-compact", update=False)
        self._composed_for = self._look()
        room = self.size.width or self.app.size.width
        shown = list(keys)
        while self._width(shown, len(shown) < len(keys)) > room:
            last = next((key for key in reversed(shown) if key.action not in STAY), None)
            if last is None:
                break
            shown.remove(last)
        marked = False
        for key in keys:
            if key in shown:
                yield key
            elif not marked:
                marked = True
                yield FooterLabel(MORE)

    def watch_compact(self) -> None:
        for key in self.query(FooterKey):
            key.compact = self.compact

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Draw the keys anew, if they are others: as each is a widget, that costs more than a chart."""
        self._bindings_ready = True
        if self.is_attached and screen is self.screen:
            self.call_after_refresh(self._follow)

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self._follow)

    async def _follow(self) -> None:
        if self.is_attached and self._look() != self._composed_for:
            await self.recompose()

    def _look(self) -> tuple[object, ...]:
        """All that the row depends on."""
        with focus_as_it_was(self.screen):
            active = self.screen.active_bindings.values() if self._bindings_ready else ()
        keys = tuple((binding, enabled, tooltip) for _, binding, enabled, tooltip in active if binding.show)
        return self.size.width, self.compact, keys

    def _width(self, keys: list[FooterKey], cut: bool) -> int:
        around = 2 if self.compact else 3
        width = sum(cell_len(key.key_display) + cell_len(key.description) + around for key in keys)
        return width + (len(MORE) + 1 + (not self.compact) if cut else 0) - self.compact

    def _key_of_quit(self) -> FooterKey:
        binding = next(one for one in self.app._bindings.get_bindings_for_key("ctrl+q"))
        return FooterKey(binding.key, self.app.get_key_display(binding), binding.description, binding.action)
