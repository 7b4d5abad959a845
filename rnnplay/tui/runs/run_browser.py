"""The state of the list of runs: which are shown in which order, which are chosen, and which are being trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rnnplay.errors import InputError
from rnnplay.runs.browsing.filtering import RunFilter, begun_field, read_filter
from rnnplay.runs.browsing.parents import Parents
from rnnplay.runs.browsing.sorting import NEWEST_FIRST, Order, in_order, next_order
from rnnplay.runs.browsing.training_now import Training
from rnnplay.runs.browsing.tree import Branch, as_tree
from rnnplay.runs.index import ListedRun
from rnnplay.tui.runs.run_cells import COLUMNS, SORTED_BY, cells_of, natural_widths, training_text

MOST_CHOSEN = 12
"""Runs that can be compared at once."""


class RunBrowser:
    """The list of runs, apart from its widget."""

    def __init__(self, year: int) -> None:
        """`year`: the current one, which dates leave out."""
        self._year = year
        self.runs: list[ListedRun] = []
        """All runs, in their order."""
        self.rows: list[Branch] = []
        """The runs that are shown, in their order."""
        self.order: Order = NEWEST_FIRST
        self.tree = False
        """Whether branches are below their parents."""
        self.filter_text = ""
        self.chosen: list[str] = []
        """The names of the runs chosen for comparison, in the order in which they were."""
        self.training: Mapping[str, Training] = {}
        """The runs that are being trained, by name."""
        self.widths: dict[str, int] = natural_widths(())
        """The natural width of each column."""
        self._filter = RunFilter()
        self._parents = Parents(())
        self._cells: dict[str, dict[str, str]] = {}
        self._at: dict[str, int] = {}

    @property
    def indent(self) -> int:
        """The greatest width of the lines of the tree."""
        return max((len(row.lines) for row in self.rows), default=0) if self.tree else 0

    def take(self, runs: Sequence[ListedRun]) -> None:
        """Replaces the runs."""
        self.runs = list(runs)
        self._parents = Parents(runs)
        self._cells = {run.name: cells_of(run, self._year) for run in runs}
        self.chosen = [name for name in self.chosen if name in self._cells]
        self.widths = natural_widths(self._cells.values())
        self._measure_training()
        self._order()

    def take_training(self, training: Mapping[str, Training]) -> bool:
        """Replaces what is known of runs that are being trained; returns whether that changes what is shown."""
        if training == self.training:
            return False
        self.training = training
        self._measure_training()
        return True

    def _measure_training(self) -> None:
        now = [training_text(training) for name, training in self.training.items() if name in self._cells]
        self.widths["now"] = max((len(text) for text in now), default=0)

    def filter(self, text: str) -> str:
        """Shows the runs that `text` chooses. Returns what is wrong with it, and then the list stays; "" if nothing.

        A list is not emptied by a word that may become a term.
        """
        try:
            chosen = read_filter(text)
        except InputError as error:
            return str(error)
        runs, field = chosen.chosen(self.runs), begun_field(text)
        if field and self.rows and not runs:
            return f"No run has this in its name or notes; to compare {field}, go on with = != < <= > or >=."
        self._filter, self.filter_text = chosen, text
        self._show(runs)
        return ""

    def sort_by(self, column: str) -> None:
        """Orders the runs by a column; if they are already, the other way round."""
        by = SORTED_BY.get(column)
        if by is not None:
            self.order = next_order(self.order, by)
            self._order()

    def sort_by_next(self, shown: Sequence[str]) -> None:
        """Orders the runs by the next of the columns `shown`."""
        names = [name for name in COLUMNS if name in shown and SORTED_BY[name]]
        at = names.index(self.order.column) if self.order.column in names else -1
        if names:
            self.sort_by(names[(at + 1) % len(names)])

    def switch_tree(self) -> None:
        """Shows branches below their parents, or all runs alike."""
        self.tree = not self.tree
        self._show(self._filter.chosen(self.runs))

    def _order(self) -> None:
        """Puts all runs in order, so that a filter, with each key, need not."""
        self.runs = in_order(self.runs, self.order)
        self._show(self._filter.chosen(self.runs))

    def _show(self, runs: Sequence[ListedRun]) -> None:
        self.rows = as_tree(runs) if self.tree else [Branch(run, "") for run in runs]
        self._at = {row.run.name: at for at, row in enumerate(self.rows)}

    def origin_text(self, run: ListedRun) -> str:
        """What a run was branched from, and what became of that; "" if it is not a branch."""
        origin = self._parents.origin(run)
        return "" if origin is None else origin.text

    def row_of(self, name: str | None) -> int | None:
        """Returns the row of a run; None if it is not shown."""
        return None if name is None else self._at.get(name)

    def run_named(self, name: str) -> ListedRun | None:
        """Returns a run that is shown."""
        at = self._at.get(name)
        return None if at is None else self.rows[at].run

    def beside(self, name: str) -> str | None:
        """Returns the run below one, or above the last: where the cursor goes when that one is removed."""
        at = self._at.get(name)
        if at is None or len(self.rows) < 2:
            return None
        return self.rows[at + 1 if at + 1 < len(self.rows) else at - 1].run.name

    def cells(self, name: str) -> dict[str, str]:
        """Returns the text of each column for the run of that name."""
        cells = self._cells[name]
        training = self.training.get(name)
        if training is None:
            return cells
        return {
            **cells,
            "now": training_text(training),
            "step": f"{training.step:,}" if training.step else cells["step"],
        }

    def choose(self, name: str) -> bool:
        """Chooses a run, or no longer; returns False if no more can be chosen."""
        if name in self.chosen:
            self.chosen.remove(name)
        elif len(self.chosen) >= MOST_CHOSEN:
            return False
        else:
            self.chosen.append(name)
        return True

    def rename(self, old: str, new: str) -> None:
        """Keeps a run chosen under its new name."""
        self.chosen = [new if name == old else name for name in self.chosen]

    @property
    def count_text(self) -> str:
        """How many runs are shown and chosen: "12 of 5,000 runs, 2 chosen"."""
        total = len(self.runs)
        runs = "run" if total == 1 else "runs"
        shown = f"{len(self.rows):,} of {total:,} {runs}" if len(self.rows) != total else f"{total:,} {runs}"
        training = sum(name in self._cells for name in self.training)
        parts = [shown]
        if training:
            parts.append(f"{training:,} being trained")
        if self.chosen:
            parts.append(f"{len(self.chosen)} chosen")
        return ", ".join(parts)
