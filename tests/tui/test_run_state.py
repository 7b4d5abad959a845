"""What the interface knows of a run: events in, numbers and phase out. No widgets."""

from __future__ import annotations

import math

import pytest

from rnnplay.config import RunConfig, with_values
from rnnplay.engine import messages
from rnnplay.presets import preset_config
from rnnplay.runs.metrics.records import Checkpoint, Finished, Tuned
from rnnplay.tui.run_state import RECENT, Phase, RunState
from tests.tui.stage import RUN, falling, progress, started, step_at, validation


def training(steps: int = 20) -> RunState:
    """A state whose run has done some steps."""
    state = RunState()
    state.begin(RUN, preset_config())
    state.phase = Phase.PREPARING
    state.apply(progress([started(), *(step_at(step) for step in range(1, steps + 1))], fraction=0.2, left=60.0))
    return state


def test_records_become_numbers() -> None:
    state = training()
    assert (state.phase, state.step, state.fraction, state.seconds_left) == (Phase.TRAINING, 20, 0.2, 60.0)
    assert len(state.loss) == len(state.norm) == 20
    state.apply(progress([validation(20, 1.6), Checkpoint(step=20, path="p")]))
    assert state.validation is not None
    assert state.validation_loss.last == 1.6
    assert state.checkpoint_step == 20


def test_recent_steps_are_a_window_and_give_the_share_of_clipped_ones() -> None:
    state = training(0)
    assert state.clipped_fraction == 0.0
    state.apply(progress([step_at(step, norm=2.0 if step % 4 == 0 else 0.5) for step in range(1, 301)]))
    assert len(state.recent) == RECENT
    assert state.clipped_fraction == 0.25
    assert len(state.norm) == 300


def test_what_is_not_finite_is_kept_as_such() -> None:
    state = training()
    state.apply(progress([step_at(21, loss=math.nan, norm=math.inf)]))
    assert math.isnan(state.loss.last)
    assert state.norm.last == math.inf


def test_phases_follow_the_engine() -> None:
    state = training()
    phases = []
    for event in (messages.Paused(step=20), messages.Continued(step=20)):
        state.apply(event)
        phases.append(state.phase)
    assert phases == [Phase.PAUSED, Phase.TRAINING]
    state.phase = Phase.STOPPING
    state.apply(progress([Finished(step=20, reason="stopped")]))
    assert (state.phase, state.seconds_left) == (Phase.STOPPED, None)


@pytest.mark.parametrize("reason", ["length", "early stop"])
def test_a_run_that_ends_by_itself_is_finished(reason: str) -> None:
    state = training()
    state.apply(progress([Finished(step=20, reason=reason)]))
    assert (state.phase, state.reason) == (Phase.FINISHED, reason)


def test_resuming_cuts_what_came_after_the_checkpoint() -> None:
    state = training(40)
    state.apply(progress([validation(40, 1.4)]))
    state.apply(progress([started(step=30)]))
    assert (state.step, state.loss.last_step, len(state.loss)) == (30, 30, 30)
    assert state.last is not None
    assert state.last.step == state.recent[-1].step == 30
    assert len(state.validation_loss) == 0
    state.apply(progress([step_at(31, loss=9.0)]))
    assert (state.step, state.loss.last) == (31, 9.0)


def test_a_tuned_knob_is_in_the_config_from_then_on() -> None:
    state = training()
    state.apply(progress([Tuned(step=20, knob="clip_threshold", value=0.25)]))
    assert state.config.clip_threshold == 0.25


def test_before_a_run_what_the_user_wants_is_pending_only_where_it_differs() -> None:
    state = RunState(preset_config())
    state.want(with_values(preset_config(), {"hidden": 48, "lr": 0.1}))
    assert state.pending == {"hidden": 48, "lr": 0.1}
    assert state.wanted == with_values(preset_config(), {"hidden": 48, "lr": 0.1})
    state.want(with_values(preset_config(), {"lr": 0.1}))
    assert (state.pending, state.config) == ({"lr": 0.1}, preset_config())
    state.begin(RUN, state.wanted)
    assert (state.pending, state.wanted.lr) == ({}, 0.1)


def test_a_change_is_pending_until_the_run_has_answered_the_newest() -> None:
    """An answer to an older one does not move the form back, nor does it end the wait."""
    state = training()
    before = state.config.clip_threshold
    for value in (0.5, 0.25, before):
        state.want(with_values(state.wanted, {"clip_threshold": value}))
    for value in (0.5, 0.25):
        state.apply(progress([Tuned(step=20, knob="clip_threshold", value=value)]))
        assert (state.config.clip_threshold, state.wanted.clip_threshold) == (value, before)
    state.apply(progress([Tuned(step=20, knob="clip_threshold", value=before)]))
    assert (state.config.clip_threshold, state.pending) == (before, {})


def test_what_the_run_sets_by_itself_is_wanted_unless_the_user_has_changed_it() -> None:
    state = training()
    state.want(with_values(state.wanted, {"clip_threshold": 0.5}))
    changed = [Tuned(step=20, knob=knob, value=0.125) for knob in ("lr", "clip_threshold")]
    state.apply(progress([*changed]))
    assert (state.wanted.lr, state.wanted.clip_threshold) == (0.125, 0.5)


