"""One engine for the tests that leave it as they found it: each start of a process imports torch."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rnnplay.workspace import Workspace
from tests.conftest import small_text
from tests.engine.driving import Driver, engine

_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Driver]:
    workspace = Workspace(tmp_path_factory.mktemp("engine")).create()
    (workspace.corpora / "small.txt").write_text(small_text(), encoding="utf-8")
    async with engine(workspace) as driver:
        yield driver


@pytest_asyncio.fixture(loop_scope="session")
async def driver(shared_engine: Driver) -> AsyncIterator[Driver]:
    """The shared engine, with nothing in training."""
    shared_engine.prefix = f"test{next(_numbers)}-"
    yield shared_engine
    await shared_engine.settle()
