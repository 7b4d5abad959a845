"""Combines the settings of a run: defaults < preset < TOML file < command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rnnplay.config import RunConfig, with_values
from rnnplay.errors import ConfigError
from rnnplay.workspace import Workspace


def new_settings(preset: str | None, file: Path | None, given: dict[str, Any], workspace: Workspace) -> RunConfig:
    """Returns the settings of a new run; raises InputError for an invalid preset, file or value."""
    from rnnplay.presets import DEFAULT_PRESET, find_preset

    values = find_preset(preset or DEFAULT_PRESET, workspace.presets, whole=False).values
    values = layered(values, settings_in(file), given)
    try:
        return with_values(RunConfig(), values)
    except ConfigError as error:
        raise ConfigError(error.knob, f"With preset {preset}, {error}" if preset else str(error)) from error


def settings_in(file: Path | None) -> dict[str, Any]:
    """Reads the knobs in a TOML file, if there is one; raises InputError."""
    if file is None:
        return {}
    from rnnplay.settings import read_settings

    return read_settings(file)


def layered(*layers: dict[str, Any]) -> dict[str, Any]:
    """Merges layers, of which later ones override earlier ones; a length in one unit overrides those in all units.

    They are merged before they are checked, as a layer may be consistent only with the next (tied weights in a preset,
    both sizes on the command line).
    """
    from rnnplay.training.length import LENGTHS

    values: dict[str, Any] = {}
    for layer in layers:
        if any(layer.get(name) for name in LENGTHS):
            values = {name: value for name, value in values.items() if name not in LENGTHS}
        values |= layer
    return values


def lasting_corpus(corpus: str, workspace: Workspace) -> str:
    """Returns the name of the corpus if it has one, else its absolute path: a run may be resumed from another folder.

    Raises InputError if there is no such corpus.
    """
    from rnnplay.knob_texts import corpus_parts
    from rnnplay.text.corpora.catalogue import find_corpus, list_corpora

    found = find_corpus(corpus, workspace)
    if found.several:
        return ",".join(lasting_corpus(part, workspace) for part in corpus_parts(corpus))
    if any(known == found for known in list_corpora(workspace)):
        return found.name
    path = Path(corpus.strip()).expanduser()
    if found.parts and not path.exists():  # a pattern
        return str(path.absolute())
    return str(path.resolve()) if path.exists() else corpus


def with_lasting_corpus(config: RunConfig, workspace: Workspace) -> RunConfig:
    """Returns `config` with the result of `lasting_corpus` as its corpus."""
    return with_values(config, {"corpus": lasting_corpus(config.corpus, workspace)})
