"""Who visits: a secret in a cookie, and the workspace that belongs to it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from rnnplay.common.confinement import VARIABLE as CONFINED
from rnnplay.workspace import ENVIRONMENT_VARIABLE, Workspace

FOLDER = "visitors"
"""The folder in the served workspace that has a workspace for each visitor."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{22}")

_INHERITED = re.compile(
    r"PATH|LANG|LC_\w+|TZ|LD_LIBRARY_PATH|(CUDA|NVIDIA|OMP|MKL|GOMP|KMP|TORCH|PYTORCH)_\w+|SYSTEMROOT"
)
"""The environment variables that a visitor's processes inherit; others may hold what is not for visitors."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser that has been here, or that opened the personal link of one."""

    secret: str
    """128 random bits. Whoever has it is this visitor."""
    workspace: Workspace

    @property
    def name(self) -> str:
        """The name of the workspace's folder. The secret cannot be computed from it."""
        return self.workspace.root.name

    def prepare(self, served: Workspace) -> None:
        """Creates the workspace, with the texts of the served one. Raises InputError or OSError."""
        folder = self.workspace.root
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        self.workspace.create()
        (folder / ".cache" / "tmp").mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            for text in sorted(served.corpora.iterdir()):
                if not text.name.startswith(".") and text.is_file():
                    _share(text.resolve(), self.workspace.corpora / text.name)

    def environment(self, columns: int, rows: int) -> dict[str, str]:
        """The environment of the visitor's processes: everything that is written goes to the workspace.

        Nothing in the workspace may be run: a file that the visitor saves there as msgspec.py is no module.
        """
        root = str(self.workspace.root)
        inherited = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
        temporary = str(self.workspace.root / ".cache" / "tmp")
        return inherited | {
            CONFINED: root,
            ENVIRONMENT_VARIABLE: root,
            "RNNPLAY_CONFIG": str(self.workspace.root / "settings.json"),
            "HOME": root,
            "TMPDIR": temporary,
            "MPLCONFIGDIR": temporary,
            "PYTHONSAFEPATH": "1",
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
            "TEXTUAL_DRIVER": "rnnplay.tui.textual_patches.web_driver:BrowserDriver",
            "TEXTUAL_COLOR_SYSTEM": "truecolor",
            "TERM": "xterm-256color",
            "COLUMNS": str(columns),
            "ROWS": str(rows),
        }


class Visitors:
    """The visitors of a served workspace."""

    def __init__(self, served: Workspace) -> None:
        self._folder = served.root / FOLDER

    def find(self, secret: str) -> Visitor | None:
        """The visitor of that secret; None if it is not of the form of one."""
        if not _SECRET.fullmatch(secret):
            return None
        name = hashlib.sha256(secret.encode()).hexdigest()[:16]
        return Visitor(secret, Workspace(self._folder / name))

    def new(self) -> Visitor:
        """A visitor who has not been here before; nothing is written until the interface is opened."""
        visitor = self.find(secrets.token_urlsafe(16))
        assert visitor is not None
        return visitor


def _share(text: Path, place: Path) -> None:
    """Makes `text` available at `place`, without a copy if possible, unless there is something."""
    if os.path.lexists(place):
        return
    try:
        os.link(text, place)  # whoever writes to a file of two names is refused: common/files.py
    except OSError:
        shutil.copyfile(text, place)
