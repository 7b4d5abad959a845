"""Numbers as users type them: one grammar for the command line, the form, clamps, and hints about files.

A comma or an underscore may stand only between thousands (1,000; 12,345,678). Everything else that might be read as
another number than the one meant (0,01; 1 000; 1.000.000) is refused, and `meant` gives the number to write instead.
"""

from __future__ import annotations

import math
import re
import unicodedata

# Compiled when first used: together they would take some 5 ms of every start.
_WHOLE = r"[+-]?(?:[0-9]{1,400}|[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?:_[0-9]{3})+))"
_REAL = rf"(?:{_WHOLE}(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:[eE][+-]?[0-9]{{1,9}})?"
_DECIMAL_COMMA = r"([+-]?)([0-9]{1,3}(?:[.'’ ][0-9]{3})+|[0-9]*),([0-9]+(?:[eE][+-]?[0-9]+)?)"
_GROUPED = r"[+-]?[1-9][0-9]*(?:(?:,[0-9]{2,3})*,[0-9]{3}|(?:\.[0-9]{3}){2,}|(?:[_'’ ][0-9]{3})+)"
"""As thousands are separated elsewhere: 1 000, 1.000.000, 1,00,000."""
_ONE_GROUP = r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}"
"""Where a whole number is asked for, 2.500 is 2500 as much of the world writes it, and 1.000 not 1."""
_ASCII = str.maketrans({"−": "-", "－": "-", "＋": "+", "．": ".", "，": ",", "٫": ".", "٬": ","})
"""What an input method or a document writes for a sign, a point or a comma."""


def whole_number(text: str) -> int | None:
    """The whole number that `text` is; None if it is none, or could be read as more than one."""
    plain = ascii_digits(text)
    return int(_ungrouped(plain)) if re.fullmatch(_WHOLE, plain) else None


def real_number(text: str) -> float | None:
    """The finite number that `text` is; None if it is none, or could be read as more than one."""
    plain = ascii_digits(text)
    if not re.fullmatch(_REAL, plain):
        return None
    number = float(_ungrouped(plain))
    vanished = number == 0 and re.search(r"[1-9]", re.split(r"[eE]", plain)[0])  # 1e-400 is not zero
    return None if vanished or math.isinf(number) else number


def meant(text: str, *, whole: bool = False) -> str:
    """How to write the number that `text`, which was refused, most probably stands for; "" if there is no telling."""
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
    """How to write, in percent, the split of a text that `text`, which was refused, stands for; "" if unclear.

    Percentages or fractions, parted otherwise, with decimal commas, or without the last one.
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
    """`text` with the digits of every script as 0 to 9."""
    text = text.strip()
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(character, character)) for character in text.translate(_ASCII))
