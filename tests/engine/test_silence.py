"""When an engine is asked whether it is there, and when it is said not to answer; by a clock of our own."""

from __future__ import annotations

import pytest

from rnnplay.engine import messages
from rnnplay.engine.silence import BUSY_SECONDS, QUIET_SECONDS, SILENT_SECONDS, STARTING_SECONDS, Silence
from rnnplay.inspection.questions import PredictionsQuestion


class Engine:
    """What a parent sees of one; time passes in looks of a second."""

    def __init__(self, ready: bool = True) -> None:
        self.now = 100.0
        self.silence = Silence(lambda: self.now)
        self.pings = 0
        self.answers = True
        self.busy = 0.0
        self.told = False
        """Whether it was said not to answer before it had the time to."""
        if ready:
            self.silence.heard(messages.Ready(pid=1, torch="2", device="cpu"))

    def pass_by(self, seconds: int, training: bool = True) -> None:
        for _ in range(seconds):
            self.now += 1
            if self.silence.look(training):
                self.pings += 1
                self.silence.sent(messages.Ping())
                self.told |= self.answers and bool(self.silence.silent)
                if self.answers:
                    self.silence.heard(messages.Pong(busy=self.busy))


def test_one_that_speaks_is_not_asked() -> None:
    engine = Engine()
    for _ in range(20):
        engine.pass_by(1)
        engine.silence.heard(messages.Progress(records=[]))
    assert (engine.pings, engine.silence.silent) == (0, 0)


def test_one_that_has_nothing_to_say_is_left_alone() -> None:
    engine = Engine()
    engine.pass_by(1000, training=False)
    assert (engine.pings, engine.silence.silent) == (0, 0), "an idle program stays idle"


def test_one_with_long_steps_is_there() -> None:
    engine = Engine()
    engine.busy = 5.0
    engine.pass_by(100)
    assert engine.pings > 10 and engine.silence.silent == 0 == engine.silence.busy
    engine.busy = 2 * BUSY_SECONDS
    engine.pass_by(3)
    assert engine.silence.silent == 0 and engine.silence.busy >= 2 * BUSY_SECONDS
    engine.silence.heard(messages.Progress(records=[]))
    assert engine.silence.busy == 0


def test_a_question_that_takes_long_is_no_silence() -> None:
    engine = Engine()
    engine.busy = 4.0
    engine.silence.sent(messages.Inspect(request=1, question=PredictionsQuestion(text="a"), purpose="view"))
    engine.pass_by(20, training=False)
    assert engine.pings > 5 and engine.silence.silent == 0 and not engine.told


@pytest.mark.parametrize("training", [True, False])
def test_one_that_does_not_answer_is_said_to_and_heard_again(training: bool) -> None:
    engine = Engine()
    engine.answers = False
    if not training:
        engine.silence.sent(messages.Complete(request=1, text="a"))
    engine.pass_by(6, training)
    assert engine.pings == 1 and engine.silence.silent == 6, "since it was last heard of"
    assert engine.silence.silent > QUIET_SECONDS + SILENT_SECONDS
    engine.silence.heard(messages.Pong())
    assert engine.silence.silent == 0


def test_one_that_starts_has_time_to_import_torch() -> None:
    engine = Engine(ready=False)
    engine.answers = False
    engine.pass_by(int(STARTING_SECONDS) - 1)
    assert (engine.pings, engine.silence.silent) == (0, 0)
    engine.pass_by(2)
    assert engine.silence.silent > 0


def test_what_was_said_while_this_process_stood_still_has_yet_to_be_read() -> None:
    engine = Engine()
    engine.answers = False
    engine.silence.sent(messages.Ping())
    engine.now += 300
    engine.pass_by(1)
    assert engine.silence.silent == 0
    engine.pass_by(5)
    assert engine.silence.silent == 5
