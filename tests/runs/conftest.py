"""Fixtures of the tests of runs: those of training, as it is training that writes them."""

from __future__ import annotations

from tests.training.conftest import one_thread, world

__all__ = ["one_thread", "world"]
