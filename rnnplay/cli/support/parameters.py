"""Types of the command line's options and arguments that click does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rnnplay.common.numbers import meant, whole_number

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType  # before click 8.4 it takes no type argument


class WholeNumber(ParamType):
    """A whole number from `low` to `high`, read as the knobs' numbers are: 1,000 is a thousand, 0,5 is refused."""

    name = "integer"

    def __init__(self, low: int | None = None, high: int | None = None) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = whole_number(value) if isinstance(value, str) else value
        if number is None or not self._within(number):
            hint = meant(value, whole=True) if isinstance(value, str) else ""
            hint = f"; write {hint}" if hint and self._within(int(hint)) else ""
            self.fail(f"{str(value)[:60]!r} is not {self._allowed}{hint}.", param, ctx)
        assert isinstance(number, int)
        return number

    def _within(self, number: int) -> bool:
        return (self.low is None or self.low <= number) and (self.high is None or number <= self.high)

    @property
    def _allowed(self) -> str:
        low = "" if self.low is None else f" from {self.low:,}"
        return f"a whole number{low}{'' if self.high is None else f' to {self.high:,}'}"
