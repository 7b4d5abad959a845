"""A run that was interrupted and resumed is, bit for bit, the run that never was."""

from __future__ import annotations

import itertools
import random
import shutil
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.torch
import torch

from rnnplay.config import RunConfig, with_values
from rnnplay.errors import ConfigError, InputError
from rnnplay.model.hardware import can_bfloat16
from rnnplay.runs.checkpoint_state import WEIGHTS_FILE
from rnnplay.runs.metrics.records import Checkpoint, Finished, Notice, Started, Step, Tuned, Validation
from rnnplay.training.checkpointing.resuming import open_run
from tests.training.world import World, run_to_end

CELLS = ("rnn", "lstm", "gru")
FEEDS = ("stream", "lines")
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adam": {"optimizer": "adam", "lr": 0.01},
    "sgd": {"optimizer": "sgd", "momentum": 0.9, "lr": 0.1},
    "muon": {"optimizer": "muon", "lr": 0.01, "weight_decay": 0.1},
    "rmsprop": {"optimizer": "rmsprop", "momentum": 0.5, "lr": 0.003},
}
WHOLE: list[tuple[str, str, str, dict[str, Any]]] = [
    *(
        (cell, feed, rule, {"dropout": 0.3, "layers": 2})
        for cell, feed, rule in itertools.product(CELLS, FEEDS, ["adam", "sgd"])
    ),
    ("lstm", "stream", "rmsprop", {"schedule": "cosine", "warmup_steps": 5}),
    ("lstm", "stream", "adam", {"schedule": "plateau", "plateau_patience": 0, "lr": 0.3, "eval_every": 3}),
    ("gru", "stream", "adam", {"tie": True, "embedding": 10, "ema_decay": 0.9}),
    ("rnn", "lines", "sgd", {"ema_decay": 0.99, "momentum": 0.0}),
    ("lstm", "stream", "adam", {"dropout": 0.3, "dropout_kind": "locked", "layers": 2, "embedding_dropout": 0.2}),
    ("gru", "lines", "sgd", {"weight_drop": 0.3}),
    ("gru", "lines", "muon", {"layers": 2}),
    ("lstm", "stream", "sgd", {"asgd_window": 1, "eval_every": 3, "checkpoint_every": 3, "lr": 20.0}),
    ("gru", "stream", "adam", {"ar_alpha": 2.0, "tar_beta": 1.0, "bptt_jitter": 3.0}),
]
if can_bfloat16(torch.device("cpu")):
    WHOLE.append(("lstm", "stream", "muon", {"precision": "bfloat16"}))


@pytest.mark.parametrize(("cell", "feed", "rule", "values"), WHOLE)
def test_the_sequence_of_records_is_the_same_to_the_last_bit(
    cell: str, feed: str, rule: str, values: dict[str, Any], world: World
) -> None:
    config = world.config(cell=cell, feed=feed, **{**OPTIMIZERS[rule], "eval_every": 7, **values}, steps=26)
    whole = world.trainer(config, "whole")
    run_to_end(whole)

    broken = world.trainer(config, "broken")
    for _ in range(5):
        broken.advance()
    broken.checkpoint()
    for _ in range(6):  # is lost: the process dies here
        broken.advance()
    broken = world.resume(name="broken")
    assert broken.step == 7 if config.eval_every == 7 else broken.step in (9, 6)
    for _ in range(9):
        broken.advance()
    disturb_the_process()
    broken.finish("stopped")
    disturb_the_process()
    run_to_end(world.resume(name="broken"))

    assert world.steps("broken") == world.steps("whole") and len(world.steps("whole")) == 26
    assert validations(world, "broken") == validations(world, "whole") != []
    for file in ("weights.safetensors", "state.safetensors"):
        one, other = (
            safetensors.torch.load_file(world.folder(name).checkpoint("26").path / file) for name in ("whole", "broken")
        )
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def disturb_the_process() -> None:
    """What else goes on in a process draws from the global random numbers."""
    torch.rand(3)
    numpy.random.rand(3)
    random.random()


