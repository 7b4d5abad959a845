"""A model that adapts to a prompt: exactly what the text alone says, however it was typed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnnplay.config import RunConfig
from rnnplay.generation_config import AdaptationConfig
from rnnplay.model.generation.adaptation import adapted_prompt
from rnnplay.model.generation.adaptation.adapted_prompt import AdaptedPrompt
from rnnplay.model.generation.adaptation.adaptive_reader import AdaptiveReader, GradientScale, gradient_rms
from rnnplay.model.generation.stepper import Floats
from rnnplay.model.language_model import LanguageModel

torch.set_num_threads(1)
VOCABULARY = 9
IDS = torch.randint(1, VOCABULARY, (120,), generator=torch.Generator().manual_seed(5)).numpy()
BOTH = AdaptationConfig(dynamic=True, dynamic_lr=0.01, dynamic_segment=7, cache=True, cache_size=30, cache_lambda=0.3)
WAYS = [BOTH, AdaptationConfig(dynamic=True, dynamic_segment=7), AdaptationConfig(cache=True, dynamic_segment=7)]


def made(**values: Any) -> LanguageModel:
    return LanguageModel(RunConfig(**{"embedding": 5, "hidden": 8, **values}), VOCABULARY)


def prompt_of(model: LanguageModel, settings: AdaptationConfig) -> AdaptedPrompt:
    return AdaptedPrompt(model, settings, gradient_rms(model, torch.from_numpy(IDS), settings.dynamic_segment))


def log_p(logits: Floats) -> Floats:
    return torch.from_numpy(logits).log_softmax(-1).numpy()


@pytest.mark.parametrize("settings", WAYS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_prompt_typed_token_by_token_is_predicted_as_the_text_is_that_eval_reads(
    settings: AdaptationConfig, cell: str
) -> None:
    model = made(cell=cell, layers=2)
    prompt = prompt_of(model, settings)
    reader = AdaptiveReader(model, settings, gradient_rms(model, torch.from_numpy(IDS), 7))
    ids = torch.from_numpy(IDS)
    nats = torch.cat([reader.read(ids[at : at + 8])[1] for at in range(0, 112, 7)])
    for at in range(112):
        read = prompt.read(IDS[: at + 1])
        assert read is not None
        assert -log_p(read[0])[IDS[at + 1]] == pytest.approx(float(nats[at]), abs=1e-4)
    prompt.read(IDS[:113])
    assert prompt.learned.tokens == prompt.learned.of == 112
    assert prompt.learned.after == pytest.approx(float(nats.mean()))


@pytest.mark.parametrize("settings", WAYS)
@pytest.mark.parametrize("memory", [1 << 28, 1])
def test_a_deleted_token_takes_its_effect_back(
    settings: AdaptationConfig, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapted_prompt, "KEPT_BYTES", memory)  # with little, earlier segments are learned again
    model = made()
    typed = prompt_of(model, settings)
    other = IDS[::-1].copy()
    texts = [IDS[:length] for length in (*range(1, 100, 3), 98, 50, 51, 8, 7, 100)]
    texts += [np.concatenate([IDS[:40], other[:30]]), IDS[:69], IDS[:120], other]
    for ids in texts:
        typed.read(ids)
    for ids in texts[-9:]:
        alone = prompt_of(model, settings)
        for one, same in zip(typed.read(ids) or (), alone.read(ids) or (), strict=True):
            np.testing.assert_array_equal(one, same)
        assert typed.learned == alone.learned
        for one_weight, same_weight in zip(typed.model.parameters(), alone.model.parameters(), strict=True):
            assert one_weight.equal(same_weight)


def test_the_places_that_are_kept_are_few() -> None:
    model = made()
    prompt = prompt_of(model, BOTH)
    prompt.read(np.tile(IDS, 8))
    assert prompt.learned.of == 959
    assert len(prompt._places) < 70


def test_a_search_is_by_the_weights_and_the_cache_after_the_prompt() -> None:
    model = made()
    prompt = prompt_of(model, BOTH)
    read = prompt.read(IDS[:60])
    assert read is not None
    batch = prompt.steps().batch(3)
    batch.states[:] = read[1]
    found = batch.step([1, 2, 3])
    followed = prompt.model.config.hidden
    with torch.no_grad():
        for row, token in enumerate((1, 2, 3)):
            logits, *_ = prompt._reader.look(torch.from_numpy(np.append(IDS[56:60], token)))
            hidden = batch.states[row, :followed]
            kept, targets = torch.cat(prompt._states).numpy(), prompt._followed
            weights = np.exp(BOTH.cache_theta * (kept @ hidden))
            cached = np.bincount(targets, weights / weights.sum(), VOCABULARY)
            expected = np.log(0.7 * np.exp(log_p(logits.numpy())) + 0.3 * cached)
            np.testing.assert_allclose(found[row], expected, atol=1e-4)


def test_reading_a_long_text_is_gone_on_with() -> None:
    model = made()
    prompt, whole = prompt_of(model, BOTH), prompt_of(model, BOTH)
    calls = 0
    while (read := prompt.read(IDS, seconds=0)) is None:
        calls += 1
        assert prompt.learned.tokens < prompt.learned.of
    assert calls > 5
    expected = whole.read(IDS)
    assert expected is not None
    np.testing.assert_array_equal(read[0], expected[0])


def test_the_scale_of_the_gradients_is_measured_a_little_at_a_time() -> None:
    model = made()
    ids = torch.from_numpy(IDS)
    scale = GradientScale(model, ids, 7)
    calls = 1
    while (found := scale.measure(until=0)) is None:
        calls += 1
    expected = gradient_rms(model, ids, 7)
    assert calls == scale.of == 17
    assert all(value.equal(expected[name]) for name, value in found.items())
