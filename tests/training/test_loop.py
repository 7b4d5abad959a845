"""A training step on a GPU waits for it once: to read the loss and the gradient norm.

No GPU is needed: torch's meta device has no numbers, so that whatever else asks for one raises.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnplay.model.hardware import copy_to
from rnnplay.training import learner as learner_module
from rnnplay.training import loop
from rnnplay.training.learner import Learner
from rnnplay.training.loop import train_step
from tests.training.world import World

NAMES = ("cell", "optimizer", "clip")
KINDS: list[dict[str, Any]] = [
    {"cell": "lstm", "optimizer": "adamw", "clip": "norm", "layers": 2, "ema_decay": 0.9},
    {"cell": "gru", "optimizer": "sgd", "momentum": 0.9, "clip": "norm", "tie": True, "embedding": 10},
    {"cell": "rnn", "optimizer": "rmsprop", "clip": "off", "feed": "lines"},
    {"cell": "lstm", "optimizer": "adam", "clip": "off", "dropout": 0.2},
    {"cell": "gru", "optimizer": "muon", "clip": "norm", "weight_drop": 0.2, "embedding_dropout": 0.1, "tar_beta": 1.0},
]


class Reads:
    """Stands for `loop.fetch`: has a number ready for each tensor, and counts how often it is asked."""

    def __init__(self, *numbers: float) -> None:
        self.numbers, self.count = list(numbers), 0

    def __call__(self, *tensors: Tensor) -> list[float]:
        self.count += 1
        assert all(tensor.device.type == "meta" and tensor.shape == () for tensor in tensors)
        return self.numbers


@pytest.fixture
def without_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner_module, "choose_device", lambda _: torch.device("meta"))
    # There is no autocast on this device.
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda _: False)


@pytest.mark.usefixtures("without_numbers")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(kind[name] for name in NAMES))
def test_a_step_reads_from_its_device_once(kind: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the gradient is clipped or not."""
    config = world.config(precision="float32", **kind)
    learner = Learner(config, world.encode(config))
    for norm in (0.5, 50.0, 0.5):
        reads = Reads(2.5, norm)
        monkeypatch.setattr(loop, "fetch", reads)
        result = train_step(learner, 0.01, config.clip, 1.0)
        assert (result.taken, result.norm.clipped) == (True, config.clip == "norm" and norm > 1)
        assert reads.count == 1


@pytest.mark.usefixtures("without_numbers")
def test_another_read_would_raise(world: World) -> None:
    """The same step with the true `fetch`: so the test above can fail."""
    config = world.config(precision="float32")
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        train_step(Learner(config, world.encode(config)), 0.01, "norm", 1.0)


@pytest.mark.usefixtures("without_numbers")
def test_a_step_whose_loss_is_not_finite_is_skipped_by_the_same_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = world.config(precision="float32")
    learner = Learner(config, world.encode(config))
    reads = Reads(float("nan"), 0.5)
    monkeypatch.setattr(loop, "fetch", reads)
    assert not train_step(learner, 0.01, "norm", 1.0).taken
    assert reads.count == 1 and learner.state is None and not learner.optimizer.state


def test_a_batch_goes_to_a_gpu_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """From pinned memory: `Tensor.to` from any other waits for all that the GPU has to do."""
    asked: list[object] = []

    def pinned(tensor: Tensor) -> Tensor:
        asked.append("pinned")
        return tensor

    def to(tensor: Tensor, device: torch.device, non_blocking: bool = False) -> Tensor:
        asked.append((device.type, non_blocking))
        return tensor

    monkeypatch.setattr(Tensor, "pin_memory", pinned)
    monkeypatch.setattr(Tensor, "to", to)
    copy_to(torch.arange(6).numpy(), torch.device("cuda"))
    assert asked == ["pinned", ("cuda", True)]
