"""Gates: what a layer computes at every timestep of a text, unit by unit."""

from __future__ import annotations

from math import isnan
from typing import ClassVar, get_args

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from rnnplay.engine import messages
from rnnplay.inspection.questions import GatesQuestion
from rnnplay.inspection.results import GATES, QUANTITIES, QUANTITY_NAMES, GateMap, Order, Property, Quantity
from rnnplay.tui.chart.axes import format_value
from rnnplay.tui.heatmap.heat_map import HeatMap
from rnnplay.tui.heatmap.shades import columns
from rnnplay.tui.inspection.view import Curves, InspectView
from rnnplay.tui.keymap import key_name
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.widgets.text import Lines
from rnnplay.tui.widgets.visible import FAINT, MUTED, shortened, visible_token

ORDERS: tuple[Order, ...] = get_args(Order)
PROPERTIES: tuple[Property, ...] = get_args(Property)
SIGNED = (
    "Each row is a unit, each column a token being read. The stronger, the farther from 0; the other colour (= without "
    "colours) is negative. A unit that holds its value over many tokens remembers something: find out what."
)
FIRST: dict[str, Quantity] = {"lstm": "forget_gate", "gru": "update", "rnn": "hidden"}
"""The quantity shown first for each cell."""


class GatesView(InspectView):
    """Shows as many units as fit; keys choose the layer, the quantity and the order."""

    DEFAULT_CSS = """
    GatesView > Lines { height: 1; }
    """
    NAME = "gates"
    DESCRIPTION = (
        "Each row is a unit, each column a token being read. A gate near 1 (strong) is open, near 0 (blank) closed: an "
        "open forget gate keeps the cell, an input gate lets new content in. It depends on what is read."
    )
    HELP = """
    ## Gates

    What the cell computes at each timestep, from the token read and the state before it. Gates are between 0 and 1;
    the cell, the new content and the hidden state are signed: negative values have the other colour.

    - `q` the quantity, `l` the layer
    - `o` the order of the units: by number, variance over the text, saturation (fraction of timesteps with a value
      below 0.1 or above 0.9), or by how well they follow a property of the text, which `p` chooses; beside each unit
      stands the number it is ordered by
    - the arrows read a value; `{gates.earlier-20}` `{gates.later-20}` go far, `pgup` `pgdn` to more units
    - `e` or a click edits the text, `escape` leaves it; `r` asks again
    """
    READS_TEXT = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quantity(1)", "Quantity", id="gates.quantity"),
        Binding("Q", "quantity(-1)", "", show=False, id="gates.quantity-before"),
        Binding("l", "layer", "Layer", id="gates.layer"),
        Binding("o", "order", "Order", id="gates.order"),
        Binding("p", "property", "Property", id="gates.property"),
        Binding("pagedown", "page(1)", "More units", show=False, id="gates.page-down"),
        Binding("pageup", "page(-1)", "", show=False, id="gates.page-up"),
    ]

    def __init__(self, controller: RunController, curves: Curves) -> None:
        super().__init__(controller, curves)
        self.quantity: Quantity = FIRST[self.state.config.cell]
        self.nth = 0
        self.order: Order = "variance"
        self.property: Property = "quotes"
        self.first = 0
        self._found: GateMap | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="gates-title")
        yield Lines(id="gates-saturation")
        yield HeatMap(id="gates-map")
        yield Lines(id="gates-reading")

    def begin_with(self, quantity: str) -> None:
        self.quantity = next((one for one in get_args(Quantity) if one == quantity), self.quantity)

    @property
    def shown_quantity(self) -> str:
        return self._found.quantity if self._found is not None else ""

    @property
    def description(self) -> str:
        return self.DESCRIPTION if self.quantity in GATES else SIGNED

    @property
    def heat_map(self) -> HeatMap:
        return self.query_one(HeatMap)

    def ask(self) -> int | None:
        if not self.text or not self.heat_map.size:
            return None
        question = GatesQuestion(
            text=self.text,
            layer=self.nth,
            quantity=self.quantity,
            order=self.order,
            property=self.property,
            first=self.first,
            count=self.heat_map.capacity,
        )
        return self.controller.inspect(question)

    def answer(self, event: messages.Inspected | messages.Completion) -> None:
        if not isinstance(event, messages.Inspected) or not isinstance(event.result, GateMap):
            return
        found = self._found = event.result
        self.shown_step = found.step
        # The engine replaces choices that the model lacks by the nearest valid ones.
        self.nth, self.quantity, self.first = found.layer, found.quantity, found.first
        self.heat_map.show(found)
        self.query_one("#gates-title", Lines).show(self.told([title(found)], "bold $foreground"))
        self.query_one("#gates-saturation", Lines).show(self.told([saturation(found)]))
        self._read()
        self.refresh_bindings()

    def _read(self) -> None:
        if self._found is not None:
            row, column = self.heat_map.row, self.heat_map.column
            self.query_one("#gates-reading", Lines).show(self.told([reading(self._found, row, column)]))

    @on(HeatMap.Moved)
    def _moved(self, event: HeatMap.Moved) -> None:
        event.stop()
        self._read()

    @on(HeatMap.Beyond)
    def _beyond(self, event: HeatMap.Beyond) -> None:
        event.stop()
        self._scroll(event.direction)

    def on_resize(self) -> None:
        if self._found is not None and len(self._found.shown) != self.heat_map.capacity:
            self.post_message(self.Changed())

    # --- keys -----------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        found = self._found
        if action == "layer":
            return found is not None and found.layers > 1
        if action == "quantity":
            return found is not None and len(QUANTITIES[found.cell]) > 1
        if action == "property":
            return self.order == "property"
        if action == "page":
            return found is not None and found.units > len(found.shown)
        return True

    def _chosen(self) -> None:
        self.refresh_bindings()
        self.post_message(self.Changed())

    def action_quantity(self, by: int) -> None:
        if self._found is not None:
            there = QUANTITIES[self._found.cell]
            at = there.index(self.quantity) if self.quantity in there else 0
            self.quantity = there[(at + by) % len(there)]
            self._chosen()

    def action_layer(self) -> None:
        if self._found is not None:
            self.nth = (self.nth + 1) % max(self._found.layers, 1)
            self._chosen()

    def action_order(self) -> None:
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self.first = 0
        self._chosen()

    def action_property(self) -> None:
        self.property = PROPERTIES[(PROPERTIES.index(self.property) + 1) % len(PROPERTIES)]
        self.first = 0
        self._chosen()

    def action_page(self, by: int) -> None:
        self._scroll(by * self.heat_map.capacity)

    def _scroll(self, by: int) -> None:
        if self._found is None:
            return
        first = max(0, min(self.first + by, self._found.units - self.heat_map.capacity))
        if first != self.first:
            self.first = first
            self.post_message(self.Changed())


