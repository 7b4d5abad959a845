"""Parses numbers as users type them: one grammar for the command line, the form, clamps, and hints about files.

A comma or an underscore may stand only between thousands (1,000; 12,345,678). Everything else that might be read as
another number than the one meant (0,01; 1 000; 1.000.000) is refused, and `meant` returns the number to write instead.
"""

from __future__ import annotations

import math
import re
import unicodedata

# Patterns, not compiled ones: compiling them all would add some 5 ms to every start.
_WHOLE = r"[+-]?(?:[0-9]{1,400}|[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?:_[0-9]{3})+))"
_REAL = rf"(?:{_WHOLE}(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:[eE][+-]?[0-9]{{1,9}})?"
_DECIMAL_COMMA = r"([+-]?)([0-9]{1,3}(?:[.'’ ][0-9]{3})+|[0-9]*),([0-9]+(?:[eE][+-]?[0-9]+)?)"
_GROUPED = r"[+-]?[1-9][0-9]*(?:(?:,[0-9]{2,3})*,[0-9]{3}|(?:\.[0-9]{3}){2,}|(?:[_'’ ][0-9]{3})+)"
"""Thousands as other countries separate them: 1 000, 1.000.000, 1,00,000."""
_ONE_GROUP = r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}"
"""Where a whole number is expected, 2.500 is 2500 in much of the world, and 1.000 is not 1."""
_ASCII = str.maketrans({"−": "-", "－": "-", "＋": "+", "．": ".", "，": ",", "٫": ".", "٬": ","})
"""Signs, points and commas as input methods and documents write them."""


def whole_number(text: str) -> int | None:
    """Parses a whole number; returns None if `text` is none or is ambiguous."""
    plain = ascii_digits(text)
    return int(_ungrouped(plain)) if re.fullmatch(_WHOLE, plain) else None


def real_number(text: str) -> float | None:
    """Parses a finite number; returns None if `text` is none or is ambiguous."""
    plain = ascii_digits(text)
    if not re.fullmatch(_REAL, plain):
        return None
    number = float(_ungrouped(plain))
    vanished = number == 0 and re.search(r"[1-9]", re.split(r"[eE]", plain)[0])  # 1e-400 underflows to 0, but is not 0
    return None if vanished or math.isinf(number) else number


def meant(text: str, *, whole: bool = False) -> str:
    """Returns how to write the number that `text`, which was refused, most probably means; "" if that is unclear."""
    plain = ascii_digits(text)
    if re.fullmatch(_GROUPED, plain):
        return re.sub(r"[.,_'’ ]", "", plain)
    if whole and re.fullmatch(_ONE_GROUP, plain):
        return plain.replace(".", "")
    if whole:
        number = real_number(plain)
        return str(int(number)) if number is not None and number.is_integer() and abs(number) < 1e18 else ""
    if match := re.fullmatch(_DECIMAL_COMMA, plain):
        before = re.sub(r"[.'’ ]", "", match[2]) or "0"
        return f"{match[1]}{before}.{match[3]}"
    return ""


def meant_split(text: str) -> str:
    """Returns how to write, in percent, the split that `text`, which was refused, most probably means; "" if unclear.

    Accepts percentages or fractions, other separators, decimal commas, and a missing last number.
    """
    text = text.strip(" []()%")
    ways = (
        re.findall("0,[0-9]+", text.replace(" ", "")) if re.fullmatch(r"0,[0-9]+(?:, *0,[0-9]+)+", text) else [],
        re.split(r"[/,;:\s]+", text),
        re.split(r"[/;:\s]+", text),
    )
    for words in ways:
        points = [word.strip(" %").replace(",", ".") for word in words]
        numbers = [number for word in points if (number := real_number(word)) is not None]
        if not len(numbers) == len(words) in (2, 3):
            continue
        for whole in (1, 100):
            last = [] if len(numbers) == 3 else [whole - sum(numbers)]
            percent = [round(number * 100 / whole, 6) for number in (*numbers, *last)]
            if abs(sum(percent) - 100) < 1e-6 and min(percent[1], percent[2] + 1) > 0 and percent[0] == max(percent):
                return "/".join(f"{number:g}" for number in percent)
    return ""


def _ungrouped(plain: str) -> str:
    return plain.replace(",", "").replace("_", "")


def ascii_digits(text: str) -> str:
    """Returns `text` with the digits of every script as 0 to 9."""
    text = text.strip()
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(character, character)) for character in text.translate(_ASCII))
