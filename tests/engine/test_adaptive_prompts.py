"""Prompts that take time, being long or learned from: answered at once, then in full; and a run that keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rnnplay.config import AdaptationConfig, CompletionConfig, SamplingConfig
from rnnplay.engine import messages, prompts
from rnnplay.engine.prompts import Prompts
from rnnplay.errors import InputError
from rnnplay.inspection.adapting import adapted_prompt
from rnnplay.inspection.loaded_model import SavedRun
from rnnplay.model.generation.completion import Completer
from rnnplay.model.generation.sampling import generate
from tests.training.world import World, run_to_end

DYNAMIC = AdaptationConfig(dynamic=True, dynamic_lr=0.01, cache=True)
TEXT = "Bob sees Bob.\n" * 12


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SavedRun]:
    world = World(tmp_path_factory.mktemp("world"))
    run_to_end(world.trainer(world.config()))
    world.kill()
    yield SavedRun(world.folder(), "latest", world.workspace)


class Asked:
    """Prompts, and what they posted."""

    def __init__(self, loaded: SavedRun, still: bool = True) -> None:
        self.still = still
        self.posted: list[messages.Event] = []
        self.prompts = Prompts(self.posted.append, lambda: loaded, lambda: None, lambda: self.still)

    def complete(self, text: str, adaptation: AdaptationConfig = DYNAMIC, request: int = 1) -> None:
        self.prompts.ask(messages.Complete(request=request, text=text, bars=3, adaptation=adaptation))
        for _ in range(10_000):  # far more slices than any prompt here needs
            if not self.prompts.busy:
                return
            self.prompts.work()
        raise AssertionError("it never comes to an end")

    @property
    def answers(self) -> list[messages.Completion]:
        return [event for event in self.posted if isinstance(event, messages.Completion)]


def test_an_answer_as_trained_comes_first_and_then_the_one_that_was_learned(
    loaded: SavedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "SLICE_SECONDS", 1e-6)
    monkeypatch.setattr(prompts, "FIRST_SECONDS", 1e-6)
    asked = Asked(loaded)
    asked.prompts._completer = Completer(loaded.model, loaded.tokenizer, words=loaded.words)
    asked.prompts._completer.complete(TEXT, 3, CompletionConfig())  # so that it is read already
    asked.complete(TEXT)
    first, last = asked.answers[0], asked.answers[-1]
    assert first.adapted is not None and not first.adapted.done
    assert last.adapted is not None and last.adapted.done
    assert last.adapted.tokens == 160 and last.adapted.after < last.adapted.before
    assert first.next != last.next
    alone = Completer(loaded.model, loaded.tokenizer, adapted=adapted_prompt(loaded, DYNAMIC), words=loaded.words)
    expected = alone.complete(TEXT, 3, CompletionConfig())
    assert expected is not None
    assert [(one.token, one.probability) for one in last.next] == expected.next
    assert {answer.request for answer in asked.answers} == {1}


def test_while_weights_are_trained_the_model_does_not_adapt(loaded: SavedRun) -> None:
    asked = Asked(loaded, still=False)
    asked.complete(TEXT)
    (answer,) = asked.answers
    assert answer.adapted is not None and "once training pauses" in answer.adapted.trouble
    asked.still = True
    asked.complete(TEXT, request=2)
    assert asked.answers[-1].adapted is not None and asked.answers[-1].adapted.done


def test_without_adaptation_there_is_one_answer_and_nothing_said(loaded: SavedRun) -> None:
    asked = Asked(loaded)
    asked.complete(TEXT, AdaptationConfig())
    (answer,) = asked.answers
    assert answer.adapted is None


def test_what_was_learned_is_kept_as_a_branch(loaded: SavedRun) -> None:
    asked, workspace = Asked(loaded), loaded._workspace
    with pytest.raises(InputError, match="has not adapted to a text yet"):
        asked.prompts.keep(messages.KeepAdapted(run="kept"), training=False, workspace=workspace)
    asked.complete("Bob")
    with pytest.raises(InputError, match="fewer than 21 tokens"):
        asked.prompts.keep(messages.KeepAdapted(run="kept"), training=False, workspace=workspace)
    asked.complete(TEXT, request=2)
    with pytest.raises(InputError, match="stop it first"):
        asked.prompts.keep(messages.KeepAdapted(run="kept"), training=True, workspace=workspace)
    asked.prompts.keep(messages.KeepAdapted(run="kept"), training=False, workspace=workspace)
    kept = asked.posted[-1]
    assert isinstance(kept, messages.Kept) and kept.run == "kept"
    with pytest.raises(InputError, match="already"):
        asked.prompts.keep(messages.KeepAdapted(run="kept"), training=False, workspace=workspace)
    asked.complete(TEXT, AdaptationConfig(cache=True), request=3)
    with pytest.raises(InputError, match="changes no weights"):
        asked.prompts.keep(messages.KeepAdapted(run="other"), training=False, workspace=workspace)


def test_a_long_prompt_is_answered_by_its_end_at_once_and_then_by_all_of_it(
    loaded: SavedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "SLICE_SECONDS", 1e-6)
    monkeypatch.setattr(prompts, "FIRST_SECONDS", 1e-6)
    asked, text = Asked(loaded), TEXT * 20
    asked.prompts.ask(messages.Complete(request=1, text=text, bars=3))
    asked.prompts.work()
    (first,) = asked.answers
    assert first.read < 1 and first.next and asked.prompts.busy
    asked.complete(text + "B", AdaptationConfig(), request=2)  # the user types on while it is read
    last = asked.answers[-1]
    assert (last.request, last.read) == (2, 1)
    expected = Completer(loaded.model, loaded.tokenizer, words=loaded.words).complete(text + "B", 3, CompletionConfig())
    assert expected is not None
    assert [one.token for one in last.next] == [token for token, _ in expected.next]


def test_a_sample_of_a_long_prompt_does_not_hold_up_what_else_is_asked(
    loaded: SavedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "SLICE_SECONDS", 1e-6)
    monkeypatch.setattr(prompts, "FIRST_SECONDS", 1e-6)
    asked, text = Asked(loaded), TEXT * 20
    sampling = SamplingConfig(length=5, temperature=0)
    asked.prompts.ask(messages.Sample(request=1, prompt=text, sampling=sampling))
    with monkeypatch.context() as patched:
        # A clock that each look at it moves on: the sample gets three slices, however fast the machine.
        ticks = count()
        patched.setattr(prompts, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
        asked.prompts.work(seconds=2.5)
    assert asked.posted == [] and asked.prompts.busy
    asked.complete("Bob", AdaptationConfig(), request=2)
    pieces = [event for event in asked.posted if isinstance(event, messages.SampleText)]
    assert {answer.request for answer in asked.answers} == {2}
    expected = "".join(generate(loaded.model, loaded.tokenizer, text, sampling))
    assert "".join(piece.text for piece in pieces) == expected and pieces[-1].done


def test_prompts_are_read_with_one_thread_and_training_keeps_its_own(
    loaded: SavedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []
    read = Completer.complete

    def complete(*given: Any, **named: Any) -> Any:
        used.append(torch.get_num_threads())
        return read(*given, **named)

    monkeypatch.setattr(Completer, "complete", complete)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        Asked(loaded).complete("Bob", AdaptationConfig())
        assert (used, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)
