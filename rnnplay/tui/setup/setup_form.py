"""The form of all knobs, made from their declarations in rnnplay.config."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from rnnplay.config import RunConfig, Value, knobs, with_values
from rnnplay.errors import ConfigError
from rnnplay.presets import DEFAULT_PRESET, PRESETS, Preset
from rnnplay.tui.heatmap.values import nudged
from rnnplay.tui.setup.fields import Field
from rnnplay.tui.setup.more_row import MoreRow
from rnnplay.tui.setup.setup_layout import first_groups, kept_by, label_width, more_groups, preset_spec
from rnnplay.tui.widgets.said import Said
from rnnplay.tui.widgets.visible import visible_line

OPEN_FILE = "open a file…"
ROOMY_ROWS = 24
"""From this height on the groups above the fold stand apart."""
MOST_LISTED = 6
"""Names of changed knobs in the note of the preset; what is changed is seen in the form as well."""
LOCKED = "While training, only the bright settings can change."


class SetupForm(Vertical):
    """All knobs of RunConfig, a row each. What is typed is checked at once; `config` is the last that was allowed."""

    DEFAULT_CSS = """
    SetupForm {
        height: 1fr;
        & > #setup-rows { height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
            scrollbar-background: $background; scrollbar-color: $border-blurred;
        }
        & .first-rows, & .more-rows { height: auto; }
        & .more-rows { display: none; }
        &.-more .more-rows { display: block; }
        &.-roomy .begins-group { margin-top: 1; }
        & .group-title { height: 1; margin-top: 1; color: $text-muted; text-style: italic; }
        & > #setup-note {
            height: auto; display: none; color: $text-muted; border-top: solid $border-blurred;
        }
        & > #setup-note.-shown { display: block; }
        & > #setup-note.-error { color: $error; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "row(-1)", "Row above", show=False),
        Binding("down", "row(1)", "Row below", show=False),
    ]

    @dataclass
    class Changed(Message):
        """The config, whenever it is another one and no run is being trained."""

        form: SetupForm
        config: RunConfig

        @property
        def control(self) -> SetupForm:
            return self.form

    @dataclass
    class Tuned(Message):
        """A live knob's new value, while training."""

        form: SetupForm
        knob: str
        value: float | str

        @property
        def control(self) -> SetupForm:
            return self.form

    @dataclass
    class CorpusFileWanted(Message):
        """The user wants to choose a text file as corpus; answer with `set_value("corpus", path)`."""

        form: SetupForm

        @property
        def control(self) -> SetupForm:
            return self.form

    def __init__(
        self,
        config: RunConfig | None = None,
        *,
        preset: str = DEFAULT_PRESET,
        presets: dict[str, Preset] | None = None,
        id: str | None = None,  # noqa: A002  (Textual's name for it)
    ) -> None:
        """`presets`: all there are to choose from, `preset` among them."""
        super().__init__(id=id)
        self._presets = presets or PRESETS
        self._preset = preset
        self._preset_config = self._presets[preset].config
        self._config = config or self._preset_config
        self._training = False
        self._drafts: dict[str, Value] = {}
        self._typing: tuple[str, RunConfig] | None = None
        """The knob being typed, and the config from before: on the way to 99, 9 was not meant."""
        self._corpora: list[tuple[str, str]] = []
        self.errors: dict[str, str] = {}
        """By knob: why what stands in its field is not in `config`."""
        self._fields: dict[str, Field] = {}
        self._preset_field = Field(preset_spec(), label_width=_first_width(), id="knob-preset")
        self._more = MoreRow()
        self._more_mounted = False

    # --- for the app ----------------------------------------------------------------------------------------

    @property
    def config(self) -> RunConfig:
        """The last config that was allowed. Setting it fills the form and posts nothing."""
        return self._config

    @config.setter
    def config(self, config: RunConfig) -> None:
        self._config = config
        self._forget()
        self._show()

    @property
    def preset(self) -> str:
        """The preset the fields are compared with."""
        return self._preset

    def add_preset(self, preset: Preset) -> None:
        """One more to choose from, or another of that name; the form is compared with it from now on."""
        self._presets = {**self._presets, preset.name: preset}
        self._preset, self._preset_config = preset.name, preset.config
        self._show()

    @property
    def training(self) -> bool:
        """While true, only live knobs can be changed, and are posted as `Tuned`."""
        return self._training

    @training.setter
    def training(self, training: bool) -> None:
        if training != self._training:
            self._training = training
            if training:  # what is being typed when a run ends stays
                self._forget()
            self._show()

    def set_corpora(self, corpora: list[tuple[str, str]]) -> None:
        """The corpora to choose from: (name, title)."""
        self._corpora = list(corpora)
        self._show()

    def set_value(self, name: str, value: Value) -> None:
        """Set a knob as a user would: posts `Changed` or `Tuned`. Raises ConfigError if it is not allowed."""
        if self._training and name in knobs() and not knobs()[name].knob.live:
            raise ConfigError(name, f"{name} cannot change while training; stop the run (x) first.")
        before = self._config
        config = with_values(before, {name: value})
        self._forget(name)
        self._take(config, name)

    def follow(self, name: str, value: Value) -> None:
        """Show that the run has set a live knob by itself: posts nothing, and leaves what is being typed."""
        typing = self._typing
        self._config = with_values(self._config, {name: value})
        if typing is None or typing[0] != name:
            self._forget(name)
        if typing is not None:
            self._typing = typing[0], with_values(typing[1], {name: value})
        self._show()

    def nudge(self, name: str, direction: int) -> None:
        """Move a number to the next sensible value above (1) or below (-1)."""
        self.set_value(name, nudged(knobs()[name], getattr(self._config, name), direction))

    def field(self, name: str) -> Field:
        """The row of a knob, to focus it; opens "more" if it is there."""
        if name not in self._fields:
            self.more = True
        return self._fields[name]

    @property
    def more(self) -> bool:
        """Whether the rarer knobs are shown."""
        return self.has_class("-more")

    @more.setter
    def more(self, more: bool) -> None:
        if more and not self._more_mounted:
            # Not before they are asked for: thirty rows more would make the start slower.
            self._more_mounted = True
            self.query_one(".more-rows").mount_all(self._more_rows())
        self.set_class(more, "-more")
        self._more.opened = more
        self._show()

    # --- rows -----------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="setup-rows", can_focus=False):
            with Vertical(classes="first-rows"):
                yield self._preset_field
                for group in first_groups():
                    for at, name in enumerate(group):
                        field = self._make_field(name, _first_width())
                        field.set_class(at == 0, "begins-group")
                        yield field
                self._more.add_class("begins-group")
                yield self._more
            yield Vertical(classes="more-rows")
        yield Said(id="setup-note", rows=7)

    def on_mount(self) -> None:
        self._show()

    def _more_rows(self) -> list[Widget]:
        width = label_width([name for _, names in more_groups() for name in names])
        rows: list[Widget] = []
        for title, names in more_groups():
            rows.append(Static(title, classes="group-title"))
            rows += [self._make_field(name, width) for name in names]
        return rows

    def _make_field(self, name: str, width: int) -> Field:
        field = Field(
            knobs()[name],
            options=[] if name == "corpus" else None,
            extra=OPEN_FILE if name == "corpus" else "",
            label_width=width,
            id=f"knob-{name}",
        )
        self._fields[name] = field
        return field

    def _on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height >= ROOMY_ROWS, "-roomy")

    # --- what is shown --------------------------------------------------------------------------------------

    def _show(self) -> None:
        changed = self._changed_names()
        self._show_preset(changed)
        if corpus := self._fields.get("corpus"):
            self._show_corpora(corpus)
        for name, field in self._fields.items():
            spec = field.spec
            field.show(
                self._drafts.get(name, getattr(self._config, name)),
                changed=name in changed,
                locked=LOCKED if self._training and not spec.knob.live else "",
                irrelevant=not spec.relevant(self._config),
                error=self.errors.get(name, ""),
            )
        self._show_note()

    def _show_preset(self, changed: list[str]) -> None:
        field = self._preset_field
        options: list[tuple[Value, str]] = [(name, name) for name in self._presets]
        preset = self._presets[self._preset]
        note = (f"Expect: {preset.expect}. " if preset.expect else "") + f"{preset.summary}."
        if changed:
            options.insert(list(self._presets).index(self._preset) + 1, ("", "custom"))
            note = f"Not as in {self._preset}: {listed(changed)}."
        if (options, note) != (field.options, field.note):
            field.options, field.note, field.spec = options, note, preset_spec(self._presets)
            field.refresh_help()
            field.refresh()
        field.show("" if changed else self._preset, locked=LOCKED if self._training else "", changed=bool(changed))

    def _show_corpora(self, field: Field) -> None:
        options: list[tuple[Value, str]] = [(name, name) for name, _ in self._corpora]
        titles = dict(self._corpora)
        current = self._config.corpus
        if current not in titles:
            options.append((current, PurePath(current).name or current))
        note = visible_line(titles.get(current, current))
        if (options, note) != (field.options, field.note):
            field.options, field.note = options, note
            field.refresh_help()
            field.refresh()

    def _show_note(self) -> None:
        if not self.is_mounted:
            return
        note = self.query_one("#setup-note", Static)
        focused = self.screen.focused if self.is_attached else None
        if self.errors:
            name = focused.spec.name if isinstance(focused, Field) and focused.spec.name in self.errors else ""
            text = self.errors[name or next(iter(self.errors))]
        else:
            # What a preset takes and reaches is to be seen where it is chosen.
            text = LOCKED if self._training else self._preset_field.note if focused is self._preset_field else ""
        note.set_class(bool(text), "-shown")
        note.set_class(bool(self.errors), "-error")
        if text != str(note.content):
            note.update(text)

    def _changed_names(self) -> list[str]:
        kept = kept_by(self._presets[self._preset])
        return [
            name
            for name in knobs()
            if name not in kept and getattr(self._config, name) != getattr(self._preset_config, name)
        ]

    @on(MoreRow.Pressed)
    def _more_pressed(self, event: MoreRow.Pressed) -> None:
        event.stop()
        self.more = not self.more

    # --- changes --------------------------------------------------------------------------------------------

    @on(Field.Chosen)
    def _field_chosen(self, event: Field.Chosen) -> None:
        if not self._owns(event.field):
            return
        event.stop()
        self._typing = None
        if event.field is self._preset_field:
            self._take_preset(str(event.value))
        else:
            self._try(event.field.spec.name, event.value)

    @on(Field.Typed)
    def _field_typed(self, event: Field.Typed) -> None:
        if not self._owns(event.field):
            return
        event.stop()
        field, name = event.field, event.field.spec.name
        if self._typing is None or self._typing[0] != name:
            self._typing = name, self._config
        try:
            value = field.spec.parse(event.text)
        except ConfigError as error:
            self._drafts.pop(name, None)
            self.errors[name] = str(error)
            self._take(self._typing[1], name)
            return
        if event.done:
            self._typing = None
        if self._training and not event.done:
            # On its way to 0.05 a typed rate is 0: it is sent when it is whole.
            self.errors.pop(name, None)
            self._show()
            return
        self._try(name, value)

    @on(Field.Undone)
    def _field_undone(self, event: Field.Undone) -> None:
        if not self._owns(event.field):
            return
        event.stop()
        name = event.field.spec.name
        before = self._typing[1] if self._typing and self._typing[0] == name else self._config
        self._forget(name)
        self._take(before, name)

    @on(Field.Opened)
    def _field_opened(self, event: Field.Opened) -> None:
        if self._owns(event.field):
            event.stop()
            event.field.forget()
            self.post_message(self.CorpusFileWanted(self))

    def _owns(self, field: Field) -> bool:
        return field is self._preset_field or self._fields.get(field.spec.name) is field

    def _try(self, name: str, value: Value) -> None:
        """Take `value` and all drafts if together they are allowed, else `value` alone, else keep it as a draft."""
        spec = knobs()[name]
        if self._training and not spec.knob.live:
            return
        wanted: dict[str, Any] = {**self._drafts, name: value}
        try:
            config = with_values(self._config, wanted)
            self._drafts.clear()
            for taken in wanted:
                self.errors.pop(taken, None)
        except ConfigError as error:
            try:
                config = with_values(self._config, {name: value})
                self._drafts.pop(name, None)
                self.errors.pop(name, None)
            except ConfigError:
                self.errors[name] = str(error)
                try:
                    spec.check(value)
                    # Right by itself: it waits for the other knob it does not agree with.
                    self._drafts[name] = value
                except ConfigError:
                    self._drafts.pop(name, None)
                self._show()
                return
        self._take(config, name)

    def _forget(self, *names: str) -> None:
        """Drop what was typed for `names` (all) and is not in the config."""
        for name in names or self._fields:
            self._drafts.pop(name, None)
            self.errors.pop(name, None)
            if field := self._fields.get(name):
                field.forget()
        self._typing = None

    def _take(self, config: RunConfig, name: str) -> None:
        same = config == self._config
        self._config = config
        self._show()
        if same:
            return
        if self._training:
            self.post_message(self.Tuned(self, name, getattr(config, name)))
        else:
            self.post_message(self.Changed(self, config))

    def _take_preset(self, name: str) -> None:
        if not name:  # "custom" is where one already is
            return
        before = self._config
        self._preset, self._preset_config = name, self._presets[name].config
        kept = {knob: getattr(before, knob) for knob in kept_by(self._presets[name])}
        self._forget()
        self._take(with_values(self._preset_config, kept), "preset")

    # --- keys -----------------------------------------------------------------------------------------------

    def action_row(self, direction: int) -> None:
        """Focus the row above or below; at the ends stay."""
        rows = [row for row in self.query("Field, MoreRow").results(Widget) if row.focusable]
        focused = self.screen.focused
        at = rows.index(focused) + direction if focused in rows else 0 if direction > 0 else len(rows) - 1
        if 0 <= at < len(rows):
            # Not row.focus(), which waits its turn: of two quick presses the second would begin at the same row.
            self.screen.set_focus(rows[at])

    def on_descendant_focus(self) -> None:
        self._show_note()

    def on_descendant_blur(self) -> None:
        self.call_after_refresh(self._show_note)


def listed(names: list[str]) -> str:
    """The first few of `names`, and how many more there are."""
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _first_width() -> int:
    return label_width([name for group in first_groups() for name in group])
