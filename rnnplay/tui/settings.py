"""Settings that the interface keeps between sessions, in the user's config folder."""

from __future__ import annotations

import contextlib
import os
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import msgspec

from rnnplay.common.files import read_small, replacing
from rnnplay.errors import ConfigError, InputError
from rnnplay.generation_config import AdaptationConfig, CompletionConfig
from rnnplay.workspace import shortened_path

_LARGEST = 1 << 16
"""Largest settings file accepted, in bytes: far more than one needs."""


class Settings(msgspec.Struct, kw_only=True):
    """The user's settings, all optional; a missing or broken file gives the defaults, as does a broken value of it."""

    theme: str = "rnnplay-dark"
    language: str = ""
    """Language of the lessons, "en" or "zh"; empty for that of the locale."""
    completion: CompletionConfig = CompletionConfig()
    """What is suggested to a user who writes."""
    adaptation: AdaptationConfig = AdaptationConfig()
    """How the model adapts to what is written."""


def is_folder(path: Path) -> bool:
    """Returns whether `path` is a folder; False if it is inaccessible."""
    try:
        return path.is_dir()
    except OSError:
        return False


def settings_path() -> Path:
    """Returns the path of the settings: RNNPLAY_CONFIG, or settings.json in the user's config folder.

    Raises InputError if RNNPLAY_CONFIG is a folder.
    """
    if named := os.environ.get("RNNPLAY_CONFIG"):
        path = Path(named)
        if not path.name or is_folder(path):
            raise InputError(
                f"RNNPLAY_CONFIG is {shortened_path(named)}, a folder; give the path of a file, such as "
                f"{shortened_path(str(path / 'settings.json'))}."
            )
        return path
    from platformdirs import user_config_path

    return user_config_path("rnnplay", appauthor=False) / "settings.json"


def progress_path() -> Path:
    """Returns the path of the lessons' progress: lessons.json beside the settings."""
    return settings_path().with_name("lessons.json")


def load_settings() -> Settings:
    """Returns the saved settings, with the default of each that is missing or that this version cannot read."""
    kept: dict[str, Any] = {}
    for name, value in _saved(settings_path()).items():
        field = _FIELDS.get(name)
        if field is None:
            continue
        if isinstance(value, dict) and isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            # A later version may have knobs that are unknown here.
            value = {knob: of for knob, of in value.items() if knob in field.type.__struct_fields__}
        with contextlib.suppress(msgspec.ValidationError, ConfigError):
            kept[name] = msgspec.convert(value, field.type)
    return Settings(**kept)


def save_settings(settings: Settings) -> None:
    """Saves `settings`; what else another version keeps in the file stays there.

    Where the folder is not writable they last until the program ends.
    """
    path = settings_path()
    saved = _saved(path)
    for name, value in msgspec.to_builtins(settings).items():
        there = saved.get(name)
        saved[name] = there | value if isinstance(there, dict) and isinstance(value, dict) else value
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(msgspec.json.encode(saved))


def _saved(path: Path) -> dict[str, Any]:
    """What the file has; {} if there is none, or it is not a JSON object."""
    try:
        found = msgspec.json.decode(read_small(path, _LARGEST).removeprefix(BOM_UTF8))
    except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return {}
    return found if isinstance(found, dict) else {}


_FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}
