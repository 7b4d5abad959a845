"""`rnnplay doctor`: reports what rnnplay finds on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

import click

from rnnplay.cli.support.console import note, pairs, write_json
from rnnplay.cli.support.session import Session, json_option, pass_session, workspace_option
from rnnplay.common.encodings import encoding_of
from rnnplay.common.formatting import size_text
from rnnplay.errors import InputError

LIBRARIES = ("torch", "textual", "rich", "click", "msgspec", "numpy", "safetensors")


@click.command("doctor", short_help="Report what rnnplay finds on this machine.")
@workspace_option
@json_option
@pass_session
def command(session: Session, as_json: bool) -> int:
    """Report what rnnplay finds here: versions, device, threads, terminal, workspace. Exit code 1 if any is broken."""
    found: dict[str, dict[str, Any]] = {
        "versions": versions(),
        "machine": machine(),
        "terminal": terminal(),
        "workspace": workspace(session),
    }
    problems = [section["problem"] for section in found.values() if "problem" in section]
    if as_json:
        write_json({**found, "problems": problems})
        return 1 if problems else 0
    for name, section in found.items():
        click.echo(click.style(name, bold=True))
        pairs((f"  {key}", shown(value)) for key, value in section.items() if key != "problem")
    for problem in problems:
        note(f"Problem: {problem}")
    return 1 if problems else 0


def versions() -> dict[str, Any]:
    """Returns the versions of rnnplay, Python and the libraries; "missing" for one that is not installed."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from rnnplay import __version__

    found = {"rnnplay": __version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "missing"
    missing = [library for library in LIBRARIES if found[library] == "missing"]
    if missing:
        found["problem"] = f"{', '.join(missing)} cannot be found; install rnnplay again."
    return found


def machine() -> dict[str, Any]:
    """Describes torch and the hardware; a torch that does not load is reported as a problem, not raised."""
    try:
        from rnnplay.model.hardware import describe_machine

        # The versions have their own section.
        return {name: value for name, value in describe_machine().items() if name not in ("python", "torch")}
    except Exception as error:
        return {"problem": f"PyTorch does not load ({type(error).__name__}: {error}); install it again."}


def terminal() -> dict[str, Any]:
    """Describes the terminal's size, colours and characters, if there is one."""
    from rich.console import Console

    size = shutil.get_terminal_size((0, 0))
    encoding = encoding_of(sys.stdout)
    try:
        "█⣿─·".encode(encoding)
        unicode = True
    except (UnicodeEncodeError, LookupError):
        unicode = False
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    found: dict[str, Any] = {
        "terminal": is_terminal,
        "type": os.environ.get("TERM", "") or "unknown",
        "size": f"{size.columns}×{size.lines}" if size.columns else "unknown",
        "colours": Console().color_system or "none",
        "no_color": "NO_COLOR" in os.environ,
        "encoding": encoding,
        "unicode": unicode,
    }
    if is_terminal and not unicode:
        found["problem"] = f"The terminal's encoding is {encoding}, which has no line-drawing characters; use UTF-8."
    elif is_terminal and size.columns and (size.columns < 80 or size.lines < 24):
        found["problem"] = f"The terminal is {found['size']}; the interface needs 80×24."
    return found


def workspace(session: Session) -> dict[str, Any]:
    """Describes where texts and runs are, and whether that can be written to."""
    from rnnplay.runs.folder import list_runs
    from rnnplay.workspace import bundled_corpora

    try:
        place = session.workspace
    except InputError as error:
        return {"problem": str(error)}
    existing = next((folder for folder in (place.root, *place.root.parents) if folder.exists()), place.root)
    found: dict[str, Any] = {
        "folder": str(place.root),
        "there": place.root.is_dir(),
        "writable": os.access(existing, os.W_OK) and existing.is_dir(),
        "runs": len(list_runs(place)),
        "bundled corpora": str(bundled_corpora()),
    }
    try:
        found["free space"] = size_text(shutil.disk_usage(existing).free)
    except OSError:
        found["free space"] = "unknown"
    if not found["writable"]:
        found["problem"] = f"The workspace {place.root} cannot be written; name another with --workspace."
    elif not place.missing():
        try:
            place.check_there()
        except InputError as error:
            found["problem"] = str(error)
    return found


def shown(value: object) -> str:
    """Formats a value for the user."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