def validations(world: World, name: str) -> list[Validation]:
    return [record for record in world.folder(name).metrics() if isinstance(record, Validation)]


def test_drawing_from_torch_between_steps_changes_nothing(world: World) -> None:
    config = world.config(dropout=0.5)
    run_to_end(world.trainer(config, "quiet"))
    noisy = world.trainer(config, "noisy")
    while noisy.advance() is None:
        torch.rand(1)
    assert world.steps("noisy") == world.steps("quiet")


def test_dropout_is_on_in_training_even_if_somebody_left_the_model_in_evaluation_mode(world: World) -> None:
    config = world.config(dropout=0.5)
    run_to_end(world.trainer(config, "quiet"))
    trainer = world.trainer(config, "meddled")
    while trainer.advance() is None:
        trainer.model.eval()
    assert world.steps("meddled") == world.steps("quiet")


def test_metrics_are_cut_back_to_the_checkpoint(world: World) -> None:
    trainer = world.trainer(world.config(checkpoint_every=8))
    for _ in range(13):
        trainer.advance()
    trainer.pause()  # flushes
    assert [step for step, *_ in world.steps()] == list(range(1, 14))
    world.resume()
    assert [step for step, *_ in world.steps()] == list(range(1, 9))


def test_resuming_from_an_earlier_checkpoint_forgets_the_later_ones(world: World) -> None:
    run_to_end(world.trainer(world.config(checkpoint_every=5, keep=10)))
    assert [one.step for one in world.folder().checkpoints()] == [0, 5, 10, 15, 20]
    before = world.steps()
    trainer = world.resume(checkpoint="10")
    assert trainer.step == 10
    assert [one.step for one in world.folder().checkpoints()] == [0, 5, 10]
    run_to_end(trainer)
    assert world.steps() == before
    records = list(world.folder().metrics())
    assert [record.step for record in records if isinstance(record, Checkpoint)] == [5, 10, 15, 20]
    assert sum(isinstance(record, Finished) for record in records) == 1


def test_past_a_damaged_checkpoint_an_earlier_one_goes_on_bit_for_bit(world: World) -> None:
    """What the disk did to the newest costs the steps since the one before it, and no more."""
    config = world.config(checkpoint_every=5, keep=10)
    run_to_end(world.trainer(config, "whole"))
    trainer = world.trainer(config)
    for _ in range(12):
        trainer.advance()
    trainer.pause()
    damaged = world.folder().checkpoint("latest")
    weights = damaged.path / WEIGHTS_FILE
    weights.write_bytes(bytes([weights.read_bytes()[0] ^ 1]) + weights.read_bytes()[1:])
    with pytest.raises(InputError, match=rf"step-0+{damaged.step}.*another checkpoint"):
        world.resume()
    assert world.folder().checkpoint("latest").step == damaged.step, "a refusal changes nothing"
    run_to_end(world.resume(checkpoint="5"))
    assert world.steps() == world.steps("whole")


def test_killed_before_the_first_step_there_is_something_to_resume(world: World) -> None:
    config = world.config()
    world.trainer(config)
    run_to_end(world.resume())
    run_to_end(world.trainer(config, "whole"))
    assert world.steps() == world.steps("whole")


def test_a_run_at_its_length_wants_a_larger_one_and_then_goes_on(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=10), "short"))
    with pytest.raises(InputError, match=r"reached its length of 10 steps.*more steps"):
        world.resume(name="short")
    run_to_end(world.resume(world.config(steps=20), "short"))
    assert world.folder("short").info().config.steps == 20
    run_to_end(world.trainer(world.config(steps=20), "long"))
    assert world.steps("short") == world.steps("long")


def test_a_run_made_longer_may_be_killed_before_its_next_checkpoint(world: World) -> None:
    run_to_end(world.trainer(world.config(steps=10), "short"))
    world.resume(world.config(steps=20), "short").advance()
    run_to_end(world.resume(name="short"))
    run_to_end(world.trainer(world.config(steps=20), "long"))
    assert world.steps("short") == world.steps("long")


