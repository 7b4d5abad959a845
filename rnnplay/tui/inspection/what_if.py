"""What if: gates are held open or closed, or units clamped, and the predictions compared with the unchanged model's."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from rnnplay.engine import messages
from rnnplay.errors import InputError
from rnnplay.inspection.results import QUANTITY_NAMES, Candidate, Forced
from rnnplay.tui.inspection.forcing import STATES, Switch, clamp_text, described, parse_clamps, switches
from rnnplay.tui.inspection.view import Curves, InspectView
from rnnplay.tui.prompt.candidates import CandidateBars
from rnnplay.tui.prompt.next_bars import NextBars
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.widgets.text import Lines, translation_of
from rnnplay.tui.widgets.visible import FAINT, MUTED, padded, shortened, visible_line

BARS = 10


class WhatIfView(InspectView):
    """Sends the forced quantities to the engine, and asks for completions with and without them."""

    DEFAULT_CSS = """
    WhatIfView > Horizontal { height: 1fr; }
    WhatIfView #forces { width: 36; height: 1fr; }
    WhatIfView OptionList {
        height: auto; max-height: 1fr; border: none; background: transparent; padding: 0;
        &:focus { border: none; background-tint: transparent; }
        & > .option-list--option-highlighted { background: $panel; }
        &:focus > .option-list--option-highlighted { background: $primary 25%; }
    }
    WhatIfView #clamps { height: 1; margin-top: 1; }
    WhatIfView #clamps Static { width: auto; color: $foreground 65%; }
    WhatIfView Input {
        height: 1; width: 1fr; border: none; padding: 0; background: $foreground 6%;
        &:focus { border: none; background: $primary 25%; background-tint: transparent; }
    }
    WhatIfView .completion { width: 1fr; height: 1fr; margin-left: 2; }
    """
    NAME = "what if"
    DESCRIPTION = (
        "The same weights, but with gates held open (1) or closed (0) at every timestep: what changes is what that "
        "gate is for. A closed forget gate forgets at once; a closed input gate never learns of what it reads."
    )
    DESCRIPTION_GATELESS = (
        "The same weights, but with units of the hidden state held at a value at every timestep: what changes is what "
        "those units are for. A plain RNN has no gates that could be held open or closed."
    )
    HELP = """
    ## What if

    Force gates of the cell regardless of the weights, and compare the completions. Forced values also apply to the
    playground's prompt, which shows them, until they are released; samples and training are unaffected.

    - `enter`, `space` or a click on a gate: free, closed, open
    - `c` or a click on *clamp* types units to hold at a value: `3,7=0` or, in layer 2, `2:12-15=1`; an LSTM's cell
      state, else the hidden state
    - `u` releases everything
    - a click on a bar puts its token at the end of the text
    - `e` or a click edits the text, `escape` leaves it
    """
    READS_TEXT = True
    INTERVAL = 1.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "switch", "Free/0/1", id="what-if.switch"),
        Binding("c", "clamp", "Clamp", id="what-if.clamp"),
        Binding("u", "release", "Release", id="what-if.release"),
    ]

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__(controller, curves)
        self._switches: list[Switch] | None = None
        """None while the model is unknown."""
        self._made_for: object = None
        self._first = ""
        """The quantity selected first."""
        self._asked_for = self._bars_for = ""
        """The text of the last question, and the text that the bars continue."""

    def begin_with(self, quantity: str) -> None:
        self._first = quantity

    @property
    def description(self) -> str:
        return self.DESCRIPTION_GATELESS if self._switches == [] else self.DESCRIPTION

    def compose(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="forces"):
                yield OptionList(id="switches")
                with Horizontal(id="clamps"):
                    yield Static("clamp ")
                    yield Input(placeholder="3,7=0", id="clamp-input", select_on_focus=False)
                yield Static("", id="clamp-error")
            for side in ("untouched", "forced"):
                with Vertical(classes="completion"):
                    yield Lines(id=f"{side}-text")
                    yield CandidateBars(id=f"{side}-bars")

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False
        with self.prevent(Input.Changed):
            self.query_one(Input).value = clamp_text(self.controller.forced)
        self.refresh_state()

    def refresh_state(self) -> None:
        """Lists the gates of the current model."""
        config = self.state.config
        made_for = config.cell, config.layers, self.controller.forced
        if self.state.run is None or made_for == self._made_for:
            return
        options = self.query_one(OptionList)
        wanted = switches(config.cell, config.layers)
        prompts = [self._prompt(switch, config.layers) for switch in wanted]
        if wanted == self._switches:
            for index, prompt in enumerate(prompts):
                options.replace_option_prompt_at_index(index, prompt)
        else:
            self._switches = wanted
            options.clear_options()
            options.add_options([Option(prompt) for prompt in prompts])
            options.highlighted = self._beginning(wanted) if wanted else None
            if not wanted:
                self._say(*self.told([Content.styled("A plain RNN has no gates; clamp its hidden units.", MUTED)]))
        self._made_for = made_for

    def _beginning(self, wanted: list[Switch]) -> int:
        return next((at for at, (_, quantity) in enumerate(wanted) if quantity == self._first), 0)

    def _prompt(self, switch: Switch, layers: int) -> Content:
        layer, quantity = switch
        value = self._value(switch)
        state, style = {
            None: ("○ free", FAINT),
            0.0: ("✕ closed 0", "bold $warning"),
            1.0: ("◉ open 1", "bold $accent"),
        }[value]
        where = f"layer {layer + 1} " if layers > 1 else ""
        return Content.assemble(
            (padded(translation_of(self)(f"{where}{QUANTITY_NAMES[quantity]}"), 22), "$foreground"), (state, style)
        )

    def _value(self, switch: Switch) -> float | None:
        values = [one.value for one in self.controller.forced if (one.layer, one.quantity) == switch and not one.units]
        return values[-1] if values and values[-1] in STATES else None

    # --- completions ----------------------------------------------------------------------------------------

    def ask(self) -> int | None:
        self._asked_for = self.text
        return self.controller.complete(self.text, BARS, purpose="view")

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        if not isinstance(event, messages.Completion):
            return
        self.shown_step = event.step
        self._bars_for = self._asked_for
        self._show("untouched", "untouched", event.suggestion, event.next)
        if event.forced is not None:
            self._show("forced", "forced", event.forced.suggestion, event.forced.next)
        else:
            note = "waiting for the engine" if self.controller.forced else "nothing is forced"
            self.query_one("#forced-text", Lines).show(
                self.told([Content.styled(line, FAINT) for line in ("forced", note)])
            )
            choose = "choose a gate" if self._switches else "c clamps units"
            hint = [] if self.controller.forced else self.told([Content.styled(choose, FAINT)])
            self.query_one("#forced-bars", CandidateBars).show_note(hint)

    @on(NextBars.Taken)
    def _token_taken(self, event: NextBars.Taken) -> None:
        if self._bars_for != self.text:  # the token may not fit the new text
            event.stop()

    def _show(self, side: str, title: str, suggestion: str, following: list[Candidate]) -> None:
        lines = self.query_one(f"#{side}-text", Lines)
        width = max(lines.size.width, 12)
        told = shortened(visible_line(suggestion), max(4, width - 1))
        lines.show([*self.told([Content.styled(title, FAINT)]), Content.assemble("…", (told, "bold $accent"))])
        self.query_one(f"#{side}-bars", CandidateBars).show_tokens(following, width)

    # --- forcing --------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if action == "release":
            return bool(self.controller.forced)
        if action == "switch":
            return bool(self._switches) and self.query_one(OptionList).has_focus
        return True

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._switch(event.option_index)

    def action_switch(self) -> None:
        if (at := self.query_one(OptionList).highlighted) is not None:
            self._switch(at)

    def _switch(self, index: int) -> None:
        assert self._switches
        switch = self._switches[index]
        value = STATES[(STATES.index(self._value(switch)) + 1) % len(STATES)]
        kept = [one for one in self.controller.forced if (one.layer, one.quantity) != switch or one.units]
        if value is not None:
            kept.append(Forced(layer=switch[0], quantity=switch[1], value=value))
        self._force(kept)

    def _force(self, forced: list[Forced]) -> None:
        self.controller.force(forced)
        self.refresh_state()
        layers = self.state.config.layers
        self._say(Content.styled(f"forced: {described(forced, layers)}", "$warning") if forced else Content(""))
        self.refresh_bindings()
        self.post_message(self.Changed())

    def _say(self, text: Content) -> None:
        self.query_one("#clamp-error", Static).update(text)

    @on(Input.Changed, "#clamp-input")
    def _clamps_typed(self, event: Input.Changed) -> None:
        event.stop()
        config = self.state.config
        if self.state.run is None:
            return
        try:
            clamps = parse_clamps(event.value, config.cell, config.layers, config.hidden)
        except InputError as error:
            self._say(Content.styled(visible_line(str(error)), "$error"))
            return
        self._force([*(one for one in self.controller.forced if not one.units), *clamps])

    @on(Input.Submitted, "#clamp-input")
    def _clamps_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_body()

    def action_clamp(self) -> None:
        self.screen.set_focus(self.query_one("#clamp-input", Input))

    def action_release(self) -> None:
        """Ends all forcing."""
        with self.prevent(Input.Changed):
            self.query_one("#clamp-input", Input).value = ""
        self._force([])
