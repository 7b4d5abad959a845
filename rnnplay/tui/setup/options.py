"""The options of a field: the values to choose from, the last of which may be an action instead."""

from __future__ import annotations

from collections.abc import Mapping

from rnnplay.config import KnobSpec, Value


def knob_options(spec: KnobSpec) -> list[tuple[Value, str]]:
    """(value, name) of each value of a choice; empty for other knobs."""
    if spec.kind == "bool":
        return [(False, "off"), (True, "on")]
    return [(choice, choice) for choice in spec.choices]


class Options:
    """What one field offers; false if it offers nothing, as for a number or a text."""

    def __init__(self, values: list[tuple[Value, str]], action: str = "") -> None:
        """`values`: (value, name) of each; `action`: the name of one more option, the last, that is an action."""
        self.values = values
        self.action = action
        self.about: Mapping[Value, str] = {}
        """What is said of a value where all are listed."""
        self.on_action = False
        """Whether the action is shown in place of the value."""

    def __bool__(self) -> bool:
        return bool(self.values)

    def name_of(self, value: Value) -> str | None:
        """Returns the name of `value`, or that of the action if it is shown; None if `value` is no option."""
        if self.on_action:
            return self.action
        return next((name for one, name in self.values if one == value), None)

    def listed(self) -> list[tuple[str, str]]:
        """Returns the name of each option, the action last, and what is said of it."""
        action = [(self.action, "")] if self.action else []
        return [(name, self.about.get(value, "")) for value, name in self.values] + action

    def stepped(self, value: Value, steps: int) -> Value | None:
        """Returns the value so many `steps` after `value`, from the last one on to the first; None for the action."""
        values = [one for one, _ in self.values]
        here = len(values) if self.on_action else values.index(value) if value in values else -1
        if here < 0 and steps < 0:
            here = len(values)
        there = (here + steps) % (len(values) + bool(self.action))
        self.on_action = there == len(values)
        return None if self.on_action else values[there]
