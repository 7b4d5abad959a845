"""The learner: model, optimizer, data and carried state, which a training step (loop.py) advances together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy

import msgspec
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.model.hardware import can_bfloat16, choose_device, choose_precision
from rnnplay.model.language_model import (
    LanguageModel,
    State,
    state_from_tensors,
    state_to_tensors,
)
from rnnplay.model.regularisation import draws
from rnnplay.runs.checkpoint_state import TrainingState
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.text.feeds import Batch, make_feed
from rnnplay.training.muon import Muon
from rnnplay.training.optim import make_optimizer, moment_names
from rnnplay.training.processes.group import ALONE, Group, Order, What
from rnnplay.training.randomness import OwnRandomness

RAW = "raw."
"""Prefix of a parameter's name for its raw weights, where the model's are an average of them."""

Tensors = tuple[dict[str, Tensor], dict[str, Tensor]]
"""The weights and all other tensors of a checkpoint, by name."""


def do_nothing() -> None:
    """Does nothing; the default of callbacks."""


class Place(msgspec.Struct, frozen=True):
    """Where the process that leads is in the run, for the others."""

    feed: dict[str, int]
    moments: bool
    """Whether its optimizer has a state."""
    bfloat16: bool


class Learner:
    """Everything that a training step changes.

    Where several processes train together, each has one: `share`, `tensors` and `roll_back`, when called in the process
    that leads, are also called in the others, by its order; so is `train_step`.
    """

    def __init__(
        self,
        config: RunConfig,
        corpus: EncodedCorpus,
        between_passes: Callable[[], None] = do_nothing,
        group: Group = ALONE,
        asked_to_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """`between_passes`: called by each step after its forward and after its backward pass.

        `asked_to_stop`: whether a signal has asked this process to stop, which the others then learn.
        """
        self._config = config
        self.group, self.asked_to_stop = group, asked_to_stop
        self.between_passes = between_passes
        self.device = choose_device(config.device)
        self.precision = choose_precision(config.precision, self.device)
        shape = config.batch_size, config.bptt, config.seed, config.bptt_jitter
        self.feed = make_feed(corpus.train, corpus.feed, *shape)
        self._lengths_vary = config.bptt_jitter > 0 and corpus.feed == "stream"
        self.raw_model = LanguageModel(config, corpus.tokenizer.size).to(self.device)
        """The model that the steps update."""
        # Moved to the device again, which lays out cuDNN's weights side by side; a copy does not.
        self.average = deepcopy(self.raw_model).to(self.device) if config.averages else None
        """Holds the average of the weights, if one is kept."""
        self.parameters = list(self.raw_model.parameters())
        self.optimizer = make_optimizer(config, self.parameters, self.device)
        self.muon = Muon(config, self.raw_model) if config.optimizer == "muon" else None
        """Updates some of the parameters in place of `optimizer`, which keeps their moments."""
        self._randomness = OwnRandomness(config.seed, self.device)
        self.state: State | None = None
        """The hidden state in which the next batch begins; None for zeros."""

    @property
    def model(self) -> LanguageModel:
        """The model that is validated, saved and prompted: the average of the weights if any, else the raw model."""
        return self.average or self.raw_model

    def relative_length(self, batch: Batch) -> float:
        """The length of a batch whose length varies, relative to bptt: a shorter sum deserves a smaller step."""
        return batch.inputs.shape[1] / self._config.bptt if self._lengths_vary else 1.0

    def randomness_of_step(self) -> AbstractContextManager[None]:
        """The random numbers of the next step's dropout; nothing else draws.

        Each of several processes draws its own, from the seed, its rank and the place in the text, so that they need
        not be saved, and are the same after a restart.
        """
        if not draws(self._config):
            return nullcontext()
        if self.group.alone:
            return self._randomness()
        return OwnRandomness(self.group.draw_seed(self._config.seed, self.feed.state()), self.device)()

    def worst_gradient(self) -> str:
        """The first parameter whose gradient is not finite; if all are, the one with the largest gradient norm."""
        norms: dict[str, float] = {}
        for name, parameter in self.raw_model.named_parameters():
            if parameter.grad is not None:
                # In float64 the squares of all finite float32 numbers are finite, too.
                norms[name] = float(torch.linalg.vector_norm(parameter.grad, dtype=torch.float64))
                if not math.isfinite(norms[name]):
                    return name
        return max(norms, key=norms.__getitem__, default="")

    def not_finite(self) -> str:
        """The parameter of the first weight or moment that is not finite; empty if all are finite."""
        tensors = [(name, parameter.detach()) for name, parameter in self.raw_model.named_parameters()]
        for name, parameter in self.raw_model.named_parameters():
            kept = self.optimizer.state.get(parameter, {})
            moments = moment_names(self._config, name)
            tensors += [(name, kept[moment]) for moment in moments if kept.get(moment) is not None]
        finite = torch.stack([tensor.isfinite().all() for _, tensor in tensors]).tolist()
        return next((name for (name, _), good in zip(tensors, finite, strict=True) if not good), "")

    def next_batch(self) -> tuple[Batch, State | None]:
        """The batch that the next step will read, and the state it starts from; changes nothing.

        Of several processes, this one's rows.
        """
        place = self.feed.state()
        batch = self.group.rows(self.feed.next())
        self.feed.restore(place)
        return batch, self.state

    def begin_with(self, weights: dict[str, Tensor], moments: dict[str, Tensor]) -> None:
        """Begins with these weights, whose average then starts anew, and with the optimizer's state `moments`."""
        for model in {self.raw_model, self.model}:
            model.load_weights(weights)
        self._restore_moments(moments)

    def tensors(self) -> dict[str, Tensor]:
        """All tensors of a checkpoint except the weights; of all processes, which then have the same weights.

        They have the same ones anyway, bit for bit, unless their processors round differently.
        """
        self.group.order(Order(What.COLLECT))
        self._share_weights()
        state = self.group.gather_state(self.state)
        carried = {f"carried.{name}": tensor for name, tensor in state_to_tensors(state).items()}
        return carried | self._moments() | self._raw_weights() | self._randomness.tensors()

    def snapshot(self) -> dict[str, Tensor]:
        """Copies what the steps have computed: "weights.<name>", moments and raw weights named as in a checkpoint."""
        tensors = {f"weights.{name}": tensor for name, tensor in self.model.weights().items()}
        tensors |= self._moments() | self._raw_weights()
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}

    @property
    def snapshot_bytes(self) -> int:
        """The size of a snapshot in bytes."""
        moments = sum(
            parameter.numel() * len(moment_names(self._config, name))
            for name, parameter in self.raw_model.named_parameters()
        )
        return 4 * (self.raw_model.size * (1 + (self.average is not None)) + moments)

    def roll_back(self, snapshot: dict[str, Tensor]) -> None:
        """Restores `snapshot`; training goes on at its current place in the text, from a hidden state of zero."""
        weights = {name.removeprefix("weights."): one for name, one in snapshot.items() if name.startswith("weights.")}
        self._load(weights, snapshot)
        self._restore_moments({name: tensor.clone() for name, tensor in snapshot.items() if "optimizer." in name})
        self.optimizer.zero_grad()
        self.state = None
        self.share()

    def share(self) -> None:
        """Puts all processes where the one that leads is: weights, optimizer, place in the text and carried state.

        To be called after `restore` or `begin_with`.
        """
        if self.group.alone:
            return
        self.group.order(Order(What.SHARE))
        moments = bool(self._moments())
        place = Place(self.feed.state(), moments, self.precision == torch.bfloat16)
        place = msgspec.json.decode(self.group.tell(msgspec.json.encode(place)), type=Place)
        self.feed.restore(place.feed)
        self.precision = torch.bfloat16 if place.bfloat16 else torch.float32
        if moments != place.moments:
            self._restore_moments(self._zero_moments() if place.moments else {})
        self._share_weights()
        self.state = self.group.share_state(self.state, self.raw_model.zero_state(self._config.batch_size))

    def _share_weights(self) -> None:
        weights = [parameter.detach() for parameter in self.parameters]
        self.group.share([*weights, *self._moments().values()])
        increment_version(self.parameters)

    def _zero_moments(self) -> dict[str, Tensor]:
        return {
            f"optimizer.{moment}.{name}": torch.zeros(()) if moment == "step" else torch.zeros_like(parameter)
            for name, parameter in self.raw_model.named_parameters()
            for moment in moment_names(self._config, name)
        }

    def _moments(self) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        for name, parameter in self.raw_model.named_parameters():
            kept = self.optimizer.state.get(parameter, {})
            for moment in moment_names(self._config, name):
                if isinstance(kept.get(moment), Tensor):
                    tensors[f"optimizer.{moment}.{name}"] = kept[moment]
        return tensors

    def restore(self, tensors: Tensors, saved: TrainingState) -> None:
        """Restores a checkpoint; raises InputError if its position in the text is invalid."""
        weights, others = tensors
        self._load(weights, others)
        carried = {name.removeprefix("carried."): tensor for name, tensor in others.items() if "carried." in name}
        self.state = state_from_tensors(carried, self.device)
        self._restore_moments(others)
        self._randomness.restore(others)
        if saved.device == self.device.type and self._config.precision == "auto":
            same = saved.precision == "bfloat16" and can_bfloat16(self.device)  # not on every CPU
            self.precision = torch.bfloat16 if same else torch.float32
        try:
            self.feed.restore(saved.feed)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise InputError(
                "The checkpoint's position in the text is invalid; resume from another checkpoint."
            ) from error

    def _raw_weights(self) -> dict[str, Tensor]:
        """The weights that the steps update, if an average of them is kept; otherwise nothing."""
        if self.average is None:
            return {}
        return {f"{RAW}{name}": tensor for name, tensor in self.raw_model.weights().items()}

    def _load(self, weights: dict[str, Tensor], others: dict[str, Tensor]) -> None:
        self.model.load_weights(weights)
        if self.average is not None:
            self.raw_model.load_weights(raw_weights(others))

    def _restore_moments(self, tensors: dict[str, Tensor]) -> None:
        saved = self.optimizer.state_dict()
        saved["state"] = {}
        for index, (name, _) in enumerate(self.raw_model.named_parameters()):
            kept = {moment: tensors.get(f"optimizer.{moment}.{name}") for moment in moment_names(self._config, name)}
            if kept and all(tensor is not None for tensor in kept.values()):
                saved["state"][index] = kept
        self.optimizer.load_state_dict(saved)


def raw_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The raw weights among a checkpoint's other tensors, by name; empty if no average is kept."""
    return {name.removeprefix(RAW): one for name, one in tensors.items() if name.startswith(RAW)}
