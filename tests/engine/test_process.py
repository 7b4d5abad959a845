"""The engine as a real child process: training, prompts, tuning, and every way of ending."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time

import msgspec
import pytest

from rnnplay.config import SamplingConfig
from rnnplay.engine import messages
from rnnplay.engine.client import EngineClient, EngineExit
from rnnplay.inspection.questions import ClippingQuestion
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics import records
from rnnplay.runs.metrics.records import Step
from rnnplay.workspace import Workspace
from tests.engine.driving import SHARED, TINY, Driver, engine


@SHARED
async def test_a_run_is_trained_to_its_length(driver: Driver) -> None:
    config = msgspec.structs.replace(TINY, steps=40)
    driver.client.send(messages.Train(config=config, run=driver.name("one")))
    finished = await driver.record(records.Finished)
    assert (finished.step, finished.reason) == (40, "length")
    assert [step.step for step in driver.steps()] == list(range(1, 41))
    assert driver.steps()[-1].loss < driver.steps()[0].loss
    assert driver.folder("one").checkpoint("latest").step == 40
    # Nothing but events reached the pipe; what libraries print goes to the log.
    assert driver.folder("one").log_path.exists()


@SHARED
async def test_a_run_that_cannot_begin_is_not_said_to_go_on(driver: Driver) -> None:
    driver.folder("one").path.write_text("in its place", encoding="utf-8")
    driver.client.send(messages.Train(config=TINY, run=driver.name("one")))
    failed = await driver.event(messages.Failed)
    assert failed.command == "train" and "move away what is in its place, then try again." in failed.message


@SHARED
async def test_a_second_run_is_refused_and_the_first_goes_on(driver: Driver) -> None:
    driver.client.send(messages.Train(config=TINY, run=driver.name("one")))
    await driver.until(lambda: driver.steps() or None)
    driver.client.send(messages.Train(config=TINY, run=driver.name("two")))
    refused = await driver.event(messages.Failed)
    assert refused.training and "already" in refused.message
    before = driver.steps()[-1].step
    await driver.until(lambda: driver.steps()[-1].step > before + 5 or None)
    driver.client.send(messages.Stop())
    stopped = await driver.record(records.Finished)
    assert driver.folder("one").checkpoint("latest").step == stopped.step


@SHARED
async def test_prompts_are_answered_while_training_and_the_newest_wins(driver: Driver) -> None:
    driver.client.send(messages.Train(config=TINY, run=driver.name("one")))
    await driver.until(lambda: driver.steps() or None)
    for request in range(1, 6):
        driver.client.send(messages.Complete(request=request, text="the ca" + "t" * request))
    newest = await driver.until(
        lambda: next((e for e in driver.events if isinstance(e, messages.Completion) and e.request == 5), None)
    )
    assert newest.step > 0
    assert 0 < sum(token.probability for token in newest.next) <= 1 + 1e-6
    probabilities = [token.probability for token in newest.next]
    assert probabilities == sorted(probabilities, reverse=True)
    sampling = SamplingConfig(length=50, seed=1)
    driver.client.send(messages.Sample(request=6, prompt="the §", sampling=sampling))
    await driver.until(lambda: next((e for e in driver.events if isinstance(e, messages.SampleText) and e.done), None))
    text = "".join(e.text for e in driver.events if isinstance(e, messages.SampleText) and e.request == 6)
    assert len(text) == 50
    before = driver.steps()[-1].step
    await driver.until(lambda: driver.steps()[-1].step > before or None)


@SHARED
async def test_tuning_shows_in_the_next_records(driver: Driver) -> None:
    driver.client.send(messages.Train(config=TINY, run=driver.name("one")))
    await driver.until(lambda: driver.steps() or None)
    driver.client.send(messages.Tune(knob="clip_threshold", value=0.01))
    driver.client.send(messages.Tune(knob="lr", value=0.0001))
    tuned = await driver.until(
        lambda: next((r for r in driver.records if isinstance(r, records.Tuned) and r.knob == "lr"), None)
    )
    await driver.until(lambda: driver.steps()[-1].step > tuned.step + 5 or None)
    after = [step for step in driver.steps() if step.step > tuned.step]
    assert all(step.grad_norm_clipped <= 0.01 for step in after)
    assert all(step.lr == 0.0001 for step in after)
    driver.client.send(messages.Tune(knob="hidden", value=3))
    failed = await driver.event(messages.Failed)
    assert "hidden cannot change while training" in failed.message


@SHARED
async def test_pause_holds_and_continue_goes_on(driver: Driver) -> None:
    driver.client.send(messages.Train(config=TINY, run=driver.name("one")))
    await driver.until(lambda: driver.steps() or None)
    driver.client.send(messages.Pause())
    paused = await driver.event(messages.Paused)
    assert driver.folder("one").checkpoint("latest").step == paused.step
    # A prompt is answered while nothing is trained, and no step is taken meanwhile.
    driver.client.send(messages.Complete(request=1, text="a"))
    assert (await driver.event(messages.Completion)).step == paused.step
    driver.client.send(messages.Continue())
    await driver.event(messages.Continued)
    await driver.until(lambda: driver.steps()[-1].step > paused.step or None)
    assert [step.step for step in driver.steps()] == list(range(1, driver.steps()[-1].step + 1))


@SHARED
async def test_a_run_waits_at_its_limit_and_trains_the_same(driver: Driver) -> None:
    """What a race needs: turns change no loss, waiting takes no training time, and questions are answered."""
    config = msgspec.structs.replace(TINY, steps=30, dropout=0.2, eval_every=10)
    driver.client.send(messages.Train(config=config, run=driver.name("alone")))
    await driver.record(records.Finished)
    alone = [step.loss for step in driver.steps()]
    driver.events.clear()
    driver.client.send(messages.Allow(steps=0))
    driver.client.send(messages.Train(config=config, run=driver.name("turns")))
    at_start = await driver.event(messages.Waiting)
    assert (at_start.step, at_start.seconds, driver.steps()) == (0, 0.0, [])
    driver.events.clear()
    driver.client.send(messages.Allow(steps=7))
    first = await driver.event(messages.Waiting)
    before = time.monotonic()
    while time.monotonic() - before < 0.4:  # meanwhile the run's clock stands still
        driver.events.clear()
        driver.client.send(messages.Complete(request=1, text="the cat sat on the mat"))
        assert (await driver.event(messages.Completion)).step == first.step == 7
    before = time.monotonic()
    driver.client.send(messages.Allow(tokens=64 * 15))
    waiting = await driver.event(messages.Waiting)
    trained = time.monotonic() - before
    assert waiting.step == 15 and 0 < first.seconds < waiting.seconds < first.seconds + trained
    driver.client.send(messages.Allow(seconds=1e-9))  # passed already, so it holds without another word
    driver.client.send(messages.Inspect(request=1, question=ClippingQuestion(), purpose="view"))
    await driver.event(messages.Inspected)
    driver.client.send(messages.Pause())
    await driver.event(messages.Paused)
    driver.client.send(messages.Continue())
    driver.client.send(messages.Allow())
    await driver.record(records.Finished)
    metrics = driver.folder("turns").metrics()
    assert [record.loss for record in metrics if isinstance(record, Step)] == alone
    progress = [event for event in driver.events if isinstance(event, messages.Progress)]
    assert 0 < waiting.seconds <= progress[-1].seconds


@SHARED
async def test_stop_then_resume_goes_on_from_the_checkpoint(driver: Driver) -> None:
    driver.client.send(messages.Train(config=TINY, run=driver.name("one")))
    await driver.until(lambda: driver.steps() or None)
    driver.client.send(messages.Stop())
    finished = await driver.record(records.Finished)
    assert finished.reason == "stopped"
    driver.events.clear()
    driver.client.send(messages.Train(config=TINY, run=driver.name("one"), resume=True))
    started = await driver.record(records.Started)
    assert started.step == finished.step
    await driver.until(lambda: driver.steps() or None)
    assert driver.steps()[0].step == finished.step + 1


async def test_what_cannot_be_done_is_told_in_a_sentence_and_the_engine_lives(workspace: Workspace) -> None:
    async with engine(workspace) as driver:
        missing = msgspec.structs.replace(TINY, corpus="smell")
        driver.client.send(messages.Train(config=missing, run="one"))
        assert "small" in (await driver.event(messages.Failed)).message
        driver.events.clear()
        driver.client.send(messages.Open(run="nowhere"))
        assert "nowhere" in (await driver.event(messages.Failed)).message
        driver.events.clear()
        driver.client.send(messages.Sample(request=1, prompt="a", sampling=SamplingConfig()))
        assert "no model" in (await driver.event(messages.Failed)).message
        driver.client.send(messages.Train(config=TINY, run="one"))
        await driver.until(lambda: driver.steps() or None)


async def test_quit_checkpoints(workspace: Workspace) -> None:
    async with engine(workspace) as driver:
        driver.client.send(messages.Train(config=TINY, run="one"))
        await driver.until(lambda: driver.steps() or None)
        await driver.client.quit()
        ended = await driver.exit()
        assert ended.asked
        assert ended.code == 0
        assert RunFolder(workspace.checkpoints / "one").checkpoint("latest").step >= driver.steps()[-1].step


async def test_a_parent_that_is_gone_and_a_signal_leave_a_checkpoint(workspace: Workspace) -> None:
    for name in ("closed", "terminated"):
        async with engine(workspace) as driver:
            driver.client.send(messages.Train(config=TINY, run=name))
            await driver.until(lambda driver=driver: driver.steps() or None)  # type: ignore[misc]
            seen = driver.steps()[-1].step
            assert driver.client.pid is not None
            if name == "closed":
                assert driver.client._process is not None
                assert driver.client._process.stdin is not None
                driver.client._process.stdin.close()
            else:
                os.kill(driver.client.pid, signal.SIGUSR1)
            ended = await driver.exit()
            assert ended.code == (0 if name == "closed" else -signal.SIGUSR1)
            said = "it ended on its own" if name == "closed" else "another program ended it with SIGUSR1"
            assert ended.cause.startswith(said)
            assert RunFolder(workspace.checkpoints / name).checkpoint("latest").step >= seen


async def test_one_that_was_stopped_goes_on_to_quit_and_checkpoints(workspace: Workspace) -> None:
    async with engine(workspace) as driver:
        driver.client.send(messages.Train(config=TINY, run="one"))
        await driver.until(lambda: driver.steps() or None)
        assert driver.client.pid is not None
        os.kill(driver.client.pid, signal.SIGSTOP)
        await driver.client.quit()
        assert (await driver.exit()).asked
        assert RunFolder(workspace.checkpoints / "one").checkpoint("latest").step >= driver.steps()[-1].step


@SHARED
async def test_a_run_whose_folder_is_removed_goes_on_and_others_can_begin(driver: Driver) -> None:
    driver.client.send(messages.Train(config=TINY, run=driver.name("one")))
    await driver.until(lambda: driver.steps() or None)
    # Away in one step, as the engine may write a file while a folder is being emptied.
    driver.folder("one").path.rename(driver.workspace.root / "removed")
    shutil.rmtree(driver.workspace.root / "removed")
    # A checkpoint that was being written just then is told first.
    await driver.until(lambda: [one for one in driver.records if "created again" in getattr(one, "message", "")])
    driver.client.send(messages.Stop())
    stopped = await driver.record(records.Finished)
    assert driver.folder("one").checkpoint("latest").step == stopped.step
    assert driver.folder("one").log_path.is_file()  # what is printed goes there again
    driver.client.send(messages.Train(config=TINY, run=driver.name("two")))
    await driver.until(lambda: [record for record in driver.records if isinstance(record, records.Started)][1:])


STUCK = """
import sys, time, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('{"type":"ready","pid":1,"torch":"2","device":"cpu"}', flush=True)
for command in sys.stdin:
    if "ping" in command and "answers" in sys.argv:
        print('{"type":"pong","busy":20.0}', flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("answers", ["answers", "silent"])
async def test_one_that_is_stuck_is_left_within_three_seconds_of_being_asked_twice(
    answers: str, workspace: Workspace
) -> None:
    driver = Driver(workspace)
    driver.client = EngineClient(workspace.root, driver._event, driver._exit, [sys.executable, "-c", STUCK, answers])
    await driver.client.start()
    await driver.event(messages.Ready)
    hurry = asyncio.Event()
    leaving = asyncio.create_task(driver.client.quit(hurry=hurry))
    if answers == "answers":
        await driver.event(messages.Pong)
        assert not leaving.done(), "it is at something, and may yet write a checkpoint"
        hurry.set()
    async with asyncio.timeout(3):
        await leaving
    assert (await driver.exit()).cause == "it did not respond and was killed"


async def test_a_killed_engine_is_told_with_its_cause(workspace: Workspace) -> None:
    async with engine(workspace) as driver:
        assert driver.client.pid is not None
        os.kill(driver.client.pid, signal.SIGKILL)
        ended = await driver.exit()
        assert not ended.asked
        assert ended.code == -signal.SIGKILL
        assert "SIGKILL" in ended.cause


async def test_an_engine_that_cannot_start_says_why(workspace: Workspace) -> None:
    ended: list[EngineExit] = []
    log = workspace.cache / "engine.log"
    code = f"import pathlib, sys; pathlib.Path({str(log)!r}).write_text('No room left\\n'); sys.exit(3)"
    import sys

    client = EngineClient(workspace.root, lambda _: None, ended.append, [sys.executable, "-c", code])
    await client.start()
    async with asyncio.timeout(30):
        while not ended:
            await asyncio.sleep(0.01)
    assert "exit code 3" in ended[0].cause
    assert "No room left" in ended[0].cause
