"""The settings behind the fields of a dialog or a row: the config, and what is being typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic

from rnnplay.config import ConfigT, knobs, with_values
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.setup.typed_text import with_texts

FieldEvent = KnobField.Stepped | KnobField.Typed | KnobField.Undone


class TypedSettings(Generic[ConfigT]):
    """A config that fields show and change, one for each of its knobs.

    Text that is being typed, or was not accepted, is kept beside the config until it is undone or replaced.
    """

    def __init__(self, config: ConfigT) -> None:
        self._config = config
        self._texts: dict[str, str] = {}
        """By knob."""

    @property
    def config(self) -> ConfigT:
        """The config, with what is being typed as far as it is allowed. Setting it discards what is typed."""
        return with_texts(self._config, self._texts)[0]

    @config.setter
    def config(self, config: ConfigT) -> None:
        self._config = config
        self._texts.clear()

    @property
    def errors(self) -> dict[str, str]:
        """By knob, why the text of its field is not in `config`."""
        return with_texts(self._config, self._texts)[1]

    @property
    def error(self) -> str:
        """The first of `errors`; "" if there is none."""
        return next(iter(self.errors.values()), "")

    def owns(self, field: KnobField) -> bool:
        """Whether `field` is of one of these settings."""
        return field.spec.name in knobs(type(self._config))

    def set(self, name: str, value: object) -> None:
        """Sets one of them, and discards what is typed for it."""
        self._texts.pop(name, None)
        self._config = with_values(self._config, {name: value})

    def take(self, event: FieldEvent) -> None:
        """Takes what a user did in a field; `show` then shows it."""
        event.stop()
        name = event.field.spec.name
        match event:
            case KnobField.Stepped():
                value = event.field.stepped(getattr(self.config, name), event.direction)
                if value is not None:
                    self.set(name, value)
            case KnobField.Typed():
                self._texts[name] = event.text
                if event.done and name not in self.errors:
                    self._config = self.config
                    del self._texts[name]
            case KnobField.Undone():
                self._texts.pop(name, None)

    def show(self, fields: Mapping[str, KnobField], irrelevant: frozenset[str] = frozenset()) -> None:
        """Shows the settings in their fields, by knob; those in `irrelevant` have no effect now."""
        config, errors = self.config, self.errors
        for name, field in fields.items():
            if self.owns(field):
                value = getattr(config, name)
                field.show(
                    value,
                    held=self._texts.get(name),
                    changed=value != field.spec.default,
                    irrelevant=name in irrelevant,
                    error=errors.get(name, ""),
                )
