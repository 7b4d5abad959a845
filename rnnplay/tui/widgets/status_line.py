"""The top line: the run on the left, its progress on the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from textual.content import Content
from textual.widget import Widget

from rnnplay.common.formatting import count_text, duration_text, model_text, waited_text
from rnnplay.config import RunConfig
from rnnplay.knob_texts import corpus_label
from rnnplay.tui.followed_run import seconds_per_step
from rnnplay.tui.keymap import key_name
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_state import RUNNING, Phase, RunState
from rnnplay.tui.widgets.visible import MUTED, visible_line

PHASES = {
    Phase.IDLE: ("○", "ready", MUTED),
    Phase.PREPARING: ("◌", "preparing", "$warning"),
    Phase.TRAINING: ("●", "training", "$success"),
    Phase.PAUSED: ("‖", "paused", "$warning"),
    Phase.STOPPING: ("◌", "stopping", "$warning"),
    Phase.STOPPED: ("■", "stopped", "$warning"),
    Phase.FINISHED: ("✓", "finished", "$success"),
    Phase.ENGINE_GONE: ("✕", "engine gone", "$error"),
    Phase.FOLLOWED: ("◉", "followed", "$success"),
}


Translation = Callable[[str], str]
"""Translates a message in English, with {} for inserted values, to the lesson's language."""

KEPT = 9
"""Weight of the pieces that a narrow window keeps."""
QUIET_SECONDS = 10.0
"""A followed run without news for longer is said to be quiet: it is paused there, or at a long step."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the line; where not all fit, those of the lowest weight are omitted first."""

    content: Content
    weight: int = KEPT
    after: str = "  "
    """The separator from the next piece."""


class StatusLine(Widget):
    """One row, repainted only when its text has changed."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; background: $background; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__(id=id)
        self._left: list[Piece] = []
        self._right: list[Piece] = []

    def show(
        self,
        controller: RunController,
        config: RunConfig,
        translated: Translation = str,
        behind: str = "",
        others: str = "",
    ) -> None:
        """Shows the state of the run; `config` is the form's, for before there is a run.

        `behind`: what else is under way, behind this run; `others`: the playground's other runs.
        """
        left, right = describe(controller.state, config, translated), progress(controller, translated)
        if behind:
            right.append(Piece(Content.styled(behind, "$accent")))
        if others:
            left.append(Piece(Content.styled(others, "$success"), 6))
        if _markup(left, right) != _markup(self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render(self) -> Content:
        return fitted(self._left, self._right, self.content_size.width)


def fitted(left: list[Piece], right: list[Piece], width: int) -> Content:
    """Lays out both sides in `width` cells; omits light pieces if necessary, and then shortens the left side."""
    weights = sorted({piece.weight for piece in (*left, *right) if piece.weight < KEPT})
    for least in (0, *(weight + 1 for weight in weights)):
        one, other = _joined(left, least), _joined(right, least)
        if one.cell_length + other.cell_length + 2 <= width:
            break
    one = one.truncate(max(0, width - other.cell_length - 2), ellipsis=True)
    return Content.assemble(one, " " * max(1, width - one.cell_length - other.cell_length), other)


def describe(state: RunState, config: RunConfig, translated: Translation = str) -> list[Piece]:
    """Describes the run, e.g. "rnnplay  tales · LSTM 1×256 · 331k parameters · tales-lstm-256-01"."""
    config = state.config if state.run is not None else config
    corpus = corpus_label(config.corpus)
    model = model_text(config.cell, config.nonlinearity, config.layers, config.hidden)
    parts = [(visible_line(corpus), 3), (model, 4)]
    parameters = state.started.parameters if state.started else state.opened.parameters if state.opened else 0
    if parameters and not state.lent:  # whose they would be, while the shape is that of the form
        parts.append((translated("{} parameters").format(count_text(parameters)), 0))
    if state.run:
        parts.append((visible_line(state.run), KEPT))
    if state.origin:
        origin = translated("branch of {}").format(visible_line(state.origin))
        parts.append((origin, 2 if state.run else KEPT))
    brand = Piece(Content.styled("rnnplay", "bold $primary"), 1)
    return [brand, *(Piece(Content(text), weight, " · ") for text, weight in parts)]


def behind_text(behind: Sequence[RunState]) -> str:
    """Describes other runs that are trained here, e.g. "● tales-rnn-128-01 1,240/5,000 (O)"; "" for none."""
    if not behind:
        return ""
    first = behind[0]
    more = f" and {len(behind) - 1} more" if len(behind) > 1 else ""
    return f"● {visible_line(first.run or '')} {first.progress}{more} ({key_name('playground.other-run')})"


def progress(controller: RunController, translated: Translation = str) -> list[Piece]:
    """Describes the progress, e.g. "● training  1,240/5,000  62k tok/s  1:32 left"."""
    state = controller.state
    if state.phase is Phase.IDLE and not controller.engine_ready and not controller.engine_silent:
        return [Piece(Content.styled(f"◌ {translated('engine starting')}", MUTED))]
    mark, name, style = PHASES[state.phase]
    parts: list[tuple[str, int]] = []
    waits = controller.engine_silent or controller.engine_busy
    if state.phase is Phase.PREPARING:
        preparing = state.preparing
        if preparing and preparing.total:
            fraction = preparing.done / preparing.total
            parts.append(
                (
                    f"{translated(preparing.what)} {fraction:.0%}"
                    if fraction < 1
                    else translated("building the model"),
                    KEPT,
                )
            )
    elif state.followed:
        parts.append((translated(state.trained_by), 6))
    if state.phase is not Phase.PREPARING and state.step:
        parts.append((state.progress, KEPT))
        if state.followed and (quiet := _quiet_seconds(controller)) > QUIET_SECONDS:
            parts.append((f"no new step for {waited_text(quiet)}", 7))
        elif state.phase in (Phase.TRAINING, Phase.PAUSED, Phase.FOLLOWED):
            if not state.config.steps and state.fraction:
                parts.append((f"{state.fraction:.0%}", 5))
            if state.last and state.phase in (Phase.TRAINING, Phase.FOLLOWED) and not waits:
                parts.append((f"{count_text(state.last.tokens_per_second)} tok/s", 2))
            if not waits and (left := duration_text(state.seconds_left)):
                parts.append((translated("{} left").format(left), KEPT))
        if state.phase is Phase.FINISHED and state.reason == "early stop":
            parts.append((translated("early stop"), KEPT))
    if controller.engine_silent and not state.followed:
        mark, style = "✕", "$error"
        parts.append((translated("no answer for {}").format(waited_text(controller.engine_silent)), KEPT))
    elif controller.engine_busy and state.phase in RUNNING:
        parts.append((translated("at this step for {}").format(waited_text(controller.engine_busy)), KEPT))
    return [
        Piece(Content.styled(f"{mark} {translated(name)}", style)),
        *(Piece(Content(text), weight) for text, weight in parts),
    ]


def _quiet_seconds(controller: RunController) -> float:
    """How long ago the last record of a followed run was read, in seconds, beyond what its steps take."""
    if controller.followed is None:
        return 0.0
    return monotonic() - controller.followed.heard - 3 * (seconds_per_step(controller.state) or 0.0)


def _joined(pieces: list[Piece], least: int) -> Content:
    joined = Content("")
    after = ""
    for piece in pieces:
        if piece.weight >= least:
            joined, after = Content.assemble(joined, after, piece.content), piece.after
    return joined


def _markup(*sides: list[Piece]) -> list[tuple[str, int]]:
    return [(piece.content.markup, piece.weight) for side in sides for piece in side]
