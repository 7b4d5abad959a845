"""Reads a TOML file past its mistakes, so that all of them can be said at once, and finds the line of each value."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from rnnplay.common.toml.text import is_toml, mended_line, toml_problem

MAX_FAULTS = 20
"""After so many mistakes the rest of a file is not read: it is likely no TOML at all."""
Path = tuple[str | int, ...]
"""Where a value is: ("steps", 0, "view") is the view of the first [[steps]]."""

_KEY = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_KEYS})\s*\]*\s*")


class Fault(NamedTuple):
    """A line, counted from 1, that is not valid TOML."""

    line: int
    sentence: str


class Repaired(NamedTuple):
    """What could be read of a TOML file."""

    values: dict[str, Any]
    faults: list[Fault]
    lost: bool
    """Whether lines had to be left out, so that what seems to be missing may stand in them."""


def read_past_faults(text: str) -> Repaired:
    """Parses TOML; a line that is a mistake counts as what it seems to mean, or is left out.

    The values are {} where no more can be read after a mistake, such as a bracket that is never closed.
    """
    import tomllib

    lines = text.split("\n")
    faults: list[Fault] = []
    lost = False
    while len(faults) < MAX_FAULTS:
        try:
            values = tomllib.loads("\n".join(lines))
            return Repaired({key: value for key, value in values.items() if key[:1] != "\0"}, faults, lost)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            message = str(error)
        at = _line_of_error(lines, message)
        if faults and at + 1 <= faults[-1].line:
            break  # it follows from the one before
        faults.append(Fault(at + 1, f"This is not valid TOML{toml_problem(text, message)}"))
        whole = _leave_out(lines, at, message)
        if whole is None:
            break
        lost = lost or not whole
    return Repaired({}, faults, True)


def _line_of_error(lines: list[str], message: str) -> int:
    """Returns the line, from 0, of an error that tomllib reports."""
    if found := re.search(r"at line (\d{1,9})", message):
        return min(int(found[1]), len(lines)) - 1
    mark = '"""' if "Unterminated" in message else ""
    begun = [number for number, line in enumerate(lines) if mark and (mark in line or "'''" in line)]
    return begun[-1] if begun else max(number for number, line in enumerate(lines) if line.strip() or number == 0)


def _leave_out(lines: list[str], at: int, message: str) -> bool | None:
    """Changes the line so that the rest can be read; returns whether nothing is lost by it, None if that cannot be."""
    line, twice = lines[at], message.startswith("Cannot")
    if is_toml(line) and not twice:  # nothing is wrong with this line, but with one before it
        return None
    if "Unterminated" in message and ('"""' in line or "'''" in line):
        return None
    if header := _HEADER.fullmatch(_code(line)):
        lines[at] = f'["\\u0000{at}"]' if twice else f"{header[1]}{header[2]}{']' * len(header[1])}"
        return not twice
    if mended := mended_line(line):
        lines[at] = mended
        return True
    open_ = 0
    for number in range(at, len(lines)):  # a value over several lines goes as a whole
        bare = _STRING.sub("", _code(lines[number]))
        open_ += len(re.findall(r"[\[{]", bare)) - len(re.findall(r"[\]}]", bare))
        lines[number] = ""
        if open_ <= 0:
            break
    return False if open_ == 0 else None


def places(text: str) -> dict[Path, int]:
    """Returns the line, from 1, of each table, key and element of a list of a TOML file, those of inline tables too.

    An element of an inline table is found by `line_of` at the table's line.
    """
    found: dict[Path, int] = {(): 1}
    arrays: dict[Path, int] = {}
    table: Path = ()
    value: Path = ()
    depth, element, expected, quoted = 0, 0, False, ""
    for number, line in enumerate(text.split("\n"), 1):
        if quoted:
            quoted = "" if quoted in line else quoted
            continue
        code = _code(line)
        header = _HEADER.fullmatch(code) if depth == 0 else None
        if header:
            table = _table(header[2], header[1] == "[[", arrays)
            _note(found, table, number)
            continue
        if depth == 0:
            assigned = re.match(rf"\s*({_KEYS})\s*=(.*)", code, re.DOTALL)
            if assigned is None:
                continue
            value = (*table, *_names(assigned[1]))
            _note(found, value, number)
            code = assigned[2]
            mark = next((mark for mark in ('"""', "'''") if code.lstrip().startswith(mark)), "")
            if mark:
                quoted = mark if code.count(mark) % 2 else ""
                continue
        for character in _STRING.sub('""', code):
            if depth == 1 and expected and character not in " \t\r,]":
                _note(found, (*value, element), number)
                expected = False
            if character in "[{":
                depth += 1
                if depth == 1:
                    element, expected = 0, character == "["
            elif character in "]}":
                depth = max(depth - 1, 0)
            elif character == "," and depth == 1:
                element, expected = element + 1, True
    return found


def line_of(found: dict[Path, int], path: Path) -> int:
    """Returns the line of what is at `path`, or of the nearest thing around it that is in the file."""
    while path not in found:
        path = path[:-1]
    return found[path]


def _note(found: dict[Path, int], path: Path, line: int) -> None:
    for length in range(1, len(path) + 1):
        found.setdefault(path[:length], line)


def _table(keys: str, is_element: bool, arrays: dict[Path, int]) -> Path:
    """Returns the path of a header's table; `arrays` counts the elements of each [[array]] so far."""
    path: Path = ()
    names = _names(keys)
    for place, name in enumerate(names):
        path = (*path, name)
        if is_element and place == len(names) - 1:
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            path = (*path, arrays[path])
    return path


def _names(keys: str) -> list[str]:
    return [one[1:-1] if one[0] in "\"'" else one for one in re.findall(_KEY, keys)]


def _code(line: str) -> str:
    """Returns the line without its comment."""
    found = re.match(r'(?:"(?:\\.|[^"\\])*"|\'[^\']*\'|[^#])*', line)
    return found[0] if found else ""
