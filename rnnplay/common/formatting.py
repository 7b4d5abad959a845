"""Formats for the user: counts, durations, times, sizes, the quality of a model, and its name."""

from __future__ import annotations

import math

MUCH_UNKNOWN = 0.05
"""Fraction of `<unk>` above which loss and perplexity say little about the text (Penn Treebank's own is 0.048)."""

_MOST_PLAIN = 1e6
_LARGEST_EXPONENT = 709


def perplexity(loss: float) -> float:
    """Returns e^loss, for a loss in nats per token."""
    return math.exp(loss) if loss < _LARGEST_EXPONENT else math.nan if math.isnan(loss) else math.inf


def model_text(cell: str, nonlinearity: str, layers: int, hidden: int) -> str:
    """Names a model: "LSTM 1×256", "ReLU RNN 2×128"; an RNN is one with tanh unless it says so."""
    relu = "ReLU " if cell == "rnn" and nonlinearity == "relu" else ""
    return f"{relu}{cell.upper()} {layers}×{hidden}"


def fixed(value: float, decimals: int) -> str:
    """Formats `value` with that many decimals; from a million on in scientific notation, which stays short: 2.3e+68."""
    return f"{value:.{decimals}f}" if abs(value) < _MOST_PLAIN else f"{value:.1e}"


def unknown_text(fraction: float | None) -> str:
    """Formats a fraction: "38% <unk>", "2.3% <unk>"; "" if it is 0 or was not counted (None)."""
    if not fraction:
        return ""
    percent = 100 * fraction
    if percent < 0.1:
        return "<0.1% <unk>"
    shown = f"{percent:.1f}" if percent < 9.95 or 99.5 <= percent < 100 else f"{percent:.0f}"
    return f"{'99.9' if shown == '100.0' else shown}% <unk>"


def fraction_of_tokens(unknown: float | None) -> str:
    """Formats a fraction: "none of the tokens", "2.3% of the tokens"."""
    return (unknown_text(unknown).removesuffix("<unk>").strip() or "none") + " of the tokens"


def is_much_unknown(fraction: float | None) -> bool:
    """Whether the fraction of `<unk>` is large enough for a warning."""
    return fraction is not None and fraction > MUCH_UNKNOWN


def unknown_warning(fraction: float | None, of: str) -> str:
    """Returns a warning about the figures for a text with this fraction of `<unk>`; "" if it is small.

    `of`: "the validation text", "zh, validation".
    """
    if not is_much_unknown(fraction):
        return ""
    return (
        f"{unknown_text(fraction)} in {of}: loss and perplexity count it as a word like any other and look better than "
        "the model is; bits per character count what it hides as not predicted."
    )


def count_text(number: float) -> str:
    """Formats a count: 950, 62k, 1.2M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit * 0.9995:
            scaled = number / limit
            return f"{scaled:.0f}{unit}" if scaled >= 9.95 else f"{scaled:.1f}{unit}"
    return f"{number:.0f}"


def size_text(size: float) -> str:
    """Formats a number of bytes: 1.1 MB."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def duration_text(seconds: float | None) -> str:
    """Formats a duration: 0:07, 1:32, 2:05:00; "" if it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def waited_text(seconds: float) -> str:
    """Formats a duration that the user has waited: 12 s, 2:05."""
    return f"{seconds:.0f} s" if seconds < 60 else duration_text(seconds)


def moment_text(iso: str) -> str:
    """Formats an ISO 8601 time in the user's time zone, to the minute; anything else is cut to 16 characters."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(iso).astimezone().isoformat(" ", "minutes")[:16]
    except (ValueError, OverflowError, OSError):
        return iso[:16]