@pytest.mark.parametrize(
    "values",
    [{"hidden": 11}, {"bptt": 13}, {"seed": 2}, {"optimizer": "sgd"}, {"lowercase": True}, {"dropout": 0.1}],
)
def test_what_makes_it_another_run_is_refused_by_name(values: dict[str, Any], world: World) -> None:
    world.trainer(world.config()).finish("stopped")
    with pytest.raises(ConfigError) as caught:
        world.resume(world.config(**values))
    assert caught.value.knob in values and str(next(iter(values.values()))) in str(caught.value)


def test_another_text_is_refused(world: World) -> None:
    world.trainer(world.config()).finish("stopped")
    world.text.write_text(world.text.read_text(encoding="utf-8").replace("Bob", "Rob"), encoding="utf-8")
    with pytest.raises(InputError, match="not the one that the run 'run' was trained on"):
        world.resume()


def test_the_same_text_may_have_moved(world: World) -> None:
    world.trainer(world.config()).finish("stopped")
    moved = world.text.rename(world.text.with_name("elsewhere.txt"))
    assert world.resume(world.config(corpus=str(moved))).step == 0


def test_live_knobs_stay_as_they_were_tuned(world: World) -> None:
    trainer = world.trainer(world.config())
    trainer.advance()
    trainer.tune("clip_threshold", 0.01)
    trainer.finish("stopped")
    config = world.resume().config
    assert config.clip_threshold == 0.01 and config.lr == world.config().lr


def test_whoever_resumes_an_earlier_checkpoint_is_told_what_the_knobs_were_there(world: World) -> None:
    trainer = world.trainer(world.config(checkpoint_every=5, keep=10))
    while trainer.step < 7:
        trainer.advance()
    trainer.tune("clip_threshold", 0.01)
    trainer.finish("stopped")
    world.emitted.clear()
    assert world.resume(checkpoint="5").config.clip_threshold == world.config().clip_threshold
    tuned = [record for record in world.emitted if isinstance(record, Tuned)]
    assert tuned == [Tuned(step=5, knob="clip_threshold", value=world.config().clip_threshold)]


def test_a_live_knob_given_on_resume_wins_and_is_recorded(world: World) -> None:
    trainer = world.trainer(world.config())
    trainer.advance()
    trainer.tune("lr", 0.05)
    trainer.finish("stopped")
    world.resume(world.config(lr=0.07, clip_threshold=0.5))
    again = world.resume()  # the process died at once
    assert (again.config.lr, again.config.clip_threshold) == (0.07, 0.5)
    tuned = [(record.knob, record.value) for record in world.folder().metrics() if isinstance(record, Tuned)]
    assert tuned == [("lr", 0.05), ("lr", 0.07), ("clip_threshold", 0.5)]


def test_a_longer_run_says_that_its_cosine_is_stretched_and_a_constant_tail_keeps_the_rate(world: World) -> None:
    config = world.config(steps=20, schedule="cosine", lr_floor=0.02, lr=0.01)
    run_to_end(world.trainer(config))
    flat = config_of(config, steps=40, schedule="constant", lr=0.0002)
    world.emitted.clear()
    trainer = world.resume(config_of(config, steps=40))
    (notice,) = [record.message for record in world.emitted if isinstance(record, Notice)]
    assert "had come down to 0.0002" in notice and "begins again at 0.0051" in notice
    assert notice.endswith("(--schedule constant --lr 0.0002).")
    trainer.close()
    world.emitted.clear()
    trainer = world.resume(flat)
    assert not [record for record in world.emitted if isinstance(record, Notice)]
    assert [(one.knob, one.value) for one in world.emitted if isinstance(one, Tuned)] == [
        ("lr", 0.0002),
        ("schedule", "constant"),
    ]
    run_to_end(trainer)
    assert {record.lr for record in world.emitted if isinstance(record, Step)} == {0.0002}
    assert world.folder().info().config.schedule == "constant"


