"""The languages that lessons are written in, and which one a user's locale asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, get_args

Language = Literal["en", "zh"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES: dict[Language, str] = {"en": "English", "zh": "中文"}
"""Each in its own words."""
_LETTERS: dict[Language, str] = {"en": "", "zh": "训练语言"}
"""Some of each: an encoding that has these has the others, too."""


def locale_language(environment: Mapping[str, str] = os.environ) -> Language:
    """What LC_ALL, LC_MESSAGES or LANG ask for, the first of them that says anything; English for any other."""
    named = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh" if named.lower().startswith("zh") else "en"


def choose_language(wanted: str, environment: Mapping[str, str] = os.environ) -> Language:
    """`wanted` if lessons are written in it, else the locale's."""
    return next((language for language in LANGUAGES if language == wanted), locale_language(environment))


def can_show(encoding: str | None, language: Language) -> bool:
    """Whether text in `language` can be written in `encoding`; None is taken for UTF-8."""
    try:
        _LETTERS[language].encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    except LookupError:
        pass
    return True
