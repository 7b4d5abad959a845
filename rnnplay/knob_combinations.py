"""Refuses values of knobs that are valid by themselves, but not together."""

from __future__ import annotations

from rnnplay.errors import ConfigError

ADAPTIVE_HIDDEN = 16
"""Smallest hidden size of an adaptive softmax: the vectors of its rarest words are a sixteenth as long."""


def check_together(*, tokens: str, softmax: str, tie: bool, embedding: int, hidden: int) -> None:
    """Raises ConfigError, with the knob to change, if these values do not go together."""
    if tie and embedding != hidden:
        raise ConfigError(
            "tie",
            f"tie needs embedding = hidden, but embedding is {embedding} and hidden is {hidden}; "
            "set both to the same size or turn tie off.",
        )
    if softmax != "full" and tokens != "word":
        raise ConfigError(
            "softmax",
            f"softmax is {softmax}, which needs token ids ordered by frequency, as only those of words are; "
            "set tokens to word or softmax to full.",
        )
    if softmax == "adaptive":
        _check_adaptive(tie, hidden)


def _check_adaptive(tie: bool, hidden: int) -> None:
    if tie:
        raise ConfigError(
            "softmax", "softmax is adaptive, whose output layer has no weights to tie; turn one of them off."
        )
    if hidden < ADAPTIVE_HIDDEN:
        raise ConfigError(
            "softmax",
            f"softmax is adaptive, which needs hidden of at least {ADAPTIVE_HIDDEN}, but hidden is {hidden}; "
            "raise it or set softmax to full.",
        )
