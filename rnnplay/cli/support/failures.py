"""Ends a command: its exit code, and what went wrong in one sentence on stderr."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnplay.common.commands import shell_command
from rnnplay.common.limits import limit_met, limit_sentence, reason, way_out
from rnnplay.common.terminal_text import sanitize, sanitize_message
from rnnplay.errors import CheckpointError, EncodingError, FinishedError, LackingTokensError, RnnplayError
from rnnplay.workspace import CURRENT_FOLDER_GONE, current_folder_gone, shortened_path

if TYPE_CHECKING:
    from rnnplay.cli.support.session import Session

DONE, FAILED, BAD_INPUT = 0, 1, 2
INTERRUPTED = 130
"""As a shell reports a process that SIGINT has ended."""
_LONGEST_WORD = 1000


def guarded(call: Callable[[], object], session: Session) -> int:
    """Returns the exit code of `call`: its result if an int; errors are shown on stderr. Never raises an Exception."""
    try:
        result = call()
        sys.stdout.flush()
    except click.Abort as error:
        # click raises it for ctrl-C and for the end of input at a prompt.
        if isinstance(error.__context__, KeyboardInterrupt):
            tell("Interrupted.")
            return INTERRUPTED
        tell("There was no answer, so nothing was done.")
        return FAILED
    except KeyboardInterrupt:
        tell("Interrupted.")
        return INTERRUPTED
    except click.UsageError as error:
        tell("Error: " + usage_message(error, session.words))
        return BAD_INPUT
    except click.ClickException as error:
        tell("Error: " + error.format_message())
        return error.exit_code
    except RnnplayError as error:
        _debug()
        tell(f"Error: {error}{remedy(error, session)}")
        return error.exit_code
    except BrokenPipeError:
        drop_stdout()
        return DONE
    except Exception as error:
        _debug()
        tell(_unwritable(error) or _refused(error) or unexpected(error, session))
        return FAILED
    return result if isinstance(result, int) and not isinstance(result, bool) else DONE


def remedy(error: RnnplayError, session: Session) -> str:
    """The command that would work instead, if the error knows one; otherwise ""."""
    if isinstance(error, CheckpointError) and error.instead is not None:
        return f" Try: {session.again(checkpoint=error.instead)}"
    if isinstance(error, FinishedError):
        return f" For example: {session.again(**error.longer)}"
    if isinstance(error, LackingTokensError):
        if error.extendable:
            return f" To add them: {session.again(extend_vocabulary=True)}"
        return f" For that: {session.again(min_count=error.min_count)}" if error.min_count else ""
    if isinstance(error, EncodingError):
        from rnnplay.text.corpora.adding import free_name

        name = free_name(Path(error.path), session.workspace)
        options = {"encoding": error.encoding, **({"name": name} if name else {})}
        add = session.workspace.command("corpora", "add", error.path, **options)
        return f" To copy it into the workspace as UTF-8: {add}"
    return ""


def open_closed_streams() -> None:
    """Replaces a stream that the shell has closed (`>&-`), None in Python, by the null device."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (for as long as we run)


def keep_short_writes() -> None:
    """Buffers a stdout that PYTHONUNBUFFERED or -u has left unbuffered.

    Python itself drops, without an error, the part of a single write that a full disk does not take.
    """
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper) and isinstance(raw := stream.buffer, io.RawIOBase):
        buffered = io.BufferedWriter(raw)
        sys.stdout = io.TextIOWrapper(buffered, stream.encoding, stream.errors, line_buffering=True)


def tell(message: str) -> None:
    """Writes one message on stderr, which may be closed; on one line, without control characters.

    A word that fills a screen, such as a text given in place of a name, is shortened; no path is that long.
    """
    message = re.sub(rf"\S{{{_LONGEST_WORD},}}", lambda word: f"{word[0][:100]}…{word[0][-40:]}", message)
    with contextlib.suppress(OSError, ValueError):
        click.echo(sanitize_message(message), err=True)


def _debug() -> None:
    if os.environ.get("RNNPLAY_DEBUG"):
        import traceback

        with contextlib.suppress(OSError, ValueError):
            click.echo(sanitize(traceback.format_exc()), err=True)


def drop_stdout() -> None:
    """Discards further output after a broken pipe, so that the interpreter's last flush does not complain."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass


def _unwritable(error: Exception) -> str:
    """The sentence for a stdout that cannot be written, such as a file on a full disk; empty for any other error.

    A failed write to a stream names no file; failed writes to files are reported, by name, where they happen.
    """
    if isinstance(error, OSError) and error.filename is None and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EIO):
        drop_stdout()
        return f"Error: The answer cannot be written ({reason(error)}); {way_out(error)}, or send it elsewhere."
    return ""


def _refused(error: Exception) -> str:
    """The sentence for what the system refuses in general: a limit, too long a path, a folder that is gone."""
    if limit := limit_met(error):
        return f"Error: {limit_sentence(limit)}"
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        return f"Error: A path is longer than this system allows ({shortened_path(path)}); use a shorter one."
    return f"Error: {CURRENT_FOLDER_GONE}" if isinstance(error, FileNotFoundError) and current_folder_gone() else ""


def usage_message(error: click.UsageError, words: Sequence[str]) -> str:
    """What is wrong with the command line, which name was meant and where to read more; `words`: as typed."""
    path = error.ctx.command_path if error.ctx else "rnnplay"
    message = error.format_message()
    if isinstance(error, click.NoSuchOption):
        from rnnplay.common.other_tools import instead, meant_as

        known = [name for param in error.ctx.command.params for name in _names(param)] if error.ctx else []
        option = error.option_name
        if not option.startswith("--"):  # click names only the first letter of -rnn_size 128
            option = next((word for word in words if word.startswith(option) and len(word) > 2), option)
        without, nearest = instead(option, known)
        near = f"--{nearest}" if nearest else " or ".join(f"--{name}" for name in meant_as(option, known))
        if without:
            message = f"There is no option {option}: {without}{f' (see also {near})' if nearest else ''}."
        else:
            message = f"There is no option {option}{f'; did you mean {near}?' if near else '.'}"
    if not message.endswith((".", "?", "!", "…")):
        message += "."
    return f"{message} ({shell_command(*path.split()[1:], help=True)})"


def unexpected(error: Exception, session: Session) -> str:
    """The sentence for an unforeseen error; the traceback goes to a file that the sentence names."""
    text = " ".join(str(error).split()) or "no further words"
    if len(text) > 300:
        text = text[:297] + "..."
    try:
        kept = f"; the whole account is in {_write_traceback(error, session)}"
    except Exception:  # whatever is wrong with the system, the sentence must appear
        kept = ""
    return f"Error: {type(error).__name__}: {text}{kept}"


def _write_traceback(error: Exception, session: Session) -> Path:
    import platform
    import tempfile
    import time
    import traceback

    from rnnplay import __version__

    lines = [f"rnnplay {__version__}, Python {platform.python_version()}, {platform.platform()}\n"]
    lines += traceback.format_exception(error)
    name = f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in (session.workspace.cache / "errors", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            with path.open("x", encoding="utf-8", errors="backslashreplace") as file:  # never replaces a file of others
                file.writelines(lines)
        except OSError:
            continue
        return path
    raise OSError("no folder for the traceback")


def _names(param: click.Parameter) -> list[str]:
    return [name[2:] for name in (*param.opts, *param.secondary_opts) if name.startswith("--")] + ["help"]
