"""Draws one timestep of an LSTM with its numbers on it, stage by stage: for the interface and `rnnplay inspect`.

The drawing is WIDTH cells wide and shows two units; no torch.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

from rich.cells import cell_len

from rnnplay.inspection.results import LSTMNumbers, Timestep

Stage = Literal["gates", "cell", "output", "loss", "back to h", "back to c", "back to gates", "back in time"]
"""The stages of the walk: the first four go forward, the others backward."""

STAGES: tuple[Stage, ...] = get_args(Stage)
WIDTH = 78
UNITS = 2
"""Units that the drawing has room for."""
MINUS = "−"

Kind = Literal["wire", "label", "old", "new"]
"""What a piece of a row is: a line, a name, a number of an earlier stage, a number of this stage."""


class Piece(NamedTuple):
    """A part of a row of the drawing."""

    text: str
    kind: Kind


TITLES: dict[Stage, str] = {
    "gates": "forward: the gates and the new content",
    "cell": "forward: the cell state",
    "output": "forward: the hidden state",
    "loss": "forward: the loss",
    "back to h": "backward: ∂L/∂h, from the loss",
    "back to c": "backward: ∂L/∂o and ∂L/∂c",
    "back to gates": "backward: ∂L/∂f, ∂L/∂i and ∂L/∂c̃",
    "back in time": "backward: to the timestep before",
}
"""What each stage computes; of a backward one each number in the picture is the gradient of what it stands at."""

_NEW: dict[Stage, tuple[str, ...]] = {
    "gates": ("hidden_before", "cell_before", "forget_gate", "input_gate", "new_cell", "output_gate"),
    "cell": ("cell",),
    "output": ("squashed", "hidden"),
    "loss": ("loss",),
    "back to h": ("hidden",),
    "back to c": ("output_gate", "squashed", "cell"),
    "back to gates": ("forget_gate", "input_gate", "new_cell"),
    "back in time": ("cell_before", "hidden_before"),
}
"""The numbers that each stage adds."""

_F, _I, _C, _O = 14, 29, 45, 59
"""Columns of the wires of the forget gate, the input gate, the new content and the output gate."""
_SUM = 37
"""Column of i ∘ c̃ and the sum that it enters."""
_RIGHT = 65


def is_backward(stage: Stage) -> bool:
    """Returns whether the numbers of `stage` are gradients."""
    return STAGES.index(stage) >= STAGES.index("back to h")


def number(value: float) -> str:
    """Formats a number in six cells: "+0.831", "−12.50", "+4e-05"."""
    if not math.isfinite(value):
        return f"{value:>6}"
    if (value and abs(value) < 0.0005) or abs(value) >= 100:
        text = f"{value:+.0e}"
    else:
        text = f"{value:+.3f}" if abs(value) < 9.9995 else f"{value:+.2f}"
    return text.replace("-", MINUS, 1) if text[0] == "-" else text


def numbers(values: list[float]) -> str:
    """Formats one number per unit."""
    return " ".join(map(number, values[:UNITS]))


def drawing(found: Timestep, stage: Stage, read: str) -> list[list[Piece]]:
    """Returns the rows of the picture; `read` is the token that was read, as displayed."""
    backward = is_backward(stage)
    known, fresh = _known(stage)
    shown = found.gradients if backward else found.values

    def value(name: str) -> Piece:
        kind: Kind = "new" if name in fresh else "old"
        return Piece(numbers(getattr(shown, name)), kind) if name in known else Piece("·", "wire")

    left, right = ("◀", "─") if backward else ("─", "▶")
    arrow = f"{left}{'─' * (_F - 7)}"
    top = (
        f"{arrow}×{'─' * (_SUM - _F - 1)}+{'─' * (_O - _SUM - 1)}┬{'─' * 11}{right}",
        f"×{'─' * 11}{right}",
    )
    grid = _Grid()
    grid.put(0, 0, Piece("c⁽ᵗ⁻¹⁾", "label"))
    grid.put(0, 6, Piece(top[0], "wire"))
    grid.put(0, 73, Piece("c⁽ᵗ⁾", "label"))
    grid.put(1, 0, value("cell_before"))
    grid.put(1, _RIGHT, value("cell"))
    for row in range(1, 7):
        grid.put(row, _F, Piece("│", "wire"))
    grid.put(1, _SUM, Piece("│", "wire"))
    grid.put(2, _I, Piece(f"┌{'─' * (_SUM - _I - 1)}×{'─' * (_C - _SUM - 1)}┐", "wire"))
    for row in range(3, 7):
        grid.put(row, _I, Piece("│", "wire"))
        grid.put(row, _C, Piece("│", "wire"))
    for row in (1, 3, 5, 6):
        grid.put(row, _O, Piece("│", "wire"))
    grid.put(2, _O - 2, Piece("tanh", "label"))
    grid.put(2, _RIGHT, value("squashed"))
    grid.put(4, _O, Piece(top[1], "wire"))
    grid.put(4, 73, Piece("h⁽ᵗ⁾", "label"))
    grid.put(5, _RIGHT, value("hidden"))
    grid.put(6, _F - 2, Piece("f = σ", "label"))
    grid.put(6, _I - 2, Piece("i = σ", "label"))
    grid.put(6, _C - 3, Piece("c̃ = tanh", "label"))
    grid.put(6, _O - 2, Piece("o = σ", "label"))
    for column, name in ((_F, "forget_gate"), (_I, "input_gate"), (_C, "new_cell"), (_O, "output_gate")):
        shown_value = value(name)
        grid.put(7, column - len(shown_value.text) // 2, shown_value)
    grid.put(8, 2, Piece(f"┌{'─' * (_F - 3)}", "wire"))
    grid.put(8, _F, Piece(f"┴{'─' * (_I - _F - 1)}┴{'─' * (_C - _I - 1)}┴{'─' * (_O - _C - 1)}┘", "wire"))
    grid.put(9, 0, Piece("h⁽ᵗ⁻¹⁾", "label"))
    grid.put(9, 7, value("hidden_before"))
    grid.put(9, 24, Piece("x⁽ᵗ⁾", "label"))
    grid.put(9, 29, Piece(f"“{read}”", "old"))
    grid.put(8, _RIGHT - 2, Piece(f"L = {MINUS}ln p(next)", "label"))
    loss = Piece(f"{number(found.loss).strip(' +')} nats", "new" if "loss" in fresh else "old")
    grid.put(9, _RIGHT - 2, loss if "loss" in known else Piece("·", "wire"))
    return grid.rows()


def equations(found: Timestep, stage: Stage, following: str) -> list[str]:
    """Returns at most four lines: the equations of `stage`, and the same with the numbers of each unit."""
    value, gradient = found.values, found.gradients
    units = range(len(found.units[:UNITS]))

    def of_units(line: str, *columns: list[float]) -> list[str]:
        """One line per unit, with the unit's numbers in place of {}."""
        return [f" unit {found.units[at]}: " + line.format(*(number(column[at]) for column in columns)) for at in units]

    def gate(name: str, letter: str, function: str, total: list[float], result: list[float]) -> str:
        left = f"{name} = {function}(W_{letter} h⁽ᵗ⁻¹⁾ + U_{letter} x⁽ᵗ⁾ + b_{letter})"
        return f"{left} = {function}({numbers(total)}) = {numbers(result)}"

    match stage:
        case "gates":
            return [
                gate("f", "f", "σ", value.forget_sum, value.forget_gate),
                gate("i", "i", "σ", value.input_sum, value.input_gate),
                gate("c̃", "c", "tanh", value.new_sum, value.new_cell),
                gate("o", "o", "σ", value.output_sum, value.output_gate),
            ]
        case "cell":
            return [
                "c⁽ᵗ⁾ = f ∘ c⁽ᵗ⁻¹⁾ + i ∘ c̃",
                *of_units("{} · {} + {} · {} = {}", *_of(value, "forget_gate cell_before input_gate new_cell cell")),
            ]
        case "output":
            return [
                "h⁽ᵗ⁾ = o ∘ tanh c⁽ᵗ⁾",
                *of_units("{} · tanh({}) = {} · {} = {}", *_of(value, "output_gate cell output_gate squashed hidden")),
            ]
        case "loss":
            return [
                f"p = softmax(V h⁽ᵗ⁾ + b)        p(“{following}”) = {found.probability:.4f}",
                f"L = {MINUS}ln p(“{following}”) = {found.loss:.4f} nats",
            ]
        case "back to h":
            return [
                f"∂L/∂h⁽ᵗ⁾ = Vᵀ (p − y), where y is 1 for “{following}” and 0 for every other token",
                *of_units("{}", gradient.hidden),
            ]
        case "back to c":
            return [
                "∂L/∂o = ∂L/∂h⁽ᵗ⁾ ∘ tanh c⁽ᵗ⁾      ∂L/∂c⁽ᵗ⁾ = ∂L/∂h⁽ᵗ⁾ ∘ o ∘ (1 − tanh² c⁽ᵗ⁾)",
                *of_units(
                    "{0} · {1} = {2}   {0} · {3} · (1 − ({1})²) = {4}",
                    *(gradient.hidden, value.squashed, gradient.output_gate, value.output_gate, gradient.cell),
                ),
            ]
        case "back to gates":
            return [
                "∂L/∂f = ∂L/∂c⁽ᵗ⁾ ∘ c⁽ᵗ⁻¹⁾    ∂L/∂i = ∂L/∂c⁽ᵗ⁾ ∘ c̃    ∂L/∂c̃ = ∂L/∂c⁽ᵗ⁾ ∘ i",
                *of_units(
                    "{0}·{1}={2}  {0}·{3}={4}  {0}·{5}={6}",
                    *(gradient.cell, value.cell_before, gradient.forget_gate, value.new_cell, gradient.input_gate),
                    *(value.input_gate, gradient.new_cell),
                ),
            ]
        case "back in time":
            return [
                "∂L/∂c⁽ᵗ⁻¹⁾ = ∂L/∂c⁽ᵗ⁾ ∘ f    ∂L/∂h⁽ᵗ⁻¹⁾ = Σ Wᵀ ∂L/∂z  (z: inside each σ, tanh)",
                *of_units(
                    "{} · {} = {}       {}",
                    *(gradient.cell, value.forget_gate, gradient.cell_before),
                    gradient.hidden_before,
                ),
                f"autograd finds the same: relative difference at most {found.difference:.0e}",
            ]


def _of(values: LSTMNumbers, names: str) -> list[list[float]]:
    return [getattr(values, name) for name in names.split()]


def _known(stage: Stage) -> tuple[set[str], tuple[str, ...]]:
    """Returns the numbers that the picture of `stage` shows, and those that are new in it."""
    at = STAGES.index(stage)
    since = STAGES.index("back to h") if is_backward(stage) else 0
    known = {name for one in STAGES[since : at + 1] for name in _NEW[one]}
    return known | ({"loss"} if is_backward(stage) else set()), _NEW[stage]


class _Grid:
    """Pieces at their columns, row by row."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, Piece]] = {}

    def put(self, row: int, column: int, piece: Piece) -> None:
        self._rows.setdefault(row, {})[column] = piece

    def rows(self) -> list[list[Piece]]:
        """The rows, with spaces between the pieces; a piece covers what lies under it."""
        found: list[list[Piece]] = []
        for row in range(max(self._rows) + 1):
            pieces: list[Piece] = []
            at = 0
            for column, piece in sorted(self._rows.get(row, {}).items()):
                if column < at:
                    continue
                pieces += [Piece(" " * (column - at), "wire"), piece]
                at = column + cell_len(piece.text)
            found.append(pieces)
        return found
