"""One row a knob: its label and a one-line editor. A field knows its knob; the form knows the config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from rnnplay.config import KnobSpec, Value
from rnnplay.errors import ConfigError
from rnnplay.tui.widgets.values import format_value, nudged
from rnnplay.tui.widgets.visible import FAINT, MUTED, padded, shortened, visible_line

if TYPE_CHECKING:
    from rnnplay.tui.widgets.help_pane import HelpPane

ARROWS = "◂ ▸"
# Not component classes: for each of those Textual matches every rule of CSS, and there are forty fields.
STYLES = {"value": "$foreground", "changed": "$accent", "error": "bold $error", "locked": FAINT}


class Field(Widget, can_focus=True):
    """A label and a value: ← → or a click change it, typing edits it, ↑ ↓ are left to what holds the field.

    The value shown is set with `show`; what a person does is posted as `Chosen`, `Typed`,
    `Undone` or `Opened`.
    """

    DEFAULT_CSS = """
    Field {
        height: 1; width: 1fr; background: transparent; color: $foreground; pointer: pointer;
        &:hover { background: $foreground 6%; }
        &:focus { background: $primary 25%; }
        &.-locked { pointer: default; }
        &.-locked:hover { background: transparent; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "left", "Less", show=False),
        Binding("right", "right", "More", show=False),
        Binding("enter", "enter", "Change", show=False),
        Binding("escape", "escape", "Undo", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """A value taken with the arrows, a click, or the end of typing."""

        field: Field
        value: Value

    @dataclass
    class Typed(Message):
        """The text so far, after each key; not yet checked. `done` once typing has ended with Enter or a blur."""

        field: Field
        text: str
        done: bool

    @dataclass
    class Undone(Message):
        """Escape: what was typed is not wanted; `before` is the value from before it."""

        field: Field
        before: Value

    @dataclass
    class Opened(Message):
        """Enter or a click on an option that is not a value (`extra`)."""

        field: Field

    def __init__(
        self,
        spec: KnobSpec,
        *,
        options: list[tuple[Value, str]] | None = None,
        extra: str = "",
        label_width: int | None = None,
        id: str | None = None,  # noqa: A002  (Textual's name for it)
    ) -> None:
        """`options`: (value, as shown), for a choice whose values the knob does not list; `extra`: one more
        option, at the end, that is an action and no value; `label_width` in cells, its own width if None."""
        super().__init__(id=id)
        self.spec = spec
        self.value: Value = spec.default
        self.options = options if options is not None else _options(spec)
        self.extra = extra
        self.label_width = label_width if label_width is not None else cell_len(spec.label)
        self.value_width: int | None = None
        """In cells; None: what is left of the row."""
        self.changed = False
        """Shown in another colour: it differs from the preset."""
        self.locked = ""
        """Why the value cannot be changed now; empty: it can."""
        self.irrelevant = False
        self.error = ""
        self.note = ""
        """One more line of help."""
        self._typing: str | None = None
        self._caret = 0
        self._before = self.value
        self._on_extra = False
        self._ahead: list[Value] = []
        """Values chosen that what holds the field has not shown yet: keys may come faster than it answers."""

    # --- what is shown --------------------------------------------------------------------------------------

    def show(
        self,
        value: Value,
        *,
        changed: bool = False,
        locked: str = "",
        irrelevant: bool = False,
        error: str = "",
    ) -> None:
        """Show `value` and its state; repaints only if something is new."""
        if value in self._ahead:
            del self._ahead[: self._ahead.index(value) + 1]
            value = self.value if self._ahead else value
        else:
            self._ahead.clear()
        state = (value, changed, locked, irrelevant, error)
        if state == (self.value, self.changed, self.locked, self.irrelevant, self.error):
            return
        if value != self.value:
            self._on_extra = False
            if self._buffer is not None and not error and not self._editing_gives(value):
                self._buffer = None
        self.value, self.changed, self.locked, self.irrelevant, self.error = state
        if locked:
            self._buffer = None
        still = bool(locked) or irrelevant
        self.set_class(still, "-locked")
        self.can_focus = not still
        self.refresh_help()
        self.refresh()

    @property
    def help_text(self) -> str:
        """The knob's help, the allowed range, the default, and why it is locked, as Markdown."""
        spec = self.spec
        lines = [f"**{spec.name}** — {spec.knob.help}.", f"Allowed: {spec.allowed}."]
        if spec.knob.zero:
            lines.append(f"0 means {spec.knob.zero}.")
        lines.append(f"Default: {format_value(spec, spec.default)}.")
        if spec.knob.live:
            lines.append("May change while training.")
        if self.note:
            lines.append(self.note)
        if self.locked:
            lines.append(self.locked)
        if self.irrelevant and spec.knob.when:
            other, values = spec.knob.when
            lines.append(f"Of use only with {other} = {' or '.join(values)}.")
        if self.error:
            lines.append(f"**{self.error}**")
        return "\n\n".join(lines)

    @property
    def HELP(self) -> str:  # type: ignore[override]  # noqa: N802  (Textual's help panel reads it)
        return f"{self.help_text}\n\n{self._keys_help}"

    @property
    def _buffer(self) -> str | None:
        """The text being typed, None while none is."""
        return self._typing

    @_buffer.setter
    def _buffer(self, text: str | None) -> None:
        began_or_ended = (text is None) != (self._typing is None)
        self._typing = text
        if began_or_ended and self.is_attached:
            self.screen.refresh_bindings()  # the footer shows other keys while text is typed

    @property
    def editing(self) -> bool:
        """Whether text is being typed into it."""
        return self._buffer is not None

    @property
    def text(self) -> str:
        """The value as shown."""
        if self._buffer is not None:
            return self._buffer
        if self._on_extra:
            return self.extra
        for value, text in self.options:
            if value == self.value:
                return text
        return format_value(self.spec, self.value)

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002
        return self.label_width + 1 + (self.value_width or 8)

    def render(self) -> Content:
        width = self.content_size.width
        room = width - self.label_width - 1
        active = self.has_focus or self.mouse_hover
        still = bool(self.locked) or self.irrelevant
        mark = "   " if still else ARROWS if active and room >= 8 else "  ▾" if self.options and room >= 8 else "   "
        if room < 8:
            mark = ""
        gap = 1 if mark and not mark.startswith(" ") else 0
        value_room = room - len(mark) - gap
        if mark == "  ▾":  # the first two cells are free while the arrows are not there
            mark, value_room = " ▾", room - 2
        kind = "locked" if still else "error" if self.error else "changed" if self.changed else "value"
        style = STYLES[kind]
        label_style = STYLES["locked"] if still else STYLES["value"] if self.has_focus else MUTED
        mark_style = "$primary" if self.has_focus else FAINT
        label = Content.styled(padded(self.spec.label, self.label_width) + " ", label_style)
        if self._buffer is not None:
            value = self._render_buffer(value_room, style)
        else:
            value = Content.styled(padded(self.fitting_text(value_room), value_room), style)
        return Content.assemble(label, value, " " * gap, (mark, mark_style))

    def fitting_text(self, room: int) -> str:
        """`text` in at most `room` cells; words for 0 that do not fit give way to the digit."""
        text = visible_line(self.text)
        if cell_len(text) > room and self.spec.knob.zero and self.value == 0 and not (self.editing or self._on_extra):
            return "0"
        return shortened(text, room)

    def _render_buffer(self, room: int, style: str) -> Content:
        text = visible_line(self._buffer or "") + " "
        start = 0
        while cell_len(text[start : self._caret + 1]) > room and start < self._caret:
            start += 1
        end = len(text)
        while cell_len(text[start:end]) > room and end > start:
            end -= 1
        shown = text[start:end]
        content = Content.styled(shown, style)
        caret = self._caret - start
        content = content.stylize("reverse", caret, caret + 1)
        return content.pad_right(max(0, room - cell_len(shown)))

    @property
    def _keys_help(self) -> str:
        if self.options:
            return "← → or Enter choose; ↑ ↓ go to the next row."
        return "← → change it, or type a value; Enter takes it, Escape puts the old one back; ↑ ↓ go to the next row."

    def refresh_help(self) -> None:
        self.tooltip = Content(self.help_text.replace("**", "").replace("\n\n", "\n"))
        if self.has_focus:
            for pane in self.screen.query("HelpPane"):
                cast("HelpPane", pane).update_help(self)

    def on_mount(self) -> None:
        self.refresh_help()

    # --- what a person does ---------------------------------------------------------------------------------

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002
        return self._takes(character)

    def _takes(self, character: str | None) -> bool:
        """Whether `character` is typed into the field rather than a key of the screen."""
        if character is None or len(character) != 1 or not character.isprintable() or self.locked or self.irrelevant:
            return False
        if self.options:
            return False
        if self.spec.kind == "text" or self.editing:
            return True
        # Only what begins a number: the other keys are the screen's.
        return character in "0123456789." or (character == "-" and max(self.spec.knob.low, self.spec.knob.above) < 0)

    async def _on_key(self, event: events.Key) -> None:
        character = event.character
        if self._takes(character):
            event.stop()
            event.prevent_default()
            assert character is not None
            self._insert(character)
        elif self._buffer is not None and event.key in ("backspace", "delete", "home", "end", "ctrl+u"):
            event.stop()
            event.prevent_default()
            self._edit_key(event.key)
        elif event.key == "backspace" and not self.options and not self.locked:
            event.stop()
            event.prevent_default()
            self._buffer, self._before = self.plain_text, self.value
            self._caret = len(self._buffer)
            self._edit_key("backspace")

    def _on_paste(self, event: events.Paste) -> None:
        if not self.options and not self.locked and not self.irrelevant:
            event.stop()
            self._insert("".join(event.text.split("\n")[:1]).strip()[:200])

    @property
    def plain_text(self) -> str:
        """The value as it is typed: a number in full, never words for zero."""
        return format_value(self.spec, self.value, words=False)

    def _insert(self, text: str) -> None:
        if self._buffer is None:
            self._buffer, self._caret, self._before = "", 0, self.value
        self._buffer = self._buffer[: self._caret] + text + self._buffer[self._caret :]
        self._caret += len(text)
        self._typed()

    def _edit_key(self, key: str) -> None:
        assert self._buffer is not None
        before, after = self._buffer[: self._caret], self._buffer[self._caret :]
        if key == "backspace":
            before = before[:-1]
        elif key == "delete":
            after = after[1:]
        elif key == "ctrl+u":
            before = ""
        changed = before + after != self._buffer
        self._buffer = before + after
        self._caret = {"home": 0, "end": len(self._buffer)}.get(key, len(before))
        if changed:
            self._typed()
        self.refresh()

    def _typed(self, done: bool = False) -> None:
        self.post_message(self.Typed(self, self._buffer or "", done))
        self.refresh()

    def _editing_gives(self, value: Value) -> bool:
        try:
            return self.spec.parse(self._buffer or "") == value
        except ConfigError:  # not a value (yet)
            return False

    def finish(self) -> None:
        """End typing; a text that is no value stays, marked, until it is changed or taken back."""
        if self._buffer is not None:
            self.post_message(self.Typed(self, self._buffer, True))
            if not self.error:
                self._buffer = None
            self.refresh()

    def forget(self) -> None:
        """End typing and show the value again."""
        self._buffer = None
        self._on_extra = False
        self.refresh()

    def action_left(self) -> None:
        if self._buffer is not None and not self.error:
            self._caret = max(0, self._caret - 1)
            self.refresh()
        else:
            self.step(-1)

    def action_right(self) -> None:
        if self._buffer is not None and not self.error:
            self._caret = min(len(self._buffer), self._caret + 1)
            self.refresh()
        else:
            self.step(1)

    def action_enter(self) -> None:
        if self.locked or self.irrelevant:
            return
        if self._on_extra:
            self.post_message(self.Opened(self))
        elif self.options:
            self.step(1)
        else:
            self.finish()

    def action_escape(self) -> None:
        if self._buffer is None and not self.error and not self._on_extra:
            raise SkipAction
        undone = self._buffer is not None or bool(self.error)
        self.forget()
        if undone:
            self.post_message(self.Undone(self, self._before))

    def step(self, direction: int) -> None:
        """One option or one step of the number on (1) or back (-1)."""
        if self.locked or self.irrelevant:
            return
        if not self.options:
            if self.spec.kind in ("int", "float"):
                self._buffer = None
                self._choose(nudged(self.spec, self.value, direction))
            return
        values = [value for value, _ in self.options]
        count = len(values) + bool(self.extra)
        here = len(values) if self._on_extra else values.index(self.value) if self.value in values else -1
        there = (here + direction) % count if here >= 0 else 0 if direction > 0 else len(values) - 1
        self._on_extra = there == len(values)
        self.refresh()
        if not self._on_extra:
            self._choose(values[there])

    def _choose(self, value: Value) -> None:
        self.value = value  # at once: the next key goes on from it
        self._ahead.append(value)
        self.refresh()
        self.post_message(self.Chosen(self, value))

    def on_blur(self) -> None:
        self.finish()
        if self._on_extra:
            self._on_extra = False
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_enter(self) -> None:
        self.refresh()

    def on_leave(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if self.locked or self.irrelevant:
            return
        from_right = self.size.width - event.x
        if from_right == 1 and self._has_arrows:
            self.step(1)
        elif from_right == 3 and self._has_arrows:
            self.step(-1)
        elif self.options and event.x > self.label_width:
            self.action_enter()

    @property
    def _has_arrows(self) -> bool:
        return self.size.width - self.label_width - 1 >= 8 and (self.spec.kind != "text" or bool(self.options))

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        # Without the focus the wheel scrolls the form: nobody should change a knob on the way past it.
        if self.has_focus and self.spec.kind in ("int", "float"):
            event.stop()
            event.prevent_default()
            self.step(1)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        if self.has_focus and self.spec.kind in ("int", "float"):
            event.stop()
            event.prevent_default()
            self.step(-1)


def _options(spec: KnobSpec) -> list[tuple[Value, str]]:
    if spec.kind == "bool":
        return [(False, "off"), (True, "on")]
    return [(choice, choice) for choice in spec.choices]
