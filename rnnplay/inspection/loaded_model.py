"""A model in memory together with its run: one in training, or one loaded from a checkpoint."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.model.language_model import LanguageModel, State, state_from_tensors
from rnnplay.runs.checkpoint_state import as_tuned, read_state
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.words import read_words
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_again
from rnnplay.text.encoding.encoding import Progress
from rnnplay.text.feeds import Batch, make_feed
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.training.checkpointing.checkpoints import load_model, read_state_tensors
from rnnplay.training.learner import raw_weights
from rnnplay.workspace import Workspace


class LoadedModel(Protocol):
    """A run in its current state: a Trainer, or a SavedRun."""

    @property
    def run(self) -> str:
        """The run's name."""

    @property
    def config(self) -> RunConfig:
        """The run's settings, with live knobs as currently set."""

    @property
    def model(self) -> LanguageModel:
        """The model that answers questions: the average of the weights if one is kept."""

    @property
    def raw_model(self) -> LanguageModel:
        """The model that the next step updates; differs from `model` if an average of the weights is kept."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""

    @property
    def words(self) -> list[str]:
        """The words of the training text, the most frequent first; none if they are not known."""

    @property
    def step(self) -> int:
        """The number of steps done."""

    @property
    def corpus(self) -> EncodedCorpus:
        """The training text; loading it may take a while, and raises InputError if it is missing."""

    def next_batch(self) -> tuple[Batch, State | None]:
        """Returns the next step's batch and the state carried into it; raises InputError as `corpus` does."""


class SavedRun:
    """A run as saved in one of its checkpoints. The text is loaded only on demand."""

    def __init__(
        self, folder: RunFolder, checkpoint: str, workspace: Workspace, progress: Progress | None = None
    ) -> None:
        """Loads `checkpoint`: "latest", "best" or a step number. Raises InputError for unusable files."""
        self.model, self.tokenizer, self.step = load_model(folder, checkpoint)
        self.words = read_words(folder.path)
        self._folder, self._info = folder, folder.info()
        self._config = as_tuned(self._info.config, read_state(folder.checkpoint_path(self.step)))
        self._workspace, self._progress = workspace, progress
        self._corpus: EncodedCorpus | None = None

    @property
    def run(self) -> str:
        """The run's name."""
        return self._folder.name

    @property
    def created(self) -> str:
        """When the run began, as in run.json."""
        return self._info.created

    @property
    def config(self) -> RunConfig:
        """The settings in run.json, with live knobs as they were at the checkpoint."""
        return self._config

    @property
    def raw_model(self) -> LanguageModel:
        """The model that the step after this checkpoint updates. Raises InputError for an unusable file."""
        if not self.config.averages:
            return self.model
        model = LanguageModel(self.config, self.tokenizer.size)
        model.load_weights(raw_weights(self._state_tensors()))
        return model.eval()

    @property
    def corpus(self) -> EncodedCorpus:
        """The text that the run was trained on; raises InputError if it is missing or has changed."""
        if self._corpus is None:
            sha256 = self._info.corpus_sha256
            self._corpus = encode_again(
                self.config, sha256, self.tokenizer, self._workspace.for_reading(), self._progress
            )
        return self._corpus

    def next_batch(self) -> tuple[Batch, State | None]:
        """Returns the batch of the step after this checkpoint, and the state carried into it. Raises InputError."""
        config, corpus = self.config, self.corpus
        state = read_state(self._folder.checkpoint_path(self.step))
        shape = config.batch_size, config.bptt, config.seed, config.bptt_jitter
        feed = make_feed(corpus.train, corpus.feed, *shape)
        try:
            feed.restore(state.feed)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise InputError("The checkpoint's position in the text is invalid; use another checkpoint.") from error
        tensors = self._state_tensors()
        carried = {
            name.removeprefix("carried."): tensor for name, tensor in tensors.items() if name.startswith("carried.")
        }
        return feed.next(), state_from_tensors(carried, self.model.device)

    def _state_tensors(self) -> dict[str, Tensor]:
        path = self._folder.checkpoint_path(self.step)
        return read_state_tensors(path, self.config, self.tokenizer.size, read_state(path))


def initial_model(loaded: LoadedModel) -> LanguageModel:
    """Rebuilds the model as it was before the first step, from its settings and seed."""
    return LanguageModel(loaded.config, loaded.tokenizer.size).to(loaded.model.device)
