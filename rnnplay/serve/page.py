"""The page that the interface is shown on: its text, what it loads, what it says, and the headers of every answer."""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path

import textual_serve

from rnnplay.serve.texts import LARGEST_TEXT

STATIC = {
    "textual.js": ("js/textual.js", "text/javascript"),
    "xterm.css": ("css/xterm.css", "text/css"),
    "mono.ttf": ("fonts/RobotoMono-VariableFont_wght.ttf", "font/ttf"),
    "mono-italic.ttf": ("fonts/RobotoMono-Italic-VariableFont_wght.ttf", "font/ttf"),
}
"""What the page needs of textual-serve, by the name that it asks for. Nothing else is served."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self' ws://{host} wss://{host}; frame-ancestors 'none'; base-uri 'none'"
)


def page(nonce: str, own_link: str) -> str:
    """Returns the page; `nonce` marks its own scripts, `own_link` is the visitor's for another browser."""
    text = _template()
    values = {"NONCE": nonce, "OWN_LINK": html.escape(own_link, quote=True), "LARGEST": str(LARGEST_TEXT)}
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def policy(nonce: str, host: str) -> str:
    """Returns the content security policy of a page that is asked for at `host`."""
    return _POLICY.format(nonce=nonce, host=html.escape(host, quote=True))


@cache
def static_file(path: str) -> bytes:
    """Returns a file of textual-serve's page."""
    return (Path(textual_serve.__file__).parent / "static" / path).read_bytes()


@cache
def _template() -> str:
    return Path(__file__).with_name("page.html").read_text(encoding="utf-8")


def queue_text(position: int, places: int) -> str:
    """What a visitor reads who waits as the `position`-th."""
    taken = "The only place is" if places == 1 else f"All {places} places are"
    ahead = "You are next." if position == 1 else f"{position - 1} are before you."
    return f"{taken} taken. {ahead}\n\nThe playground opens here by itself as soon as there is a place for you."
