"""The number of parameters of the model in the form, on the border of the setup."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rnnplay.model.parameter_count import parameter_count
from rnnplay.text.tokenizers.vocabulary_size import text_settings, vocabulary_size

if TYPE_CHECKING:
    from rnnplay.config import RunConfig
    from rnnplay.tui.screens.playground import PlaygroundScreen


class ParameterCount:
    """Of one playground. The vocabulary is counted in a thread, once for each choice of a text and its tokens."""

    def __init__(self, screen: PlaygroundScreen) -> None:
        self._screen = screen
        self._known: dict[tuple[object, ...], int | None] = {}
        self._asked: set[tuple[object, ...]] = set()

    def show(self) -> None:
        """Bring it up to date with the form; nothing where the vocabulary is not known (yet)."""
        config = self._screen.form.config
        settings = text_settings(config)
        vocabulary = self._of_run(settings) or self._known.get(settings)
        text = f"{parameter_count(config, vocabulary):,} parameters" if vocabulary else ""
        setup = self._screen.query_one("#setup")
        if setup.border_subtitle != text:
            setup.border_subtitle = text
        if vocabulary is None and settings not in self._asked:
            self._asked.add(settings)
            self._screen.run_worker(partial(self._count, config), thread=True, group="vocabulary")

    def _of_run(self, settings: tuple[object, ...]) -> int | None:
        session = self._screen.session
        same = session.config is not None and text_settings(session.config) == settings
        return session.started.vocabulary if same and session.started is not None else None

    def _count(self, config: RunConfig) -> None:
        found = vocabulary_size(config, self._screen.control.workspace)
        self._screen.app.call_from_thread(self._take, text_settings(config), found)

    def _take(self, settings: tuple[object, ...], vocabulary: int | None) -> None:
        self._known[settings] = vocabulary
        self.show()
