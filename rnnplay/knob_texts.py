"""Reads the values of knobs that are texts with a grammar of their own."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePath

from rnnplay.common.numbers import meant_split, real_number
from rnnplay.errors import ConfigError
from rnnplay.knobs import shown


@lru_cache(maxsize=16)  # lists read it for thousands of runs
def split_fractions(split: str) -> tuple[float, float, float]:
    """Converts "90/5/5" to fractions; raises ConfigError unless three numbers, the first two above 0, add up to 100."""
    parts = tuple(number for part in split.split("/") if (number := real_number(part)) is not None)
    if (
        len(parts) != 3
        or split.count("/") != 2
        or parts[0] <= 0
        or parts[1] <= 0
        or parts[2] < 0
        or abs(sum(parts) - 100) > 1e-6
    ):
        raise ConfigError(
            "split",
            "split must be train/validation/test in percent adding up to 100, train and validation above 0; "
            f"got {shown(split)}{_split_hint(split)}.",
        )
    return parts[0] / 100, parts[1] / 100, parts[2] / 100


def _split_hint(split: str) -> str:
    if meant := meant_split(split):
        return f"; write {meant}"
    commas = ": slashes separate the numbers, and a point their decimals" if "," in split else ""
    return f", like 90/5/5 or 92.5/5/2.5{commas}"


MOST_PROMPTS, LONGEST_PROMPT = 8, 200
"""Limits of the sample log, each in a knob that is one line: prompts, and characters of one."""
_ESCAPES = {"n": "\n", "|": "|", "\\": "\\"}


STOPS = (16, 200)
"""Limits of stop strings: how many, and characters of one."""


def sample_prompts(text: str) -> tuple[str, ...] | None:
    r"""Converts "Once upon|He said:\n" to prompts, "off" to none; None for "auto". Raises ConfigError.

    In a prompt `\n` is a newline, `\|` a bar and `\\` a backslash; empty prompts are dropped, so that "off|" is the
    prompt "off".
    """
    if text in ("auto", "off"):
        return None if text == "auto" else ()
    return _separated("sample_prompts", "auto, off, or prompts separated by |", text, MOST_PROMPTS, LONGEST_PROMPT)


def stop_strings(text: str) -> tuple[str, ...]:
    r"""Converts "The end|\n\n" to the strings before which a sample ends, "off" to none. Raises ConfigError.

    Escapes are those of `sample_prompts`; "off|" is the string "off".
    """
    return () if text == "off" else _separated("stop", "off, or strings separated by |", text, *STOPS)


def _separated(knob: str, allowed: str, text: str, most: int, longest: int) -> tuple[str, ...]:
    def refused(why: str) -> ConfigError:
        return ConfigError(knob, f"{knob} must be {allowed}; {why}.")

    parts = [part for part in re.findall(r"((?:[^\\|]|\\.?)+)", text) if part]
    for part in parts:
        for escape in re.findall(r"\\(.?)", part):
            if escape not in _ESCAPES:
                raise refused(rf"a backslash stands before n (a newline), | or \; got {shown(part)}")
    unescaped = tuple(re.sub(r"\\(.)", lambda match: _ESCAPES[match[1]], part) for part in parts)
    if not parts:
        raise refused(f"got {shown(text)}")
    if len(parts) > most or max(map(len, unescaped)) > longest:
        raise refused(f"at most {most}, each of at most {longest} characters; got {shown(text)}")
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        raise refused(f"without control characters; got {shown(text)}")
    return unescaped


def corpus_parts(corpus: str) -> list[str]:
    """The texts that the knob `corpus` names: two in "a.txt, notes/*.md", one in "[a,b].txt"."""
    return [part.strip() for part in re.split(r",(?![^\[]*\])", corpus) if part.strip()]


def corpus_label(corpus: str, suffix: bool = True) -> str:
    """A short name of a corpus: of a path the name of the file, of several texts that of the first and their number."""
    first, *more = corpus_parts(corpus) or [corpus]
    name = PurePath(first.replace("\\", "/").rstrip("/")).name or first
    is_path = "/" in first.replace("\\", "/")
    label = name if suffix or not is_path else PurePath(name).stem
    return f"{label} and {len(more)} more" if more else label


def leads_elsewhere(corpus: str) -> bool:
    """Whether a corpus is, or has in it, a relative path: runs made here have names or absolute paths.

    A stranger's run.json may point anywhere.
    """
    paths = map(PurePath, [corpus, *corpus_parts(corpus)])
    return any(not path.is_absolute() and len(path.parts) > 1 for path in paths)