def title(found: GateMap) -> Content:
    """Returns the title, e.g. "layer 1/2 forget gate  units 1–40 of 256 by variance  step 600"."""
    ordered = {"index": "by number", "property": f"by correlation with {found.property}"}
    order = ordered.get(found.order, f"by {found.order}")
    layer = f"layer {found.layer + 1}/{found.layers}  " if found.layers > 1 else ""
    units = f"units {found.first + 1:,}–{found.first + len(found.shown):,} of {found.units:,}"
    if len(found.shown) < found.units:
        keys = f"{key_name('gates.page-up')}/{key_name('gates.page-down')}"
        units += f" ({keys.replace('pageup', 'pgup').replace('pagedown', 'pgdn')})"
    return Content.assemble(
        (f"{layer}{QUANTITY_NAMES[found.quantity]}", "bold $foreground"),
        (f"  {units}, {order}  step {found.step:,}", MUTED),
    )


def saturation(found: GateMap) -> Content:
    """Returns the histogram over all units and timesteps, e.g. "0 ▂▁▁▃█ 1  below 0.1: 12%  above 0.9: 40%"."""
    gate = found.quantity in GATES
    low, high = ("0", "1") if gate else ("-1", "1")
    of = "" if gate else "|value| "
    below, above = ("–" if isnan(fraction) else f"{fraction:.0%}" for fraction in (found.low, found.high))
    outside = f"  {of}below 0.1: {below}  above 0.9: {above}"
    return Content.assemble(
        (f"{low} ", FAINT), (columns(found.histogram)[0], "$secondary"), (f" {high}", FAINT), (outside, MUTED)
    )


def reading(found: GateMap, row: int, column: int) -> Content:
    """Returns the value at the cursor, e.g. "unit 117 after token 12 (␣): 0.83"."""
    if row >= len(found.shown) or column >= len(found.tokens):
        return Content("")
    token = shortened(visible_token(found.tokens[column]), 14)
    return Content.assemble(
        (f"unit {found.shown[row]} after token {column + 1:,} (", MUTED),
        (token, "$foreground"),
        ("): ", MUTED),
        (format_value(found.values[row][column]), "bold $accent"),
    )
