"""`rnnplay serve`: the playground in the browser, for a class."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
import signal
import socket
import sys
import urllib.parse
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from rnnplay.cli.support.console import note
from rnnplay.cli.support.options import WholeNumber
from rnnplay.cli.support.session import Session, pass_session, workspace_option
from rnnplay.common.commands import quoted
from rnnplay.errors import InputError

if TYPE_CHECKING:
    from rnnplay.serve.server import Server

INSTALL = "pip install 'rnnplay[web]'"
SHORTEST_TOKEN = 12
TOKEN_VARIABLE = "RNNPLAY_TOKEN"


@click.command("serve", short_help="Open the playground to a class, in the browser.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=WholeNumber(0, 65535),
    help="The port to listen on; 0 for any free one.",
)
@click.option(
    "--sessions",
    default=8,
    show_default=True,
    type=WholeNumber(1, 1000),
    help="How many may be in at once; the rest wait.",
)
@click.option(
    *("--threads-per-session", "threads"), default=1, show_default=True, type=WholeNumber(1, 64),
    help="The processors that a visitor's trainings share.",
)  # fmt: skip
@click.option(
    *("--memory-per-process", "memory"), default=2_000, show_default=True, type=WholeNumber(400, 1_000_000),
    metavar="MB", help="What a visitor's interface and each training may allocate.",
)  # fmt: skip
@click.option(
    *("--models-per-session", "models"), default=5, show_default=True, type=WholeNumber(1, 100),
    help="How many a visitor may have open at once, a race's too.",
)  # fmt: skip
@click.option(
    *("--disk-per-session", "disk"), default=1_000, show_default=True, type=WholeNumber(50, 10_000_000),
    metavar="MB", help="What a visitor may store; training stops, with a checkpoint, when it is used up.",
)  # fmt: skip
@click.option(
    "--idle", default=30, show_default=True, type=WholeNumber(1, 1440), metavar="MINUTES",
    help="After this long without a key, a session ends with a checkpoint.",
)  # fmt: skip
@click.option(
    "--token", envvar=TOKEN_VARIABLE, metavar="WORD", default="",
    help=f"The secret in the link.  [default: ${TOKEN_VARIABLE}, or a new one each time]",
)  # fmt: skip
@click.option(
    "--public-url", default="", metavar="URL", help="The address behind a proxy, such as https://rnn.example.org."
)
@workspace_option
@pass_session
def command(
    session: Session,
    /,
    host: str,
    port: int,
    sessions: int,
    threads: int,
    memory: int,
    models: int,
    disk: int,
    idle: int,
    token: str,
    public_url: str,
) -> int:
    """Open the playground to a class: whoever has the link that is printed trains models in the browser.

    Each visitor has a workspace in visitors/, found again by a cookie, with the texts of this one; nothing else on this
    machine can be reached from it, and no network. A connection that ends leaves a checkpoint and no process. ctrl-C
    ends all of them so.
    """
    check_installed()
    token = checked_token(token) or secrets.token_urlsafe(24)
    public_url = checked_url(public_url)
    workspace = session.workspace.create()
    from rnnplay.serve.server import Server
    from rnnplay.serve.visits import Settings

    settings = Settings(token, sessions, threads, memory, models, disk, idle * 60, public_url)
    return asyncio.run(serve(Server(workspace, settings), host, port))


def check_installed() -> None:
    """Raises InputError if the extra `web` is not installed, or this system cannot serve."""
    if sys.platform == "win32":
        raise InputError("Serving needs Linux or macOS; on Windows run it in WSL or in the container.")
    if find_spec("textual_serve") is None or find_spec("aiohttp") is None:
        raise InputError(f"Serving needs the package textual-serve, which is not installed; install it with: {INSTALL}")


def checked_token(token: str) -> str:
    """Returns `token` if it can be used in a link and is not soon guessed, or ""; raises InputError."""
    if not token:
        return ""
    if len(token) < SHORTEST_TOKEN or any(not "!" <= letter <= "~" or letter in '";,\\' for letter in token):
        raise InputError(
            f"The token must have at least {SHORTEST_TOKEN} letters, digits or signs, without spaces, quotes, commas "
            "and semicolons; without --token a new one is drawn."
        )
    return token


def checked_url(url: str) -> str:
    """Returns `url` without a slash at its end; raises InputError if it is not the address of a host."""
    try:
        parts = urllib.parse.urlsplit(url)
        valid = not url or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.path in ("", "/"))
        valid = valid and not (parts.query or parts.fragment or parts.username)
        _ = parts.port
    except ValueError:
        valid = False
    if not valid:
        raise InputError(
            f"--public-url {url!r} is not the address of a host; give one such as https://rnn.example.org."
        )
    return url.rstrip("/")


def is_local(host: str) -> bool:
    """Whether only programs on this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def serve(server: Server, host: str, port: int) -> int:
    """Serves until a signal; returns the exit code. Raises InputError if `host` and `port` cannot be listened on."""
    from aiohttp import web

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    for name in ("aiohttp", "textual-serve"):
        logging.getLogger(name).setLevel(logging.ERROR)
    listening = listen(host, port)
    number = int(listening.getsockname()[1])
    runner = web.AppRunner(server.app(number), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    shown = f"[{host}]" if ":" in host else host
    base = server.settings.public_url or f"http://{shown}:{number}"
    click.echo(f"{base}/?{urllib.parse.urlencode({'token': server.settings.token})}")
    sys.stdout.flush()
    places = f"{server.settings.sessions} at once" if server.settings.sessions > 1 else "one at a time"
    note(f"That is the link for visitors ({places}). ctrl-C ends all sessions, each with a checkpoint.")
    if not is_local(host) and not server.settings.public_url.startswith("https:"):
        note("Others can reach this address, and without TLS whoever is on the way reads along: docs/serve.md.")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])):
        loop.add_signal_handler(signal_number, stopped.set)
    await stopped.wait()
    note("Ending all sessions …")
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(signal_number)  # a second one ends the server at once; the sessions notice
    await runner.cleanup()
    return 0


def listen(host: str, port: int) -> socket.socket:
    """Listens on `host` and `port`. Raises InputError if that is impossible."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{quoted(host)}, port {port}, cannot be listened on ({why}); give an address of this machine with --host "
            "and a free port with --port (0 for any)."
        ) from error
    listening.listen(128)
    return listening
