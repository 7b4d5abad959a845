"""The settings of a run from all places they may be given in: defaults < preset < TOML file < command line."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from rnnplay.config import RunConfig, knobs, with_values
from rnnplay.errors import ConfigError, InputError
from rnnplay.presets import DEFAULT_PRESET, PRESETS, preset_config
from rnnplay.workspace import Workspace

LENGTHS = ("steps", "epochs", "minutes")
LARGEST_FILE = 1 << 16
"""Bytes of a TOML file."""


def new_settings(preset: str | None, file: Path | None, given: dict[str, Any]) -> RunConfig:
    """The settings of a new run; raises InputError for a preset, file or value that cannot be used."""
    name = preset or DEFAULT_PRESET
    preset_config(name)  # raises for an unknown name
    return with_values(RunConfig(), layered(PRESETS[name].values, read_toml(file), given))


def layered(*layers: dict[str, Any]) -> dict[str, Any]:
    """Later layers override earlier ones; one that says a length in any unit overrides the length in all units.

    They are laid over each other before they are checked together, as one layer may only make sense with the next
    (tied weights in a preset, both sizes on the command line).
    """
    values: dict[str, Any] = {}
    for layer in layers:
        if any(layer.get(name) for name in LENGTHS):
            values = {name: value for name, value in values.items() if name not in LENGTHS}
        values |= layer
    return values


def read_toml(file: Path | None) -> dict[str, Any]:
    """The knobs in a TOML file, each checked; raises InputError that names the file, the knob and the reason."""
    if file is None:
        return {}
    import tomllib

    try:
        with file.open("rb") as opened:  # perhaps a pipe, perhaps one without end
            data = opened.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise InputError(f"{file} is larger than {LARGEST_FILE:,} bytes, so it is not a file of settings.")
        values = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{file} is not valid TOML: {error}.") from error
    specs = knobs()
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in specs:
            raise InputError(f"{file}: {_unknown(name, value, specs)}")
        try:
            checked[name] = specs[name].check(value)
        except ConfigError as error:
            raise ConfigError(name, f"{file}: {error}") from error
    return checked


def lasting_corpus(corpus: str, workspace: Workspace) -> str:
    """The name of the corpus meant if it has one, else its absolute path: a run may be resumed from another folder.

    Raises InputError if there is no such corpus.
    """
    from rnnplay.text.catalogue import find_corpus, list_corpora

    found = find_corpus(corpus, workspace)
    if any(known == found for known in list_corpora(workspace)):
        return found.name
    path = Path(corpus.strip()).expanduser()
    return str(path.resolve()) if path.exists() else corpus


def with_lasting_corpus(config: RunConfig, workspace: Workspace) -> RunConfig:
    """`config` with its corpus as `lasting_corpus` writes it."""
    return with_values(config, {"corpus": lasting_corpus(config.corpus, workspace)})


def _unknown(name: str, value: object, specs: dict[str, Any]) -> str:
    if isinstance(value, dict):
        return f"[{name}] is a table, but knobs stand at the top level of the file, like hidden = 256."
    near = difflib.get_close_matches(name.replace("-", "_"), specs, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the knobs are {', '.join(specs)}."
    return f"there is no knob {name!r}; {hint}"
