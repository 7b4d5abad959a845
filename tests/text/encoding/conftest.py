"""Fixtures of the tests of encoded texts: those of training, as it is training that reads them."""

from __future__ import annotations

from tests.training.conftest import one_thread, world

__all__ = ["one_thread", "world"]
