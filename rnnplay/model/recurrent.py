"""GRU and plain RNN over whole sequences on the CPU, with a backward pass of their own.

torch.nn's GRU and RNN have no fused kernel on the CPU: every timestep is some ten operations in autograd's graph, and
the backward pass multiplies for the weights' gradients timestep by timestep. Here a layer is one node of the graph.
What does not wait for the timestep before is computed for all timesteps in one product: input times U, and backward
the gradients of inputs and weights. A timestep is left with the one product with W and a few operations in place.
(Appleyard, Kociský & Blunsom 2016 do the same for GPUs; nn.LSTM needs none of it, oneDNN does it on the CPU.)

The equations, the letters and the tensors' names are those of cells.py; shapes as in language_model, time first: X is
E in the first layer and H above. Results equal torch.nn's up to rounding, and are the same bits every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import dropout


def applies(rnn: nn.RNNBase, inputs: Tensor) -> bool:
    """Whether `run` is the quicker way: a GRU or plain RNN that learns on the CPU.

    Measured in all shapes of docs/measurements/performance.md; nothing is gained where no gradient is wanted.
    """
    return (
        isinstance(rnn, nn.GRU | nn.RNN)
        and torch.is_grad_enabled()
        and inputs.device.type == "cpu"
        and inputs.dtype == torch.float32
    )


def run(
    rnn: nn.RNNBase, inputs: Tensor, state: Tensor | None = None, weights: Sequence[Sequence[Tensor]] | None = None
) -> tuple[Tensor, Tensor]:
    """As `rnn(inputs, state)`, dropout between layers included: inputs (B, T, E), state (L, B, H) or None for zeros.

    Returns hidden (B, T, H) of the top layer and the last state (L, B, H). Differentiable once, by everything.
    Under autocast all is computed and returned in its type, as torch.nn does it; gradients are in the weights' own.
    `rnn` is batch first, of one direction and with biases; raises TypeError for an LSTM. `weights`: of as many layers
    as `state` has, in place of its own.
    """
    if not isinstance(rnn, nn.GRU | nn.RNN):
        raise TypeError("own kernels are there for GRU and RNN")
    kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else inputs.dtype
    x = inputs.transpose(0, 1).to(kind).contiguous()  # (T, B, E)
    if state is None:
        state = x.new_zeros(rnn.num_layers, x.shape[1], rnn.hidden_size)
    last: list[Tensor] = []
    for layer, (own, hidden) in enumerate(zip(weights or rnn.all_weights, state.to(kind).unbind(), strict=True)):
        given = [weight.to(kind) for weight in own]
        if layer and rnn.dropout and rnn.training:
            x = dropout(x, rnn.dropout)
        if isinstance(rnn, nn.GRU):
            x, hidden = _apply(_GRULayer, x, hidden, *given)
        else:
            x, hidden = _apply(_RNNLayer, x, hidden, *given, rnn.nonlinearity == "relu")
        last.append(hidden)
    return x.transpose(0, 1), torch.stack(last)


class _RNNLayer(Function):
    """h⁽ᵗ⁾ = tanh(W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾ + b), or relu."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        first: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor,
        bias_hh: Tensor,
        relu: bool,
    ) -> tuple[Tensor, Tensor]:
        hiddens = _hiddens(x, first)  # (T+1, B, H)
        torch.mm(_flat(x), weight_ih.t(), out=_flat(hiddens[1:]))
        bias, recurrent = bias_ih + bias_hh, weight_hh.t()
        before, *rows = hiddens.unbind()
        for z in rows:  # (B, H): what comes from x, then z, then h
            z.add_(bias).addmm_(before, recurrent)
            before = torch.relu_(z) if relu else torch.tanh_(z)
        ctx.save_for_backward(x, weight_ih, weight_hh, hiddens)
        ctx.relu = relu
        return hiddens[1:], before.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dhiddens: Tensor, dlast: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, hiddens = ctx.saved_tensors
        after = hiddens[1:]  # (T, B, H)
        dz = after.gt(0).to(after.dtype) if ctx.relu else after.square().neg_().add_(1)  # first ∂h/∂z, then ∂L/∂z
        dh = dlast.clone()  # (B, H): ∂L/∂h of the timestep at hand
        for dh_here, dz_here in _backward_in_time(dhiddens, dz):
            dz_here.mul_(dh.add_(dh_here))
            torch.mm(dz_here, weight_hh, out=dh)
        dz = _flat(dz)
        dbias = dz.sum(0)
        return (
            (dz @ weight_ih).view_as(x) if ctx.needs_input_grad[0] else None,
            dh,
            dz.t() @ _flat(x),
            dz.t() @ _flat(hiddens[:-1]),
            dbias,
            dbias.clone(),  # each parameter's gradient is its own memory: clipping scales it in place
            None,
        )


