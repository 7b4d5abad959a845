"""A model in memory, and the run that it is of: a trainer's, or one from a checkpoint."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.model.language_model import LanguageModel, State, state_from_tensors
from rnnplay.runs.checkpoint_state import read_state
from rnnplay.runs.folder import RunFolder
from rnnplay.text.encoding.encoded import EncodedCorpus, Progress, encode_again
from rnnplay.text.feeds import Batch, make_feed
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.training.checkpoints import load_model, read_state_tensors
from rnnplay.training.learner import raw_weights
from rnnplay.training.resuming import as_tuned
from rnnplay.workspace import Workspace


class LoadedModel(Protocol):
    """A run as it is at this moment: a Trainer's, or one on disk."""

    @property
    def run(self) -> str:
        """Its name."""

    @property
    def config(self) -> RunConfig:
        """Its settings, live knobs as they are."""

    @property
    def model(self) -> LanguageModel:
        """Its model."""

    @property
    def raw_model(self) -> LanguageModel:
        """The one that its next step updates: another than `model` where an EMA of its weights is kept."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer."""

    @property
    def step(self) -> int:
        """Steps done."""

    @property
    def corpus(self) -> EncodedCorpus:
        """The text it is trained on; may take a while, and raises InputError if it is gone."""

    def next_batch(self) -> tuple[Batch, State | None]:
        """What its next step would read, and the state carried into it; raises InputError as `corpus`."""


class SavedRun:
    """A run as one of its checkpoints left it. The text is looked for only when it is asked for."""

    def __init__(
        self, folder: RunFolder, checkpoint: str, workspace: Workspace, progress: Progress | None = None
    ) -> None:
        """`checkpoint`: "latest", "best" or a step. Raises InputError for files that cannot be used."""
        self.model, self.tokenizer, self.step = load_model(folder, checkpoint)
        self._folder, self._info = folder, folder.info()
        self._config = as_tuned(self._info.config, read_state(folder.checkpoint_path(self.step)))
        self._workspace, self._progress = workspace, progress
        self._corpus: EncodedCorpus | None = None

    @property
    def run(self) -> str:
        """The run's name."""
        return self._folder.name

    @property
    def config(self) -> RunConfig:
        """As run.json says, the live knobs as they were at the checkpoint."""
        return self._config

    @property
    def raw_model(self) -> LanguageModel:
        """The model that the step after this checkpoint updates. Raises InputError for a file that cannot be used."""
        if not self.config.ema_decay:
            return self.model
        model = LanguageModel(self.config, self.tokenizer.size)
        model.load_weights(raw_weights(self._state_tensors()))
        return model.eval()

    @property
    def corpus(self) -> EncodedCorpus:
        """The text that the run was trained on; raises InputError if it is gone or has changed."""
        if self._corpus is None:
            sha256 = self._info.corpus_sha256
            self._corpus = encode_again(
                self.config, sha256, self.tokenizer, self._workspace.for_reading(), self._progress
            )
        return self._corpus

    def next_batch(self) -> tuple[Batch, State | None]:
        """What the step after this checkpoint reads, and the state carried into it. Raises InputError."""
        config, corpus = self.config, self.corpus
        state = read_state(self._folder.checkpoint_path(self.step))
        feed = make_feed(corpus.train, corpus.feed, config.batch_size, config.bptt, config.seed)
        try:
            feed.restore(state.feed)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise InputError("The checkpoint's place in the text cannot be; take another checkpoint.") from error
        tensors = self._state_tensors()
        carried = {name.removeprefix("carried."): one for name, one in tensors.items() if name.startswith("carried.")}
        return feed.next(), state_from_tensors(carried, self.model.device)

    def _state_tensors(self) -> dict[str, Tensor]:
        path = self._folder.checkpoint_path(self.step)
        return read_state_tensors(path, self.config, self.tokenizer.size, read_state(path))


def initial_model(loaded: LoadedModel) -> LanguageModel:
    """The model as it was before the first step, which settings and seed determine."""
    return LanguageModel(loaded.config, loaded.tokenizer.size).to(loaded.model.device)
