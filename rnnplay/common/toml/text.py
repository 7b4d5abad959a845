"""Reads TOML as other editors write it, byte order marks included, and explains what is wrong with invalid TOML."""

from __future__ import annotations

import codecs
import re
from typing import Any

from rnnplay.common.numbers import ascii_digits, meant, real_number
from rnnplay.common.terminal_text import sanitize_name
from rnnplay.errors import InputError

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, which is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASSIGNMENT = r"\s*([\w.-]+)\s*=\s*(.*?)\s*(?:#.*)?"


def toml_text(data: bytes, name: str) -> str:
    """Decodes a TOML file without its byte order mark; raises InputError with a message that begins with `name`.

    The encoding is UTF-8, or UTF-16 or UTF-32 if the byte order mark says so: some Windows programs save these.
    """
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8-sig")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not {encoding.upper().removesuffix('-SIG')} text (byte {error.start}); save it as UTF-8."
        ) from error


def parse_toml(data: bytes, name: str) -> dict[str, Any]:
    """Parses a TOML file; raises InputError with a message that begins with `name`."""
    import tomllib

    text = toml_text(data, name)
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{name} is not valid TOML{toml_problem(text, str(error))}") from error


def toml_problem(text: str, message: str) -> str:
    """Returns the end of a sentence about an error in `text`: the line to write if that is known, else `message`."""
    found = re.search(r"at line (\d{1,9})", message)
    lines = text.split("\n")
    line = lines[int(found[1]) - 1] if found and 0 < int(found[1]) <= len(lines) else ""
    if found and (instead := mended_line(line)):
        if instead.endswith(","):
            line, instead = line.rstrip().removesuffix(","), instead.removesuffix(",")
        return f": line {found[1]} is {_short(line)}; write {_short(instead)}."
    if found and message.startswith("Cannot") and (twice := _said_twice(line)):
        return f": line {found[1]} has {_short(twice, 200)}."
    if re.match(r"(?:Unclosed|Invalid value).*end of document", message):
        message = "a bracket, [ or {, is not closed"
    return f" ({_short(message.rstrip('.'), 200)})."


def mended_line(line: str) -> str:
    """Returns how to write a line with a key and an invalid value, or with an inline table that is one of a list.

    "" if that is unclear, or the line is valid.
    """
    table, comma = line.strip().removesuffix(","), "," * line.rstrip().endswith(",")
    if table[:1] == "{":
        instead = _mended_table(table)
        return instead + comma if is_toml(f"x = {instead}") and not is_toml(f"x = {table}") else ""
    match = re.fullmatch(_ASSIGNMENT, line)
    value = _instead(match[2]) if match else ""
    instead = f"{match[1]} = {value}" if match and value else ""
    return instead if instead and is_toml(instead) and not is_toml(line) else ""


def _mended_table(table: str) -> str:
    """Returns an inline table with straight quotes, decimal points, and commas between its keys."""
    straight = re.sub("[“”„‟«»]", '"', table)
    pointed = re.sub(r"(=\s*[+-]?\d+),(\d+)(?=\s*[,}]|\s+\w)", r"\1.\2", straight)
    return re.sub(r"""(["'\d}\]])\s+([\w-]+\s*=)""", r"\1, \2", pointed)


def _said_twice(line: str) -> str:
    """Returns what a line has that an earlier one has, too."""
    if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
        return f"[{header[1]}] a second time; if it is a list, write [[{header[1]}]] each time"
    key = re.match(r"\s*([^\s=]+)\s*=", line)
    return f"{key[1]} a second time" if key else ""


def is_toml(text: str) -> bool:
    """Returns whether `text` is valid TOML by itself."""
    import tomllib

    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return True


def _instead(value: str) -> str:
    """Returns how to write `value`, which is invalid, in TOML; "" if that is unclear."""
    bare = value.strip("'\"“”„‟‘’«»")
    if value[:1] in "'\"" and value[1:] != bare and "\\" in bare and "'" not in bare:
        return f"'{bare}'"  # C:\texts\a.txt in double quotes
    if any(mark in bare for mark in "'\"\\[]{}=#") or not bare:
        return ""
    if bare == value and re.fullmatch(r"[0-9eE.,_'’ +-]+", digits := ascii_digits(bare)):
        number = meant(digits) or (re.sub(r"[,_]", "", digits) if real_number(digits) is not None else "")
        sign, number = number[: number[:1] in ("+", "-")], number.lstrip("+-")  # TOML has no 010, no .5 and no 5.
        return sign + re.sub(r"^(?=\.)", "0", re.sub(r"^0+(?=\d)|\.(?=$|[eE])", "", number)) if number else ""
    if bare.lower() in ("true", "false"):
        return bare.lower()
    return f'"{bare}"'


def _short(text: str, limit: int = 80) -> str:
    text = sanitize_name(text.strip())
    return text if len(text) <= limit else text[: limit - 1] + "…"
