"""Keeps a run's own random state: torch's generators belong to the process, where others draw from them too.

Only torch's: nothing in training draws from Python's or NumPy's global generators (the order of lines comes from a
generator created from seed and epoch), so a checkpoint does not need their states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from rnnplay.errors import InputError


class OwnRandomness:
    """The states of torch's generators (CPU and device) as this run left them; Mersenne Twister on the CPU.

    Inside `with randomness():` the process's generators are in this run's states; outside they are unaffected.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._device = device
        outside = self._read()
        torch.manual_seed(seed)
        self._own = self._read()
        self._write(outside)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        outside = self._read()
        self._write(self._own)
        try:
            yield
        finally:
            self._own = self._read()
            self._write(outside)

    def tensors(self) -> dict[str, Tensor]:
        """States by name ("random.cpu", …), as uint8 tensors for a file."""
        return {f"random.{name}": state for name, state in self._own.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Restores what `tensors` returned, as far as it is for this device; raises InputError if torch rejects it."""
        found = {name: tensors[f"random.{name}"] for name in self._own if f"random.{name}" in tensors}
        outside = self._read()
        try:
            self._write(found)
        except (RuntimeError, TypeError) as error:
            raise InputError("The checkpoint's random state is not torch's; resume from another checkpoint.") from error
        finally:
            self._write(outside)
        self._own |= found

    def _read(self) -> dict[str, Tensor]:
        states = {"cpu": torch.get_rng_state()}
        if self._device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self._device)
        elif self._device.type == "mps":
            states["mps"] = torch.mps.get_rng_state()
        return states

    def _write(self, states: Mapping[str, Tensor]) -> None:
        if "cpu" in states:
            torch.set_rng_state(states["cpu"])
        if "cuda" in states:
            torch.cuda.set_rng_state(states["cuda"], self._device)
        if "mps" in states:
            torch.mps.set_rng_state(states["mps"])
