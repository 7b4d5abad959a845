"""A text that a visitor brings lands among their texts and nowhere else; and what becomes of a disk that fills up."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rnnplay.errors import InputError
from rnnplay.runs.management.trash import list_trash
from rnnplay.serve import storage, texts, visits
from rnnplay.workspace import Workspace
from tests.serve.conftest import Guest
from tests.support.hostile import names

TEXT = b"Dear reader,\n" * 40


async def pieces(*sent: bytes) -> AsyncIterator[bytes]:
    for one in sent:
        yield one


async def post(guest: Guest, name: str, text: bytes = TEXT, origin: str = "") -> tuple[int, str]:
    headers = {"Origin": origin or guest.origin}
    async with guest.client.post("/texts", params={"name": name}, data=text, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_a_text_is_sent_and_can_be_chosen(classes: Any) -> None:
    one = await classes()
    guest = one.guest()
    await guest.open_page()
    assert (await post(guest, "early.txt"))[0] == 409, "there is no workspace yet"
    await guest.connect()
    await guest.sees("size")
    assert await post(guest, "My poems (1).txt") == (
        200, "My-poems-1.txt is among your texts: choose My-poems-1 as the corpus.",
    )  # fmt: skip
    assert (guest.folder() / "corpora" / "My-poems-1.txt").read_bytes() == TEXT
    assert await post(guest, "x.txt", origin="http://evil.example") == (403, "The page belongs to another site.\n")
    assert await post(guest, "x.txt", b"") == (400, "The file is empty; choose another.")
    assert [path.name for path in (guest.folder() / "corpora").iterdir() if path.name.startswith((".", "x"))] == []


async def test_no_name_leads_elsewhere_and_no_text_is_replaced(workspace: Workspace, tmp_path: Path) -> None:
    """A text of the class has a second name here; whoever wrote to it would write to everybody's."""
    shared = tmp_path / "everybodys.txt"
    shared.write_bytes(b"x" * 99)
    os.link(shared, workspace.corpora / "shared.txt")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    hostile = [name for name in names(tmp_path) if "\udcff" not in name]
    for name in (*hostile, "shared.txt", "shared.txt", ""):
        path = await texts.receive(pieces(TEXT), name, workspace, 10**9)
        assert path.parent == workspace.corpora
        assert path.suffix == ".txt"
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert {path.parent for path in new} == {workspace.corpora}
    assert len(new) == len(hostile) + 3
    assert {"shared-2.txt", "shared-3.txt"} <= {path.name for path in new}
    assert shared.read_bytes() == b"x" * 99


@pytest.mark.parametrize(
    ("sent", "room", "why"),
    [
        ((), 99, "The file is empty"),
        ((b"%PDF-1.7", b"x"), 99, "a PDF; save it as plain text"),
        ((b"PK\x03\x04...",), 99, "an office document"),
        ((b"x" * 50, b"x" * 49), 60, "no room for this text"),
        ((b"x" * 120,), 10**9, "larger than 100 bytes"),
    ],
)
async def test_of_a_text_that_is_refused_nothing_is_left(
    sent: tuple[bytes, ...], room: int, why: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "LARGEST_TEXT", 100)
    before = set(workspace.corpora.iterdir())
    with pytest.raises(InputError, match=why):
        await texts.receive(pieces(*sent), "mine.txt", workspace, room)
    assert set(workspace.corpora.iterdir()) == before


async def test_corpora_that_lead_out_of_the_workspace_take_no_text(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "visitor").mkdir()
    (tmp_path / "visitor" / "corpora").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="leads out of your workspace"):
        await texts.receive(pieces(TEXT), "mine.txt", Workspace(tmp_path / "visitor"), 10**9)
    assert not list((tmp_path / "elsewhere").iterdir())


async def test_a_full_disk_is_said_and_takes_no_text(classes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "STORAGE_SECONDS", 0.05)
    guest = (await classes(disk_mb=1)).guest()
    await guest.enter()
    await guest.sees("size")
    large = guest.folder() / "large"
    large.write_bytes(b"x" * 1_000_001)
    await guest.sees('"type": "full"')
    await guest.sees('"again": true')
    assert "Your 1.0 MB on this server are used up" in guest.seen
    assert "no room for this text" in (await post(guest, "mine.txt"))[1]
    large.unlink()
    assert (await post(guest, "mine.txt"))[0] == 200


def test_shared_texts_do_not_count_and_the_trash_is_emptied_first(workspace: Workspace) -> None:
    shared = workspace.corpora / "of-the-class.txt"
    shared.write_bytes(b"x" * 50_000)
    os.link(shared, workspace.root / "served.txt")
    for day in ("01", "02"):
        run = workspace.trash / f"202611{day}T101010000000-first"
        run.mkdir(parents=True)
        (run / "run.json").write_bytes(b"x" * 10_000)
    assert len(list_trash(workspace)) == 2
    size = storage.taken(workspace, 10**12)
    assert 20_000 < size < 30_000
    assert storage.taken(workspace, size - 1) == size - 10_000
    assert [run.removed.day for run in list_trash(workspace)] == [2]
