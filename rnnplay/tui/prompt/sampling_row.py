"""The sampling settings, on one row."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import HorizontalScroll
from textual.message import Message

from rnnplay.config import SamplingConfig, knobs, with_values
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.typed_text import with_texts

GAP, MOST_GAP, ARROWS_WIDTH = 2, 4, 4
LEAST_VALUE, MOST_VALUE = 3, 8
"""Cells for a value."""
SHORT_LABELS = ((6, 6), (5, 5), (4, 5), (4, 4), (3, 3))
"""What is tried on a narrow screen: cells of a label, and how long a label may be to stay whole (top k and top p)."""


class SamplingRow(HorizontalScroll, can_focus=False):
    """One field per knob of SamplingConfig; `config` is the last valid one."""

    DEFAULT_CSS = """
    SamplingRow {
        height: 1; scrollbar-size: 0 0;
        & > KnobField { width: auto; }
    }
    """

    @dataclass
    class Changed(Message):
        """A setting, or the error of one, changed."""

        config: SamplingConfig
        error: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._config = SamplingConfig()
        self._texts: dict[str, str] = {}
        """By knob: text that is being typed or was not accepted."""
        self._fields = {name: KnobField(spec, id=f"sampling-{name}") for name, spec in knobs(SamplingConfig).items()}

    def compose(self) -> ComposeResult:
        yield from self._fields.values()

    @property
    def config(self) -> SamplingConfig:
        """The settings, including typed text as far as it is allowed. Setting it fills the fields and posts nothing."""
        return with_texts(self._config, self._texts)[0]

    @config.setter
    def config(self, config: SamplingConfig) -> None:
        self._config = config
        self._texts.clear()
        for field in self._fields.values():
            field.forget()
        self._show()

    @property
    def _errors(self) -> dict[str, str]:
        return with_texts(self._config, self._texts)[1]

    @property
    def error(self) -> str:
        """Why the text of a field is not in `config`; "" if all are."""
        return next(iter(self._errors.values()), "")

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        config, errors = self.config, self._errors
        for name, field in self._fields.items():
            value = getattr(config, name)
            changed = value != field.spec.default
            field.show(value, held=self._texts.get(name), changed=changed, error=errors.get(name, ""))
        self._fit()

    @on(KnobField.Stepped)
    def _stepped(self, event: KnobField.Stepped) -> None:
        event.stop()
        name = event.field.spec.name
        value = event.field.stepped(getattr(self.config, name), event.direction)
        self._texts.pop(name, None)
        self._config = with_values(self._config, {name: value})
        self._changed()

    @on(KnobField.Undone)
    def _undone(self, event: KnobField.Undone) -> None:
        event.stop()
        self._texts.pop(event.field.spec.name, None)
        self._changed()

    @on(KnobField.Typed)
    def _typed(self, event: KnobField.Typed) -> None:
        event.stop()
        name = event.field.spec.name
        self._texts[name] = event.text
        if event.done and name not in self._errors:
            self._config = self.config
            del self._texts[name]
        self._changed()

    def _changed(self) -> None:
        self._show()
        self.post_message(self.Changed(self.config, self.error))

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Makes the fields as wide as their values, with gaps if they fit.

        Otherwise only those up to the seed are to be seen at once, with labels cut if need be; the focus scrolls to the
        others.
        """
        fields = list(self._fields.values())
        if sum(LEAST_VALUE + 1 + GAP + cell_len(field.spec.label) for field in fields) > self.size.width:
            first = list(self._fields).index("seed") + 1
            self._fit_fields(fields[:first])
            self._fit_fields(fields[first:], math.inf)
        else:
            self._fit_fields(fields)

    def _fit_fields(self, fields: list[KnobField], width: float = 0) -> None:
        width = width or self.size.width
        texts = [max(LEAST_VALUE, cell_len(field.fitting_text(MOST_VALUE)) + field.editing) for field in fields]
        labels = full = [cell_len(field.spec.label) for field in fields]
        spare = width - sum(texts) - sum(labels) - len(fields)
        if spare < GAP * (len(fields) - 1):
            texts = [cell_len(field.fitting_text(MOST_VALUE)) + field.editing for field in fields]
            for short, whole in SHORT_LABELS:  # so that the last value, the seed, stays visible
                labels = [label if label <= whole else min(label, short) for label in full]
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
