"""A dialog that downloads a text into the workspace: one of those with a card."""

from __future__ import annotations

import threading
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rnnplay.common.formatting import size_text
from rnnplay.errors import RnnplayError
from rnnplay.text.corpora.downloads import downloads
from rnnplay.tui.keyboard import HELP_KEYS
from rnnplay.tui.keymap import key_name
from rnnplay.tui.screens.dialogs import Dialog, DialogBox
from rnnplay.tui.widgets.visible import visible_line
from rnnplay.workspace import Workspace

SHOWN_SECONDS = 0.2


class _StoppedError(Exception):
    """The user has stopped the download."""


class DownloadsScreen(Dialog[str | None]):
    """Downloads a text; the result is its name as a corpus, or None."""

    DEFAULT_CSS = """
    DownloadsScreen > DialogBox { width: 84; }
    DownloadsScreen OptionList { height: auto; max-height: 10; background: $surface; border: none; }
    DownloadsScreen OptionList:focus { border: none; }
    DownloadsScreen.-tiny OptionList { max-height: 3; }
    DownloadsScreen Static { height: auto; color: $text-muted; }
    DownloadsScreen #state { color: $foreground; }
    """
    HELP = """
    ## Download a text

    `Enter` downloads the text into the workspace's corpora and chooses it as the corpus. `Escape` stops a download;
    what has arrived is kept, and `Enter` goes on from there. Texts with a checksum are checked by it, of others only
    the size. Any other text on the web: `rnnplay corpora fetch https://…`
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Stop, or back", id="everywhere.back"),
        *HELP_KEYS,
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._cards = {one.name: one for one in downloads()}
        self._stop: threading.Event | None = None
        self._progress = (0, 0)

    def compose(self) -> ComposeResult:
        with DialogBox() as box:
            box.border_title = "Download a text"
            yield OptionList(
                *(Option(f"{one.title}  {size_text(one.bytes)}", id=one.name) for one in self._cards.values()),
                markup=False,
            )
            yield Static("", id="about", markup=False)
            yield Static(f"Enter downloads it, {key_name('everywhere.back')} goes back.", id="state", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self.set_interval(SHOWN_SECONDS, self._show_progress)

    def on_unmount(self) -> None:
        if self._stop is not None:
            self._stop.set()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        card = self._cards[event.option.id or ""]
        verified = "checked by its SHA-256" if card.sha256 else "checked by its size, which is only about right"
        self.query_one("#about", Static).update(f"{card.summary}\n{card.licence}; {verified}.")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        name = event.option.id or ""
        if self._stop is not None:
            return
        if (self._workspace.corpora / f"{name}.txt").exists():  # it is there: chosen without a download
            self.dismiss(name)
            return
        self._stop, self._progress = threading.Event(), (0, 0)
        self._say("connecting …")
        self._fetch(name, self._stop)

    def action_cancel(self) -> None:
        if self._stop is None:
            self.dismiss(None)
        else:
            self._stop.set()
            self._say("stopping …")

    @work(thread=True, exit_on_error=False)
    def _fetch(self, name: str, stop: threading.Event) -> None:
        from rnnplay.text.corpora.fetching import fetch

        def take(done: int, total: int) -> None:
            self._progress = (done, total)
            if stop.is_set():
                raise _StoppedError

        def say(remark: str) -> None:
            self.app.call_from_thread(self.app.notify, visible_line(remark), timeout=10, markup=False)

        try:
            corpus = fetch(name, self._workspace, progress=take, say=say)
        except _StoppedError:
            self.app.call_from_thread(self._ended, "stopped; Enter goes on from there")
        except (RnnplayError, OSError) as error:
            self.app.call_from_thread(self._ended, f"✕ {error}")
        else:
            self.app.call_from_thread(self._fetched, corpus.name)

    def _ended(self, why: str) -> None:
        self._stop = None
        self._say(visible_line(why))

    def _fetched(self, name: str) -> None:
        if self.is_current:
            self.dismiss(name)

    def _show_progress(self) -> None:
        done, total = self._progress
        if self._stop is not None and not self._stop.is_set() and done:
            of = f" of {size_text(total)}, {done / total:.0%}" if total else ""
            self._say(f"{size_text(done)}{of}{'; unpacking and checking' if done == total else ''}")

    def _say(self, text: str) -> None:
        self.query_one("#state", Static).update(text)
