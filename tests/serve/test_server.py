"""Who may in, what is served, and what becomes of a visit however it ends."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from aiohttp import WSServerHandshakeError

from rnnplay.serve import session
from rnnplay.serve.page import STATIC, queue_text
from rnnplay.workspace import Workspace
from tests.serve.conftest import TOKEN, Class, until
from tests.support.hostile import names

Classes = Callable[..., Awaitable[Class]]


# --- who may in


@pytest.mark.parametrize(
    "path", ["/", "/ws", "/ended", "/download/x", "/texts", "/static/textual.js", "/static/", "/favicon.ico"]
)
async def test_every_route_asks_for_the_token(classes: Classes, path: str) -> None:
    guest = (await classes()).guest()
    for query in ("", "?token=", "?token=wrong", f"?token={TOKEN[:-1]}", f"?token={TOKEN}%00", "?token=é&token=x"):
        async with guest.client.get(path + query, allow_redirects=False) as answer:
            assert answer.status == 403
            assert "Set-Cookie" not in answer.headers
    headers = {"Cookie": f"rnnplay-access-1={TOKEN[:-1]}é; rnnplay-access-2={TOKEN}"}
    async with guest.client.get(path, headers=headers) as answer:
        assert answer.status == 403


async def test_the_link_leaves_cookies_and_no_token_in_the_address(classes: Classes) -> None:
    guest = (await classes()).guest()
    async with guest.client.get("/", params={"token": TOKEN}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        assert re.search("HttpOnly; .*SameSite=Lax", answer.headers["Set-Cookie"])
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    async with guest.client.get("/") as answer:
        assert answer.status == 200
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"


async def test_behind_tls_cookies_are_secure(classes: Classes) -> None:
    guest = (await classes(public_url="https://rnn.example.org")).guest()
    async with guest.client.get("/", params={"token": TOKEN}, allow_redirects=False) as answer:
        assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://127.0.0.1:1", "file://", "http://"])
async def test_a_websocket_of_another_site_is_refused(classes: Classes, origin: str | None) -> None:
    """Browsers send cookies with it, whoever opens it."""
    guest = (await classes()).guest()
    await guest.open_page()
    with pytest.raises(WSServerHandshakeError) as refused:
        await guest.client.ws_connect("/ws", headers={"Origin": origin} if origin else {})
    assert refused.value.status == 403


async def test_the_address_behind_a_proxy_is_no_other_site(classes: Classes) -> None:
    guest = (await classes(public_url="http://rnn.example.org")).guest()
    await guest.open_page()
    socket = await guest.client.ws_connect("/ws", headers={"Origin": "http://rnn.example.org"})
    await socket.close()


async def test_a_websocket_needs_the_page_first(classes: Classes) -> None:
    guest = (await classes()).guest()
    async with guest.client.get("/", params={"token": TOKEN}, allow_redirects=False):
        pass  # the access cookie, but no visitor's
    with pytest.raises(WSServerHandshakeError):
        await guest.client.ws_connect("/ws", headers={"Origin": guest.origin})


async def test_no_hostile_request_reaches_a_file(classes: Classes, tmp_path: Path) -> None:
    """Some 700 requests, as they are, without the tidying that clients do; with the cookies of a visitor."""
    one = await classes()
    guest = one.guest()
    await guest.open_page()
    (tmp_path / "secret.txt").write_text("the secret of another visitor")
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in guest.client.session.cookie_jar)
    tried = 0

    async def ask(path: str) -> None:
        nonlocal tried
        raw = path.encode("utf-8", "surrogateescape" if "\udcff" in path else "surrogatepass")
        request = b"GET " + raw + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        reader, writer = await asyncio.open_connection(guest.client.host, guest.client.port)
        writer.write(request + f"Cookie: {cookies}\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        status = int(answer.split()[1]) if answer else 400
        assert status in (400, 403, 404, 405), (path, answer[:200])
        assert b"secret of another" not in answer
        assert b"root:x" not in answer
        tried += 1

    for name in names(tmp_path):
        for prefix in ("/static/", "/download/"):
            if "\n" not in name and name.strip() not in ("", ".", ".."):
                await ask(prefix + name)
    for path in ("/static", "/static/", "/static/../server.py", "/static/js/textual.js", "//", "/..", "/visitors", "*"):
        await ask(path)
    assert tried > 700
    assert not list((one.server._visitors._folder).glob("*"))


async def test_what_the_page_needs_is_served(classes: Classes) -> None:
    """The page names nothing else, and nothing on another machine."""
    guest = (await classes()).guest()
    page = await guest.open_page()
    assert set(re.findall(r'"/static/([^"]+)"', page)) == set(STATIC)
    assert not re.findall(r"https?://(?!127\.0\.0\.1)", page)
    assert "{{" not in page
    for name, (_, kind) in STATIC.items():
        async with guest.client.get(f"/static/{name}") as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert len(await answer.read()) > 1_000


# --- visits


async def test_a_visitor_types_into_an_interface_of_the_browsers_size(classes: Classes) -> None:
    guest = (await classes()).guest()
    await guest.enter(width=101, height=33)
    await guest.sees("size 101x33 --processors")
    await guest.sees("--memory 2000 --models 5")
    await guest.type("ü")
    await guest.sees("typed ü")
    assert guest.socket is not None
    await guest.socket.send_json(["resize", {"width": 80, "height": 24}])
    await guest.sees('"width": 80')
    await guest.socket.send_json(["ping", 7])
    await until(lambda: ["pong", 7] in guest.said, lambda: "no pong")


@pytest.mark.parametrize("size", ["", "?width=x&height=-1", "?width=1e9&height=99999999", "?width=%00&height=٣"])
async def test_a_size_that_is_none_is_80_by_24(classes: Classes, size: str) -> None:
    guest = (await classes()).guest()
    await guest.open_page()
    socket = await guest.client.ws_connect(f"/ws{size}", headers={"Origin": guest.origin})
    guest.socket = socket
    reading = asyncio.create_task(guest._read(socket))
    await guest.sees("size 80x24")
    await socket.close()
    await reading


NO_MESSAGES = (
    *("", "x", "{}", "[]", "[1]", "null", "[" * 10_000, '["stdin"]', '["stdin", 1]', '["resize", {}]', '["quit"]'),
    *('["resize", {"width": "a"}]', '["deliver_chunk_request", {"key": "x"}]', '["ping", {}]', '["focus", []]'),
)


async def test_what_is_no_message_changes_nothing(classes: Classes) -> None:
    guest = (await classes()).guest()
    await guest.enter()
    await guest.sees("size")
    assert guest.socket is not None
    for sent in NO_MESSAGES:
        await guest.socket.send_str(sent)
    await guest.socket.send_bytes(b"\x00\xff")
    await guest.type("still there")
    await guest.sees("typed still there")


async def test_who_comes_back_finds_the_workspace_by_cookie_and_by_link(classes: Classes) -> None:
    one = await classes()
    guest, other, elsewhere = one.guest(), one.guest(), one.guest()
    page = await guest.open_page()
    await guest.connect()
    await guest.sees("size")
    folder = guest.folder()
    (folder / "mine.txt").write_text("kept")
    await guest.leaves()
    await until(lambda: not one.server.visits.here, lambda: "the visit is not over")

    await other.enter()
    await other.sees("size")
    assert other.folder() != folder
    await other.leaves()
    await until(lambda: not one.server.visits.here, lambda: "the visit is not over")

    link = html.unescape(re.findall(r'href="([^"]+visitor=[^"]+)"', page)[0])
    async with elsewhere.client.get(link.removeprefix(elsewhere.origin)) as answer:
        assert answer.status == 200
    for one_of_them in (guest, elsewhere):
        await one_of_them.connect()
        await one_of_them.sees("size")
        assert (one_of_them.folder() / "mine.txt").read_text() == "kept"
        await one_of_them.leaves()
        await until(lambda: not one.server.visits.here, lambda: "the visit is not over")


async def test_visitors_have_the_texts_of_the_class(classes: Classes, workspace: Workspace) -> None:
    (workspace.corpora / ".hidden.txt").write_text("x")
    (workspace.corpora / "linked.txt").symlink_to(workspace.corpora / "small.txt")
    guest = (await classes()).guest()
    await guest.enter()
    await guest.sees("size")
    corpora = guest.folder() / "corpora"
    assert sorted(path.name for path in corpora.iterdir()) == ["linked.txt", "small.txt"]
    assert not (corpora / "linked.txt").is_symlink()
    assert guest.folder().stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("way", ["leaves", "vanishes"])
async def test_nothing_runs_once_a_visitor_is_gone(classes: Classes, way: str) -> None:
    """The interface has the time for its checkpoints, and its engines for theirs."""
    before = psutil.Process().children(recursive=True)
    one = await classes()
    guest = one.guest()
    await guest.enter()
    await guest.sees("size")
    await guest.type("c")
    await guest.sees("started")
    folder, below = guest.folder(), set(psutil.Process().children(recursive=True)).difference(before)
    assert len(below) >= 2
    await getattr(guest, way)()
    await until(lambda: not one.server.visits.here, lambda: "the visit is not over")
    assert (folder / "checkpoint").exists()
    assert (folder / "engine").exists()
    assert not [process for process in below if session._runs(process)]
    assert one.server.visits.places.taken == 0


async def test_a_browser_that_reads_nothing_holds_up_no_end(classes: Classes) -> None:
    """The interface could draw no further, and so not see that it is to end."""
    one = await classes()
    guest = one.guest()
    await guest.enter()
    await guest.sees("size")
    folder = guest.folder()
    assert guest.socket is not None
    connection = guest.socket._response.connection
    assert connection is not None
    assert connection.transport is not None
    await guest.type("f")
    connection.transport.pause_reading()
    (visit,) = one.server.visits.here.values()
    writer = visit.screen.socket._writer
    assert writer is not None
    await until(lambda: writer.transport.get_write_buffer_size() > 0, lambda: "all is read")
    visit.told_to_end.set()
    await until(lambda: (folder / "checkpoint").exists(), lambda: "it does not end")


async def test_an_interface_that_does_not_end_is_killed(classes: Classes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ENDING_SECONDS", 0.02)
    before = psutil.Process().children(recursive=True)
    one = await classes()
    guest = one.guest()
    await guest.enter()
    await guest.sees("size")
    below = set(psutil.Process().children(recursive=True)).difference(before)
    assert below
    await guest.leaves()
    await until(lambda: not one.server.visits.here, lambda: "the visit is not over")
    assert not [process for process in below if session._runs(process)]


@pytest.mark.parametrize(("key", "told"), [("q", "You have left the playground."), ("!", "The playground has failed.")])
async def test_the_page_says_why_an_interface_ended(classes: Classes, key: str, told: str) -> None:
    guest = (await classes()).guest()
    await guest.enter()
    await guest.sees("size")
    await guest.type(key)
    assert (await guest.is_told()).startswith(told)


async def test_a_session_without_a_key_ends_with_a_checkpoint(classes: Classes) -> None:
    one = await classes(idle_seconds=0.5)
    guest = one.guest()
    await guest.enter()
    await guest.sees("size")
    folder = guest.folder()
    assert "Nothing was typed for 0.00833333 minutes" in await guest.is_told()
    assert (folder / "checkpoint").exists()


async def test_waiting_in_line_is_not_idle(classes: Classes) -> None:
    one = await classes(sessions=1, idle_seconds=1.0)
    first, second = one.guest(), one.guest()
    await first.enter()
    await second.enter()
    assert "Nothing was typed" in await first.is_told()  # as long as the second has waited
    await second.sees("size")
    await second.type("there")
    await second.sees("typed there")


async def test_while_others_wait_a_session_ends_after_a_third_of_the_idle_time(classes: Classes) -> None:
    one = await classes(sessions=1, idle_seconds=30.0)
    first, second = one.guest(), one.guest()
    await first.enter()
    await first.sees("size")
    (visit,) = one.server.visits.here.values()
    visit.screen.last_key -= 15.0
    await second.enter()
    assert "Nothing was typed for 0.166667 minutes" in await first.is_told()
    await second.sees("size")


async def test_who_is_about_to_be_ended_is_warned(classes: Classes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnplay.serve.visits.WARNED_SECONDS", 5.0)
    guest = (await classes(idle_seconds=5.5)).guest()
    await guest.enter()
    await guest.sees("unless you press a key")


async def test_whoever_comes_too_late_waits_in_line(classes: Classes) -> None:
    one = await classes(sessions=1)
    first, second, third = one.guest(), one.guest(), one.guest()
    await first.enter()
    await first.sees("size")
    await second.enter()
    await second.sees("The only place is taken. You are next.")
    await third.enter()
    await third.sees("1 are before you.")
    await second.leaves()  # whoever gives up does not block the line
    await third.sees("You are next.")
    assert "size" not in third.seen
    await first.type("q")
    await third.sees("size")


async def test_a_second_window_takes_over_from_the_first(classes: Classes) -> None:
    """Two interfaces of one visitor would be two places, and a connection that broke unnoticed would keep one."""
    one = await classes(sessions=1)
    guest = one.guest()
    await guest.enter()
    await guest.sees("size")
    folder, former = guest.folder(), guest._reading
    assert former is not None
    await guest.connect()
    await guest.sees("size")
    await former
    assert (folder / "checkpoint").exists()
    assert one.server.visits.places.taken == 1


async def test_a_server_that_stops_ends_every_session(classes: Classes) -> None:
    one = await classes(sessions=2)
    guests = [one.guest() for _ in range(3)]
    for guest in guests:
        await guest.enter()
    for guest in guests[:2]:
        await guest.sees("size")
    folders = [visit.visitor.workspace.root for visit in one.server.visits.here.values()]
    await one.server._shut_down(one.test_server.app)
    assert sorted((folder / "checkpoint").exists() for folder in folders) == [False, True, True]
    assert one.server.visits.places.taken == 0
    for guest in guests:
        assert "The server was stopped" in await guest.is_told()


# --- downloads


async def test_a_file_is_downloaded_by_whose_interface_offers_it(classes: Classes) -> None:
    one = await classes()
    guest, other = one.guest(), one.guest()
    for each in (guest, other):
        await each.enter()
        await each.sees("size")
    await guest.type("d")
    await until(lambda: guest.said, lambda: "nothing was offered")
    kind, key = guest.said[0]
    assert kind == "deliver_file_start"
    for stranger in (other, one.guest()):
        async with stranger.client.get(f"/download/{key}") as answer:
            assert answer.status in (403, 404)
    async with guest.client.get(f"/download/{key}") as answer:
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''ru%22n.csv"
        assert await answer.read() == b"a,b\n1,2\n"
    async with guest.client.get(f"/download/{key}") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("position", "places", "words"),
    [(1, 1, "The only place is taken. You are next."), (3, 8, "All 8 places are taken. 2 are before you.")],
)
def test_words_for_who_waits(position: int, places: int, words: str) -> None:
    assert queue_text(position, places).startswith(words)