def config_of(config: RunConfig, **values: Any) -> RunConfig:
    return with_values(config, values)


def test_a_schedule_that_came_down_to_nothing_is_not_to_be_kept_there(world: World) -> None:
    config = world.config(steps=5, schedule="linear", warmup_steps=0, lr_floor=0.0, lr=0.01)
    run_to_end(world.trainer(config))
    world.emitted.clear()
    world.resume(config_of(config, steps=10)).close()
    (notice,) = [record.message for record in world.emitted if isinstance(record, Notice)]
    assert "had come down to 0. " in notice and "the linear schedule begins again at 0.005" in notice
    assert notice.endswith("(--schedule constant --lr 0.0001).")


def test_a_run_that_goes_on_within_its_length_says_nothing_of_its_rate(world: World) -> None:
    config = world.config(steps=20, schedule="cosine")
    trainer = world.trainer(config)
    while trainer.step < 10:
        trainer.advance()
    trainer.finish("stopped")
    world.emitted.clear()
    world.resume(config)
    assert not [record for record in world.emitted if isinstance(record, Notice)]


def test_the_number_of_threads_is_kept(world: World) -> None:
    world.trainer(world.config(threads=2)).finish("stopped")
    torch.set_num_threads(1)
    world.resume(world.config(threads=0))
    started = [record for record in world.emitted if isinstance(record, Started)]
    assert [record.threads for record in started] == [2, 2] and torch.get_num_threads() == 2


def test_training_time_goes_on(world: World) -> None:
    trainer = world.trainer(world.config())
    for _ in range(4):
        trainer.advance()
    trainer.finish("stopped")
    spent = trainer.seconds
    resumed = world.resume()
    assert spent > 0 and resumed.seconds == pytest.approx(spent, rel=0.5)


def test_a_lost_metrics_file_does_not_stop_the_run(world: World) -> None:
    trainer = world.trainer(world.config())
    for _ in range(4):
        trainer.advance()
    trainer.finish("stopped")
    (world.folder().path / "metrics.jsonl").unlink()
    run_to_end(world.resume())
    assert [step for step, *_ in world.steps()] == list(range(5, 21))


def spoil(path: Path, how: str) -> None:
    data = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "flipped": data[:-9] + b"?" + data[-8:]}[how])


@pytest.mark.parametrize("how", ["empty", "cut", "flipped"])
@pytest.mark.parametrize("file", ["weights.safetensors", "state.safetensors", "../vocabulary.json", "../run.json"])
def test_a_broken_file_is_one_sentence(file: str, how: str, world: World) -> None:
    trainer = world.trainer(world.config())
    trainer.advance()
    trainer.finish("stopped")
    config = world.folder().info().config
    spoil(world.folder().checkpoint().path / file, how)
    with pytest.raises(InputError) as caught:
        world.resume(config)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_steps_are_recorded_with_what_they_met(world: World) -> None:
    trainer = world.trainer(world.config(clip_threshold=0.05))
    run_to_end(trainer)
    steps = [record for record in world.emitted if isinstance(record, Step)]
    assert len(steps) == 20 and any(step.clipped for step in steps)
    assert all(step.grad_norm_clipped <= 0.05 < step.grad_norm for step in steps if step.clipped)
    assert [step.tokens for step in steps] == [48 * step.step for step in steps]


def test_a_run_whose_folder_is_removed_just_before_it_is_resumed_is_said_to_be_gone(world: World) -> None:
    config = world.config(steps=4)
    run_to_end(world.trainer(config, "gone"))
    encoded = world.encode(config)
    shutil.rmtree(world.folder("gone").path)
    with pytest.raises(InputError, match=r"gone has just been removed or moved; put it back, or start a new run\.$"):
        open_run(with_values(config, {"steps": 8}), encoded, world.folder("gone"), "latest")
