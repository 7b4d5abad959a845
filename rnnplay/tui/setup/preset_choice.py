"""The preset that a form is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rnnplay.config import Knob, KnobSpec, RunConfig, Value, knobs, with_values
from rnnplay.presets import DEFAULT_PRESET, Preset

UNCHANGED_NAMES, UNCHANGED_GROUPS = ("corpus", "seed"), ("machine", "checkpoints")
"""A preset that does not set these knobs leaves them unchanged, and so for all knobs of these groups."""
CUSTOM = ("", "custom")
"""The option that stands for a config that differs from the chosen preset."""
MOST_LISTED = 6
"""Names of changed knobs listed in the note of the preset; the form marks all of them."""


class PresetChoice:
    """The presets to choose from, and the one that was chosen last."""

    def __init__(self, name: str, presets: Mapping[str, Preset]) -> None:
        """`presets` include `name`."""
        self._presets = dict(presets)
        self._chosen = name
        self._config = self._presets[name].config

    @property
    def name(self) -> str:
        """The name of the chosen preset."""
        return self._chosen

    def add(self, preset: Preset) -> None:
        """Adds or replaces a preset and chooses it."""
        self._presets[preset.name] = preset
        self._chosen, self._config = preset.name, preset.config

    def choose(self, name: str, config: RunConfig) -> RunConfig:
        """Chooses a preset; returns its config, with the knobs that it leaves unchanged as in `config`."""
        self._chosen = name
        self._config = self._presets[name].config
        return with_values(self._config, {knob: getattr(config, knob) for knob in self._unchanged()})

    def changed(self, config: RunConfig) -> list[str]:
        """The knobs of `config` that differ from the chosen preset, without those that it leaves unchanged."""
        unchanged = self._unchanged()
        return [
            name for name in knobs() if name not in unchanged and getattr(config, name) != getattr(self._config, name)
        ]

    def spec(self) -> KnobSpec:
        """Describes the choice, which is not a knob of a run."""
        about = Knob("settings to start from; choosing one fills the form", "corpus")
        return KnobSpec("preset", "choice", DEFAULT_PRESET, tuple(self._presets), about)

    def options(self, changed: Sequence[str]) -> list[tuple[Value, str]]:
        """(value, label) of each preset; CUSTOM after the chosen one if knobs were `changed`."""
        options: list[tuple[Value, str]] = [(name, name) for name in self._presets]
        if changed:
            options.insert(list(self._presets).index(self._chosen) + 1, CUSTOM)
        return options

    def about(self) -> dict[Value, str]:
        """The summary of each preset."""
        return {name: preset.summary for name, preset in self._presets.items()}

    def note(self, changed: Sequence[str]) -> str:
        """What to expect of the chosen preset, or which of its knobs were `changed`."""
        if changed:
            return f"Not as in {self._chosen}: {listed(changed)}."
        preset = self._presets[self._chosen]
        return (f"Expect: {preset.expect}. " if preset.expect else "") + f"{preset.summary}."

    def _unchanged(self) -> set[str]:
        preset = self._presets[self._chosen]
        return {
            name
            for name, spec in knobs().items()
            if name not in preset.values and (name in UNCHANGED_NAMES or spec.knob.group in UNCHANGED_GROUPS)
        }


def listed(names: Sequence[str]) -> str:
    """The first few of `names`, and the number of the others."""
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
