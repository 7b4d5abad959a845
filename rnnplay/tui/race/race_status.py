"""The lines of text around the race: how the machine is shared, how far the race is, and what it shows so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from textual.content import Content

from rnnplay.common.formatting import duration_text
from rnnplay.knob_texts import corpus_label
from rnnplay.tui.inspection.gradients import falls_to
from rnnplay.tui.keymap import KEYS
from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.race.race_charts import View
from rnnplay.tui.race.ranking import STATES, Ranking
from rnnplay.tui.widgets.status_line import KEPT, Piece
from rnnplay.tui.widgets.visible import visible_line

MEMORY_NOTE = (
    "Left: the gradient of a prediction with respect to the state k steps earlier. "
    "Right: accuracy on tokens that an earlier one determines, by their distance."
)
"""A line each in 80 columns."""


def status_pieces(live: LiveRace, translated: Callable[[str], str] = str) -> tuple[list[Piece], list[Piece]]:
    """Returns the left and the right side of the first line."""
    corpus = corpus_label(live.plan.setup.corpus)
    left = [
        Piece(Content.styled("rnnplay", "bold $primary"), 1),
        Piece(Content.styled(translated("Race"), "bold"), 4),
        Piece(Content(visible_line(corpus)), 3, " · "),
        *sharing_pieces(live.race.sharing.described(len(live.entrants)), translated),
    ]
    if live.plan.parameters is not None:
        left.append(Piece(Content(translated(f"about {live.plan.parameters:,} parameters each")), 2, " · "))
    right = []
    if live.plan.repeats > 1:
        right.append(Piece(Content(translated(f"seed {len(live.races)} of {live.plan.repeats}")), KEPT))
    symbol, word, style = phase_of(live)
    right.append(Piece(Content.styled(f"{symbol} {translated(word)}", style)))
    if not live.over and (left_seconds := seconds_left(live)) is not None:
        right.append(Piece(Content(translated("{} left").format(duration_text(left_seconds))), 5))
    return left, right


def sharing_pieces(described: str, translated: Callable[[str], str]) -> list[Piece]:
    """Returns how the machine is shared, of which a narrow window keeps the beginning."""
    parts = described.split(", ")
    weights = (KEPT, 6, 2)
    return [
        Piece(Content(translated(part)), weights[min(at, 2)], ", " if at + 1 < len(parts) else " · ")
        for at, part in enumerate(parts)
    ]


def phase_of(live: LiveRace) -> tuple[str, str, str]:
    """Returns the symbol, the words and the colour for what the race is doing."""
    if live.over:
        return ("■", "stopped", "$warning") if live.stopped else ("✓", "finished", "$success")
    if live.paused:
        return "‖", "paused", "$warning"
    phases = [one.entry.phase for one in live.entrants]
    if any(phase in ("starts", "prepares") for phase in phases) and not any(phase == "trains" for phase in phases):
        return "◌", "starting", "$warning"
    return "●", training_text(live), "$success"


def training_text(live: LiveRace) -> str:
    """Says what the variants are doing: "2 of 4 training, 1 waiting, 1 diverged".

    By turns as many train as may at a time, whichever those are at this moment; the others wait for theirs.
    """
    counts: Counter[str] = Counter(_doing(one) for one in live.entrants)
    racing = counts.pop("training", 0)
    sharing = live.race.sharing
    training = racing if sharing.share == "threads" else min(racing, sharing.at_once)
    parts = [f"{training} of {len(live.entrants)} training"]
    counts["waiting"] += racing - training
    parts += [
        f"{counts[word]} {word}" for word in sorted(counts, key=lambda word: (word != "waiting", word)) if counts[word]
    ]
    return ", ".join(parts)


def _doing(one: Entrant) -> str:
    """What a variant is doing, in a word of the table."""
    progress = one.entry.progress
    if progress.died is not None or progress.exploded:
        return "diverged"
    state = one.entry.state
    return "training" if state in ("waits", "trains") else STATES.get(state, ("", state, ""))[1]


def seconds_left(live: LiveRace) -> float | None:
    """Estimates how long the race with the present seed will still take; None if that is not known."""
    running = [one.controller.state for one in live.entrants if not one.entry.over]
    known = [state.seconds_left for state in running if state.seconds_left is not None]
    if not known or len(known) < len(running):
        return None
    sharing = live.race.sharing
    return max(max(known), sum(known) / min(sharing.at_once, len(known)))


def note_text(live: LiveRace, ranked: Ranking, view: View) -> tuple[str, bool]:
    """Returns the line below the table, and whether it reports an error."""
    silent = any(one.controller.engine_silent and not one.entry.over for one in live.entrants)
    failed = silent or any(one.entry.phase == "failed" for one in live.entrants)
    if view == "memory" and not failed:
        return memory_text(live.entrants) or MEMORY_NOTE, False
    if not ranked.sentence and not live.over and not any(one.place for one in ranked.rows):
        return "The ranking begins when every variant has been validated once.", False
    return ranked.sentence, failed


def memory_text(entrants: Sequence[Entrant]) -> str:
    """Says at which distance each variant's gradient has fallen to 1%; "" before there are curves."""
    parts = []
    for one in entrants:
        curve = one.gradient
        if curve is not None and curve.hidden:
            at = falls_to(curve.distances, curve.hidden[-1])
            label = visible_line(one.title)
            parts.append(f"{label} at k = {at}" if at is not None else f"{label} not by {curve.distances[-1]}")
    return f"The gradient falls to 1% of that at k = 0: {', '.join(parts)}." if parts else ""


def playground_text(live: LiveRace) -> str:
    """Returns what the playground's first line says of a race behind it: "race: 3 training (R)"."""
    if live.over:
        return f"race: over ({KEYS.race})"
    _, words, _ = phase_of(live)
    return f"race: {words.partition(',')[0]} ({KEYS.race})"
