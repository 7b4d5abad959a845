"""Jump mode: each widget that can have the focus gets a label of a letter or two; typing it moves the focus there.

The labels are small widgets of the screen that is shown, in a layer above the others, so that nothing else is painted
and the focus stays where it is until a label is typed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.segment import Segment
from textual.app import App
from textual.events import Event, Key, MouseDown, Resize
from textual.geometry import Offset
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from rnnplay.tui.textual_patches.quiet_mount import mount_quietly, remove_quietly
from rnnplay.tui.widgets.text import translation_of

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""In the order in which they are given out: those under the fingers first."""


def labels(count: int) -> list[str]:
    """Returns `count` labels of a letter, or of two where those do not suffice; none is the beginning of another."""
    size = len(LETTERS)
    first = next((number for number in range(size) if size - number + number * size >= count), size)
    single = LETTERS[: size - first]
    double = [one + other for one in LETTERS[size - first :] for other in LETTERS]
    return [*single, *double][:count]


def targets(screen: Screen[object]) -> list[tuple[Widget, Offset]]:
    """Returns what can have the focus and is in sight, with the cell where its label begins, from the top down."""
    found = []
    for widget in screen.focus_chain:
        place = screen.find_widget(widget).visible_region
        if place.area and widget is not screen.focused:
            on_top, _ = screen.get_widget_at(*place.offset)
            if widget in on_top.ancestors_with_self:
                found.append((widget, place.offset))
    return sorted(found, key=lambda one: (one[1].y, one[1].x))


class JumpLabel(Widget, can_focus=False):
    """One label."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    JumpLabel { layer: _loading; position: absolute; height: 1; background: $accent; color: $background; }
    """

    def __init__(self, text: str, target: Widget, at: Offset) -> None:
        super().__init__()
        self.text, self.target = text, target
        self.styles.width = len(text)
        self.styles.offset = (at.x, at.y)

    def narrow(self) -> None:
        """Leaves the letter that is still to be typed."""
        self.text = self.text[1:]
        self.styles.width = len(self.text)

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        return Strip([Segment(self.text.upper(), self.rich_style)])


class Jump:
    """The labels that are shown, if any."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._screen: Screen[object] | None = None
        self._shown: list[JumpLabel] = []

    @property
    def active(self) -> bool:
        """Whether labels are shown."""
        return bool(self._shown)

    async def begin(self) -> None:
        """Shows the labels of the present screen; says so if nothing there can have the focus but what has it."""
        self._screen = self._app.screen
        found = targets(self._screen)
        taken: set[Offset] = set()
        for text, (widget, at) in zip(labels(len(found)), found, strict=True):
            while at in taken:  # what begins with a field has the same corner
                at = Offset(at.x + 1, at.y)
            taken.update(Offset(at.x + column, at.y) for column in range(len(text)))
            self._shown.append(JumpLabel(text, widget, at))
        if found:
            await mount_quietly(self._screen, self._shown)
        else:
            self._app.notify(translation_of(self._app)("There is nothing else here that can have the focus."))

    async def end(self) -> None:
        """Takes the labels away."""
        await self._remove(self._shown)
        self._shown = []

    async def took(self, event: Event) -> bool:
        """Takes a letter, and escape; any other key, a click or another size ends this and is handled as always."""
        if not isinstance(event, Key | MouseDown | Resize) or event.is_forwarded:
            return False
        typed = event.character or "" if isinstance(event, Key) and event.is_printable else ""
        if not typed or self._screen is not self._app.screen:
            await self.end()
            return isinstance(event, Key) and event.key == "escape"
        fitting = [one for one in self._shown if one.text.startswith(typed.lower())]
        target = fitting[0].target if [one.text for one in fitting] == [typed.lower()] else None
        if fitting and target is None:
            await self._remove(one for one in self._shown if one not in fitting)
            self._shown = fitting
            for one in fitting:
                one.narrow()
            return True
        await self.end()
        if target is not None and target.is_attached and target.focusable:
            self._app.screen.set_focus(target)
        return True

    async def _remove(self, gone: Iterable[JumpLabel]) -> None:
        if self._screen is not None and self._screen.is_attached:
            await remove_quietly(self._screen, list(gone))
