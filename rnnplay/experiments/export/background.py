"""Exports in a process of its own: whoever asks does not wait, and loads neither torch nor what draws charts."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import msgspec

from rnnplay.errors import RnnplayError
from rnnplay.experiments.export.request import Export
from rnnplay.workspace import Workspace


class _Written(msgspec.Struct):
    files: list[str]


async def export_in_background(wanted: Export, workspace: Workspace) -> list[Path]:
    """Runs `rnnplay export` for `wanted`, with absolute paths; returns the files. Raises RnnplayError as it says it.

    The process is ended if the caller is cancelled.
    """
    words = ["export", "--to", wanted.format, "--json", "--workspace", str(workspace.root)]
    if wanted.out is not None:
        words += ["--out", str(wanted.out)]
    if wanted.force:
        words.append("--force")
    words += ["--", *(str(run.path.absolute()) for run in wanted.runs)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rnnplay",
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # ctrl-C in the terminal is not for it
    )
    try:
        out, said = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    try:
        return [Path(path) for path in msgspec.json.decode(out, type=_Written).files]
    except msgspec.DecodeError as error:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        last = lines[-1].removeprefix("Error: ") if lines else "It ended without a word."
        raise RnnplayError(last) from error
