"""How the quality of a model is computed and written: perplexity, and how much of a text it read as `<unk>`."""

from __future__ import annotations

import math

MUCH_UNKNOWN = 0.05
"""A fraction of `<unk>` above which loss and perplexity say little of the text (Penn Treebank's own is 0.048)."""

_MOST_PLAIN = 1e6
_LARGEST_EXPONENT = 709


def perplexity(loss: float) -> float:
    """e^loss, the loss in nats per token."""
    return math.exp(loss) if loss < _LARGEST_EXPONENT else math.nan if math.isnan(loss) else math.inf


def fixed(value: float, decimals: int) -> str:
    """`value` with so many decimals; from a million on in a form that stays short: 2.3e+68."""
    return f"{value:.{decimals}f}" if abs(value) < _MOST_PLAIN else f"{value:.1e}"


def unknown_text(fraction: float | None) -> str:
    """ "38% <unk>", "2.3% <unk>"; empty where there is none, or where nobody counted (None)."""
    if not fraction:
        return ""
    percent = 100 * fraction
    if percent < 0.1:
        return "<0.1% <unk>"
    shown = f"{percent:.1f}" if percent < 9.95 or 99.5 <= percent < 100 else f"{percent:.0f}"
    return f"{'99.9' if shown == '100.0' else shown}% <unk>"


def fraction_of_tokens(unknown: float | None) -> str:
    """ "none of the tokens", "2.3% of the tokens"."""
    return (unknown_text(unknown).removesuffix("<unk>").strip() or "none") + " of the tokens"


def is_much_unknown(fraction: float | None) -> bool:
    """Whether so much is `<unk>` that it needs a warning."""
    return fraction is not None and fraction > MUCH_UNKNOWN


def unknown_warning(fraction: float | None, of: str) -> str:
    """What a user should know of figures for a text that is this much `<unk>`; empty if there is nothing to say.

    `of`: "the validation text", "zh, validation".
    """
    if not is_much_unknown(fraction):
        return ""
    return (
        f"{unknown_text(fraction)} in {of}: loss and perplexity count it as a word like any other and look better than "
        "the model is; bits per character count what it hides as not predicted."
    )
