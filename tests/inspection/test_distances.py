"""Accuracy by distance: an oracle is right everywhere, and a model that knows nothing is near chance."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from rnnplay.cli.main import program
from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.inspection.distances import (
    bin_edges,
    dependency_kind,
    distance_accuracy,
    line_sizes,
    require_dependency_kind,
    wilson_interval,
)
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.corpora.dependencies import TASKS, training_text
from rnnplay.text.tokenizers.characters import CharTokenizer
from rnnplay.workspace import Workspace


def tokenizer_of(kind: str) -> CharTokenizer:
    return CharTokenizer("".join(sorted({character for line in training_text(kind) for character in line})))


def model_of(kind: str) -> tuple[LanguageModel, CharTokenizer]:
    tokenizer = tokenizer_of(kind)
    config = RunConfig(corpus=kind, embedding=8, hidden=12, cell="gru")
    return LanguageModel(config, tokenizer.size), tokenizer


@pytest.mark.parametrize("kind", list(TASKS))
def test_a_model_that_knows_nothing_is_near_chance_and_left_as_it_was(kind: str) -> None:
    model, tokenizer = model_of(kind)
    model.train()
    before, random = model.weights()["output.weight"].clone(), torch.get_rng_state()
    found = distance_accuracy(model, tokenizer, kind, "one", 7, lines=40)
    assert (found.run, found.step, found.kind, found.trained) == ("one", 7, kind, TASKS[kind].trained)
    total = sum(found.correct) / sum(found.count)
    assert abs(total - found.chance) < 0.2
    assert found.trained + 1 in found.distances  # what was never trained has bins of its own
    assert found.distances[-1] > found.trained
    assert all(low <= share <= high for low, share, high in zip(found.low, found.accuracy, found.high, strict=True))
    assert model.training
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.equal(model.weights()["output.weight"], before)
    again = distance_accuracy(model, tokenizer, kind, "one", 7, lines=40)
    assert again.correct == found.correct


def test_of_a_model_that_has_diverged_nothing_is_known() -> None:
    model, tokenizer = model_of("recall")
    with torch.no_grad():
        model.output.bias.fill_(math.nan)
    found = distance_accuracy(model, tokenizer, "recall", lines=2)
    assert all(map(math.isnan, [*found.accuracy, *found.low, *found.high]))


class Oracle(LanguageModel):
    """Remembers the first symbol of a line, in place of a recurrent layer."""

    class _Memory(torch.nn.Module):
        def forward(self, embedded: Tensor, state: object) -> tuple[Tensor, object]:
            return embedded[:, 1:2].expand_as(embedded), state  # index 0 is the newline

    def __init__(self, config: RunConfig, vocabulary: int) -> None:
        super().__init__(config, vocabulary)
        self.rnn = self._Memory()  # type: ignore[assignment]
        with torch.no_grad():
            self.embedding.weight.copy_(torch.eye(vocabulary))
            self.output.weight.copy_(torch.eye(vocabulary))


def test_an_oracle_is_right_at_every_distance() -> None:
    tokenizer = tokenizer_of("recall")
    config = RunConfig(corpus="recall", embedding=tokenizer.size, hidden=tokenizer.size)
    found = distance_accuracy(Oracle(config, tokenizer.size), tokenizer, "recall", lines=20)
    assert found.accuracy == [1.0] * len(found.distances)
    assert found.distances == [edge for edge in bin_edges(TASKS["recall"]) if 3 <= edge <= 162]
    assert found.count == [20] * len(found.distances)


def test_padding_of_shorter_lines_changes_nothing() -> None:
    """Lines of unlike length are read side by side; each alone gives the same."""
    model, tokenizer = model_of("agreement")
    whole = distance_accuracy(model, tokenizer, "agreement", lines=8)
    task = TASKS["agreement"]
    from rnnplay.inspection import distances

    right = 0
    for texts in distances._test_lines(task, 8):
        for text in texts:
            _, answers = distances._predicted_correctly(model, tokenizer, task, [text])
            right += sum(answers)
    assert right == sum(whole.correct)


@pytest.mark.parametrize("kind", list(TASKS))
def test_lines_are_asked_beyond_the_trained_sizes(kind: str) -> None:
    smallest, largest = TASKS[kind].sizes
    sizes = line_sizes(TASKS[kind])
    assert 7 <= len(sizes) <= 20
    assert sizes[0] == smallest
    assert sizes[-1] > largest


def test_wilsons_interval() -> None:
    """Against values worked out by hand from the formula."""
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    low, high = wilson_interval(900, 1000)
    assert (low, high) == pytest.approx((0.8799, 0.9171), abs=1e-4)


def test_which_runs_can_be_asked(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    assert dependency_kind(RunConfig(corpus="recall"), workspace) == "recall"
    assert dependency_kind(RunConfig(corpus="tales"), workspace) is None
    assert dependency_kind(RunConfig(corpus="gone"), workspace) is None
    with pytest.raises(InputError, match="recall, brackets, agreement or copy"):
        require_dependency_kind(RunConfig(corpus="tales"), workspace)
    model, _ = model_of("recall")
    with pytest.raises(InputError, match="character-level model"):
        distance_accuracy(model, CharTokenizer("\nabc"), "recall")


def test_from_the_command_line(tmp_path: Path) -> None:
    common = ("--workspace", str(tmp_path))
    small = ("--hidden", "8", "--embedding", "4", "--batch-size", "8", "--bptt", "96", "--steps", "3", "--threads", "1")
    call = CliRunner().invoke
    assert call(program, ["train", *common, "--corpus", "recall", "--run", "one", *small, "--json"]).exit_code == 0
    found = json.loads(call(program, ["eval", "one", *common, "--by-distance", "--json"]).stdout)
    assert found["kind"] == "recall"
    assert found["chance"] == 0.125
    assert len(found["distances"]) == len(found["accuracy"]) == len(found["low"]) == len(found["high"])
    shown = call(program, ["eval", "one", *common, "--by-distance"])
    assert shown.stdout.splitlines()[0].split("\t")[:3] == ["distance", "accuracy", "95% interval"]
    assert "96 *" in shown.stdout
    assert "chance is 0.125" in shown.stderr
    refused = call(program, ["eval", "one", *common, "--by-distance", "--split", "test"])
    assert refused.exit_code == 2
