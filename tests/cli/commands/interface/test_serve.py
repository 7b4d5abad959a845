"""`rnnplay serve` says what is wrong with its options, prints a link that opens, and ends on ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from rnnplay.cli.commands.interface import serve
from rnnplay.errors import InputError
from tests.cli.conftest import Invoke

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="served on POSIX systems")


@pytest.mark.parametrize(
    "token", ["short", "eleven-char", "with a space in it", 'a"quote-in-a-token', "semicolon;token", "ümlaut-in-token"]
)
def test_a_token_that_is_soon_guessed_or_no_cookie_is_refused(token: str) -> None:
    with pytest.raises(InputError, match="at least 12 letters"):
        serve.checked_token(token)


@pytest.mark.parametrize(
    "url",
    ["rnn.example.org", "ftp://x", "https://", "https://x/path", "https://x?y", "https://u@x", "https://x:port", "//x"],
)
def test_a_public_url_is_the_address_of_a_host(url: str) -> None:
    with pytest.raises(InputError, match="not the address of a host"):
        serve.checked_url(url)


def test_a_public_url_has_no_slash_at_its_end() -> None:
    assert serve.checked_url("https://rnn.example.org/") == "https://rnn.example.org"
    assert serve.checked_url("") == ""


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.0.2", False), ("rnn.example.org", False)],
)  # fmt: skip
def test_what_only_this_machine_can_reach(host: str, local: bool) -> None:
    assert serve.is_local(host) is local


def test_without_the_extra_it_says_how_to_install_it(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    result = invoke("serve")
    assert result.exit_code == 2
    assert result.stderr.strip().endswith("install it with: pip install 'rnnplay[web]'")


@pytest.mark.parametrize(
    "words",
    [
        *(["--sessions", "0"], ["--models-per-session", "0"], ["--port", "70000"], ["--idle", "nan"]),
        ["--memory-per-process", "1"],
    ],
)
def test_numbers_have_limits(invoke: Invoke, words: list[str]) -> None:
    result = invoke("serve", *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"127\.0\.0\.1, port {port}, cannot be listened on"):
            serve.listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 300, "300.1.1.1", ""])
def test_a_host_that_is_none_is_named(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    if host.endswith(".invalid"):
        monkeypatch.setattr(socket, "getaddrinfo", unknown)  # no test asks a name server
    with pytest.raises(InputError, match="cannot be listened on"):
        serve.listen(host, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_link_opens_the_page_and_a_signal_ends_it(tmp_path: Path, number: int) -> None:
    environment = {**os.environ, "RNNPLAY_TOKEN": "a-token-of-the-environment"}
    with subprocess.Popen(
        [sys.executable, "-m", "rnnplay", "serve", "--workspace", str(tmp_path / "w"), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        link = process.stdout.readline().strip()
        assert link.startswith("http://127.0.0.1:")
        assert link.endswith("/?token=a-token-of-the-environment")
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert b"rnnplay" in opener.open(link, timeout=10).read()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(link.partition("?")[0], timeout=10)
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Ending all sessions" in said
    assert "Traceback" not in said
