"""Properties of a text, one number per token, that a unit may track (Karpathy et al. 2015). No torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rnnplay.inspection.results import Property
from rnnplay.text.tokenizers.build import Tokenizer

OPENING, CLOSING, STRAIGHT = "“«„", "”»", '"'


def pieces(tokenizer: Tokenizer, ids: Sequence[int], previous: int | None = None) -> list[str]:
    """The text that each token adds after the one before it, "" for <unk>; `previous` precedes the first."""
    found = []
    for token in ids:
        found.append(tokenizer.decode_after(previous, token) if token else "")
        previous = token
    return found


def property_values(name: Property, texts: Sequence[str]) -> NDArray[np.float64]:
    """The property's value after reading each of `texts`, the `pieces` of a text; shape (len(texts),).

    quotes         1 inside quotation marks, 0 outside; a blank line ends a quotation
    line position  number of characters since the line began
    word start     1 where a word begins (with word tokens: at every word)
    space, capital, digit   1 where the token contains whitespace, a capital letter, a digit
    """
    return np.array(_PROPERTIES[name](texts), dtype=np.float64)


def correlation(values: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's r between each row of `values` (H, T) and `wanted` (T,), shape (H,); 0 where either is constant."""
    with np.errstate(all="ignore"):
        own = values - values.mean(1, keepdims=True)
        other = wanted - wanted.mean()
        scale = np.sqrt((own**2).sum(1) * (other**2).sum())
        found = np.where(scale > 0, own @ other / scale, 0.0)
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)


def _quotes(texts: Sequence[str]) -> list[bool]:
    inside, newlines, found = False, 0, []
    for text in texts:
        for character in text:
            newlines = newlines + 1 if character == "\n" else 0
            if newlines > 1:
                inside = False
            elif character == STRAIGHT:
                inside = not inside
            elif character in OPENING or character in CLOSING:
                inside = character in OPENING
        found.append(inside)
    return found


def _line_position(texts: Sequence[str]) -> list[int]:
    place, found = 0, []
    for text in texts:
        ended = text.rfind("\n")
        place = len(text) - 1 - ended if ended >= 0 else place + len(text)
        found.append(place)
    return found


def _word_start(texts: Sequence[str]) -> list[bool]:
    in_word, found = False, []
    for text in texts:
        begins = False
        for character in text:
            letter = character.isalnum() or character in "_'’"
            begins |= letter and not in_word and character.isalnum()
            in_word = letter and (in_word or character.isalnum())
        found.append(begins)
    return found


def _having(test: Callable[[str], bool]) -> Callable[[Sequence[str]], list[bool]]:
    return lambda texts: [any(map(test, text)) for text in texts]


_PROPERTIES: dict[Property, Callable[[Sequence[str]], list[bool] | list[int]]] = {
    "quotes": _quotes,
    "line position": _line_position,
    "word start": _word_start,
    "space": _having(str.isspace),
    "capital": _having(str.isupper),
    "digit": _having(str.isdigit),
}
