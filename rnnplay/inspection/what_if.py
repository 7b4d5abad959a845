"""Forces gates or units to given values, with the rest of the cell's equations unchanged."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.inspection.results import QUANTITIES, Candidate, Completed, Forced
from rnnplay.model.cells import LayerHook
from rnnplay.model.generation.completion import Suggestion


def forcing_hook(config: RunConfig, forced: Iterable[Forced]) -> LayerHook | None:
    """Returns a hook for cells.step that applies `forced` in order, so that later entries win; None if it is empty.

    Raises InputError for a layer, quantity or unit that a model of `config` lacks, and for values that are not finite.
    """
    chosen: dict[tuple[int, str], list[Callable[[Tensor], Tensor]]] = {}
    for change in forced:
        check_forced(config, change)
        chosen.setdefault((change.layer, change.quantity), []).append(_holding(change))
    if not chosen:
        return None

    def hook(layer: int, quantity: str, value: Tensor) -> Tensor:
        for hold in chosen.get((layer, quantity), ()):
            value = hold(value)
        return value

    return hook


def check_forced(config: RunConfig, forced: Forced) -> None:
    """Raises InputError for a layer, quantity or unit that a model of `config` lacks, or a value that is not finite."""
    names = QUANTITIES[config.cell]
    if not 0 <= forced.layer < config.layers:
        raise InputError(f"There is no layer {forced.layer}; the model's layers are 0 to {config.layers - 1}.")
    if forced.quantity not in names:
        cell = config.cell.upper()
        raise InputError(f"{cell} cells have no {forced.quantity}; they have {', '.join(names)}.")
    for unit in forced.units:
        if not 0 <= unit < config.hidden:
            raise InputError(f"There is no unit {unit}; the layer's units are 0 to {config.hidden - 1}.")
    if not math.isfinite(forced.value):
        raise InputError(f"{forced.quantity} cannot be forced to {forced.value}; give a finite number.")


def completed(found: Suggestion) -> Completed:
    """Converts a suggestion to the struct used in results."""
    return Completed(
        suggestion=found.suggestion,
        next=[
            Candidate(token=token, probability=probability, text=text)
            for (token, probability), text in zip(found.next, found.texts, strict=True)
        ],
    )


def _holding(forced: Forced) -> Callable[[Tensor], Tensor]:
    if not forced.units:
        return lambda value: torch.full_like(value, forced.value)
    units = torch.tensor(forced.units)

    def hold(value: Tensor) -> Tensor:
        return value.index_fill(-1, units.to(value.device), forced.value)

    return hold
