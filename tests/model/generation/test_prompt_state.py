"""A prompt that changes from key to key is read as if it were read whole."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from rnnplay.config import RunConfig
from rnnplay.model.generation import prompt_state
from rnnplay.model.generation.prompt_state import PromptState
from rnnplay.model.generation.reading import FEW
from rnnplay.model.generation.stepper import Batch, Floats
from rnnplay.model.language_model import LanguageModel

torch.set_num_threads(1)


@pytest.fixture
def model() -> LanguageModel:
    return LanguageModel(RunConfig(embedding=4, hidden=6, layers=2), 9).eval()


@pytest.fixture
def small_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RECENT", 6), ("SPACING", 4), ("MOST", 5), ("ANEW", 3)):
        monkeypatch.setattr(prompt_state, name, value)


def whole(model: LanguageModel, ids: list[int]) -> Floats:
    with torch.no_grad():
        logits: Floats = model(torch.tensor([ids]))[0][0, -1].numpy()
    return logits


def read(kept: PromptState, ids: list[int], exact: bool = True) -> Floats:
    found = kept.read(np.array(ids), exact)
    assert found is not None
    return found[0]


@pytest.mark.usefixtures("small_stack")
def test_any_sequence_of_changes_is_read_exactly(model: LanguageModel) -> None:
    kept, draw = PromptState(model), random.Random(1)
    ids = [1]
    for _ in range(300):
        match draw.choice(["type", "type", "type", "delete", "paste", "edit", "cut", "weights"]):
            case "type":
                ids = [*ids, draw.randrange(9)]
            case "delete":
                ids = ids[:-1] or [1]
            case "paste":
                ids = ids + [draw.randrange(9) for _ in range(draw.randrange(40))]
            case "edit":
                at = draw.randrange(len(ids))
                ids = [*ids[:at], draw.randrange(9), *ids[at:]]
            case "cut":
                ids = ids[: draw.randrange(1, len(ids) + 1)]
            case "weights" if draw.random() < 0.3:
                with torch.no_grad():
                    model.output.bias.add_(torch.randn(9))
                    model.rnn.get_parameter("weight_hh_l0").mul_(0.99)
        np.testing.assert_allclose(read(kept, ids), whole(model, ids), rtol=1e-4, atol=1e-5)
        assert len(kept._states) <= prompt_state.MOST + prompt_state.RECENT + FEW


def test_a_typed_token_is_one_step_and_a_deleted_one_none(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    step = Batch.step

    def counted(batch: Batch, tokens: list[int]) -> Floats:
        steps.append(len(tokens))
        return step(batch, tokens)

    monkeypatch.setattr(Batch, "step", counted)
    kept = PromptState(model)
    ids = [index % 9 for index in range(3000)]
    read(kept, ids)
    del steps[:]
    read(kept, [*ids, 5])
    assert steps == [1]
    read(kept, ids)
    read(kept, [*ids, 5])
    assert steps == [1]
    read(kept, [*ids, 6])
    assert steps == [1, 1]


def test_a_long_prompt_is_read_in_slices_and_what_was_read_is_kept(model: LanguageModel) -> None:
    kept = PromptState(model)
    ids = [index * index % 9 for index in range(2000)]
    tries = 1
    while (found := kept.read(np.array(ids), seconds=0.0)) is None:
        tries += 1
        if tries < 20:
            ids = [*ids, tries % 9]  # the user types on
        assert tries < 100
    assert tries > 5
    np.testing.assert_allclose(found[0], whole(model, ids), rtol=1e-4, atol=1e-5)


def test_while_weights_change_the_end_is_read_anew_and_the_rest_when_they_stand_still(model: LanguageModel) -> None:
    kept = PromptState(model)
    ids = [index * index % 9 for index in range(500)]
    read(kept, ids)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(0.9)
    expected = whole(model, ids)
    np.testing.assert_allclose(read(kept, ids, exact=False), expected, atol=0.01)  # forgotten after 64 tokens
    read(kept, [*ids, 1], exact=False)
    np.testing.assert_allclose(read(kept, ids), expected, rtol=1e-4, atol=1e-5)
