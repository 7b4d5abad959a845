"""A loaded model that adapts to a prompt, and a new run with the weights that it then has."""

from __future__ import annotations

import time

import numpy as np
import torch

from rnnplay.errors import InputError
from rnnplay.generation_config import AdaptationConfig
from rnnplay.inspection.loaded_model import LoadedModel, SavedRun
from rnnplay.model.generation.adaptation.adapted_prompt import AdaptedPrompt
from rnnplay.model.generation.adaptation.adaptive_reader import GradientScale
from rnnplay.runs.folder import RunFolder, check_run_name
from rnnplay.runs.info import Parent
from rnnplay.runs.metrics.records import Record, Validation
from rnnplay.runs.shipped import find_model
from rnnplay.training.checkpointing.branching import Branch
from rnnplay.training.evaluation import RMS_SEGMENTS
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace


class Adapting:
    """Prepares the adaptation of a model: dynamic evaluation needs the scale of its gradients, which takes seconds."""

    def __init__(self, loaded: LoadedModel, settings: AdaptationConfig) -> None:
        """Raises InputError for a model of lines, and where the training text is needed and missing."""
        if loaded.model.config.feed == "lines":
            raise InputError(f"{loaded.run} reads each line from an empty context, so it cannot adapt to a text.")
        self.settings = settings
        self._model = loaded.model
        self._scale: GradientScale | None = None
        if settings.dynamic:
            size = settings.dynamic_segment
            ids = np.asarray(loaded.corpus.train.ids[: RMS_SEGMENTS * size + 1], np.int64)
            self._scale = GradientScale(loaded.model, torch.from_numpy(ids), size)
        self.prompt: AdaptedPrompt | None = None
        """The adapted prompt, once it is prepared."""

    @property
    def fraction(self) -> float:
        """The fraction of the preparations that is done."""
        return 1.0 if self._scale is None else self._scale.done / self._scale.of

    def prepare(self, seconds: float | None = None) -> AdaptedPrompt | None:
        """Returns the adapted prompt; None if preparing it takes more than `seconds`: the next call goes on."""
        if self.prompt is None:
            rms = None
            if self._scale is not None:
                rms = self._scale.measure(None if seconds is None else time.perf_counter() + seconds)
                if rms is None:
                    return None
            self.prompt = AdaptedPrompt(self._model, self.settings, rms)
        return self.prompt


def adapted_prompt(loaded: LoadedModel, settings: AdaptationConfig) -> AdaptedPrompt | None:
    """Returns what adapts to a prompt by `settings`; None if they adapt nothing. Raises InputError as `Adapting`."""
    return Adapting(loaded, settings).prepare() if settings.adapts else None


def keep_adapted(
    loaded: LoadedModel, prompt: AdaptedPrompt, name: str, workspace: Workspace
) -> tuple[RunFolder, float]:
    """Writes a new run whose weights are those of `loaded` as they have adapted to `prompt`; returns its loss, too.

    The run is branched from that of `loaded`, with its settings and its text, and validated on that. Raises InputError
    if only a cache adapts, if nothing was learned yet, if a run cannot be called `name` or one is, or if the text is
    missing.
    """
    folder = RunFolder(workspace.checkpoints / check_run_name(name))
    learned = prompt.learned
    if not prompt.settings.dynamic:
        raise InputError("A cache changes no weights that could be kept; turn on dynamic evaluation.")
    if not learned.tokens:
        raise InputError(
            f"Nothing was learned from the text yet: it has fewer than {prompt.settings.dynamic_segment + 1} tokens."
        )
    workspace.create()
    # A saved run may be another one than that of its name in the workspace.
    same = loaded if isinstance(loaded, SavedRun) else find_model(loaded.run, workspace).info()
    parent = Parent(run=loaded.run, step=loaded.step, created=same.created)
    said = f"The weights are those of {parent.name}, adapted to a text of {learned.tokens:,} tokens."
    weights = {key: tensor.detach().clone() for key, tensor in prompt.model.weights().items()}
    branch = Branch(parent, weights, {}, [said])
    losses: list[float] = []

    def take(record: Record) -> None:
        if isinstance(record, Validation):
            losses.append(record.loss)

    trainer = Trainer(loaded.config, loaded.corpus, folder, take, branch=branch)
    try:
        trainer.finish("stopped")
    finally:
        trainer.close()
    return folder, losses[0]
