"""The checkpoints of the run under way: choose one to go back to, by hand."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rnnplay.training.run_folder import RunFolder


class GoBackScreen(ModalScreen[str | None]):
    """Gives the step chosen, or None."""

    DEFAULT_CSS = """
    GoBackScreen { align: center middle; }
    GoBackScreen > Vertical {
        width: 56; max-width: 96%; height: auto; max-height: 80%; padding: 0 1;
        border: round $primary; border-title-color: $primary; background: $surface;
    }
    GoBackScreen OptionList { height: auto; max-height: 16; background: $surface; border: none; }
    GoBackScreen Static { height: auto; color: $foreground 65%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Back")]

    def __init__(self, run: RunFolder) -> None:
        super().__init__()
        self._checkpoints = sorted(run.checkpoints(), key=lambda one: one.step, reverse=True)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Go back to a checkpoint"
            if self._checkpoints:
                yield Static("What came after it is forgotten. Enter goes back, escape leaves it.", markup=False)
            else:
                yield Static("There is no checkpoint yet. Escape leaves.", markup=False)
            yield OptionList(
                *(
                    Option(
                        f"step {one.step:>9,}" + (f"   validation {one.loss:.3f}" if one.loss is not None else ""),
                        id=str(one.step),
                    )
                    for one in self._checkpoints
                )
            )

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_cancel(self) -> None:
        self.dismiss(None)
