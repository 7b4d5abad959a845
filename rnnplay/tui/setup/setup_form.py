"""The form of all knobs, built from their declarations in rnnplay.config."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from rnnplay.config import RunConfig, Value, knobs, with_values
from rnnplay.errors import ConfigError
from rnnplay.knobs import typed
from rnnplay.presets import DEFAULT_PRESET, PRESETS, Preset
from rnnplay.tui.keymap import KEYS
from rnnplay.tui.run_state import KEPT, RunState
from rnnplay.tui.setup.form_rows import FIRST, FIRST_NAMES, MoreRow, corpus_options, form_note, label_width, more_groups
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.preset_choice import PresetChoice
from rnnplay.tui.setup.typed_text import with_texts
from rnnplay.tui.setup.values import Nudges
from rnnplay.tui.widgets.text import BoundedText, FieldScroll

OPEN_FILE = "open a file…"
OWN_SPLIT = "own files"
"""The split of a corpus whose files are its parts."""
SPACED_ROWS = 24
"""From this height on, the groups above the fold are separated by blank rows."""


class SetupForm(Vertical):
    """All knobs of RunConfig, one per row, for the run of a RunState.

    The state owns the values, and is updated before a message is posted. The form owns the typed text that the state
    has not accepted; `config` is that of the state with as much of this text as is allowed.
    """

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "row(-1)", "Row above", show=False, id="setup.row-above"),
        Binding("down", "row(1)", "Row below", show=False, id="setup.row-below"),
    ]

    @dataclass
    class Changed(Message):
        """The config changed while no run is in training."""

        form: SetupForm
        config: RunConfig

    @dataclass
    class Tuned(Message):
        """A live knob got a new value during training."""

        form: SetupForm
        knob: str
        value: float | str

    @dataclass
    class CorpusFileWanted(Message):
        """The user wants to choose a text file as corpus; answer with `set_value("corpus", path)`."""

        form: SetupForm

    def __init__(
        self,
        state: RunState,
        *,
        preset: str = DEFAULT_PRESET,
        presets: dict[str, Preset] | None = None,
        id: str | None = None,  # noqa: A002  (Textual's name for it)
    ) -> None:
        """`presets`: all presets to choose from; they include `preset`."""
        super().__init__(id=id)
        self.state = state
        self._presets = PresetChoice(preset, presets or PRESETS)
        self._texts: dict[str, str] = {}
        """By knob, the newest last: text that is being typed or was not accepted."""
        self._corpora: list[tuple[str, str]] = []
        self._own_split = "", ""
        """A corpus, and which of its files is which part; "" if its text is split by the knob."""
        self._fields: dict[str, KnobField] = {}
        self._nudges: dict[str, Nudges] = {}
        """Of knobs whose rows are not shown yet."""
        self._preset_field = KnobField(self._presets.spec(), label_width=label_width(FIRST_NAMES), id="knob-preset")
        self._more = MoreRow()
        self._more_mounted = False

    # --- for the app ----------------------------------------------------------------------------------------

    @property
    def config(self) -> RunConfig:
        """The wanted config; during training without the text that is still being typed."""
        return self.state.wanted if self.state.running else self._read()[0]

    @property
    def errors(self) -> dict[str, str]:
        """By knob, why the content of its field is not in `config`."""
        errors = self._read()[1]
        if self.state.running:
            # On its way to 0.05 a typed learning rate is 0: it is sent once it is complete.
            return {name: error for name, error in errors.items() if not knobs()[name].takes(self._texts[name])}
        return errors

    @property
    def first_error(self) -> str:
        """The first of `errors`; "" if there is none."""
        return next(iter(self.errors.values()), "")

    def _read(self) -> tuple[RunConfig, dict[str, str]]:
        return with_texts(self.state.wanted, self._texts)

    def show_run(self, state: RunState) -> None:
        """Shows the run of `state`; keeps the text being typed unless the run is another one."""
        if state is not self.state:
            self.state = state
            self._drop(*self._fields)
        self._show()

    def forget(self) -> None:
        """Discards all typed text and shows the state."""
        self._drop(*self._fields)
        self._show()

    @property
    def preset(self) -> str:
        """The preset that the fields are compared with."""
        return self._presets.name

    def add_preset(self, preset: Preset) -> None:
        """Adds or replaces a preset and compares the form with it from now on."""
        self._presets.add(preset)
        self._show()

    def set_corpora(self, corpora: list[tuple[str, str]], own_split: tuple[str, str] | None = None) -> None:
        """Sets the corpora to choose from: (name, title).

        `own_split`: a corpus, and which of its files is which part; "" if they are none, and the knob splits the text.
        """
        self._corpora = list(corpora)
        self._own_split = own_split or self._own_split
        self._show()

    def set_value(self, name: str, value: Value) -> None:
        """Sets a knob as a user would: posts `Changed` or `Tuned`. Raises ConfigError if the value is not allowed."""
        if self.state.followed:
            raise ConfigError(name, f"{name} cannot change here: {self.state.run} is {self.state.trained_by}.")
        if self.state.running and name in knobs() and not knobs()[name].knob.live:
            raise ConfigError(name, f"{name} cannot change while training; stop the run ({KEYS.stop}) first.")
        if name in knobs() and self.state.locked(name):
            raise ConfigError(name, f"{name} cannot change. {KEPT}")
        before = self.config
        config = with_values(self.state.wanted, {name: value})
        self._drop(name)
        self.state.want(config)
        self._changed_from(before)

    def nudge(self, name: str, direction: int) -> None:
        """Moves a number to the next sensible value above (1) or below (-1)."""
        nudges = self._fields[name].nudges if name in self._fields else self._nudges.setdefault(name, Nudges())
        self.set_value(name, nudges.nudged(name, getattr(self.config, name), direction))

    def field(self, name: str) -> KnobField:
        """The row of a knob; opens "more" if it is there."""
        if name not in self._fields:
            self.more = True
        return self._fields[name]

    @property
    def more(self) -> bool:
        """Whether the less common knobs are shown."""
        return self.has_class("-more")

    @more.setter
    def more(self, more: bool) -> None:
        if more and not self._more_mounted:
            # Not mounted before they are opened: thirty more rows would slow down the start.
            self._more_mounted = True
            self.query_one(".more-rows").mount_all(self._more_rows())
        self.set_class(more, "-more")
        self._more.show(more)
        self._show()

    # --- rows -----------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with FieldScroll(id="setup-rows"):
            with Vertical(classes="first-rows"):
                yield self._preset_field
                for group in FIRST:
                    for at, name in enumerate(group):
                        field = self._make_field(name, label_width(FIRST_NAMES))
                        field.set_class(at == 0, "begins-group")
                        yield field
                self._more.add_class("begins-group")
                yield self._more
            yield Vertical(classes="more-rows")
        yield BoundedText(id="setup-note", rows=7)

    def on_mount(self) -> None:
        self._show()

    def _more_rows(self) -> list[Widget]:
        width = label_width([name for _, names in more_groups() for name in names])
        rows: list[Widget] = []
        for title, names in more_groups():
            rows.append(Static(title, classes="group-title"))
            rows += [self._make_field(name, width) for name in names]
        return rows

    def _make_field(self, name: str, width: int) -> KnobField:
        field = KnobField(
            knobs()[name],
            options=[] if name == "corpus" else None,
            extra=OPEN_FILE if name == "corpus" else "",
            label_width=width,
            id=f"knob-{name}",
        )
        self._fields[name] = field
        return field

    def _on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height >= SPACED_ROWS, "-spaced")

    # --- what is shown --------------------------------------------------------------------------------------

    def _show(self) -> None:
        config, errors = self.config, self.errors
        changed = self._presets.changed(config)
        self._show_preset(changed)
        if corpus := self._fields.get("corpus"):
            options, title = corpus_options(self._corpora, config.corpus)
            corpus.offer(options, title, about=dict[Value, str](self._corpora))
        for name, field in self._fields.items():
            spec = field.spec
            if spec.knob.alike:
                field.offer([(choice, choice) for choice in self.state.choices(name)], "")
            own_split = self._own_split[1] if (name, config.corpus) == ("split", self._own_split[0]) else ""
            field.show(
                getattr(config, name),
                held=OWN_SPLIT if own_split else self._texts.get(name),
                changed=name in changed and not own_split,
                locked=self.state.locked(name) or (own_split and f"{own_split} This setting plays no part."),
                irrelevant=not spec.relevant(config),
                error=errors.get(name, ""),
            )
        self._show_note(errors)

    def _show_preset(self, changed: list[str]) -> None:
        field, presets = self._preset_field, self._presets
        field.offer(presets.options(changed), presets.note(changed), presets.spec(), presets.about())
        locked = self.state.locked("hidden")  # a preset sets all of them
        field.show("" if changed else presets.name, locked=locked, changed=bool(changed))

    def _show_note(self, errors: dict[str, str]) -> None:
        if not self.is_mounted:
            return
        note = self.query_one("#setup-note", Static)
        focused = self.screen.focused if self.is_attached else None
        if errors:
            name = focused.spec.name if isinstance(focused, KnobField) and focused.spec.name in errors else ""
            text = errors[name or next(iter(errors))]
        else:
            # The requirements of a preset and its expected result are shown where it is chosen.
            text = form_note(self.state) or (self._preset_field.note if focused is self._preset_field else "")
        note.set_class(bool(text), "-shown")
        note.set_class(bool(errors), "-error")
        if text != str(note.content):
            note.update(text)

    @on(MoreRow.Pressed)
    def _more_pressed(self, event: MoreRow.Pressed) -> None:
        event.stop()
        self.more = not self.more

    # --- changes --------------------------------------------------------------------------------------------

    @on(KnobField.Stepped)
    def _field_stepped(self, event: KnobField.Stepped) -> None:
        if not self._owns(event.field):
            return
        event.stop()
        field, name = event.field, event.field.spec.name
        if field is self._preset_field:
            chosen = "" if self._presets.changed(self.config) else self._presets.name
            self._take_preset(field.stepped(chosen, event.direction))
            return
        text = self._texts.get(name)
        held = text is not None and field.spec.takes(text)
        shown = field.spec.parse(text or "") if held else getattr(self.config, name)
        value = field.stepped(shown, event.direction)
        if value is not None:
            before = self.config
            self._texts.pop(name, None)
            self._texts[name] = typed(value)
            self._settle(before)

    @on(KnobField.Typed)
    def _field_typed(self, event: KnobField.Typed) -> None:
        if not self._owns(event.field):
            return
        event.stop()
        before, name = self.config, event.field.spec.name
        self._texts.pop(name, None)
        self._texts[name] = event.text
        if event.done:
            self._settle(before)
        else:
            self._changed_from(before)

    @on(KnobField.Undone)
    def _field_undone(self, event: KnobField.Undone) -> None:
        if self._owns(event.field):
            event.stop()
            before = self.config
            self._drop(event.field.spec.name)
            self._changed_from(before)

    @on(KnobField.Opened)
    def _field_opened(self, event: KnobField.Opened) -> None:
        if self._owns(event.field):
            event.stop()
            event.field.forget()
            self.post_message(self.CorpusFileWanted(self))

    def _owns(self, field: KnobField) -> bool:
        return field is self._preset_field or self._fields.get(field.spec.name) is field

    def _settle(self, before: RunConfig) -> None:
        """Applies the content of the fields to the state as far as it is allowed; the rest stays in them, marked."""
        config, errors = self._read()
        self._texts = {name: text for name, text in self._texts.items() if name in errors}
        self.state.want(config)
        self._changed_from(before)

    def _drop(self, *names: str) -> None:
        """Discards text typed for `names` that is not in the state."""
        for name in names:
            self._texts.pop(name, None)
            if field := self._fields.get(name):
                field.forget()

    def _changed_from(self, before: RunConfig) -> None:
        """Shows the state, and posts how the config differs from `before`."""
        self._show()
        config = self.config
        if config == before:
            return
        if not self.state.running:
            self.post_message(self.Changed(self, config))
            return
        for name in knobs():
            if (value := getattr(config, name)) != getattr(before, name):
                self.post_message(self.Tuned(self, name, value))

    def _take_preset(self, value: Value | None) -> None:
        if not value:  # "custom" is the current config
            return
        before = self.config
        config = self._presets.choose(str(value), before)
        self._drop(*self._fields)
        self.state.want(config)
        self._changed_from(before)

    # --- keys -----------------------------------------------------------------------------------------------

    def action_row(self, direction: int) -> None:
        """Focuses the row above or below; stays at the ends."""
        rows = [row for row in self.query("KnobField, MoreRow").results(Widget) if row.focusable]
        focused = self.screen.focused
        at = rows.index(focused) + direction if focused in rows else 0 if direction > 0 else len(rows) - 1
        if 0 <= at < len(rows):
            # Not row.focus(), which is deferred: the second of two quick presses would start at the same row.
            self.screen.set_focus(rows[at])

    def on_descendant_focus(self) -> None:
        self._show_note(self.errors)

    def on_descendant_blur(self) -> None:
        self.call_after_refresh(lambda: self._show_note(self.errors))
