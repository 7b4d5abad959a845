"""The number of parameters of the model in the form. Imported once the first screen is drawn: torch-free, but slow."""

from __future__ import annotations

from rnnplay.config import RunConfig
from rnnplay.model.parameter_count import parameter_count
from rnnplay.text.encoding.vocabulary_size import text_settings, vocabulary_size
from rnnplay.workspace import Workspace


class ParameterCount:
    """Counts the vocabulary, which takes a while, once for each choice of a text and its tokens."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[tuple[object, ...], int | None] = {}
        self._asked: set[tuple[object, ...]] = set()

    def text(self, config: RunConfig, trained: RunConfig | None, vocabulary: int | None) -> str:
        """What is said of `config`: nothing where its vocabulary is not known (yet).

        `trained` is the run that is shown, if any, and `vocabulary` what it was found to have.
        """
        settings = text_settings(config)
        same = trained is not None and text_settings(trained) == settings
        found = (vocabulary if same else None) or self._known.get(settings)
        return f"{parameter_count(config, found):,} parameters" if found else ""

    def asks(self, config: RunConfig) -> bool:
        """Whether `count` is to be called for `config`, in a thread; true once."""
        settings = text_settings(config)
        new = settings not in self._asked
        self._asked.add(settings)
        return new

    def count(self, config: RunConfig) -> None:
        """Count the vocabulary of `config`; None is kept where it cannot be."""
        self._known[text_settings(config)] = vocabulary_size(config, self._workspace)
