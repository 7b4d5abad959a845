"""Plays a lesson without the interface: trains and inspects each variant, and checks every condition."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from rnnplay.cli.support.console import model_name
from rnnplay.cli.support.session import new_folder
from rnnplay.common.working_time import working_time
from rnnplay.lessons.lesson import Condition, Lesson
from rnnplay.lessons.measurements import Judged, Measurements, questions
from rnnplay.runs.metrics.records import Record

if TYPE_CHECKING:
    from rnnplay.cli.support.reporters import Reporter
    from rnnplay.workspace import Workspace


class PlayedVariant(msgspec.Struct, frozen=True, kw_only=True):
    """The run of one variant."""

    run: str
    parameters: int
    steps: int
    lr: float
    rates: list[float]
    """The grid of learning rates of which `lr` is the best."""
    seconds: float


class PlayedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the lesson, with its conditions checked."""

    view: str
    holds: bool
    conditions: list[Judged]


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a lesson."""

    lesson: int
    name: str
    seed: int
    holds: bool
    """Whether every condition of every step holds."""
    seconds: float
    variants: dict[str, PlayedVariant]
    steps: list[PlayedStep]


def play(lesson: Lesson, seed: int, workspace: Workspace, reporter: Callable[[str, int], Reporter]) -> Played:
    """Trains every variant with `seed` in `workspace`, inspects it, and checks the conditions.

    `reporter` creates one for a run's title and number of steps. Raises InputError if a run of that name exists.
    """
    workspace.create()
    began = working_time()
    measurements = Measurements()
    variants = {
        variant: _play_variant(lesson, variant, seed, workspace, measurements, reporter) for variant in lesson.variants
    }
    steps: list[PlayedStep] = []
    for step in lesson.steps:
        judged = measurements.judge_step(step)
        steps.append(PlayedStep(view=step.view, holds=all(one.holds for one in judged), conditions=judged))
    return Played(
        lesson=lesson.number,
        name=lesson.name,
        seed=seed,
        holds=all(step.holds for step in steps),
        seconds=working_time() - began,
        variants=variants,
        steps=steps,
    )


def _play_variant(
    lesson: Lesson,
    variant: str,
    seed: int,
    workspace: Workspace,
    measurements: Measurements,
    make_reporter: Callable[[str, int], Reporter],
) -> PlayedVariant:
    from rnnplay.engine.beginning import find_start, read_start
    from rnnplay.engine.messages import BranchFrom
    from rnnplay.inspection.answer import Cache, answer
    from rnnplay.text.corpora.catalogue import find_corpus
    from rnnplay.text.encoding.encoded import encode_corpus
    from rnnplay.training.trainer import Trainer

    config = lesson.config(variant, seed)
    folder = new_folder(lesson.run_name(variant, seed), config, workspace, "choose another --seed")
    reporter = make_reporter(f"{folder.name} · {config.corpus} · {model_name(config)}", config.steps)
    cache = Cache()
    began = working_time()

    def emit(record: Record) -> None:
        measurements.take(variant, record)
        reporter.record(record)

    trainer: Trainer | None = None
    try:
        if origin := lesson.variants[variant].branch:
            wanted = BranchFrom(checkpoint=lesson.run_name(origin, seed), extend_vocabulary=True)
            start = find_start(wanted, workspace)
            encoded = start.encode(config, workspace, reporter.preparing)
            branch = read_start(start, config, encoded)
        else:
            encoded = encode_corpus(find_corpus(config.corpus, workspace), config, workspace.cache, reporter.preparing)
            branch = None
        trainer = Trainer(config, encoded, folder, emit=emit, branch=branch)
        while trainer.advance() is None:
            reporter.tick(trainer.fraction, trainer.seconds_left)
        for question in questions(lesson, variant).values():
            measurements.take(variant, answer(trainer, question, workspace, cache))
        return PlayedVariant(
            run=folder.name,
            parameters=trainer.model.size,
            steps=trainer.step,
            lr=config.lr,
            rates=lesson.variants[variant].learning_rates,
            seconds=working_time() - began,
        )
    finally:
        reporter.close()
        if trainer is not None:
            trainer.close()


def condition_object(condition: Condition) -> dict[str, Any]:
    """Converts a condition for JSON, without unused fields."""
    return {
        name: value for name, value in msgspec.to_builtins(condition).items() if value not in ("", 0) or name == "value"
    }
