"""The parent's side: how many engines there may be at once."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from rnnplay.common.jsonl import encode_line
from rnnplay.engine import client as client_module
from rnnplay.engine import messages
from rnnplay.engine.client import (
    MOST_VARIABLE,
    EngineClient,
    EngineExit,
    TooManyEnginesError,
    engines_left,
    start_trouble,
)

IDLE = (sys.executable, "-c", "import sys; sys.stdin.read()")
"""Ends with its input, as an engine does."""


def client(folder: Path, command: tuple[str, ...] = IDLE) -> EngineClient:
    return EngineClient(folder, lambda _: None, lambda _: None, command)


async def test_no_more_engines_are_started_than_a_visitor_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has ended, or that could not be started, makes room."""
    assert engines_left() == sys.maxsize
    monkeypatch.setattr(client_module, "_running", set())
    monkeypatch.setenv(MOST_VARIABLE, "2")
    with pytest.raises(FileNotFoundError):
        await client(tmp_path, (str(tmp_path / "missing"),)).start()
    assert engines_left() == 2
    one, two, three = (client(tmp_path) for _ in range(3))
    try:
        await one.start()
        await two.start()
        assert engines_left() == 0
        with pytest.raises(TooManyEnginesError) as refused:
            await three.start()
        assert start_trouble(refused.value).startswith("Here 2 models may be open at once; stop a run")
        await one.quit()
        await three.start()
        assert not one.alive and three.alive and engines_left() == 0
    finally:
        for each in (one, two, three):
            await each.quit()
    assert engines_left() == 2


@pytest.mark.parametrize("spoken", [False, True], ids=["still starting", "had begun"])
async def test_an_engine_that_is_asked_to_quit_while_it_starts_has_not_failed(
    spoken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading torch may take longer than it is waited for; a run that had begun may have lost steps, which is said."""
    monkeypatch.setattr(client_module, "SILENT_SECONDS", 0.05)
    heard = asyncio.Event()
    ended: list[EngineExit] = []
    event = encode_line(messages.Failed(message="a word")).decode() if spoken else ""
    code = f"import sys, time; sys.stdout.write({event!r}); sys.stdout.flush(); time.sleep(600)"
    engine = EngineClient(tmp_path, lambda _: heard.set(), ended.append, (sys.executable, "-c", code))
    await engine.start()
    if spoken:
        await heard.wait()
    await engine.quit()
    assert [one.asked for one in ended] == [not spoken]
    assert ended[0].cause == "it did not respond and was killed"
