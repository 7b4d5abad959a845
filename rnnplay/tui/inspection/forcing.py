"""The quantities that the what-if view can force, and the text forms of forced values. No widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnnplay.common.numbers import meant, real_number
from rnnplay.errors import InputError
from rnnplay.inspection.results import GATES, QUANTITIES, QUANTITY_NAMES, Forced, Quantity

Switch = tuple[int, Quantity]
"""A gate, by its layer (from 0) and quantity."""
STATES: tuple[float | None, ...] = (None, 0.0, 1.0)
"""The states of a gate in the order in which a key cycles through them: free, closed, open."""

# Spaces may separate the parts but not occur within a number: 3 7=0 is not unit 37, nor is 1,000=0 units 1 and 0.
_UNIT = r"(?:0|[1-9]\d{0,5})"
_UNITS = rf"{_UNIT}(?: *- *{_UNIT})?"
_CLAMP = re.compile(rf"(?:(?P<layer>\d{{1,6}}) *: *)?(?P<units>{_UNITS}(?: *, *{_UNITS})*) *= *(?P<value>[^=]{{1,40}})")


def switches(cell: str, layers: int) -> list[Switch]:
    """Returns the gates of every layer, from the first layer up."""
    return [(layer, quantity) for layer in range(layers) for quantity in QUANTITIES[cell] if quantity in GATES]


def clamped_quantity(cell: str) -> Quantity:
    """Returns the quantity that a clamp holds: an LSTM's cell state, or the hidden state of other cells."""
    return "cell" if cell == "lstm" else "hidden"


def parse_clamps(text: str, cell: str, layers: int, units: int) -> list[Forced]:
    """ "3,7=0; 2:12-15=1": units 3 and 7 of layer 1 at 0, units 12 to 15 of layer 2 at 1. Raises InputError."""
    clamps = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        match = _CLAMP.fullmatch(part)
        if match is None:
            raise InputError(
                f"{part[:40]} is not a clamp; write units, = and a value, as in 3,7=0 or 2:12-15=1 (layer 2)."
            )
        layer = int(match["layer"] or 1)
        if not 1 <= layer <= layers:
            raise InputError(f"There is no layer {layer}; the model has {layers}.")
        value = real_number(match["value"])
        if value is None:
            instead = meant(match["value"]) or "one such as 0 or -0.5"
            raise InputError(f"{match['value'][:40]} is not a value to clamp units at; write {instead}.")
        chosen = _units(match["units"], units)
        clamps.append(Forced(layer=layer - 1, quantity=clamped_quantity(cell), value=value, units=chosen))
    return clamps


def _units(text: str, units: int) -> list[int]:
    chosen: dict[int, None] = {}
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        low, high = int(first), int(last or first)
        if high < low or high >= units:
            raise InputError(f"There are no units {piece}; the layer's are 0 to {units - 1}.")
        chosen |= dict.fromkeys(range(low, high + 1))
    return list(chosen)


def clamp_text(forced: Sequence[Forced]) -> str:
    """Returns the text that a user would type for the clamps of single units among `forced`."""
    return "; ".join(
        f"{f'{one.layer + 1}:' if one.layer else ''}{','.join(map(str, one.units))}={one.value:g}"
        for one in forced
        if one.units
    )


def described(forced: Sequence[Forced], layers: int = 1) -> str:
    """ "forget gate closed, cell state of units 3, 7 = 0"; with the layers where there are several."""
    parts = []
    for one in forced:
        where = f"layer {one.layer + 1} " if layers > 1 else ""
        if one.units:
            shown = ", ".join(map(str, one.units[:6])) + (", …" if len(one.units) > 6 else "")
            parts.append(f"{where}{QUANTITY_NAMES[one.quantity]} of units {shown} = {one.value:g}")
        else:
            state = {0.0: "closed", 1.0: "open"}.get(one.value, f"= {one.value:g}")
            parts.append(f"{where}{QUANTITY_NAMES[one.quantity]} {state}")
    return ", ".join(parts)
