"""What the quantities of a cell are called in words."""

from __future__ import annotations


def named(quantity: str) -> str:
    """ "forget gate"."""
    words = {
        "new_cell": "new cell content",
        "cell": "cell state",
        "hidden": "hidden state",
        "new_hidden": "new content",
    }
    return words.get(quantity, quantity.replace("_", " ") + (" gate" if quantity in ("reset", "update") else ""))
