"""Packets of a server become events, whatever they say; and a server that is gone ends the interface in order."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from textual import events

if sys.platform == "win32":
    pytest.skip("served on POSIX systems", allow_module_level=True)

from rnnplay.tui.textual_patches import web_driver
from rnnplay.tui.textual_patches.web_driver import BrowserDriver


class Served:
    """A driver whose app only notes what it is sent, and the server's ends of its pipes."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        reading, self.typing = os.pipe()
        self.drawn, drawing = os.pipe()
        patch.setattr(sys, "__stdin__", os.fdopen(reading, "rb", buffering=0))
        patch.setattr(sys, "__stdout__", os.fdopen(drawing, "wb", buffering=0))
        self.events: list[object] = []
        self.left: list[int] = []
        self.notices: list[str] = []
        queue = SimpleNamespace(qsize=lambda: 0)
        app: Any = SimpleNamespace(
            _post_message=self._post, post_message=self.events.append, _message_queue=queue,
            keyboard=SimpleNamespace(waiting=0), leave_by_signal=self.left.append, debug=False,
            notify=lambda text, **_: self.notices.append(text), controllers=SimpleNamespace(running=[]),
        )  # fmt: skip
        self.driver = BrowserDriver(app)
        self.driver.process_message = self.events.append  # type: ignore[method-assign,assignment]

    async def _post(self, message: object) -> bool:
        self.events.append(message)
        return True

    def send(self, kind: bytes, payload: bytes) -> None:
        os.write(self.typing, kind + len(payload).to_bytes(4, "big") + payload)

    async def until_it_has_ended(self) -> None:
        os.close(self.typing)
        await asyncio.wait_for(asyncio.to_thread(self.driver.run_input_thread), 10)
        await asyncio.sleep(0)


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> Any:
    return Served(monkeypatch)


async def test_keys_and_sizes_arrive_and_the_end_is_a_closed_terminal(served: Served) -> None:
    served.send(b"D", "aé".encode())
    served.send(b"M", json.dumps({"type": "resize", "width": 120, "height": 40}).encode())
    served.send(b"M", json.dumps({"type": "say", "text": "a minute left"}).encode())
    await served.until_it_has_ended()
    assert [event.key for event in served.events if isinstance(event, events.Key)] == ["a", "é"]
    assert [tuple(event.size) for event in served.events if isinstance(event, events.Resize)] == [(120, 40)]
    assert served.notices == ["a minute left"]
    assert served.left == [1]


@pytest.mark.parametrize(
    "payload",
    [b"", b"x", b"[]", b"{}", b'{"type": 1}', b'{"type": "resize"}', b'{"type": "say"}', b"\xff",
     b'{"type": "nothing"}', b'{"type": []}', b"[" * 20_000,
     b'{"type": "deliver_chunk_request"}', b'{"type": "deliver_chunk_request", "key": "x", "size": 1}'],
    ids=range(13),
)  # fmt: skip
async def test_a_message_that_is_none_is_passed_over(served: Served, payload: bytes) -> None:
    served.send(b"M", payload)
    served.send(b"Z", payload)
    served.send(b"D", b"\xffk")
    await served.until_it_has_ended()
    assert "k" in [event.key for event in served.events if isinstance(event, events.Key)]


@pytest.mark.parametrize(
    ("width", "height", "laid_out"),
    [(1, 1, (32, 10)), (10**9, 10**9, (1_000, 1_000)), (-5, 20, (32, 20)), ("x", None, (80, 24)), (True, 30, (32, 30))],
)
async def test_any_size_can_be_laid_out(
    served: Served, width: object, height: object, laid_out: tuple[int, int]
) -> None:
    served.send(b"M", json.dumps({"type": "resize", "width": width, "height": height}).encode())
    await served.until_it_has_ended()
    (resized,) = [event for event in served.events if isinstance(event, events.Resize)]
    assert tuple(resized.size) == laid_out


async def test_told_that_the_disk_is_full_it_stops_what_trains_and_says_so(served: Served) -> None:
    stopped: list[str] = []

    def stop() -> None:
        stopped.append("with a checkpoint")
        served.driver._app.controllers.running = []  # type: ignore[attr-defined]

    served.driver._app.controllers.running = [SimpleNamespace(stop=stop)]  # type: ignore[attr-defined]
    for again in (False, True):  # the second time nothing trains, and it was said
        served.send(b"M", json.dumps({"type": "full", "text": "used up", "again": again}).encode())
    await served.until_it_has_ended()
    assert (stopped, served.notices) == (["with a checkpoint"], ["used up"])


async def test_told_to_quit_it_closes_its_engines(served: Served) -> None:
    """Textual's own driver would leave at once."""
    served.send(b"M", b'{"type": "quit"}')
    os.write(served.typing, b"")
    await served.until_it_has_ended()
    assert served.left[0] == 1


async def test_a_server_that_reads_no_more_holds_nobody_up(served: Served) -> None:
    os.close(served.drawn)
    for _ in range(100):
        served.driver.write("x" * 10_000)
    assert served.driver._gone


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path


@pytest.mark.parametrize(
    ("files", "offered", "inside"),
    [(["run.csv"], "run.csv", []),
     (["w.safetensors", "w.vocabulary.json"], "w.zip", ["w.safetensors", "w.vocabulary.json"]),
     (["run-csv/steps.csv", "run-csv/events.csv"], "run-csv.zip", ["events.csv", "steps.csv"])],
)  # fmt: skip
def test_several_files_are_downloaded_as_one(
    own_folder: Path, files: list[str], offered: str, inside: list[str]
) -> None:
    paths = [own_folder / name for name in files]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(path.name)
    delivered: list[tuple[Path, str]] = []

    def call(deliver: partial[Any]) -> None:
        delivered.append((deliver.args[0], deliver.keywords["mime_type"]))

    app = SimpleNamespace(call_from_thread=call, deliver_binary=lambda *_, **__: None)
    web_driver._hand_over(cast(Any, app), paths, own_folder)
    ((path, kind),) = delivered
    assert (path.name, kind) == (offered, "application/octet-stream")
    if inside:
        assert sorted(zipfile.ZipFile(path).namelist()) == inside
