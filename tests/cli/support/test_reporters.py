"""How `rnnplay train` tells of its progress."""

from __future__ import annotations

import json
import math
import os
import signal
import sys

import pytest

from rnnplay.cli.support.reporters import JsonReporter, PlainReporter, TerminalReporter, validation_line
from rnnplay.common.signals import StopSignals
from rnnplay.runs.metrics.records import Finished, Started, Step, Validation

NAN = float("nan")


class Clock:
    """Time that goes on when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def step(number: int, loss: float = 2.0, norm: float = 3.0, clipped: bool = True) -> Step:
    return Step(
        step=number,
        loss=loss,
        grad_norm=norm,
        grad_norm_clipped=1.0,
        clipped=clipped,
        lr=0.002,
        tokens=100 * number,
        tokens_per_second=61_800.0,
    )


def own_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """stdout and stderr on file descriptors 1 and 2, as in a process of its own.

    To be called in the test, not in a fixture: pytest puts its own streams back between the two.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        monkeypatch.setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


STARTED = Started(run="one", parameters=331_000, vocabulary=65, device="cpu", threads=2)


def test_json_lines_are_alone_on_stdout(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that prints, from Python or from C, must not get between the records."""
    own_streams(monkeypatch)
    reporter = JsonReporter()
    reporter.record(STARTED)
    print("a library", flush=True)  # noqa: T201
    os.write(1, b"from C\n")
    reporter.preparing("encode", 1, 2)
    reporter.record(step(1, loss=NAN, norm=float("inf")))
    reporter.tick(0.5, None)
    reporter.say("a sentence")
    reporter.record(Finished(step=1, reason="length"))
    reporter.close()
    print("after", flush=True)  # noqa: T201
    out, err = capfd.readouterr()
    *lines, after = out.splitlines()
    assert after == "after"
    records = [json.loads(line) for line in lines]
    assert [record["type"] for record in records] == ["started", "step", "finished"]
    assert (records[1]["loss"], records[1]["grad_norm"]) == ("nan", "inf")
    assert err.splitlines() == ["a library", "from C", "a sentence"]


def test_json_lines_do_not_wait_for_slow_steps(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quick steps go out in batches; where a step takes long, each line goes out when it is there."""
    own_streams(monkeypatch)
    clock = Clock()
    monkeypatch.setattr("rnnplay.cli.support.reporters.time.monotonic", clock)
    clock.now = 10.0
    reporter = JsonReporter()
    reporter.record(step(1))
    reporter.tick(0, None)
    assert capfd.readouterr().out.count("\n") == 1
    for number in range(2, 7):
        clock.now += 0.001
        reporter.record(step(number))
        reporter.tick(0, None)
    assert capfd.readouterr().out == ""
    clock.now += 0.2
    reporter.record(step(7))
    reporter.tick(0, None)
    assert capfd.readouterr().out.count("\n") == 6
    reporter.close()


def test_json_reporter_notices_that_nobody_reads(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It raises nothing: the step under way is finished, and training asks `closed`."""
    own_streams(monkeypatch)
    read, write = os.pipe()
    saved = os.dup(1)
    os.dup2(write, 1)
    os.close(write)
    os.close(read)
    try:
        reporter = JsonReporter()
        reporter.record(STARTED)
        assert reporter.closed
        reporter.record(step(1))
        reporter.close()
    finally:
        os.dup2(saved, 1)
        os.close(saved)


def test_plain_lines_come_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """In a log there is no bar, and not a line for each step."""
    clock = Clock()
    reporter = PlainReporter("one · tales", 40, clock)
    reporter.record(STARTED)
    assert "one · tales · 331k parameters · 65 different tokens · cpu float32 2 threads" in capsys.readouterr().err
    for number in range(1, 21):
        clock.now += 0.5
        reporter.record(step(number, clipped=number % 2 == 0))
        reporter.tick(number / 40, 10.0)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "step 20/40  loss 2.000  grad 3.00  50% clipped  62k tok/s  0:10 left"
    assert len(lines) == 2
    reporter.record(Validation(step=20, loss=1.5, perplexity=4.48, bits_per_character=2.164, best=True))
    assert capsys.readouterr().err == "step 20  valid 1.5000  perplexity 4.48  bits/char 2.164  best\n"


def test_a_long_validation_does_not_repeat_the_step_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    reporter = PlainReporter("one · tales", 40, clock)
    reporter.record(step(20))
    for _ in range(60):
        clock.now += 1.0
        reporter.tick(0.5, 10.0)
    assert capsys.readouterr().err.count("step 20/40") == 1
    reporter.record(step(21))
    clock.now += 60.0
    reporter.tick(0.5, 10.0)
    assert capsys.readouterr().err.count("step 21/40") == 1


@pytest.mark.parametrize("loss", [9.99, 13.8])
def test_a_validation_fits_eighty_columns(loss: float) -> None:
    worst = Validation(
        step=99_999, loss=loss, perplexity=math.exp(loss), bits_per_character=9.999, best=True, unknown_fraction=0.999
    )
    assert len(validation_line(worst)) <= 80


def test_the_bar_is_full_when_the_length_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last tick may have come some steps before the end; one that was stopped stays where it was."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for reason, full in (("length", True), ("early stop", True), ("stopped", False), ("diverged", False)):
        reporter = TerminalReporter("one", 40, Clock())
        reporter.record(STARTED)
        reporter.record(step(7))
        reporter.tick(0.2, 61.0)
        reporter.record(step(8))
        reporter.tick(0.9, 1.0)
        reporter.record(Finished(step=8, reason=reason))
        reporter.close()
        task = reporter._progress.tasks[0]
        assert task.completed == (1.0 if full else 0.2)
        assert "step 8/40" in task.description and "left" not in task.description


@pytest.mark.parametrize(("size", "shown"), [(800, "800 bytes"), (12_300, "12.3 kB"), (1_115_394, "1.1 MB")])
def test_the_size_of_a_text_in_its_own_unit(size: int, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    reporter = PlainReporter("one", 40, clock)
    clock.now += 10
    reporter.preparing("encoding", size // 2, size)
    assert capsys.readouterr().err == f"encoding 50% of {shown}\n"


def test_divergence_shows_and_passes() -> None:
    """A smoothed loss that once was NaN must not stay NaN for ever."""
    clock = Clock()
    reporter = PlainReporter("", 0, clock)
    for loss in (2.0, NAN):
        reporter.record(step(1, loss=loss))
    assert "loss nan" in reporter._status.line(None, 100)
    reporter.record(step(2, loss=2.5))
    assert "loss 2.500" in reporter._status.line(None, 100)


def test_the_bar_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What matters least goes first; the line never wraps."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm-256color")
    clock = Clock()
    reporter = TerminalReporter("one", 40, clock)
    reporter.preparing("Reading", 1, 2)
    reporter.record(STARTED)
    reporter.record(step(7))
    clock.now += 1
    reporter.tick(0.2, 61.0)
    reporter.close()
    shown = capsys.readouterr().err
    line = next(line for line in shown.splitlines() if "step 7" in line)
    assert "loss 2.000" in line
    assert "1:01 left" in line
    assert "clipped" not in line
    assert len(line) <= 60


def test_the_first_signal_asks_and_the_second_is_the_shells() -> None:
    """A user who presses ctrl-C twice means it; afterwards all is as before."""
    former = signal.getsignal(signal.SIGINT)
    with StopSignals() as stop:
        assert not stop.asked
        signal.raise_signal(signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is former


@pytest.mark.skipif(sys.platform == "win32", reason="has few signals")
def test_any_signal_that_would_end_it_asks() -> None:
    """Such as SIGUSR1, which a cluster sends before the time of a job is up."""
    with StopSignals() as stop:
        signal.raise_signal(signal.SIGUSR1)
        assert stop.asked


def test_an_ignored_signal_stays_ignored() -> None:
    """nohup means that a hang-up is no reason to stop."""
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.asked
    finally:
        signal.signal(signal.SIGHUP, former)


def test_a_signal_that_is_ignored_from_now_on_is_so_after_the_block() -> None:
    """torchrun's, which would end a process before it has said that the others are lost; unless it came first."""
    former = signal.getsignal(signal.SIGTERM)
    try:
        with StopSignals() as stop:
            stop.ignore(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert not stop.asked
        signal.signal(signal.SIGTERM, former)
        with StopSignals() as stop:
            signal.raise_signal(signal.SIGTERM)
            stop.ignore(signal.SIGTERM)
        assert stop.asked and signal.getsignal(signal.SIGTERM) is former
    finally:
        signal.signal(signal.SIGTERM, former)
