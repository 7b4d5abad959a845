"""A dialog that asks what a new run takes over from the checkpoint that it is branched from."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rnnplay.config import RunConfig
from rnnplay.engine.messages import BranchFrom
from rnnplay.runs.lock import Hold
from rnnplay.runs.shipped import find_model
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import key_name
from rnnplay.tui.screens.dialogs import Dialog, DialogBox
from rnnplay.workspace import Workspace

SHRINK = 0.5
"""What the weights are multiplied by for a text of another kind; measured in docs/measurements/performance.md."""


class ParentSettings(NamedTuple):
    """A checkpoint to branch from."""

    name: str
    """RUN@STEP."""
    created: str
    """`RunInfo.created` of the run."""
    config: RunConfig
    """The settings that its branch begins with."""
    hold: Hold
    """Keeps the checkpoint from being deleted as an old one while the run trains on."""


def read_parent(name: str, workspace: Workspace) -> ParentSettings:
    """Reads what "RUN", "RUN@STEP" or "RUN@best" names, and holds it; raises InputError or OSError."""
    from rnnplay.runs.branching import branch_settings, find_parent  # imported on first use: slow

    parent = find_parent(name, lambda run: find_model(run, workspace))
    return ParentSettings(parent.name, parent.info.created, branch_settings(parent, workspace), parent.hold)


class BranchScreen(Dialog[BranchFrom | None]):
    """Asks whether a branch begins with the optimizer's state, too; the result is None if it is not wanted."""

    DEFAULT_CSS = """
    BranchScreen > DialogBox { width: 66; }
    BranchScreen OptionList { height: auto; max-height: 8; background: $surface; border: none; }
    BranchScreen Static { height: auto; color: $foreground 65%; }
    """
    HELP = """
    ## Branch

    A branch is a new run that begins with the weights of this checkpoint, with its settings and its vocabulary. Text,
    learning rate, clipping and the like can be changed in the form before `{playground.train}` starts it; what the
    weights' shapes depend on stays. The run that it comes from is not changed.

    The optimizer's state (Adam's means, the momentum) is of use where the branch goes on with the same text. On another
    text the weights alone are the usual beginning. Weights of half their size are less sure of what they learned, and
    learn a text of another kind faster.
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="everywhere.back"), *HELP_KEYS]

    def __init__(self, parent: ParentSettings) -> None:
        super().__init__()
        self._origin = parent

    def compose(self) -> ComposeResult:
        with DialogBox() as box:
            box.border_title = "Branch"
            yield Static(
                f"A new run begins at {self._origin.name}, with that run's settings, which can then be changed in the "
                f"form. Enter chooses what it takes over, {key_name('everywhere.back')} cancels.",
                markup=False,
            )
            yield OptionList(
                Option("the weights; the optimizer begins anew", id="weights"),
                Option(f"the weights × {SHRINK:g}, for a text of another kind", id="shrunk"),
                Option(f"the weights and the optimizer's state ({self._origin.config.optimizer})", id="optimizer"),
            )

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        origin, chosen = self._origin, event.option.id
        self.dismiss(
            BranchFrom(
                checkpoint=origin.name,
                created=origin.created,
                with_optimizer=chosen == "optimizer",
                shrink=SHRINK if chosen == "shrunk" else 1.0,
            )
        )

    def action_cancel(self) -> None:
        self.dismiss(None)
