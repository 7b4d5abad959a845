"""The settings of a sample, on one row."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import HorizontalScroll
from textual.message import Message

from rnnplay.config import SamplingConfig, Value, knobs
from rnnplay.errors import ConfigError
from rnnplay.tui.setup.fields import Field

GAP, MOST_GAP, ARROWS_ROOM = 2, 4, 4
LEAST_VALUE, MOST_VALUE, SHORT_LABELS = 3, 8, (6, 5, 4, 3)
"""Cells for a value, and for a label where there is little room."""


class SamplingRow(HorizontalScroll, can_focus=False):
    """A field for each knob of SamplingConfig; `config` is the last that was allowed."""

    DEFAULT_CSS = """
    SamplingRow {
        height: 1; scrollbar-size: 0 0;
        & > Field { width: auto; }
    }
    """

    @dataclass
    class Changed(Message):
        """A setting, or what is wrong with one."""

        config: SamplingConfig
        error: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._config = SamplingConfig()
        self._errors: dict[str, str] = {}
        self._typing: tuple[str, Value] | None = None
        """The knob being typed into, and its value from before."""
        self._fields = {name: Field(spec, id=f"sampling-{name}") for name, spec in knobs(SamplingConfig).items()}

    def compose(self) -> ComposeResult:
        yield from self._fields.values()

    @property
    def config(self) -> SamplingConfig:
        """Setting it fills the fields and posts nothing."""
        return self._config

    @config.setter
    def config(self, config: SamplingConfig) -> None:
        self._config = config
        self._typing = None
        self._errors.clear()
        for field in self._fields.values():
            field.forget()
        self._show()

    @property
    def error(self) -> str:
        """Why a field's text is not in `config`; "" if all are."""
        return next(iter(self._errors.values()), "")

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        for name, field in self._fields.items():
            value = getattr(self._config, name)
            field.show(value, changed=value != field.spec.default, error=self._errors.get(name, ""))
        self._fit()

    @on(Field.Chosen)
    def _chosen(self, event: Field.Chosen) -> None:
        event.stop()
        self._typing = None
        self._take(event.field.spec.name, event.value)

    @on(Field.Undone)
    def _undone(self, event: Field.Undone) -> None:
        event.stop()
        self._typing = None
        self._take(event.field.spec.name, event.before)

    @on(Field.Typed)
    def _typed(self, event: Field.Typed) -> None:
        event.stop()
        name = event.field.spec.name
        if self._typing is None or self._typing[0] != name:
            self._typing = name, getattr(self._config, name)
        before = self._typing[1]
        try:
            self._take(name, event.field.spec.parse(event.text))
        except ConfigError as error:  # the value from before, not that of the part which was right: 0. of 0.5x
            self._errors[name] = str(error)
            self._config = msgspec.structs.replace(self._config, **{name: before})
            self._show()
            self.post_message(self.Changed(self._config, self.error))
            return
        if event.done:
            self._typing = None

    def _take(self, name: str, value: Value) -> None:
        self._config = msgspec.structs.replace(self._config, **{name: value})
        self._errors.pop(name, None)
        self._show()
        self.post_message(self.Changed(self._config, self.error))

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """As wide as the values are, and where there is room, apart; where there is not, labels are cut."""
        width = self.size.width
        fields = list(self._fields.values())
        texts = [max(LEAST_VALUE, cell_len(field.fitting_text(MOST_VALUE)) + field.editing) for field in fields]
        labels = [cell_len(field.spec.label) for field in fields]
        spare = width - sum(texts) - sum(labels) - len(fields)
        if spare < GAP * (len(fields) - 1):
            texts = [cell_len(field.fitting_text(MOST_VALUE)) + field.editing for field in fields]
            for short in SHORT_LABELS:  # rather than that the last value, the seed, is out of sight
                labels = [min(label, short) for label in labels]
                spare = width - sum(texts) - sum(labels) - len(fields)
                if spare >= len(fields) - 1:
                    break
        gap = min(max(spare // max(len(fields) - 1, 1), 1), MOST_GAP)
        for field, label, text in zip(fields, labels, texts, strict=True):
            room = text + gap
            if room - ARROWS_ROOM < text:  # no room for arrows beside the value: none is kept for them below 8 cells
                room = min(room, max(text, 7))
            if (field.label_width, field.value_width) != (label, room):
                field.label_width, field.value_width = label, room
                field.refresh(layout=True)
