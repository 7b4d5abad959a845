"""The number of parameters of the model in the form.

Imported after the first screen is drawn: free of torch, but slow.
"""

from __future__ import annotations

from rnnplay.config import RunConfig
from rnnplay.model.parameter_count import parameter_count
from rnnplay.text.encoding.vocabulary_size import text_settings, vocabulary_size
from rnnplay.workspace import Workspace


class ParameterCount:
    """Counts parameters; the vocabulary, which takes a while, only once for each text and its tokens."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[tuple[object, ...], int | None] = {}
        self._asked: set[tuple[object, ...]] = set()

    def text(self, config: RunConfig, trained: RunConfig | None, vocabulary: int | None) -> str:
        """The number of parameters of `config` in words; "" while its vocabulary is unknown.

        `trained` is the config of the run shown, if any, and `vocabulary` the size of its vocabulary.
        """
        settings = text_settings(config)
        same = trained is not None and text_settings(trained) == settings
        found = (vocabulary if same else None) or self._known.get(settings)
        return f"{parameter_count(config, found):,} parameters" if found else ""

    def asks(self, config: RunConfig) -> bool:
        """Whether to call `count` for `config`, in a thread; true once per text."""
        settings = text_settings(config)
        new = settings not in self._asked
        self._asked.add(settings)
        return new

    def count(self, config: RunConfig) -> None:
        """Counts the vocabulary of `config`; None is stored if that fails."""
        self._known[text_settings(config)] = vocabulary_size(config, self._workspace)
