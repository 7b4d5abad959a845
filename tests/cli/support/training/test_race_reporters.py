"""What is shown of a race: a table that fits the terminal, and a line for what happens."""

from __future__ import annotations

import math

import pytest
from rich.console import Console

from rnnplay.cli.support.training.race_reporters import amount_text, lines_of, live_table, state_text
from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.experiments.race import Race
from rnnplay.experiments.race_names import run_names
from rnnplay.experiments.race_plan import plan_race
from rnnplay.experiments.variants import vary
from rnnplay.runs.metrics.records import Finished, Rollback, Started, Step, Validation

SETUP = RunConfig(hidden=8, embedding=8)


def race() -> Race:
    """Four that have been validated after as many seconds; the second has diverged and ended."""
    variants = vary(SETUP, {"cell": ["rnn", "lstm"], "optimizer": ["sgd", "rmsprop"]})
    plan = plan_race(SETUP, variants, cores=2)
    made = Race(plan, plan.races()[0], run_names(plan.races(), ())[0])
    for entry, loss in zip(made.entries, (2.5, math.nan, 3.0, 3.5), strict=True):
        step = Step(
            step=1200,
            loss=loss,
            grad_norm=1.0,
            grad_norm_clipped=1.0,
            clipped=False,
            lr=0.1,
            tokens=2_400_000,
            tokens_per_second=62_000.0,
        )
        validation = Validation(step=1200, loss=loss, perplexity=12.2, bits_per_character=3.6)
        started = Started(run="run", parameters=330_000, vocabulary=60, device="cpu")
        made.heard(entry, messages.Progress(records=[started, step, validation], seconds=75.0, fraction=0.4))
    dead = made.entries[1]
    made.heard(dead, messages.Progress(records=[Finished(step=1100, reason="diverged")], seconds=75.0))
    return made


def drawn(width: int) -> list[str]:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(live_table(race(), width))
    return [line.rstrip() for line in console.export_text().splitlines()]


@pytest.mark.parametrize("width", [48, 60, 80, 120, 200])
def test_the_table_fits_and_says_what_matters(width: int) -> None:
    lines = drawn(width)
    assert all(len(line) <= width and "…" not in line for line in lines[:5])
    assert "cell=rnn optimizer=sgd" in lines[1] and "2.5000" in lines[1] and "40%" in lines[1]
    dead = next(line for line in lines if "optimizer=rmsprop" in line and "rnn" in line)
    assert "× 1,200" in dead
    assert " ".join(lines[5:]) == "valid: best validation loss, compared at 1:15"


def test_a_wide_terminal_shows_every_column() -> None:
    assert drawn(90)[0].split() == ["rank", "variant", "valid", "best", "step", "time", "tok/s", "params"]
    assert "params" not in drawn(60)[0]


def test_events_have_a_line_with_the_variant() -> None:
    entry = race().entries[0]
    rollback = Rollback(step=90, to=80, cause="loss not finite", remedy="none", count=1)
    validation = Validation(step=100, loss=1.5, perplexity=4.5, bits_per_character=2.1)
    event = messages.Progress(records=[validation, rollback, Finished(step=100, reason="length")])
    lines = lines_of(entry, event, validations=True)
    assert [line.split("  ")[0] for line in lines] == ["cell=rnn optimizer=sgd"] * 3
    assert lines[0].endswith("bits/char 2.100") and lines[2].endswith("step 100  done")
    assert len(lines_of(entry, event, validations=False)) == 2
    assert lines_of(entry, messages.Pong(), validations=True) == []


def test_states_and_amounts() -> None:
    row = next(row for row in race().standings().rows if row.label == "cell=rnn optimizer=sgd")
    assert state_text(row, 0.4) == "waits 40%"
    assert [amount_text(400, "steps"), amount_text(1.2e6, "tokens"), amount_text(45, "seconds")] == [
        *("400 steps", "1.2M tokens", "0:45")
    ]
