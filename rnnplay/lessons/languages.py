"""The languages that lessons are written in, and the one that a user's locale selects."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, get_args

Language = Literal["en", "zh"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES: dict[Language, str] = {"en": "English", "zh": "中文"}
"""Each language's name for itself."""
_LETTERS: dict[Language, str] = {"en": "", "zh": "训练语言"}
"""Sample characters of each language; an encoding that has them has the rest, too."""


def locale_code(environment: Mapping[str, str] = os.environ) -> str:
    """Returns the locale's language as a code such as "de", whether or not lessons are written in it; "" if none."""
    named = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    code = named.partition(".")[0].partition("_")[0].lower()
    return "" if code in ("c", "posix") else code


def locale_language(environment: Mapping[str, str]) -> Language:
    """Reads the language from the first of LC_ALL, LC_MESSAGES and LANG that is set; English unless it is Chinese."""
    return "zh" if locale_code(environment).startswith("zh") else "en"


def choose_language(wanted: str, environment: Mapping[str, str] = os.environ) -> Language:
    """Returns `wanted` if lessons are written in it, otherwise the locale's language."""
    return next((language for language in LANGUAGES if language == wanted), locale_language(environment))


def can_show(encoding: str | None, language: Language) -> bool:
    """Returns whether `encoding` can represent text in `language`; None means UTF-8."""
    try:
        _LETTERS[language].encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    except LookupError:
        pass
    return True
