"""What the interface knows of a run: events in, numbers and phase out. No widgets."""

from __future__ import annotations

import math

import pytest

from rnnplay.engine import messages
from rnnplay.presets import preset_config
from rnnplay.runs.records import Checkpoint, Finished, Tuned
from rnnplay.tui.run_state import RECENT, Phase, Session, count_text, seconds_text
from tests.tui.stage import RUN, falling, progress, started, step_at, validation


def training(steps: int = 20) -> Session:
    """A session whose run has done some steps."""
    session = Session()
    session.begin(RUN, preset_config())
    session.phase = Phase.PREPARING
    session.apply(progress([started(), *(step_at(step) for step in range(1, steps + 1))], fraction=0.2, left=60.0))
    return session


def test_records_become_numbers() -> None:
    session = training()
    assert (session.phase, session.step, session.fraction, session.seconds_left) == (Phase.TRAINING, 20, 0.2, 60.0)
    assert len(session.loss) == len(session.norm) == 20
    session.apply(progress([validation(20, 1.6), Checkpoint(step=20, path="p")]))
    assert session.validation is not None
    assert session.validation_loss.last == 1.6
    assert session.checkpoint_step == 20


def test_recent_steps_are_a_window_and_give_the_share_of_clipped_ones() -> None:
    session = training(0)
    assert session.clipped_share == 0.0
    session.apply(progress([step_at(step, norm=2.0 if step % 4 == 0 else 0.5) for step in range(1, 301)]))
    assert len(session.recent) == RECENT
    assert session.clipped_share == 0.25
    assert len(session.norm) == 300


def test_what_is_not_finite_is_kept_as_such() -> None:
    session = training()
    session.apply(progress([step_at(21, loss=math.nan, norm=math.inf)]))
    assert math.isnan(session.loss.last)
    assert session.norm.last == math.inf


def test_phases_follow_the_engine() -> None:
    session = training()
    phases = []
    for event in (messages.Paused(step=20), messages.Continued(step=20)):
        session.apply(event)
        phases.append(session.phase)
    assert phases == [Phase.PAUSED, Phase.TRAINING]
    session.phase = Phase.STOPPING
    session.apply(progress([Finished(step=20, reason="stopped")]))
    assert (session.phase, session.seconds_left) == (Phase.STOPPED, None)


@pytest.mark.parametrize("reason", ["length", "early stop"])
def test_a_run_that_ends_by_itself_is_finished(reason: str) -> None:
    session = training()
    session.apply(progress([Finished(step=20, reason=reason)]))
    assert (session.phase, session.reason) == (Phase.FINISHED, reason)


def test_resuming_cuts_what_came_after_the_checkpoint() -> None:
    session = training(40)
    session.apply(progress([validation(40, 1.4)]))
    session.apply(progress([started(step=30)]))
    assert (session.step, session.loss.last_step, len(session.loss)) == (30, 30, 30)
    assert session.last is not None
    assert session.last.step == session.recent[-1].step == 30
    assert len(session.validation_loss) == 0
    session.apply(progress([step_at(31, loss=9.0)]))
    assert (session.step, session.loss.last) == (31, 9.0)


def test_a_tuned_knob_is_in_the_config_from_then_on() -> None:
    session = training()
    session.apply(progress([Tuned(step=20, knob="clip_threshold", value=0.25)]))
    assert session.config is not None
    assert session.config.clip_threshold == 0.25


def test_prompts_are_for_a_model_that_is_there() -> None:
    session = Session()
    assert not session.has_model
    session.begin(RUN, preset_config())
    session.phase = Phase.PREPARING
    assert not session.has_model
    session = training()
    assert session.has_model
    session.engine_gone()
    assert not session.has_model
    opened = Session()
    opened.apply(messages.Opened(run=RUN, step=7, parameters=1, vocabulary=2))
    assert opened.has_model
    assert opened.step == 7


def test_an_engine_that_ends_takes_the_run_with_it_but_not_its_numbers() -> None:
    session = training()
    session.engine_gone()
    assert (session.phase, session.step, len(session.loss)) == (Phase.ENGINE_GONE, 20, 20)
    idle = Session()
    idle.apply(messages.Ready(pid=1, torch="2", device="cpu"))
    idle.engine_gone()
    assert (idle.phase, idle.engine_ready) == (Phase.IDLE, False)


def test_a_run_that_could_not_begin_leaves_nothing_behind() -> None:
    session = Session()
    session.begin(RUN, preset_config())
    session.phase = Phase.PREPARING
    session.apply(messages.Failed(message="too short", command="train"))
    assert (session.phase, session.run) == (Phase.IDLE, None)


def test_a_step_that_failed_leaves_a_run_to_resume() -> None:
    session = training()
    session.apply(messages.Failed(message="no memory", command="step"))
    assert (session.phase, session.run) == (Phase.STOPPED, RUN)


def test_a_prompt_that_failed_does_not_end_the_run() -> None:
    session = training()
    session.apply(messages.Failed(message="?", command="complete"))
    assert session.phase is Phase.TRAINING


def test_history_from_disk_tells_how_the_run_ended() -> None:
    session = Session()
    session.begin(RUN, preset_config())
    session.load([*falling(120), Checkpoint(step=120, path="p"), Finished(step=120, reason="length")])
    assert (session.phase, session.step, len(session.loss)) == (Phase.FINISHED, 120, 120)
    assert session.validation_loss.last_step == 100
    assert not session.has_model
    session.begin(RUN, preset_config())
    session.load([*falling(120), Finished(step=120, reason="length"), *falling(10, 121)])
    assert session.phase is Phase.STOPPED, "it went on after it had finished"


def test_another_run_begins_with_no_numbers() -> None:
    session = training()
    former = session.loss
    session.begin("other", preset_config())
    assert (session.step, session.last, session.validation, len(session.recent)) == (0, None, None, 0)
    assert session.loss is not former


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (math.inf, ""), (math.nan, ""), (-3.0, "0:00"), (7.4, "0:07"), (92.0, "1:32"), (7500.0, "2:05:00")],
)
def test_time_left_is_short(seconds: float | None, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (950, "950"), (999.7, "1.0k"), (1500, "1.5k"), (62_000, "62k"), (999_999, "1.0M"), (1.2e6, "1.2M")],
)
def test_counts_are_short(number: float, text: str) -> None:
    assert count_text(number) == text
