"""Finds the workspace: the folder with corpora/, checkpoints/ and the cache.

The first of these that is given wins: the --workspace option, the environment variable RNNPLAY_WORKSPACE, the current
folder if it already has both corpora/ and checkpoints/, the user's data folder.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from rnnplay.common.commands import shell_command
from rnnplay.common.limits import way_out
from rnnplay.errors import InputError

ENVIRONMENT_VARIABLE = "RNNPLAY_WORKSPACE"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with a user's corpora and runs."""

    root: Path
    option: str = field(default="", compare=False)
    """The argument of --workspace; "" if the workspace was found without it."""

    named: bool = field(default=False, compare=False)
    """Whether the user named it, and may have mistyped it."""

    cache_elsewhere: Path | None = field(default=None, compare=False)
    """Replaces .cache if that cannot be written."""

    def command(self, *words: str, **options: str | float | bool) -> str:
        """A `shell_command` for the user to paste, which finds this workspace."""
        return shell_command(*words, workspace=self.option, **options)

    def run_argument(self, folder: Path) -> str:
        """How a command refers to the run in `folder`: by name if it is in this workspace, else by its path."""
        return folder.name if folder.parent == self.checkpoints else str(folder)

    @property
    def corpora(self) -> Path:
        """Corpus cards (TOML) and a user's own texts."""
        return self.root / "corpora"

    @property
    def checkpoints(self) -> Path:
        """One folder per run."""
        return self.root / "checkpoints"

    @property
    def trash(self) -> Path:
        """Holds removed runs until it is emptied; created with the first of them."""
        return self.root / "trash"

    @property
    def presets(self) -> Path:
        """The user's own presets (TOML); created with the first one."""
        return self.root / "presets"

    @property
    def lessons(self) -> Path:
        """Lessons of the user's own, a folder or a zip archive each; created with the first one."""
        return self.root / "lessons"

    @property
    def cache(self) -> Path:
        """Encoded corpora; may be deleted at any time, as it is regenerated."""
        return self.cache_elsewhere or self.root / ".cache"

    def create(self) -> Workspace:
        """Creates missing folders; raises InputError, with the reason, if nothing can be trained or kept here."""
        for folder in (self.corpora, self.checkpoints, self.root / ".cache"):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK):
                    raise PermissionError(errno.EACCES, "it may only be read")
            except FileExistsError as error:
                raise _in_the_way(self.root if self.root.is_symlink() and not self.root.exists() else folder) from error
            except OSError as error:
                raise InputError(
                    f"Nothing can be written in the workspace {self.root} ({error.strerror}), so nothing can be "
                    f"trained or kept in it; {way_out(error)}, or {_ANOTHER}."
                ) from error
        return self

    def check_there(self) -> Workspace:
        """Returns the workspace to look for runs in; raises InputError if it is missing, and says what is there.

        One that nobody named may not exist yet: the first training creates it.
        """
        if os.path.lexists(self.checkpoints):
            try:
                os.scandir(self.checkpoints).close()
            except NotADirectoryError as error:
                raise _in_the_way(self.checkpoints) from error
            except FileNotFoundError as error:  # a link
                raise _in_the_way(self.checkpoints) from error
            except OSError as error:
                raise InputError(
                    f"The runs in {self.checkpoints} cannot be read ({error.strerror}); "
                    f"{way_out(error, reading=True)}, or {_ANOTHER}."
                ) from error
        if self._is_closed:
            raise InputError(f"The folder {self.root} may not be entered; allow reading it, or {_ANOTHER}.")
        if trouble := self.missing():
            raise InputError(f"{trouble}; check the name, or begin one there: {self.command('train')}")
        return self

    def missing(self) -> str:
        """ "The workspace … does not exist", if it was named and is missing; else ""."""
        if not self.named or any(os.path.lexists(folder) for folder in (self.corpora, self.checkpoints, self.presets)):
            return ""
        if self._is_closed:
            return f"The folder {self.root} may not be entered, so nothing in it is seen"
        if self.root.is_dir():
            return f"The folder {self.root} is not a workspace: it has neither corpora/ nor checkpoints/"
        return f"The workspace {self.root} does not exist"

    @property
    def _is_closed(self) -> bool:
        """Whether the system keeps this process out of the folder, so that all in it seems to be missing."""
        return self.root.is_dir() and not os.access(self.root, os.X_OK)

    def for_reading(self) -> Workspace:
        """The workspace for reading runs and texts, if need be with a temporary cache for this process.

        If nothing can be written here, new cache entries go to a temporary folder; existing ones are used. Raises
        InputError if there is no temporary folder either.
        """
        with suppress(OSError):
            self.cache.mkdir(parents=True, exist_ok=True)
        if os.access(self.cache, os.W_OK):
            return self
        try:
            return replace(self, cache_elsewhere=_temporary_cache(self.cache))
        except OSError as error:
            raise InputError(
                f"Nothing can be written in the workspace {self.root}, nor in a temporary folder ({error.strerror}); "
                f"{way_out(error)}."
            ) from error