def test_what_the_engine_refuses_to_change_is_not_wanted_any_more() -> None:
    state = training()
    state.want(with_values(state.wanted, {"lr": 0.5}))
    state.apply(messages.Failed(message="?", command="tune"))
    assert state.wanted == state.config == preset_config()


def test_prompts_are_for_a_model_that_is_there() -> None:
    state = RunState()
    assert not state.has_model
    state.begin(RUN, preset_config())
    state.phase = Phase.PREPARING
    assert not state.has_model
    state = training()
    assert state.has_model
    state.engine_gone()
    assert not state.has_model
    opened = RunState()
    opened.begin(RUN, preset_config())
    opened.apply(messages.Opened(run=RUN, step=7, parameters=1, vocabulary=2))
    assert opened.has_model and not opened.lent
    assert opened.step == 7


def test_an_engine_that_ends_takes_the_run_with_it_but_not_its_numbers() -> None:
    state = training()
    state.engine_gone()
    assert (state.phase, state.step, len(state.loss)) == (Phase.ENGINE_GONE, 20, 20)
    idle = RunState()
    idle.apply(messages.Ready(pid=1, torch="2", device="cpu"))
    idle.engine_gone()
    assert idle.phase is Phase.IDLE


def test_a_run_that_could_not_begin_leaves_nothing_behind() -> None:
    state = RunState()
    state.begin(RUN, preset_config())
    state.phase = Phase.PREPARING
    state.apply(messages.Failed(message="too short", command="train"))
    assert (state.phase, state.run) == (Phase.IDLE, None)


def test_a_step_that_failed_leaves_a_run_to_resume() -> None:
    state = training()
    state.apply(messages.Failed(message="no memory", command="step"))
    assert (state.phase, state.run) == (Phase.STOPPED, RUN)


def test_a_prompt_that_failed_does_not_end_the_run() -> None:
    state = training()
    state.apply(messages.Failed(message="?", command="complete"))
    assert state.phase is Phase.TRAINING


def test_history_from_disk_tells_how_the_run_ended() -> None:
    state = RunState()
    state.begin(RUN, preset_config())
    state.load([*falling(120), Checkpoint(step=120, path="p"), Finished(step=120, reason="length")])
    assert (state.phase, state.step, len(state.loss)) == (Phase.FINISHED, 120, 120)
    assert state.validation_loss.last_step == 100
    assert not state.has_model
    state.begin(RUN, preset_config())
    state.load([*falling(120), Finished(step=120, reason="length"), *falling(10, 121)])
    assert state.phase is Phase.STOPPED, "it went on after it had finished"


def test_another_run_begins_with_no_numbers() -> None:
    state = training()
    former = state.loss
    state.begin("other", preset_config())
    assert (state.step, state.last, state.validation, len(state.recent)) == (0, None, None, 0)
    assert state.loss is not former


def test_a_run_whose_model_cannot_be_loaded_is_known_to_have_none_until_it_trains() -> None:
    state = RunState()
    state.begin(RUN, preset_config())
    state.opening = True
    state.apply(messages.Failed(message="It has no checkpoint.", command="open"))
    assert (state.unloadable, state.model_coming) == (True, False)
    state.take(started())
    assert not state.unloadable
    state.apply(messages.Failed(message="A run is being trained; stop it.", command="open"))
    assert not state.unloadable


@pytest.mark.parametrize(
    "refusal",
    [
        messages.Failed(message="A run is being trained; stop it.", command="open"),
        messages.Failed(message="A run is being trained already.", command="train", training=True),
    ],
)
def test_what_is_refused_while_a_run_is_trained_does_not_end_it(refusal: messages.Failed) -> None:
    state = training()
    state.opening = True
    state.apply(refusal)
    assert (state.phase, state.run) == (Phase.TRAINING, RUN)
    assert state.opening is (refusal.command != "open")
    preparing = RunState()
    preparing.begin(RUN, preset_config())
    preparing.phase = Phase.PREPARING
    preparing.apply(refusal)
    assert (preparing.phase, preparing.run) == (Phase.PREPARING, RUN)


def test_a_finished_run_that_cannot_be_opened_is_still_finished() -> None:
    state = training()
    state.apply(progress([Finished(step=20, reason="length")]))
    state.apply(messages.Failed(message="The weights are gone.", command="open"))
    assert state.phase is Phase.FINISHED


def test_a_run_read_from_disk_is_not_under_way() -> None:
    """Its log may end with its start."""
    state = RunState(preset_config())
    state.load([started()])
    assert state.phase is Phase.STOPPED


def test_of_a_branch_only_what_fits_its_parents_weights_can_be_chosen() -> None:
    state = RunState(RunConfig(tokens="word", softmax="sampled"))
    assert state.choices("softmax") == ("full", "sampled", "adaptive") and not state.locked("softmax")
    state.branch = messages.BranchFrom(checkpoint="first@3")
    assert state.choices("softmax") == ("full", "sampled") and not state.locked("softmax")
    assert state.locked("cell") and state.locked("hidden") and not state.locked("lr")
    state.want(RunConfig(tokens="word", softmax="adaptive"))
    assert state.locked("softmax")
