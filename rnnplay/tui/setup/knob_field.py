"""One row per knob: its label and a one-line editor.

The parent owns the value; a field owns the line being typed. It is not Textual's Input, which takes some 40 ms to mount
on the first key (docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from rnnplay.config import KnobSpec, Value
from rnnplay.knobs import typed
from rnnplay.tui.setup.form_rows import keys_help, knob_help, refusal
from rnnplay.tui.setup.options import Options, knob_options
from rnnplay.tui.setup.typed_text import KEYS, TypedLine, may_become_number
from rnnplay.tui.setup.values import Nudges
from rnnplay.tui.widgets.visible import FAINT, MUTED, padded, shortened, visible_line

if TYPE_CHECKING:
    from rnnplay.tui.widgets.help_pane import HelpPane

ARROWS = "◂ ▸"
# Not component classes: Textual matches every CSS rule for each of those, and there are forty fields.
STYLES = {"value": "$foreground", "changed": "$accent", "error": "bold $error", "locked": FAINT}


class KnobField(Widget, can_focus=True):
    """A label and a value: ← → or a click change it, typing edits it, ↑ ↓ are left to the parent.

    `show` sets what is displayed; an action of the user is posted as `Stepped`, `Typed`, `Undone`, `Listed` or
    `Opened`, and changes nothing but the text being typed.
    """

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Less", show=False, id="setup.less"),
        Binding("right", "step(1)", "More", show=False, id="setup.more"),
        Binding("enter", "enter", "Change", show=False, id="setup.change"),
        Binding("escape", "escape", "Undo", id="everywhere.back"),
    ]

    @dataclass
    class Stepped(Message):
        """So many values forward, or back if negative; `KnobField.stepped` computes the new value."""

        field: KnobField
        direction: int

    @dataclass
    class Typed(Message):
        """The text so far, unchecked, after each key; `done` when typing ends by Enter or loss of focus."""

        field: KnobField
        text: str
        done: bool

    @dataclass
    class Undone(Message):
        """Escape discarded the typed text."""

        field: KnobField

    @dataclass
    class Listed(Message):
        """The user wants to see all choices; the app lists them and calls `choose`."""

        field: KnobField

    @dataclass
    class Opened(Message):
        """The option that is an action (`extra`) was chosen."""

        field: KnobField

    def __init__(
        self,
        spec: KnobSpec,
        *,
        options: list[tuple[Value, str]] | None = None,
        extra: str = "",
        label_width: int | None = None,
        id: str | None = None,  # noqa: A002  (Textual's name for it)
    ) -> None:
        """A field of `spec`.

        `options`: (value, label) of a choice whose values the knob does not list; `extra`: one more option, the last,
        that is an action; `label_width`: in cells, by default that of the label.
        """
        super().__init__(id=id)
        self.spec = spec
        self.value: Value = spec.default
        self.options = Options(options if options is not None else knob_options(spec), extra)
        self.label_width = label_width if label_width is not None else cell_len(spec.label)
        self.short_label = ""
        """What is shown of a label that has too little room; "" for its beginning."""
        self.value_width: int | None = None
        """In cells; None for the rest of the row."""
        self.changed = False
        """Whether the value differs from the preset, which is shown by a colour."""
        self.locked = ""
        """Why the value cannot be changed now; "" if it can."""
        self.irrelevant = False
        self.error = ""
        self.note = ""
        """An additional line of help."""
        self._line: TypedLine | None = None
        """The line being typed, if any."""
        self._held: str | None = None
        """A typed or chosen text that was not accepted, shown in place of the value."""
        self.nudges = Nudges()

    # --- what is shown --------------------------------------------------------------------------------------

    def show(
        self,
        value: Value,
        *,
        held: str | None = None,
        changed: bool = False,
        locked: str = "",
        irrelevant: bool = False,
        error: str = "",
    ) -> None:
        """Shows `value`, or the text `held` in its place, and its state; repaints only if something changed."""
        state = (value, held, changed, locked, irrelevant, error)
        if state == (self.value, self._held, self.changed, self.locked, self.irrelevant, self.error):
            return
        if value != self.value:
            self.options.on_action = False
        self.value, self._held, self.changed, self.locked, self.irrelevant, self.error = state
        if locked:
            self._end_typing()
        still = bool(locked) or irrelevant
        self.set_class(still, "-locked")
        self.can_focus = not still
        self.refresh_help()
        self.refresh()

    def offer(
        self,
        options: list[tuple[Value, str]],
        note: str,
        spec: KnobSpec | None = None,
        about: Mapping[Value, str] | None = None,
    ) -> None:
        """Sets the options, an additional line of help, another description, and what the list says of the options."""
        self.options.about = about or {}
        if (options, note) != (self.options.values, self.note):
            self.options.values, self.note, self.spec = options, note, spec or self.spec
            self.refresh_help()
            self.refresh()

    @property
    def help_text(self) -> str:
        """The help of the knob as Markdown: description, allowed range, default, and why it is locked."""
        return knob_help(self.spec, self.note, self.locked, self.irrelevant, self.error)

    @property
    def HELP(self) -> str:  # type: ignore[override]  # noqa: N802  (Textual's help panel reads it)
        return f"{self.help_text}\n\n{keys_help(bool(self.options))}"

    def _begin_typing(self, text: str) -> TypedLine:
        """The line being typed; starts one with `text` if there is none."""
        if self._line is None:
            self._line = TypedLine(text, len(text))
            self._tell_footer()
        return self._line

    def _end_typing(self) -> None:
        if self._line is not None:
            self._line = None
            self._tell_footer()

    def _tell_footer(self) -> None:
        if self.is_attached:
            self.screen.refresh_bindings()

    @property
    def editing(self) -> bool:
        """Whether text is being typed."""
        return self._line is not None

    @property
    def text(self) -> str:
        """The value as displayed; while typing, and until it is valid, the typed text."""
        if self._line is not None:
            return self._line.text
        if self._held is not None and not self.options.on_action:
            return self._held
        return self.options.name_of(self.value) or self.spec.text(self.value)

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002
        return self.label_width + 1 + (self.value_width or 8)

    def render(self) -> Content:
        width = self.content_size.width - self.label_width - 1
        still = bool(self.locked) or self.irrelevant
        mark = "   "
        if width < 8:
            mark = ""
        elif (self.has_focus or self.mouse_hover) and not (still or self.editing):
            mark = f" {ARROWS}"
        elif self.options and not still:
            mark = " ▾"
        width -= len(mark)
        kind = "locked" if still else "error" if self.error else "changed" if self.changed else "value"
        style = STYLES[kind]
        label_style = STYLES["locked"] if still else STYLES["value"] if self.has_focus else MUTED
        mark_style = "$primary" if self.has_focus else FAINT
        shown = (
            self.short_label if self.short_label and self.label_width < cell_len(self.spec.label) else self.spec.label
        )
        label = Content.styled(padded(shown, self.label_width) + " ", label_style)
        if self._line is not None and self.has_focus:
            value = self._line.render(width, style)
        else:
            value = Content.styled(padded(self.fitting_text(width), width), style)
        return Content.assemble(label, value, (mark, mark_style))

    def fitting_text(self, width: int) -> str:
        """`text` in at most `width` cells; words for 0 or -1 that do not fit are replaced by the number."""
        text = visible_line(self.text)
        if cell_len(text) > width and self.spec.meaning(self.value) and not (self.editing or self.options.on_action):
            return typed(self.value)
        return shortened(text, width)

    def refresh_help(self) -> None:
        self.tooltip = Content(self.help_text.replace("**", "").replace("\n\n", "\n"))
        if self.has_focus:
            for pane in self.screen.query("HelpPane"):
                cast("HelpPane", pane).update_help(self)

    def on_mount(self) -> None:
        self.refresh_help()

    # --- what a user does ---------------------------------------------------------------------------------

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002
        # While a field has the focus, no character is a command (keyboard.py) except "?", which only shows help.
        return character is not None and character.isprintable() and (character != "?" or self._takes("?"))

    def refusal(self, text: str) -> str:
        """A sentence that says why `text` was not accepted."""
        return self.locked or refusal(self.spec.label, text, chosen=self.irrelevant or bool(self.options))

    def _takes(self, text: str) -> bool:
        """Whether `text` can be typed here; for a number, only if the result can become one."""
        if self.locked or self.irrelevant or self.options or not text.isprintable():
            return False
        line = self._line or TypedLine()
        return self.spec.kind == "text" or may_become_number(line.with_inserted(text))

    async def _on_key(self, event: events.Key) -> None:
        character = event.character
        if character and event.is_printable:
            if self._takes(character):
                event.stop()
                event.prevent_default()
                self._insert(character)
        elif event.key in KEYS and (self._line is not None or self._begins_editing(event.key)):
            event.stop()
            event.prevent_default()
            if self._begin_typing(self.plain_text).press(event.key):
                self._typed()
            self.refresh()

    def _begins_editing(self, key: str) -> bool:
        return key in ("backspace", "delete") and not (self.options or self.locked or self.irrelevant)

    def _on_paste(self, event: events.Paste) -> None:
        text = event.text.strip().split("\n")[0].strip()[:200]
        if self._takes(text):
            event.stop()
            self._insert(text)
        else:
            self.notify(self.refusal(text), severity="warning", markup=False)

    @property
    def plain_text(self) -> str:
        """The displayed value as it would be typed: a number in full, not words for zero."""
        return self._held if self._held is not None else typed(self.value)

    def _insert(self, text: str) -> None:
        self._begin_typing("").insert(text)
        self._typed()

    def _typed(self, done: bool = False) -> None:
        self.post_message(self.Typed(self, self.text, done))
        self.refresh()

    def finish(self) -> None:
        """Ends typing; an invalid text stays, marked, until it is changed or undone."""
        if self._line is None:
            return
        self._typed(done=True)
        if self.spec.takes(self._line.text):  # checked here: the answer to the last key may not have arrived
            self._held = self._line.text
            self._end_typing()

    def forget(self) -> None:
        """Ends typing and shows the value again."""
        self._end_typing()
        self._held = None
        self.options.on_action = False
        self.refresh()

    def action_enter(self) -> None:
        if self.locked or self.irrelevant:
            return
        if self.options.on_action:
            self.post_message(self.Opened(self))
        elif len(self.options.listed()) > 2:  # of two, it is the other one
            self.post_message(self.Listed(self))
        elif self.options:
            self.action_step(1)
        else:
            self.finish()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leaves escape to the screen if there is nothing to undo."""
        return action != "escape" or self._line is not None or bool(self.error) or self.options.on_action

    def action_escape(self) -> None:
        undone = self._line is not None or bool(self.error)
        self.forget()
        if undone:
            self.post_message(self.Undone(self))

    def action_step(self, direction: int) -> None:
        """Requests an option or step of the number so many further (1 is the next one, -1 the one before)."""
        if not (self.locked or self.irrelevant) and (self.options or self.spec.kind in ("int", "float")):
            self._end_typing()
            self.post_message(self.Stepped(self, direction))

    @property
    def chosen(self) -> int:
        """The index of the option shown; -1 if it is none of them."""
        return next((index for index, (name, _) in enumerate(self.options.listed()) if name == self.text), -1)

    def choose(self, index: int | None) -> None:
        """Requests the option of that index, as if stepped to; None changes nothing."""
        if index == len(self.options.values):
            self.post_message(self.Opened(self))
        elif index is not None and index != self.chosen:
            self.action_step(index - self.chosen)

    def stepped(self, value: Value, direction: int) -> Value | None:
        """The value one step from `value`; None if that is the option that is an action."""
        if not self.options:
            return self.nudges.nudged(self.spec, value, direction)
        self.refresh()
        return self.options.stepped(value, direction)

    def on_blur(self) -> None:
        self.finish()
        self.options.on_action = False
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    on_enter = on_leave = on_focus

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if self.locked or self.irrelevant:
            return
        arrow = {1: 1, 3: -1}.get(self.size.width - event.x)  # by the column from the right
        if arrow and self._has_arrows:
            self.action_step(arrow)
        elif self.options and event.x > self.label_width:
            self.action_enter()

    @property
    def _has_arrows(self) -> bool:
        return self.size.width - self.label_width - 1 >= 8 and (self.spec.kind != "text" or bool(self.options))

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._turn(event, 1)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._turn(event, -1)

    def _turn(self, event: events.MouseEvent, direction: int) -> None:
        # Without the focus the wheel scrolls the form, so that scrolling past a knob does not change it.
        if self.has_focus and self.spec.kind in ("int", "float"):
            event.stop()
            event.prevent_default()
            self.action_step(direction)
