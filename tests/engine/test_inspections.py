"""Inspections answered by a real engine process: while training, of an opened run, and what cannot be answered."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import TypeVar

import msgspec
import pytest
import torch

from rnnplay.engine import inspections, messages
from rnnplay.inspection.questions import (
    ClippingQuestion,
    ConnectivityQuestion,
    DistancesQuestion,
    GatesQuestion,
    GradientsQuestion,
    PredictionsQuestion,
    Question,
    WhatIfQuestion,
)
from rnnplay.inspection.results import (
    ClippedStep,
    Connectivity,
    Forced,
    ForcedCompletion,
    GateMap,
    GradientCurve,
    Predictions,
    Quantity,
    Result,
)
from rnnplay.runs.metrics import records
from rnnplay.workspace import Workspace
from tests.engine.driving import SHARED, TINY, Driver, engine

R = TypeVar("R", bound=Result)
CLOSED = Forced(layer=0, quantity="output_gate", value=0.0)
ALL: list[tuple[Question, type[Result]]] = [
    (GradientsQuestion(distance=9), GradientCurve),
    (GradientsQuestion(distance=9, initial=True), GradientCurve),
    (ClippingQuestion(), ClippedStep),
    (PredictionsQuestion(text="the cat §"), Predictions),
    (GatesQuestion(text="the cat", quantity="forget_gate", layer=9, count=3), GateMap),
    (ConnectivityQuestion(text="the cat"), Connectivity),
    (WhatIfQuestion(text="the ca", forced=[CLOSED]), ForcedCompletion),
]


def inspect(request: int, question: Question, purpose: str = "") -> messages.Inspect:
    """For a purpose of its own, unless one is given."""
    return messages.Inspect(request=request, question=question, purpose=purpose or f"purpose {request}")


async def answer(driver: Driver, request: int, kind: type[R]) -> R:
    """The result of that number."""
    found = await driver.until(
        lambda: next((e for e in driver.events if isinstance(e, messages.Inspected) and e.request == request), None)
    )
    assert isinstance(found.result, kind)
    return found.result


async def ask_all(driver: Driver) -> list[Result]:
    """Every kind at once."""
    for request, (question, _) in enumerate(ALL, 1):
        driver.client.send(inspect(request, question))
    return [await answer(driver, request, kind) for request, (_, kind) in enumerate(ALL, 1)]


async def trained(driver: Driver, run: str = "one", steps: int = 25) -> None:
    driver.client.send(messages.Train(config=msgspec.structs.replace(TINY, steps=steps), run=driver.name(run)))
    await driver.record(records.Finished)


async def test_every_kind_is_answered_while_training_goes_on(workspace: Workspace) -> None:
    async with engine(workspace) as driver:
        driver.client.send(messages.Train(config=TINY, run="one"))
        # Asked before there is a model: they wait for it.
        now, initial, clipping, predictions, gates, connectivity, what_if = await ask_all(driver)
        assert isinstance(now, GradientCurve)
        assert isinstance(initial, GradientCurve)
        assert now.run == "one"
        assert len(now.hidden[0]) == len(now.cell[0]) == 10
        assert initial.step == 0
        assert isinstance(clipping, ClippedStep)
        assert (clipping.mode, clipping.threshold) == ("norm", 0.1)
        assert isinstance(predictions, Predictions)
        assert (len(predictions.tokens), predictions.unknown) == (9, ["§"])
        assert isinstance(gates, GateMap)
        assert (gates.layer, gates.quantity, gates.shown) == (0, "forget_gate", [0, 1, 2])
        assert isinstance(connectivity, Connectivity)
        assert len(connectivity.strengths) == 7
        assert isinstance(what_if, ForcedCompletion)
        assert what_if.untouched.next != what_if.forced.next
        # Of one purpose the newest is answered: a lesson asks for several quantities of the gates, each for its own.
        lesson: list[tuple[int, Quantity]] = [(17, "forget_gate"), (18, "cell")]
        for request, quantity in lesson:
            driver.client.send(inspect(request, GatesQuestion(text="the cat", quantity=quantity)))
        assert {(await answer(driver, request, GateMap)).quantity for request, _ in lesson} == {"forget_gate", "cell"}
        seen = driver.steps()[-1].step if driver.steps() else 0
        driver.client.send(messages.Tune(knob="clip", value="off"))
        await driver.until(lambda: driver.steps()[-1].step > seen + 5 if driver.steps() else None)
        driver.client.send(inspect(19, ClippingQuestion()))
        assert (await answer(driver, 19, ClippedStep)).mode == "off"
        # Every step was taken, in order, though others looked on.
        assert [step.step for step in driver.steps()] == list(range(1, driver.steps()[-1].step + 1))


@SHARED
async def test_looking_changes_nothing_of_what_is_learned(driver: Driver) -> None:
    losses = []
    for run in ("alone", "watched"):
        driver.events.clear()
        config = msgspec.structs.replace(TINY, steps=60, dropout=0.3, eval_every=20)
        driver.client.send(messages.Train(config=config, run=driver.name(run)))
        request = 100
        while not any(isinstance(record, records.Finished) for record in driver.records):
            if run == "watched":
                for purpose, (question, _) in enumerate(ALL):
                    driver.client.send(inspect(request, question, f"purpose {purpose}"))
                request += 1
            seen = len(driver.events)
            await driver.until(lambda seen=seen: len(driver.events) > seen)  # type: ignore[misc]
        losses.append([step.loss for step in driver.steps()])
        if run == "watched":
            assert sum(isinstance(event, messages.Inspected) for event in driver.events) > 3
    assert losses[0] == losses[1]


@SHARED
async def test_an_opened_run_finds_its_text_again(driver: Driver) -> None:
    await trained(driver)
    of_the_trainer = await ask_all(driver)
    async with engine(driver.workspace) as another:
        another.client.send(messages.Open(run=driver.name("one")))
        await another.event(messages.Opened)
        of_the_file = await ask_all(another)
        for one, other in zip(of_the_trainer, of_the_file, strict=True):
            assert one.run == other.run == driver.name("one")
            assert one.step == other.step
            if isinstance(one, ClippedStep):  # the same batch, and the same state carried into it
                assert isinstance(other, ClippedStep)
                assert one.before == pytest.approx(other.before, rel=1e-5)
            if isinstance(one, GradientCurve):
                assert isinstance(other, GradientCurve)
                assert one.hidden[0] == pytest.approx(other.hidden[0], rel=1e-4)


async def test_what_cannot_be_inspected_is_told_with_its_number(workspace: Workspace) -> None:
    async def failed(driver: Driver, request: int) -> messages.Failed:
        return await driver.until(
            lambda: next((e for e in driver.events if isinstance(e, messages.Failed) and e.request == request), None)
        )

    async with engine(workspace) as driver:
        driver.client.send(inspect(1, PredictionsQuestion(text="a")))
        told = await failed(driver, 1)
        assert (told.command, "no model" in told.message) == ("inspect", True)
        await trained(driver)
        driver.client.send(inspect(2, GatesQuestion(text="")))
        assert "no text" in (await failed(driver, 2)).message
        driver.client.send(inspect(3, DistancesQuestion()))
        assert (await failed(driver, 3)).command == "inspect"
        driver.client.send(inspect(4, GradientsQuestion(distance=-1)))
        assert "at least 0" in (await failed(driver, 4)).message
        (workspace.corpora / "small.txt").write_text("another text\n" * 400, encoding="utf-8")
        for encoded in workspace.cache.iterdir():  # with its encoded copy the run would do without the text
            shutil.rmtree(encoded) if encoded.is_dir() else encoded.unlink()
        driver.client.send(messages.Open(run="one"))
        driver.client.send(inspect(5, GradientsQuestion()))
        assert "not the one" in (await failed(driver, 5)).message
        driver.client.send(inspect(6, PredictionsQuestion(text="the cat")))  # needs no corpus
        await answer(driver, 6, Predictions)


@SHARED
async def test_completions_come_twice_while_a_gate_is_forced(driver: Driver) -> None:
    async def completion(driver: Driver, request: int) -> messages.Completion:
        driver.client.send(messages.Complete(request=request, text="the ca"))
        return await driver.until(
            lambda: next(
                (e for e in driver.events if isinstance(e, messages.Completion) and e.request == request), None
            )
        )

    await trained(driver)
    plain = await completion(driver, 1)
    assert plain.forced is None
    driver.client.send(messages.WhatIf(forced=[CLOSED]))
    tampered = await completion(driver, 2)
    assert tampered.next == plain.next
    assert tampered.forced is not None
    assert len(tampered.forced.next) == len(plain.next)
    assert tampered.forced.next != plain.next
    driver.client.send(messages.WhatIf(forced=[Forced(layer=4, quantity="cell", value=0.0)]))
    assert "no layer 4" in (await driver.event(messages.Failed)).message
    assert (await completion(driver, 3)).forced is None
    driver.client.send(messages.WhatIf(forced=[Forced(layer=0, quantity="cell", value=1.0, units=[3])]))
    assert (await completion(driver, 4)).forced is not None
    driver.client.send(messages.WhatIf())
    assert (await completion(driver, 5)).forced is None


@pytest.mark.parametrize("stepping", [True, False])
def test_the_model_of_an_opened_run_is_inspected_with_one_thread(
    stepping: bool, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that wait for one another beside another run's training took twenty times as long."""
    seen: list[int] = []
    monkeypatch.setattr(inspections, "answer", lambda *_: seen.append(torch.get_num_threads()))
    monkeypatch.setattr(inspections, "finite_weights", lambda _: True)
    before = torch.get_num_threads()
    asked = inspections.Inspections(
        lambda _: None,
        lambda: SimpleNamespace(model=None),
        workspace,
        lambda _tag, action, _request: action(),
        lambda: stepping,
    )
    torch.set_num_threads(2)
    try:
        asked.ask(inspect(1, GradientsQuestion()))
        asked.work()
        assert seen == [2 if stepping else 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
