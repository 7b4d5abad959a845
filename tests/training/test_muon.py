"""Muon does what its equations say, and leaves all but the recurrent layers' matrices to AdamW."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnnplay.config import RunConfig, with_values
from rnnplay.model.language_model import LanguageModel
from rnnplay.training.muon import COEFFICIENTS, Muon, is_orthogonalised, orthogonalised
from rnnplay.training.optim import make_optimizer, take_step


@pytest.mark.parametrize("shape", [(24, 24), (24, 7), (7, 24)])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_singular_vectors_stay_and_values_come_near_one(shape: tuple[int, int], precision: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(3)
    size = min(shape)
    left, right = (torch.linalg.qr(torch.randn(side, size, generator=generator))[0] for side in shape)
    matrix = 50 * left @ torch.diag(torch.linspace(1, 0.1, size)) @ right.T
    found = orthogonalised(matrix, precision)
    core = left.T @ found @ right  # diagonal, if the singular vectors are the matrix's own
    assert found.dtype == torch.float32
    assert core.diagonal().min() > 0.6
    assert core.diagonal().max() < 1.3
    assert (core - torch.diag(core.diagonal())).abs().max() < (0.1 if precision == torch.bfloat16 else 1e-4)


def test_the_size_does_not_matter_and_zeros_stay() -> None:
    found = orthogonalised(torch.eye(3) * 1e-6)
    assert torch.allclose(found, orthogonalised(torch.eye(3) * 1e6))
    assert found[0, 0] > 0.6
    assert not orthogonalised(torch.zeros(3, 3)).any()


@pytest.mark.parametrize("size", [1e-15, 1e-20, 1e-24, 1e-28, 1e-35, 1e-44])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_momentum_that_fades_away_never_overflows(size: float, precision: torch.dtype) -> None:
    """As in a layer whose gradient is zero, because its units have died: the momentum passes through all sizes."""
    matrix = torch.randn(64, 16, generator=torch.Generator().manual_seed(1)) * size
    assert torch.linalg.svdvals(orthogonalised(matrix, precision)).max() < 1.3


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_steps_follow_the_equations(cell: str) -> None:
    values = {"cell": cell, "optimizer": "muon", "hidden": 8, "embedding": 3, "muon_ratio": 3.0}
    config = with_values(RunConfig(lr=0.01, weight_decay=0.5), values)
    model, plain = LanguageModel(config, 5), LanguageModel(config, 5)
    optimizer = make_optimizer(config, model.parameters(), torch.device("cpu"))
    muon = Muon(config, model)
    adamw = torch.optim.AdamW(plain.parameters(), lr=0.01, betas=(0.9, config.beta2), weight_decay=0.5)
    named = dict(plain.named_parameters())
    expected = {name: one.detach().double() for name, one in named.items() if is_orthogonalised(name)}
    momenta = {name: torch.zeros_like(one) for name, one in expected.items()}
    assert sorted(expected) == ["rnn.weight_hh_l0", "rnn.weight_ih_l0"]
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        for name, parameter in model.named_parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
            named[name].grad = None if name in expected else parameter.grad.clone()
            if name in expected:
                gradient = parameter.grad.double()
                unit = gradient / gradient.square().sum().sqrt()
                momenta[name] = 0.95 * momenta[name] + 0.05 * unit
                ahead = 0.05 * unit + 0.95 * momenta[name]
                update = 0.2 * max(ahead.shape) ** 0.5 * _orthogonalised(ahead)
                expected[name] -= 0.01 * 3 * (update + 0.5 * expected[name])
        muon.step(optimizer)
        take_step(optimizer)
        adamw.step()
    for name, parameter in model.named_parameters():
        assert torch.allclose(parameter.double(), expected.get(name, named[name].double()), atol=1e-5), name


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_gradients_that_become_smaller_or_larger_count_alike(factor: float) -> None:
    """A clip threshold lowered in the middle of a run must not leave its direction to the gradients of before."""
    config = with_values(RunConfig(lr=0.01), {"optimizer": "muon", "hidden": 8, "embedding": 3})
    found = []
    for scale in (1.0, factor):
        model = LanguageModel(config, 5)
        optimizer, muon = make_optimizer(config, model.parameters(), torch.device("cpu")), Muon(config, model)
        generator = torch.Generator().manual_seed(1)
        for step in range(12):
            for parameter in model.parameters():
                gradient = torch.randn(parameter.shape, generator=generator)
                parameter.grad = gradient if step < 6 else gradient * scale
            muon.step(optimizer)
        found.append([one for name, one in model.named_parameters() if is_orthogonalised(name)])
    for plain, scaled in zip(*found, strict=True):
        assert torch.allclose(plain, scaled, atol=1e-4)


def _orthogonalised(matrix: Tensor) -> Tensor:
    """The iteration as it is written, on the singular values alone."""
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    values = values / (values.norm() * 1.01)
    a, b, c = COEFFICIENTS
    for _ in range(5):
        values = a * values + b * values**3 + c * values**5
    found: Tensor = left @ torch.diag(values) @ right
    return found
