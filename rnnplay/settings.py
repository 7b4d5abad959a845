"""Reads and writes settings as TOML, one knob per line: for --config and the user's own presets."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from rnnplay.common.files import NotPlainError, open_plain
from rnnplay.common.limits import way_out
from rnnplay.common.other_tools import instead, meant_as
from rnnplay.common.toml.text import parse_toml
from rnnplay.config import RENAMED, KnobSpec, knobs, with_new_names
from rnnplay.errors import ConfigError, InputError
from rnnplay.knob_texts import corpus_parts

LARGEST_BYTES = 1 << 16


def read_settings(file: Path, words: Collection[str] = ()) -> dict[str, Any]:
    """Reads and checks the knobs in a TOML file; raises InputError that names the file, the knob and the reason.

    `words`: names that may stand beside the knobs, with a string as value. A corpus may be a path relative to the file.
    """
    specs = knobs()
    checked: dict[str, Any] = {}
    found = _read_toml(file)
    for old, new in RENAMED.items():
        if old in found and new in found:
            raise InputError(f"{file}: {old} is the former name of {new}, and the file has both; keep only {new}.")
    for name, value in with_new_names(found).items():
        if name in words:
            if not isinstance(value, str):
                raise InputError(f"{file}: {name} must be text in quotes.")
            checked[name] = value
            continue
        if name not in specs:
            raise InputError(f"{file}: {_unknown(name, value, specs)}")
        try:
            checked[name] = specs[name].check(value)
            if name == "corpus":
                checked[name] = _from(file, str(value))
        except ConfigError as error:
            raise ConfigError(name, f"{file}: {error}") from error
    return checked


def settings_text(values: dict[str, Any]) -> str:
    """Formats `values` as TOML for `read_settings`."""
    import tomli_w  # imported only here: the interface starts without it

    return tomli_w.dumps(values)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        # A preset may be a link into another folder of the user's.
        with os.fdopen(open_plain(file, os.O_RDONLY, follow=True), "rb") as opened:
            data = opened.read(LARGEST_BYTES + 1)
        if len(data) > LARGEST_BYTES:
            raise InputError(f"{file} is larger than {LARGEST_BYTES:,} bytes, so it is not a file of settings.")
        return parse_toml(data, str(file))
    except NotPlainError as error:
        raise InputError(f"{file} is a folder, a pipe or a device; save the settings to a plain file.") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); {way_out(error, reading=True)}.") from error


def _from(file: Path, corpus: str) -> str:
    """Returns `corpus`; of the paths of files in it, relative to the folder of `file`, their absolute paths."""
    path = file.absolute().parent / corpus
    try:
        if not path.exists() and len(parts := corpus_parts(corpus)) > 1:
            return ",".join(_from(file, part) for part in parts)
        is_path = (os.sep in corpus or "/" in corpus or path.suffix) and path.is_file()
    except (OSError, ValueError):  # too long a name, or one with a zero byte
        is_path = False
    return str(path) if is_path and not Path(corpus).is_absolute() else corpus


def _unknown(name: str, value: object, specs: dict[str, KnobSpec]) -> str:
    if isinstance(value, dict):
        return f"[{name}] is a table, but knobs belong at the top level of the file, like hidden = 256."
    options = [spec.option[2:] for spec in specs.values()]
    without, _ = instead(name, options)
    if without:
        return f"there is no knob {name!r}: {without}."
    near = [one.split()[0].replace("-", "_") for one in meant_as(name, options)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"the knobs are {', '.join(specs)}."
    return f"there is no knob {name!r}; {hint}"
