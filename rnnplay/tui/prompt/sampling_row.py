"""The sampling settings, on one row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import HorizontalScroll
from textual.message import Message
from textual.widgets import Static

from rnnplay.config import SamplingConfig, knobs
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.typed_settings import FieldEvent, TypedSettings

GAP, MOST_GAP, ARROWS_WIDTH = 2, 4, 4
LEAST_VALUE, MOST_VALUE = 3, 8
"""Cells for a value."""
SHORT_LABELS = {"temperature": "temp", "length": "len", "top_k": "k", "top_p": "p"}
"""Labels for a narrow screen, by knob; as many are shortened, in this order, as need be."""


class SamplingRow(HorizontalScroll, can_focus=False):
    """One field per knob of SamplingConfig; `config` is the last valid one."""

    DEFAULT_CSS = """
    SamplingRow {
        height: 1; scrollbar-size: 0 0;
        & > KnobField { width: auto; }
        & > Static { dock: right; width: 2; text-align: right; display: none; color: $foreground 40%; }
    }
    """

    @dataclass
    class Changed(Message):
        """A setting, or the error of one, changed."""

        config: SamplingConfig
        error: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._settings = TypedSettings(SamplingConfig())
        self._fields = {name: KnobField(spec, id=f"sampling-{name}") for name, spec in knobs(SamplingConfig).items()}
        for name, label in SHORT_LABELS.items():
            self._fields[name].short_label = label
        self._more = Static("…")

    def compose(self) -> ComposeResult:
        yield from self._fields.values()
        yield self._more

    @property
    def config(self) -> SamplingConfig:
        """The settings, including typed text as far as it is allowed. Setting it fills the fields and posts nothing."""
        return self._settings.config

    @config.setter
    def config(self, config: SamplingConfig) -> None:
        self._settings.config = config
        for field in self._fields.values():
            field.forget()
        self._show()

    @property
    def error(self) -> str:
        """Why the text of a field is not in `config`; "" if all are."""
        return self._settings.error

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        self._settings.show(self._fields)
        self._fit()

    @on(KnobField.Stepped)
    @on(KnobField.Typed)
    @on(KnobField.Undone)
    def _changed(self, event: FieldEvent) -> None:
        self._settings.take(event)
        self._show()
        self.post_message(self.Changed(self.config, self.error))

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Makes the fields as wide as their values, with gaps if they fit.

        Otherwise those up to the seed are seen, with short labels if need be, and as many more as are seen whole.
        … stands for the others, to which the focus scrolls.
        """
        fields, width = list(self._fields.values()), self.size.width
        ends = list(accumulate(LEAST_VALUE + 1 + GAP + cell_len(field.spec.label) for field in fields))
        all_fit = ends[-1] <= width
        self._more.display = not all_fit
        if all_fit:
            seen = len(fields)
        else:
            width -= GAP
            seen = max(list(self._fields).index("seed") + 1, sum(end <= width for end in ends))
            self._fit_fields(fields[seen:], math.inf)
        self._fit_fields(fields[:seen], width)
        used = sum(field.get_content_width(self.size, self.size) for field in fields[:seen])
        for field in fields:  # so that the next one is not seen in part
            field.styles.margin = (0, max(width - used, 0) if field is fields[seen - 1] else 0, 0, 0)

    def _fit_fields(self, fields: list[KnobField], width: float) -> None:
        texts = [max(LEAST_VALUE, cell_len(field.fitting_text(MOST_VALUE)) + field.editing) for field in fields]
        labels = [cell_len(field.spec.label) for field in fields]
        spare = width - sum(texts) - sum(labels) - len(fields)
        if spare < GAP * (len(fields) - 1):
            texts = [cell_len(field.fitting_text(MOST_VALUE)) + field.editing for field in fields]
            for count in range(len(SHORT_LABELS) + 1):  # so that the last value, the seed, stays visible
                short = list(SHORT_LABELS)[:count]
                labels = [
                    cell_len(field.short_label if field.spec.name in short else field.spec.label) for field in fields
                ]
                spare = width - sum(texts) - sum(labels) - len(fields)
                if spare >= len(fields) - 1:
                    break
        gap = int(min(max(spare / max(len(fields) - 1, 1), 1), MOST_GAP))
        for field, label, text in zip(fields, labels, texts, strict=True):
            value_width = text + gap
            if value_width - ARROWS_WIDTH < text:  # below 8 cells a field shows no arrows
                value_width = min(value_width, max(text, 7))
            if (field.label_width, field.value_width) != (label, value_width):
                field.label_width, field.value_width = label, value_width
                field.refresh(layout=True)
