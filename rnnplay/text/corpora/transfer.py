"""Downloads a file over HTTP: in parts, resumed where it broke off, never mixing two versions of it.

Next to the unfinished file stands `<file>.json` with the address and what the server calls that version of it (ETag or
Last-Modified). The server is asked for the rest on the condition that the version is still that one; it sends all of it
otherwise.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from rnnplay.common.files import read_small, replacing
from rnnplay.common.limits import reason, way_out
from rnnplay.errors import InputError, RnnplayError
from rnnplay.text.corpora.cards import clean

_BLOCK = 1 << 16
_LARGEST_STATE = 1 << 16

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and, if the server says it (else 0), the number in total."""


class UnreachableError(InputError):
    """The server cannot be reached, as without a connection."""


class _State(msgspec.Struct, frozen=True):
    url: str
    version: str


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections to other web addresses, but not to files or other protocols."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        check_url(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def check_url(url: str) -> None:
    """Raises InputError unless `url` is a web address."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(letter <= " " for letter in url):
        raise InputError(f"{clean(url)[:200]} is no web address; it must begin with https:// or http://.")


def transfer(url: str, target: Path, progress: Progress | None = None, largest: int = 0, timeout: float = 30.0) -> None:
    """Downloads `url` to `target`; what is there of an earlier, broken transfer is continued.

    largest: bytes after which it is given up; 0: none. Raises InputError if the server cannot be reached, refuses,
    sends a web page or breaks off; what has arrived stays, to be continued. RnnplayError if it cannot be written.
    """
    check_url(url)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(target, error) from error
    start, version = _begun(url, target)
    headers = {"User-Agent": "rnnplay", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": version}
    host = clean(urllib.parse.urlsplit(url).hostname or url)
    opener = urllib.request.build_opener(_Redirects)
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=timeout) as response:
            _receive(response, url, host, target, start, progress, largest)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:  # it has become shorter
            discard(target)
            transfer(url, target, progress, largest, timeout)
            return
        raise InputError(
            f"{host} answered {error.code} ({clean(str(error.reason))}) for {clean(url)}; check it."
        ) from error
    except urllib.error.URLError as error:
        raise UnreachableError(
            f"{host} cannot be reached ({clean(str(error.reason))}); check the connection."
        ) from error
    except (http.client.HTTPException, OSError) as error:
        have = target.stat().st_size if target.exists() else 0
        what = clean(str(error)) or type(error).__name__
        raise InputError(
            f"The connection to {host} broke off ({what}) after {have:,} bytes; run it again to go on from there."
        ) from error


def discard(target: Path) -> None:
    """Removes what was downloaded to `target`."""
    for place in (target, _state_file(target)):
        with suppress(OSError):
            place.unlink(missing_ok=True)


def _receive(
    response: Any, url: str, host: str, target: Path, start: int, progress: Progress | None, largest: int
) -> None:
    kind = response.headers.get_content_type()
    if kind == "text/html" and not urllib.parse.urlsplit(url).path.endswith((".html", ".htm")):
        raise InputError(f"{clean(url)} is a web page, not a text; give the address of the file itself.")
    resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
    done = start if resumed else 0
    length = response.headers.get("Content-Length") or ""
    total = done + int(length) if length.isdigit() else 0
    version = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    try:
        file = target.open("ab" if resumed else "wb")
        with replacing(_state_file(target)) as state:
            state.write(msgspec.json.encode(_State(url, "" if version.startswith("W/") else version)))
    except OSError as error:
        raise _unwritable(target, error) from error
    with file:
        while block := response.read(_BLOCK):
            done += len(block)
            if largest and done > largest:
                raise InputError(
                    f"{clean(url)} is larger than the {largest:,} bytes expected; it is not the text of the card."
                )
            try:
                file.write(block)
                file.flush()
            except OSError as error:
                raise _unwritable(target, error) from error
            if progress is not None:
                progress(done, total)
    if done < total:
        raise InputError(
            f"The connection to {host} broke off after {done:,} of {total:,} bytes; run it again to go on from there."
        )


def _begun(url: str, target: Path) -> tuple[int, str]:
    """The bytes that are there of `url`, and their version; 0 if they cannot be continued."""
    try:
        state = msgspec.json.decode(read_small(_state_file(target), _LARGEST_STATE), type=_State)
        size = target.stat().st_size
    except (OSError, ValueError, msgspec.DecodeError, RecursionError):
        return 0, ""
    return (size, state.version) if state.url == url and state.version else (0, "")


def _state_file(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")


def _unwritable(target: Path, error: OSError) -> RnnplayError:
    return RnnplayError(f"The download cannot be written to {clean(str(target))} ({reason(error)}); {way_out(error)}.")
