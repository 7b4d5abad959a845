"""The prompt and its answers: input with ghost text, the next tokens, samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from rnnplay.config import SamplingConfig
from rnnplay.engine.messages import Completion
from rnnplay.tui.prompt.ghost_input import GhostInput
from rnnplay.tui.prompt.next_bars import ForcedLine, NextBars
from rnnplay.tui.prompt.prompt_history import PromptHistory
from rnnplay.tui.prompt.sample_view import SampleView
from rnnplay.tui.prompt.sampling_row import SamplingRow
from rnnplay.tui.prompt.word_row import WordRow
from rnnplay.tui.setup.knob_field import KnobField
from rnnplay.tui.widgets.text import BoundedText
from rnnplay.tui.widgets.visible import visible_line

TALL_ROWS, BESIDE_COLUMNS = 6, 60
"""From this size on, the next tokens are bars beside the samples; below it, one row."""
WORDS_ROWS = 7
"""The least height at which the words to choose from have a row."""
FRAME = 6
"""Cells of the lower border around its text."""
TITLE = "Prompt"
UNTRAINED = "train a model first, then type here"
READY = "type the beginning of a text"
COMING = "type the beginning of a text; the model is on its way"
NONE = "this run has no model that can be loaded"
WAITING = "… a sample from here is written as soon as the model is there"
HINT = "Enter writes a sample from here."


class PromptPane(Vertical):
    """Posts the requests of the user to the model; the app answers with `show_completion` and `append_sample`."""

    DEFAULT_CSS = """
    PromptPane {
        height: 1fr; padding: 0 1;
        & > #prompt-line { height: 1; }
        & #prompt-mark { width: 2; color: $primary; text-style: bold; }
        & > WordRow { display: none; padding: 0 0 0 1; }
        &.-words > WordRow { display: block; }
        & > #forced { display: none; height: 1; width: 1fr; }
        &.-forced > #forced { display: block; }
        & > SamplingRow { display: none; }
        & > #prompt-answer { height: 1fr; layout: vertical; }
        & > #prompt-error { display: none; color: $error; }
        & > #prompt-error.shown { display: block; }
        & > #prompt-error.waiting { color: $warning; }
        & NextBars { height: 1; dock: top; }
        &.-settings > SamplingRow { display: block; }
        &.-beside > #prompt-answer {
            layout: horizontal;
            & > SampleView { width: 1fr; height: 1fr; }
            & > NextBars { dock: none; width: 28; height: 1fr; margin-left: 2; }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Stop the sample", id="everywhere.back"),
        Binding("ctrl+y", "copy", "Copy the sample", show=False, id="prompt.copy"),
        # Tab stays in a prompt that has text.
        Binding("down", "down", "Next word, or the settings of the sample", show=False, id="prompt.down"),
        Binding("up", "up", "Word before, or an earlier prompt", show=False, id="prompt.up"),
    ]

    @dataclass
    class Typed(Message):
        """The prompt changed to `text`."""

        text: str

    @dataclass
    class SampleWanted(Message):
        """Enter requests a sample from `prompt`.

        A seed of 0 has been replaced by a random one, so that it can be shown.
        """

        prompt: str
        sampling: SamplingConfig

    @dataclass
    class CancelWanted(Message):
        """The user cancelled the current sample."""

    def __init__(self, *, history: PromptHistory | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._history = history or PromptHistory()
        self._available = False
        self._translated: Callable[[str], str] = str
        self._coming = self._waiting = False
        self._missing = UNTRAINED
        """Why there is no model."""
        self._bars_for = ""
        """The prompt of the next tokens shown."""
        self._from_history = ""
        """The last prompt taken from the history."""
        self._asked: SamplingConfig | None = None
        self._source: list[str] = []
        self._input = GhostInput(UNTRAINED, id="prompt-input")
        self._words = WordRow(id="words")
        self._bars = NextBars(id="next-bars")
        self._samples = SampleView(id="samples")
        self._row = SamplingRow(id="sampling")
        self._forced = ForcedLine(id="forced")
        self._error = BoundedText(id="prompt-error", rows=3)

    def compose(self) -> ComposeResult:
        with Horizontal(id="prompt-line"):
            yield Static("›", id="prompt-mark")
            yield self._input
        yield self._words
        yield self._forced
        yield self._row
        yield self._error
        with Vertical(id="prompt-answer"):
            yield self._samples
            yield self._bars

    # --- for the app ----------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The prompt."""
        return self._input.value

    @text.setter
    def text(self, text: str) -> None:
        self._input.value = text
        self._input.cursor_position = len(text)

    @property
    def sampling(self) -> SamplingConfig:
        """The settings of the next sample; setting it fills the fields."""
        return self._row.config

    @sampling.setter
    def sampling(self, sampling: SamplingConfig) -> None:
        self._row.config = sampling

    @property
    def streaming(self) -> bool:
        """Whether a sample is being written."""
        return self._samples.streaming

    def focus_input(self) -> None:
        """Focuses the input."""
        self.screen.set_focus(self._input)  # at once: the next key may already be waiting

    def show_completion(self, text: str, completion: Completion) -> None:
        """Shows the model's answer to `text`, except for what no longer fits the current prompt."""
        self._input.suggest(text, completion)
        self._forced.answer(completion.forced)
        if text == self._input.value:
            self._bars_for = text
            self._bars.show(completion.next, completion.unknown)

    def set_forced(self, what: str) -> None:
        """Names the forced value of the model; "" for none."""
        self._forced.show(what)
        self.set_class(bool(what), "-forced")

    def set_source(self, *parts: str) -> None:
        """Says on the lower border which weights answer, where they are not the newest; the last parts if they fit."""
        self._source = [part for part in parts if part]
        self._show_source()

    def _show_source(self) -> None:
        parts = self._source
        while len(parts) > 1 and cell_len(" · ".join(parts)) > self.outer_size.width - FRAME:
            parts = parts[:-1]
        if (text := " · ".join(parts)) != self.border_subtitle:
            self.border_subtitle = text

    def clear_completion(self) -> None:
        """Removes the last answer."""
        self._input.forget()
        self._bars.show([])

    def start_sample(self, prompt: str, step: int) -> None:
        """Starts a sample from `prompt` with the weights after `step` steps."""
        self._samples.start(prompt, _header(self._asked or self._row.config, step))
        self.refresh_bindings()

    def append_sample(self, text: str, done: bool = False) -> None:
        """Adds text to the current sample."""
        self._samples.append(text, done)
        if done:
            self.refresh_bindings()

    def set_model(self, available: bool, coming: bool = False, none: bool = False) -> None:
        """Says whether there is a model to answer, or one to come, for which Enter waits, or `none` of the run."""
        self._available, self._coming = available, coming
        self._missing = NONE if none else UNTRAINED
        self._say_what_to_type()
        waiting = self._waiting
        if waiting and not coming:
            self._wait(False)
        if available:
            self._show_error("")
            if waiting:
                self._sample()
        else:
            self.clear_completion()

    def translate(self, translated: Callable[[str], str]) -> None:
        """Shows the title and what to type as `translated` has them."""
        self._translated = translated
        self.border_title = translated(TITLE)
        self._say_what_to_type()

    def _say_what_to_type(self) -> None:
        what = READY if self._available else COMING if self._coming else self._missing
        self._input.placeholder = self._translated(what)
        # Once something is typed the placeholder says nothing any more. Of a model to come the border does.
        hint = HINT if self._available else what if self._input.value and not self._coming else ""
        self._samples.set_hint(self._translated(hint) if hint else "")

    # --- what a user does ---------------------------------------------------------------------------------

    @on(Input.Changed, "#prompt-input")
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._wait(False)
        self._end_stream()
        self._say_what_to_type()
        if event.value != self._from_history:
            self._history.leave()
        self.post_message(self.Typed(event.value))

    @on(Input.Submitted, "#prompt-input")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._sample()

    def _sample(self) -> None:
        if self._row.error:
            self._show_error(self._row.error)
            return
        if not self._available:
            if self._coming:
                self._wait(True)
            else:
                self._show_error(self._translated(self._missing))
            return
        self._end_stream()
        self._history.add(self._input.value)
        sampling = self._row.config.seeded
        self._asked = sampling
        self.post_message(self.SampleWanted(self._input.value, sampling))

    def _wait(self, waiting: bool) -> None:
        """Records whether a sample is waiting for the model, and shows it."""
        if waiting != self._waiting:
            self._waiting = waiting
            self._show_error(self._translated(WAITING) if waiting else "", error=not waiting)
            self.refresh_bindings()

    @on(GhostInput.Suggested)
    def _suggested(self, event: GhostInput.Suggested) -> None:
        event.stop()
        suggestions = self._input.suggestions
        self._words.show(suggestions.words, suggestions.shown)

    @on(WordRow.Taken)
    def _word_taken(self, event: WordRow.Taken) -> None:
        event.stop()
        self._input.action_end()
        self._input.action_accept_number(event.number + 1)
        self.focus_input()

    @on(NextBars.Taken)
    def _token_taken(self, event: NextBars.Taken) -> None:
        event.stop()
        if self._bars_for == self.text:  # the token may be useless for another prompt
            self.text += event.text
        self.focus_input()

    @on(SamplingRow.Changed)
    def _sampling_changed(self, event: SamplingRow.Changed) -> None:
        event.stop()
        self._show_error(event.error)

    def _show_error(self, text: str, *, error: bool = True) -> None:
        """Shows an error or a note over the whole width, until it is called with ""."""
        self._error.update(visible_line(text))
        self._error.set_class(not error, "waiting")
        self._error.set_class(bool(text), "shown")

    def _end_stream(self) -> None:
        if self._samples.streaming:
            self.append_sample("", done=True)
            self.post_message(self.CancelWanted())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leaves escape to the screen unless a sample is being written or waited for."""
        if action == "down":
            return self._input.has_focus
        if action == "up":
            return self._input.has_focus or self._row.has_focus_within
        return self.streaming or self._waiting if action == "cancel" else True

    def action_down(self) -> None:
        """Moves to the next word, or to a later prompt; after the last to the first setting below."""
        if self._history.walking:
            self._show_prompt(self._history.newer())
        elif not self._input.walk(1) and self._row.display:
            self.screen.set_focus(self._row.query(KnobField).first())

    def action_up(self) -> None:
        """Moves to the word before, or to an earlier prompt; from the settings to the prompt."""
        if self._row.has_focus_within:
            self.focus_input()
        elif self._history.walking or not self._input.walk(-1):
            self._show_prompt(self._history.older(self._input.value))

    def _show_prompt(self, text: str | None) -> None:
        if text is not None:
            self._from_history = self.text = text

    def action_cancel(self) -> None:
        """Cancels the current sample, or the request that waits for the model."""
        self._wait(False)
        self._end_stream()

    def action_copy(self) -> None:
        """Copies the last sample."""
        self._samples.action_copy()

    def on_resize(self) -> None:
        self._show_source()
        width, height = self.content_size
        before = self.classes
        self.set_class(height >= 4, "-settings", update=False)
        self.set_class(height >= WORDS_ROWS, "-words", update=False)
        self.set_class(height >= TALL_ROWS and width >= BESIDE_COLUMNS, "-beside", update=False)
        if self.classes != before:
            self.update_node_styles()  # of everything in it: computed once for both


def _header(sampling: SamplingConfig, step: int) -> str:
    """ "seed 7 · step 1,240 · temperature 0.8" and other unusual settings; first those that reproduce the sample."""
    parts = [f"seed {sampling.seed}", f"step {step:,}", f"temperature {sampling.temperature:g}"]
    if sampling.top_k:
        parts.append(f"top k {sampling.top_k}")
    if sampling.top_p < 1:
        parts.append(f"top p {sampling.top_p:g}")
    if sampling.min_p:
        parts.append(f"min p {sampling.min_p:g}")
    if sampling.typical_p < 1:
        parts.append(f"typical p {sampling.typical_p:g}")
    if sampling.repetition_penalty != 1:
        parts.append(f"penalty {sampling.repetition_penalty:g} over {sampling.repetition_window:,}")
    if sampling.stop != "off":
        parts.append(f"stop {visible_line(sampling.stop)}")
    if sampling.whole_sentences:
        parts.append("whole sentences")
    return " · ".join(parts)
