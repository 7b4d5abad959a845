"""Small random models over small vocabularies, and torch's own layers with their weights, one timestep at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from rnnplay.config import RunConfig
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer, build_tokenizer

TALE = 'Once upon a time a cat sat.\nThe cat said, "I am not the king; 3 of you are!"\nAnd so it was.\n'
CASES = [*product(("lstm", "gru", "rnn"), (1, 2))]


def tokens_of(kind: Any = "char") -> Tokenizer:
    return build_tokenizer([TALE], kind)


def small(tokenizer: Tokenizer, **values: Any) -> LanguageModel:
    """A random model, biases too, whose gradients neither vanish nor explode at once."""
    model = LanguageModel(RunConfig(**{"embedding": 6, "hidden": 9, **values}), tokenizer.size)
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.2 if "bias" in name else 0.1)
    return model


class Plain:
    """The model's layers as single ones of torch.nn, so that each state can be an autograd node."""

    def __init__(self, model: LanguageModel) -> None:
        config = model.config
        self.model = model
        kinds: dict[str, Any] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
        self.layers: list[nn.RNNBase] = []
        with torch.random.fork_rng(devices=[]):
            for layer in range(config.layers):
                options = {"nonlinearity": config.nonlinearity} if config.cell == "rnn" else {}
                size = config.hidden if layer else config.embedding
                single = kinds[config.cell](size, config.hidden, batch_first=True, **options)
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    getattr(single, f"{name}_l0").data.copy_(getattr(model.rnn, f"{name}_l{layer}"))
                self.layers.append(single)

    def run(self, ids: Sequence[int]) -> tuple[Tensor, list[list[Tensor]], list[list[Tensor]], list[Tensor]]:
        """The last logits (V,); of each layer its hidden and its cell states, (1, 1, H) a timestep; the embeddings."""
        config = self.model.config
        zero = torch.zeros(1, 1, config.hidden)
        states: list[Any] = [(zero, zero) if config.cell == "lstm" else zero for _ in self.layers]
        hidden: list[list[Tensor]] = [[] for _ in self.layers]
        cell: list[list[Tensor]] = [[] for _ in self.layers]
        embedded = [self.model.embedding.weight[token].detach().clone().requires_grad_() for token in ids]
        for vector in embedded:
            x = vector.view(1, 1, -1)
            for layer, single in enumerate(self.layers):
                # The output is a node beside the state's: only the state is passed on, so that its gradient is whole.
                _, states[layer] = single(x, states[layer])
                h = states[layer][0] if config.cell == "lstm" else states[layer]
                hidden[layer].append(h)
                if config.cell == "lstm":
                    cell[layer].append(states[layer][1])
                x = h.transpose(0, 1)
        logits = nn.functional.linear(x.view(-1), self.model.output.weight, self.model.output.bias)
        return logits, hidden, cell, embedded


def untouched(model: LanguageModel) -> list[Any]:
    """All that an inspection must leave alone, to be compared before and after."""
    random = torch.random.get_rng_state().tolist()
    grads = [None if weight.grad is None else weight.grad.tolist() for weight in model.parameters()]
    return [random, grads, [weight.tolist() for weight in model.parameters()], model.training]
