"""The adaptive softmax: exact probabilities over the whole vocabulary, torch's names, a rule for its clusters."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import safetensors.torch
import torch
from torch import nn

from rnnplay.config import RunConfig, SamplingConfig
from rnnplay.errors import ConfigError
from rnnplay.model.adaptive_softmax import adaptive_shapes
from rnnplay.model.generation.completion import complete
from rnnplay.model.generation.sampling import generate, generate_ids
from rnnplay.model.hardware import can_bfloat16
from rnnplay.model.language_model import LanguageModel
from rnnplay.model.parameter_count import adaptive_cutoffs
from rnnplay.text.tokenizers.build import build_tokenizer

torch.set_num_threads(1)

V = 150


def adaptive(**values: Any) -> RunConfig:
    return RunConfig(**{"tokens": "word", "softmax": "adaptive", "embedding": 6, "hidden": 20, **values})


def some_ids(batch: int = 4, timesteps: int = 60) -> torch.Tensor:
    return torch.randint(0, V, (batch, timesteps), generator=torch.Generator().manual_seed(0))


def test_plain_torch_computes_the_same_from_the_saved_weights() -> None:
    model = LanguageModel(adaptive(), V).eval()
    saved = safetensors.torch.load(safetensors.torch.save(model.weights()))
    plain: Any = nn.ModuleDict(
        {
            "embedding": nn.Embedding(V, 6),
            "rnn": nn.LSTM(6, 20, batch_first=True),
            "output": nn.AdaptiveLogSoftmaxWithLoss(20, V, cutoffs=[V // 16, V // 4]),
        }
    )
    plain.load_state_dict(saved)
    ids = some_ids()
    hidden, _ = plain["rnn"](plain["embedding"](ids[:, :-1]))
    expected = plain["output"].log_prob(hidden.flatten(0, 1))
    logits, _ = model(ids[:, :-1])
    torch.testing.assert_close(logits.flatten(0, 1), expected)


@pytest.mark.parametrize("vocabulary", [5, 16, 17, 64, 1000, 33_278])
def test_shapes_are_known_without_making_it(vocabulary: int) -> None:
    cutoffs = adaptive_cutoffs(vocabulary)
    assert sorted(set(cutoffs)) == cutoffs and cutoffs[0] > 0 and cutoffs[-1] < vocabulary
    weights = LanguageModel(adaptive(), vocabulary).weights()
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items() if name.startswith("output.")}
    assert adaptive_shapes(20, vocabulary) == shapes


def test_the_loss_is_that_of_the_whole_distribution() -> None:
    """Clusters make it quick, not approximate: a perplexity is comparable with any other."""
    model = LanguageModel(adaptive(), V)
    ids = some_ids()
    targets = ids[:, 1:].flatten().clone()
    targets[::7] = -100
    logits, _ = model(ids[:, :-1])
    torch.testing.assert_close(logits.exp().sum(-1), torch.ones(4, 59))
    reductions: tuple[Literal["mean", "sum"], ...] = ("mean", "sum")
    for reduction in reductions:
        loss, _ = model.loss(ids[:, :-1], targets, reduction=reduction)
        expected = nn.functional.cross_entropy(logits.flatten(0, 1), targets, reduction=reduction)
        torch.testing.assert_close(loss, expected)
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in model.parameters())
    nothing, _ = model.loss(ids[:, :-1], torch.full_like(targets, -100))
    assert bool(nothing.isnan())


def test_words_that_a_batch_does_not_have_get_gradients_of_zero() -> None:
    """Not none: a checkpoint after such a first step has the optimizer's moments of all weights, or of none."""
    model = LanguageModel(adaptive(), V)
    ids = torch.zeros((2, 5), dtype=torch.int64)
    loss, _ = model.loss(ids, ids.flatten())
    loss.backward()  # type: ignore[no-untyped-call]
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        assert bool(parameter.grad.any()) != name.startswith("output.tail")


def test_under_autocast_products_are_in_bfloat16_and_the_softmax_is_not() -> None:
    # torch has no LSTM in bfloat16 for a CPU without AVX-512; our own GRU runs everywhere.
    model = LanguageModel(adaptive(cell="lstm" if can_bfloat16(torch.device("cpu")) else "gru"), V)
    ids = some_ids()
    targets = ids[:, 1:].flatten()
    exact, _ = model.loss(ids[:, :-1], targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, _ = model.loss(ids[:, :-1], targets)
        logits, _ = model(ids[:, :-1])
    assert (loss.dtype, logits.dtype) == (torch.float32, torch.float32)
    assert 0 < abs(loss.item() - exact.item()) < 0.01
    torch.testing.assert_close(logits.exp().sum(-1), torch.ones(4, 59))
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = [parameter.grad for parameter in model.parameters()]
    wanted = torch.autograd.grad(exact, list(model.parameters()))
    for one, other in zip(gradients, wanted, strict=True):
        assert one is not None and one.dtype == torch.float32
        assert (one - other).norm() < 0.05 * other.norm()


def test_text_is_drawn_and_completed() -> None:
    text = "the cat sat on the mat . the dog sat on the cat . " * 3
    tokenizer = build_tokenizer([text], "word")
    model = LanguageModel(adaptive(), tokenizer.size)
    assert len(list(generate_ids(model, [5], SamplingConfig(length=9, seed=1)))) == 9
    assert "".join(generate(model, tokenizer, "the cat", SamplingConfig(length=5, seed=1)))
    found = complete(model, tokenizer, "the c", 3)
    assert found.suggestion and len(found.next) >= 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tokens": "char"}, "ordered by frequency"),
        ({"tie": True, "embedding": 20}, "tie"),
        ({"hidden": 15}, "at least 16"),
    ],
)
def test_what_it_cannot_go_with_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        adaptive(**values)
    assert refused.value.knob == "softmax"