_ANOTHER = f"name another workspace with --workspace or {ENVIRONMENT_VARIABLE}"

CURRENT_FOLDER_GONE = "The current folder has been deleted; change to another one."

_LONGEST_BELOW = Path("checkpoints", "r" * 80, ".step-000000001.replaced", "weights.safetensors")
"""Approximate length of the longest path in a workspace."""


def current_folder_gone() -> bool:
    """Whether the current folder has been deleted."""
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def shortened_path(path: str) -> str:
    """Shortens a very long `path` in the middle, stating its length."""
    return path if len(path) <= 160 else f"{path[:80]}…{path[-40:]}, {len(path):,} characters"


def find_workspace(option: str | Path | None) -> Workspace:
    """Finds the workspace to use; creates nothing. Raises InputError for an unusable path."""
    try:
        workspace = _found(option)
    except FileNotFoundError as error:
        raise InputError(CURRENT_FOLDER_GONE) from error
    except RuntimeError as error:  # of `~`
        named = option or os.environ.get(ENVIRONMENT_VARIABLE)
        raise InputError(
            f"The home folder in the path of the workspace, {named}, cannot be found; give the whole path."
        ) from error
    try:
        str(workspace.root).encode()
    except UnicodeEncodeError as error:
        shown = str(workspace.root).encode(errors="replace").decode()
        raise InputError(f"The path of the workspace {shown} is not valid UTF-8; use another folder.") from error
    try:
        (workspace.root / _LONGEST_BELOW).stat()
    except NotADirectoryError as error:
        part = next(part for part in (workspace.root, *workspace.root.parents) if os.path.lexists(part))
        if not part.is_dir():
            within = "" if part == workspace.root else f", and {workspace.root} would be in it"
            raise InputError(f"{part} is not a folder{within}; {_ANOTHER}.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(
                f"The path of the workspace is too long for this system ({shortened_path(str(workspace.root))}); name "
                f"another with --workspace or {ENVIRONMENT_VARIABLE}."
            ) from error
    return workspace


def _found(option: str | Path | None) -> Workspace:
    named = option or os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return Workspace(Path(named).expanduser().absolute(), str(option or ""), named=True)
    here = Path.cwd()
    if (here / "corpora").is_dir() and (here / "checkpoints").is_dir():
        return Workspace(here)
    from platformdirs import user_data_path  # only here: most starts do not need it

    return Workspace(user_data_path("rnnplay", appauthor=False))


def _in_the_way(path: Path) -> InputError:
    what = "a link that leads nowhere" if path.is_symlink() and not path.exists() else "a file"
    return InputError(f"{path} is {what}, and has to be a folder; move it away, or {_ANOTHER}.")


@cache
def _temporary_cache(unwritable: Path) -> Path:
    """A temporary folder, removed when the process ends, with links to the contents of `unwritable`."""
    import atexit  # seldom needed
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="rnnplay-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    encoded = folder / "encoded"
    encoded.mkdir()
    with suppress(OSError):
        for kept in (unwritable / "encoded").iterdir():
            if kept.is_dir() and not kept.name.startswith("."):
                (encoded / kept.name).symlink_to(kept)
    return folder


def bundled_corpora() -> Path:
    """The bundled corpora/: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "corpora"
    return installed if installed.is_dir() else package.parent / "corpora"