class _GRULayer(Function):
    """h⁽ᵗ⁾ = (1 − z) ∘ h̃ + z ∘ h⁽ᵗ⁻¹⁾, with r and z the logistic function of W h + U x + b, and
    h̃ = tanh(U_h x + b_ih + r ∘ s) where s = W_h h + b_hh.

    The four of a timestep lie side by side in the order h̃ r z s: the first three are what x feeds, the last three
    what h feeds, so that each is one product.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, first: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
    ) -> tuple[Tensor, Tensor]:
        size = weight_hh.shape[1]
        hiddens = _hiddens(x, first)  # (T+1, B, H)
        gates = x.new_empty(*x.shape[:2], 4 * size)  # (T, B, 4·H): h̃ r z s
        torch.mm(_flat(x), _new_first(weight_ih).t(), out=_flat(gates)[:, : 3 * size])
        bias = _new_first(bias_ih)  # (3·H,)
        bias[size:] += bias_hh[: 2 * size]
        bias_s, recurrent = bias_hh[2 * size :], weight_hh.t()
        before, *rows = hiddens.unbind()
        for here, hidden in zip(gates.unbind(), rows, strict=True):
            new, r, z, s = here.chunk(4, -1)  # four (B, H)
            here[:, : 3 * size].add_(bias)
            s.copy_(bias_s)
            here[:, size:].addmm_(before, recurrent)
            here[:, size : 3 * size].sigmoid_()
            new.addcmul_(r, s).tanh_()
            before = torch.lerp(new, before, z, out=hidden)
        ctx.save_for_backward(x, weight_ih, weight_hh, hiddens, gates)
        return hiddens[1:], before.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dhiddens: Tensor, dlast: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, hiddens, gates = ctx.saved_tensors
        size = weight_hh.shape[1]
        # (T, B, 4·H): first ∂h/∂ of what goes into h̃ r z s, then ∂L/∂ of it: all four are a factor times ∂L/∂h.
        dgates = _gru_derivatives(hiddens[:-1], gates)
        by_gate = dgates.view(*dgates.shape[:2], 4, size)  # (T, B, 4, H)
        from_h = dgates[..., size:]  # (T, B, 3·H)
        z = gates[..., 2 * size : 3 * size]  # (T, B, H)
        dh = dlast.clone()  # (B, H): ∂L/∂h of the timestep at hand
        for dh_here, by_gate_here, from_h_here, z_here in _backward_in_time(dhiddens, by_gate, from_h, z):
            by_gate_here.mul_(dh.add_(dh_here).unsqueeze(1))
            dh.mul_(z_here).addmm_(from_h_here, weight_hh)
        dgates = _flat(dgates)
        dbias = dgates.sum(0)
        from_x, from_h = dgates[:, : 3 * size], dgates[:, size:]
        return (
            (from_x @ _new_first(weight_ih)).view_as(x) if ctx.needs_input_grad[0] else None,
            dh,
            _new_last(from_x.t() @ _flat(x)),
            from_h.t() @ _flat(hiddens[:-1]),
            _new_last(dbias[: 3 * size]),
            dbias[size:],
        )


def _gru_derivatives(before: Tensor, gates: Tensor) -> Tensor:
    """∂h⁽ᵗ⁾ by what goes into h̃, r, z and s, (T, B, 4·H); before (T, B, H), gates (T, B, 4·H)."""
    out = torch.empty_like(gates)
    new, r, z, s = gates.chunk(4, -1)
    by_new, by_r, by_z, by_s = out.chunk(4, -1)
    torch.mul(new, new, out=by_new).neg_().add_(1)
    by_new.addcmul_(by_new, z, value=-1)  # (1 − z)(1 − h̃²)
    torch.mul(by_new, r, out=by_s)
    torch.mul(by_s, s, out=by_r)
    by_r.addcmul_(by_r, r, value=-1)  # (1 − z)(1 − h̃²) · s · r(1 − r)
    torch.sub(before, new, out=by_z).mul_(z)
    by_z.addcmul_(by_z, z, value=-1)  # (h⁽ᵗ⁻¹⁾ − h̃) · z(1 − z)
    return out


def _hiddens(x: Tensor, first: Tensor) -> Tensor:
    """Allocates (T+1, B, H), with the state before the first timestep in its place."""
    hiddens = x.new_empty(len(x) + 1, *first.shape)
    hiddens[0] = first
    return hiddens


def _backward_in_time(*steps: Tensor) -> zip[tuple[Tensor, ...]]:
    """Iterates over the timesteps of tensors (T, …), the last first."""
    return zip(*(reversed(one.unbind()) for one in steps), strict=True)


def _new_first(rows: Tensor) -> Tensor:
    """Reorders torch's r z h̃ to h̃ r z; a copy."""
    size = len(rows) // 3
    return torch.cat((rows[2 * size :], rows[: 2 * size]))


def _new_last(rows: Tensor) -> Tensor:
    """Reorders h̃ r z to torch's r z h̃; a copy."""
    size = len(rows) // 3
    return torch.cat((rows[size:], rows[:size]))


def _flat(steps: Tensor) -> Tensor:
    """Views (T, B, …) as (T·B, …)."""
    return steps.view(-1, steps.shape[-1])


def _apply(layer: type[Function], *given: Any) -> tuple[Tensor, Tensor]:
    return cast("tuple[Tensor, Tensor]", layer.apply(*given))  # type: ignore[no-untyped-call]
