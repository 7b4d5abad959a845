"""The sample log shows what the model wrote at each step, and training does not notice it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import safetensors.torch
import torch

from rnnplay.model.generation.sampling import generate
from rnnplay.runs.metrics.records import Notice
from rnnplay.runs.samples.logged import LoggedSample, SampleFile
from rnnplay.training import sample_log
from rnnplay.training.checkpointing.checkpoints import load_model
from rnnplay.training.recorder import Recorder
from rnnplay.training.sample_log import SAMPLING, SampleLog, line_beginnings
from tests.training.world import World, run_to_end


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """No validation is left out for what the samples before it cost."""
    monkeypatch.setattr(sample_log, "COST_FRACTION", 1e12)


def samples(world: World, name: str = "run") -> list[LoggedSample]:
    return SampleFile(world.folder(name).path).read()


@pytest.mark.parametrize("values", [{"dropout": 0.3, "ema_decay": 0.9}, {"feed": "lines", "cell": "gru"}])
@pytest.mark.usefixtures("always")
def test_training_is_the_same_to_the_last_bit_with_and_without(values: dict[str, Any], world: World) -> None:
    config = world.config(eval_every=5, **values)
    run_to_end(world.trainer(config, "without"))
    run_to_end(world.trainer(world.config(eval_every=5, sample_prompts="auto", **values), "with"))
    assert not (world.folder("without").path / "samples.jsonl").exists() and samples(world, "with")
    assert world.steps("with") == world.steps("without")
    for file in ("weights.safetensors", "state.safetensors"):
        one, other = (
            safetensors.torch.load_file(world.folder(name).checkpoint().path / file) for name in ("with", "without")
        )
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("values", [{"ema_decay": 0.9}, {"tokens": "word", "feed": "lines"}])
@pytest.mark.usefixtures("always")
def test_each_is_what_the_model_of_that_step_writes(values: dict[str, Any], world: World) -> None:
    config = world.config(sample_prompts="Ann |Bob likes", eval_every=10, checkpoint_every=10, lr=0.02, **values)
    run_to_end(world.trainer(config))
    found = samples(world)
    assert [(one.step, one.prompt) for one in found] == [
        (step, prompt) for step in (0, 10, 20) for prompt in ("Ann ", "Bob likes")
    ]
    assert found[0].loss is None and all(one.loss is not None for one in found[2:])
    for one in found:
        model, tokenizer, _ = load_model(world.folder(), str(one.step))
        sampling = SAMPLING[tokenizer.kind]
        if one.prompt != "Ann ":  # the second of the two
            sampling = msgspec.structs.replace(sampling, seed=sampling.seed + 1)
        assert one.text == "".join(generate(model, tokenizer, one.prompt, sampling))
    assert len({one.text for one in found if one.prompt == "Ann "}) == 3  # the model changes


@pytest.mark.usefixtures("always")
def test_after_a_resume_there_is_what_there_would_have_been(world: World) -> None:
    config = world.config(sample_prompts="auto", eval_every=4, checkpoint_every=8, keep=9)
    run_to_end(world.trainer(config, "whole"))
    trainer = world.trainer(config, "broken")
    for _ in range(14):
        trainer.advance()
    assert {one.step for one in samples(world, "broken")} == {0, 4, 8, 12}
    trainer = world.resume(name="broken", checkpoint="8")
    assert {one.step for one in samples(world, "broken")} == {0, 4, 8}
    run_to_end(trainer)
    assert samples(world, "broken") == samples(world, "whole")
    world.resume(world.config(**{**config_values(), "steps": 30}), "whole", "8")
    assert {one.step for one in samples(world, "whole")} == {0, 4, 8}


def config_values() -> dict[str, Any]:
    return {"sample_prompts": "auto", "eval_every": 4, "checkpoint_every": 8, "keep": 9}


@pytest.mark.usefixtures("always")
def test_a_rollback_takes_back_what_was_written_since(world: World) -> None:
    trainer = world.trainer(world.config(sample_prompts="auto", eval_every=4, checkpoint_every=8, keep=9))
    for _ in range(13):
        trainer.advance()
    trainer.rollback("8")
    assert {one.step for one in samples(world)} == {0, 4, 8}


def test_they_take_no_more_than_a_hundredth_of_the_time(world: World) -> None:
    now = 1000.0

    def clock() -> float:
        nonlocal now
        now += 0.5  # each reading, so that samples take half a second
        return now

    trainer = world.trainer(world.config())
    log = make_log(world, clock, sample_prompts="Ann")
    taken = []
    for step in range(400):
        before = len(samples(world, "log"))
        log.take(step, trainer.model)
        if len(samples(world, "log")) > before:
            taken.append(now)
        now += 1.0
    assert all(later - earlier > 50 for earlier, later in pairwise(taken)) and len(taken) > 5
    log.take(400, trainer.model, last=True)
    assert samples(world, "log")[-1].step == 400


def make_log(world: World, clock: Callable[[], float] = lambda: 0.0, **values: Any) -> SampleLog:
    folder = world.folder("log")
    folder.path.mkdir(parents=True, exist_ok=True)
    config = world.config(**values)
    return SampleLog(config, world.encode(config), folder, Recorder(folder, world.emitted.append, 0), clock)


def test_what_cannot_be_written_now_is_written_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, log = world.trainer(world.config()), make_log(world, sample_prompts="Ann")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(SampleFile, "append", full)
        log.take(1, trainer.model)
        log.take(2, trainer.model, last=True)
    assert sum("cannot write its samples" in one.message for one in world.emitted if isinstance(one, Notice)) == 1
    log.take(3, trainer.model, last=True)
    assert [one.step for one in samples(world, "log")] == [1, 2, 3]
    assert any("can be written again" in one.message for one in world.emitted if isinstance(one, Notice))
    shutil.rmtree(world.folder("log").path)  # a folder that is gone is created again by others
    log.take(4, trainer.model, last=True)
    world.folder("log").path.mkdir()
    log.take(5, trainer.model, last=True)
    assert [one.step for one in samples(world, "log")] == [4, 5]


def test_a_model_without_finite_numbers_writes_nothing(world: World) -> None:
    trainer, log = world.trainer(world.config()), make_log(world, sample_prompts="Ann")
    with torch.no_grad():
        trainer.model.embedding.weight.fill_(torch.nan)
    log.take(1, trainer.model)
    assert not samples(world, "log")


def test_a_file_of_somebody_elses_is_not_written_to(world: World, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("kept")
    trainer, log = world.trainer(world.config()), make_log(world, sample_prompts="Ann")
    (world.folder("log").path / "samples.jsonl").symlink_to(theirs)
    log.cut(0)
    log.take(1, trainer.model)
    assert theirs.read_text() == "kept"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("the cat sat on the mat and looked at the dog\nand then it went away again, as cats do\n" * 40, {}),
        ("Ann\nBob\nClement\n" * 100, {"feed": "lines"}),
        ("one long line without any end " * 100, {"split": "50/50/0"}),
        ("ein langer Satz aus Wörtern, wie er im Buche steht\n" * 60, {"tokens": "word", "max_vocabulary": 12}),
        ("\n\n \n" * 300 + "a\n", {}),
    ],
)
def test_prompts_are_beginnings_of_lines(text: str, values: dict[str, Any], world: World) -> None:
    world.text.write_text(text, encoding="utf-8")
    corpus = world.encode(world.config(**{"batch_size": 2, "bptt": 4, **values}))
    prompts = line_beginnings(corpus.validation, corpus.tokenizer)
    assert len(prompts) <= 3 and len(set(prompts)) == len(prompts)
    assert prompts == line_beginnings(corpus.validation, corpus.tokenizer)
    lines = [line.strip() for line in text.splitlines()]
    for prompt in prompts:
        assert prompt == prompt.strip() and "<unk>" not in prompt and 0 < len(prompt) <= 24
        if "one long line" not in text:
            assert any(line.startswith(prompt) and len(line) > len(prompt) for line in lines)
    if len(set(lines)) > 2 and "Ann" not in text:
        assert prompts or "max_vocabulary" in values or not text.strip("\n a")
