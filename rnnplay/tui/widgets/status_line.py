"""The top line: what is being trained on the left, how far it is on the right."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from rnnplay.config import RunConfig
from rnnplay.tui.session import RUNNING, Phase, Session, count_text, seconds_text, waited_text
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
}


class StatusLine(Widget):
    """One row; repainted only when what it says has changed."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; background: $background; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__(id=id)
        self._left = Content("")
        self._right = Content("")

    def show(self, session: Session, config: RunConfig) -> None:
        """Say where `session` stands; `config` is what the form holds while there is no run."""
        left, right = describe(session, config), state(session)
        if (left.markup, right.markup) != (self._left.markup, self._right.markup):
            self._left, self._right = left, right
            self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        room = width - self._left.cell_length - self._right.cell_length
        if room >= 2:
            return Content.assemble(self._left, " " * room, self._right)
        shorter = self._left.truncate(max(0, width - self._right.cell_length - 2), ellipsis=True)
        space = max(1, width - shorter.cell_length - self._right.cell_length)
        return Content.assemble(shorter, " " * space, self._right)


def describe(session: Session, config: RunConfig) -> Content:
    """ "rnnplay  tales · LSTM 1×256 · 331k parameters"."""
    config = session.config or config
    corpus = config.corpus.replace("\\", "/").rsplit("/", 1)[-1]
    cell = config.cell.upper() if config.cell != "rnn" else f"RNN ({config.nonlinearity})"
    parts = [corpus, f"{cell} {config.layers}×{config.hidden}"]
    parameters = session.started.parameters if session.started else session.opened.parameters if session.opened else 0
    if parameters:
        parts.append(f"{count_text(parameters)} parameters")
    if session.run:
        parts.append(session.run)
    return Content.assemble(("rnnplay", "bold $primary"), "  ", visible_line(" · ".join(parts)))


def state(session: Session) -> Content:
    """ "● training  1,240/5,000  62k tok/s  1:32 left"."""
    if session.phase is Phase.IDLE and not session.engine_ready and not session.engine_silent:
        return Content.styled("◌ engine starting", MUTED)
    mark, name, style = PHASES[session.phase]
    parts: list[str] = []
    waits = session.engine_silent or session.engine_busy
    if session.phase is Phase.PREPARING:
        preparing = session.preparing
        if preparing and preparing.total:
            share = preparing.done / preparing.total
            parts.append(f"{preparing.what} {share:.0%}" if share < 1 else "building the model")
    elif session.step:
        parts.append(session.progress)
        if session.phase in (Phase.TRAINING, Phase.PAUSED):
            if session.config and not session.config.steps and session.fraction:
                parts.append(f"{session.fraction:.0%}")
            if session.last and session.phase is Phase.TRAINING and not waits:
                parts.append(f"{count_text(session.last.tokens_per_second)} tok/s")
            if not waits and (left := seconds_text(session.seconds_left)):
                parts.append(f"{left} left")
        if session.phase is Phase.FINISHED and session.reason == "early stop":
            parts.append("early stop")
    if session.engine_silent:
        mark, style = "✕", "$error"
        parts.append(f"no answer for {waited_text(session.engine_silent)}")
    elif session.engine_busy and session.phase in RUNNING:
        parts.append(f"at this step for {waited_text(session.engine_busy)}")
    return Content.assemble((f"{mark} {name}", style), *(f"  {part}" for part in parts))
