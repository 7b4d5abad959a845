"""Screenshots of the interface, as SVG files in the workspace."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from textual.app import App

from rnnplay.common.files import write_new
from rnnplay.workspace import Workspace


def keep_screenshot(app: App[Any], workspace: Workspace) -> None:
    """Saves a screenshot in the workspace, and notifies the user of its path or of the error."""
    folder = workspace.root / "screenshots"
    try:
        saved = save_screenshot(app.export_screenshot(), folder, datetime.now().astimezone())
    except OSError as error:
        why = error.strerror or str(error)
        app.notify(f"The screenshot could not be saved in {folder}: {why}.", severity="error", markup=False)
    else:
        app.notify(f"Saved as {saved}.", title="Screenshot", timeout=10, markup=False)
        if sys.platform != "win32" and app.is_web:
            from rnnplay.tui.textual_patches.web_driver import download

            download(app, [saved], workspace.cache)


def save_screenshot(svg: str, folder: Path, now: datetime) -> Path:
    """Writes `svg` to a new file in `folder`, named after the time `now`, and returns its path. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_new(folder, f"rnnplay-{now:%Y-%m-%d-%H%M%S}", ".svg", svg)
