"""The footer: the keys that do something now, of which help and quit are never cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.reactive import reactive
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.tui.keymap import remapped
from rnnplay.tui.widgets.text import translation_of

STAY = ("help", "app.help", "quit")
"""Actions whose keys stay whatever the width."""
MORE = "…"


class ShownKey(NamedTuple):
    """A key as the footer shows it."""

    key: str
    display: str
    description: str
    action: str
    enabled: bool = True


@contextmanager
def focus_as_it_was(screen: Screen[object]) -> Iterator[None]:
    """While the terminal's window is not in front, treats the widget that will get the focus back as focused.

    Textual removes the focus meanwhile, so the keys would change with every change of windows; not updating them, as
    its own footer does, would keep the keys of a run that has ended since.
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


class KeyRow(Widget, can_focus=False):
    """One line of clickable keys; those that do not fit are replaced by …, the last first, which opens the help.

    Textual's footer has a widget for each key and recreates them at every change of focus, which takes longer than
    drawing a chart.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-row--key", "key-row--description", "key-row--hover"}
    DEFAULT_CSS = """
    KeyRow {
        dock: bottom;
        height: 1;
        color: $footer-foreground;
        background: $footer-background;
        .key-row--key { color: $footer-key-foreground; background: $footer-key-background; text-style: bold; }
        .key-row--description {
            color: $footer-description-foreground; background: $footer-description-background;
        }
        .key-row--hover { background: $block-hover-background; }
    }
    """

    compact = reactive(False)
    """Whether the keys stand closer together."""

    def __init__(self, *, compact: bool = False) -> None:
        super().__init__()
        self.set_reactive(KeyRow.compact, compact)
        self.keys: tuple[ShownKey, ...] = ()
        """All keys that do something now, also those that do not fit."""
        self._pointer_x: int | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if self.is_attached and screen is self.screen:
            self.call_after_refresh(self._follow)

    def on_resize(self) -> None:
        """Updates the keys after a resize, too: a pane that opens, such as the help, changes what some keys do."""
        self.call_after_refresh(self._follow)

    def _follow(self) -> None:
        """Shows the current keys, if they have changed."""
        if self.is_attached and (keys := self._active_keys()) != self.keys:
            self.keys = keys
            self.refresh()

    def _active_keys(self) -> tuple[ShownKey, ...]:
        with focus_as_it_was(self.screen):
            active = self.screen.active_bindings.values()
        keys: dict[str, ShownKey] = {}
        translated = translation_of(self)
        for _, binding, enabled, _ in active:
            if binding.show and binding.action not in keys:
                display = self.app.get_key_display(binding)
                said = translated(binding.description)
                keys[binding.action] = ShownKey(binding.key, display, said, binding.action, enabled)
        if keys and "quit" not in keys:
            # A dialog hides the application's keys, but this one works there too.
            binding = next(one for _, one in remapped(self.app._bindings) if one.action == "quit")
            display = self.app.get_key_display(binding)
            keys["quit"] = ShownKey(binding.key, display, translated(binding.description), binding.action)
        return tuple(sorted(keys.values(), key=lambda key: key.action == "quit"))  # which is last everywhere

    # --- drawing --------------------------------------------------------------------------------------------

    @property
    def parts(self) -> list[ShownKey | None]:
        """The keys that fit, and None where … stands for those left out."""
        shown = list(self.keys)
        while self._width(shown, len(shown) < len(self.keys)) > self.size.width:
            last = next((key for key in reversed(shown) if key.action not in STAY), None)
            if last is None:
                break
            shown.remove(last)
        first_cut = next((key for key in self.keys if key not in shown), None)
        return [key if key in shown else None for key in self.keys if key in shown or key is first_cut]

    @property
    def left_out(self) -> list[ShownKey]:
        """The keys that do not fit."""
        parts = self.parts
        return [key for key in self.keys if key not in parts]

    def _width(self, keys: list[ShownKey], cut: bool) -> int:
        width = sum(self._cells(key) for key in (*keys, *([None] if cut else [])))
        return width - self.compact  # the space after the last one

    def _cells(self, part: ShownKey | None) -> int:
        """The width of a part in cells, including the space after it."""
        if part is None:
            return len(MORE) + (1 if self.compact else 2)
        return cell_len(part.display) + cell_len(part.description) + (2 if self.compact else 3)

    def key_at(self, x: int) -> ShownKey | None:
        """The key that is drawn in column `x`, if there is one; for … that of the help, which lists the others."""
        for part in self.parts:
            width = self._cells(part)
            if x < width and part is None:
                return next((key for key in self.keys if key.action in STAY), None)
            if x < width:
                return None if self.compact and x == width - 1 else part
            x -= width
        return None

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        key_style = self.get_component_rich_style("key-row--key")
        description_style = self.get_component_rich_style("key-row--description")
        hover_style = Style(bgcolor=self.get_component_rich_style("key-row--hover").bgcolor)
        blank = Style(bgcolor=self.rich_style.bgcolor)
        hovered = None if self._pointer_x is None else self.key_at(self._pointer_x)
        pad, gap = ("", " ") if self.compact else (" ", "")
        segments: list[Segment] = []
        for part in self.parts:
            if part is None:
                segments += [Segment(pad, blank), Segment(MORE, description_style), Segment(" ", blank)]
                continue
            over = (hover_style if part is hovered else Style()) + Style(dim=not part.enabled or None)
            segments.append(Segment(f"{pad}{part.display}{pad}", key_style + over))
            segments.append(Segment(f"{gap}{part.description}{pad}", description_style + over))
            segments.append(Segment(gap, blank))
        return Strip(segment for segment in segments if segment.text).adjust_cell_length(self.size.width, blank)

    # --- mouse ----------------------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        key = self.key_at(event.x)
        if key is None:
            return
        if key.enabled:
            self.app.simulate_key(key.key)
        else:
            self.app.bell()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._point_at(event.x)

    def on_leave(self) -> None:
        self._point_at(None)

    def _point_at(self, x: int | None) -> None:
        before = None if self._pointer_x is None else self.key_at(self._pointer_x)
        self._pointer_x = x
        now = None if x is None else self.key_at(x)
        if now != before:
            self.styles.pointer = "default" if now is None else "pointer"
            self.refresh()
