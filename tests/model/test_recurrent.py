"""The own GRU and RNN layers compute what torch.nn's and the equations do, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from rnnplay.config import RunConfig
from rnnplay.model import cells, recurrent
from rnnplay.model.language_model import LanguageModel

torch.set_num_threads(1)

B, T, E, H = 3, 7, 4, 5

MAKERS: dict[str, Callable[[int, float], nn.RNNBase]] = {
    "tanh": lambda layers, dropout: nn.RNN(E, H, layers, batch_first=True, dropout=dropout),
    "relu": lambda layers, dropout: nn.RNN(E, H, layers, nonlinearity="relu", batch_first=True, dropout=dropout),
    "gru": lambda layers, dropout: nn.GRU(E, H, layers, batch_first=True, dropout=dropout),
}
Run = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]


def make(cell: str, layers: int, dtype: torch.dtype, dropout: float = 0.0) -> tuple[nn.RNNBase, Tensor, Tensor]:
    """Random weights (biases too), inputs and initial state, wanting gradients."""
    torch.manual_seed(5)
    rnn = MAKERS[cell](layers, dropout).to(dtype)
    for weight in rnn.parameters():
        nn.init.normal_(weight, std=0.6)
    inputs = torch.randn(B, T, E, dtype=dtype, requires_grad=True)
    return rnn, inputs, torch.randn(layers, B, H, dtype=dtype, requires_grad=True)


def all_numbers(run: Run, rnn: nn.RNNBase, inputs: Tensor, state: Tensor | None) -> list[Tensor]:
    """Outputs, and the gradients of everything that has one."""
    torch.manual_seed(9)  # of dropout
    hidden, last = run(inputs, state)
    generator = torch.Generator().manual_seed(3)
    mix = torch.randn(hidden.shape, generator=generator, dtype=hidden.dtype)
    wanted = [inputs, *rnn.parameters()] + ([] if state is None else [state])
    return [hidden, last, *torch.autograd.grad((hidden * mix).sum() + (last**2).sum(), wanted)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", MAKERS)
def test_all_numbers_equal_those_of_torch(cell: str, layers: int, dtype: torch.dtype) -> None:
    rnn, inputs, state = make(cell, layers, dtype)
    own = all_numbers(lambda x, h: recurrent.run(rnn, x, h), rnn, inputs, state)
    theirs = all_numbers(rnn, rnn, inputs, state)
    assert all(bool(one.abs().max() > 0) for one in own)
    close = 1e-4 if dtype == torch.float32 else 1e-9
    for one, other in zip(own, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=close, atol=close)


@pytest.mark.parametrize("cell", MAKERS)
def test_all_numbers_equal_those_of_the_equations(cell: str) -> None:
    rnn, inputs, state = make(cell, 2, torch.float64)

    def unrolled(x: Tensor, h: Tensor | None) -> tuple[Tensor, Tensor]:
        assert h is not None
        hidden, last, _ = cells.unroll(rnn, x, h)
        assert isinstance(last, Tensor)
        return hidden, last

    own = all_numbers(lambda x, h: recurrent.run(rnn, x, h), rnn, inputs, state)
    for one, other in zip(own, all_numbers(unrolled, rnn, inputs, state), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("cell", ["tanh", "gru"])
def test_gradients_equal_finite_differences(cell: str) -> None:
    rnn, inputs, state = make(cell, 2, torch.float64)
    assert torch.autograd.gradcheck(lambda x, h, *_: recurrent.run(rnn, x, h), (inputs, state, *rnn.parameters()))


@pytest.mark.parametrize("cell", MAKERS)
def test_dropout_between_layers_draws_as_torch_draws(cell: str) -> None:
    rnn, inputs, state = make(cell, 3, torch.float32, dropout=0.5)
    own = all_numbers(lambda x, h: recurrent.run(rnn, x, h), rnn, inputs, state)
    for one, other in zip(own, all_numbers(rnn, rnn, inputs, state), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    rnn.eval()
    for one, other in zip(recurrent.run(rnn, inputs, state), rnn(inputs, state), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("cell", MAKERS)
def test_under_autocast_it_is_as_close_to_the_truth_as_torch_in_bfloat16(cell: str) -> None:
    rnn, inputs, state = make(cell, 2, torch.float32)
    low = deepcopy(rnn).to(torch.bfloat16)

    def own(x: Tensor, h: Tensor | None) -> tuple[Tensor, Tensor]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden, last = recurrent.run(rnn, x, h)
        assert (hidden.dtype, last.dtype) == (torch.bfloat16, torch.bfloat16)
        return hidden.float(), last.float()

    def theirs(x: Tensor, h: Tensor | None) -> tuple[Tensor, Tensor]:
        assert h is not None
        hidden, last = low(x.bfloat16(), h.bfloat16())
        return hidden.float(), last.float()

    truth = all_numbers(rnn, rnn, inputs, state)
    for exact, one, other in zip(
        truth, all_numbers(own, rnn, inputs, state), all_numbers(theirs, low, inputs, state), strict=True
    ):
        assert one.dtype == torch.float32, "gradients are in the weights' own type"
        error = (one - exact).norm() / exact.norm()
        assert 0 < error < 0.03
        assert error < 3 * (other.float() - exact).norm() / exact.norm()


@pytest.mark.parametrize("cell", MAKERS)
def test_no_state_is_zeros_and_one_timestep_is_enough(cell: str) -> None:
    rnn, inputs, _ = make(cell, 2, torch.float64)
    first = inputs.detach()[:, :1].requires_grad_()
    own = all_numbers(lambda x, h: recurrent.run(rnn, x, h), rnn, first, None)
    for one, other in zip(own, all_numbers(rnn, rnn, first, None), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("cell", MAKERS)
def test_the_same_bits_every_time_also_after_a_second_way_back(cell: str) -> None:
    rnn, inputs, state = make(cell, 2, torch.float32)
    hidden, _ = recurrent.run(rnn, inputs, state)
    wanted = [inputs, state, *rnn.parameters()]
    first = torch.autograd.grad(hidden.sum(), wanted, retain_graph=True)
    again = torch.autograd.grad(hidden.sum(), wanted)
    anew = torch.autograd.grad(recurrent.run(rnn, inputs, state)[0].sum(), wanted)
    for one, two, three in zip(first, again, anew, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three)


@pytest.mark.parametrize("cell", MAKERS)
def test_each_parameter_gets_a_gradient_of_its_own_memory(cell: str) -> None:
    """Clipping scales gradients in place; two that shared memory would be scaled twice."""
    rnn, inputs, state = make(cell, 2, torch.float32)
    recurrent.run(rnn, inputs, state)[0].sum().backward()  # type: ignore[no-untyped-call]
    places = [
        parameter.grad.untyped_storage().data_ptr() for parameter in rnn.parameters() if parameter.grad is not None
    ]
    assert len(set(places)) == len(list(rnn.parameters()))


@pytest.mark.parametrize("cell", MAKERS)
def test_what_overflows_is_not_finite_here_either(cell: str) -> None:
    """Divergence is found by it."""
    rnn, inputs, state = make(cell, 1, torch.float32)
    with torch.no_grad():
        next(rnn.parameters())[0, 0] = torch.nan
    hidden, _ = recurrent.run(rnn, inputs, state)
    gradients = torch.autograd.grad(hidden.sum(), list(rnn.parameters()))
    assert bool(hidden.isnan().any())
    assert any(bool(gradient.isnan().any()) for gradient in gradients)


def test_it_is_used_where_a_gru_or_rnn_learns_on_the_cpu() -> None:
    rnn, inputs, _ = make("gru", 1, torch.float32)
    assert recurrent.applies(rnn, inputs)
    assert recurrent.applies(make("tanh", 1, torch.float32)[0], inputs)
    assert not recurrent.applies(nn.LSTM(E, H), inputs)
    assert not recurrent.applies(rnn, inputs.double())
    assert not recurrent.applies(rnn, inputs.to("meta"))
    with torch.no_grad():
        assert not recurrent.applies(rnn, inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert recurrent.applies(rnn, inputs)
    with pytest.raises(TypeError, match="GRU and RNN"):
        recurrent.run(nn.LSTM(E, H), inputs)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_the_model_scores_alike_learning_and_evaluating(cell: str) -> None:
    config = RunConfig(corpus="x", cell=cell, embedding=6, hidden=10, layers=2, seed=1)  # type: ignore[arg-type]
    model = LanguageModel(config, 11)
    ids = torch.randint(11, (B, T))
    logits, state = model(ids)
    assert logits.requires_grad
    with torch.inference_mode():
        evaluated, last = model(ids)
        model(ids, last)
    torch.testing.assert_close(evaluated, logits)
    torch.testing.assert_close(last, state)
