"""The plan that follows from the dialog, and what is said of wrong entries."""

from __future__ import annotations

import pytest

from rnnplay.config import RunConfig, knobs
from rnnplay.engine.messages import BranchFrom
from rnnplay.errors import RnnplayError
from rnnplay.tui.race.race_settings import (
    CHOICES,
    RaceSettings,
    chosen_variants,
    duration_text,
    length_text,
    plan_of,
    preview_lines,
    sharing_text,
    single_variant,
    with_length,
)

SETUP = RunConfig(hidden=16, minutes=2)


def tokens(config: RunConfig) -> int:
    return 50


@pytest.mark.parametrize("choice", CHOICES[:-1])
def test_every_ready_made_set_is_a_plan(choice: str) -> None:
    plan = plan_of(RaceSettings(), choice, SETUP, 2, tokens)
    assert 2 <= len(plan.variants) <= 6
    assert [label for label, _ in preview_lines(plan, tokens)] == [one.label for one in plan.variants]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Type a knob and its values"),
        ("hiden=8,16", "hidden"),
        ("lr=0.1,abc", "got 'abc'"),
        ("lr=0.1", "one value"),
        ("lr=1,2,3,4,5,6,7", "2 to 6"),
        ("lr=0.1,0.2 lr=0.3,0.4", "lr is given twice"),
        ("minutes=1,2", "minutes is the length of the race"),
        ("lr", "A knob is written with its values"),
        ("lr=", "A knob is written with its values"),
        ("=", "A knob is written with its values"),
        ("seed=1,2", "repeat the race"),
        ("lr=1e-3..1e-1:log", "as in lr=1e-3..1e-1:log:3"),
        ("lr=0.1,,0.2", "a value is missing"),
    ],
)
def test_wrong_entries_are_told_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(RnnplayError) as error:
        chosen_variants("vary", text, SETUP)
    assert said in str(error.value) and str(error.value)[-1] in ".?" and "--vary" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Type what the variant has"),
        ("cell=rnn,gru", "One variant has one value"),
        ("hiden=3", "did you mean hidden"),
        ("steps=10", "the same for all"),
        ("hidden=0", "hidden must be"),
    ],
)
def test_a_variant_that_joins_is_checked(text: str, said: str) -> None:
    with pytest.raises(RnnplayError, match=said):
        single_variant(text, SETUP)


def test_from_a_checkpoint_only_what_its_weights_allow_is_varied() -> None:
    branch = BranchFrom(checkpoint="first@40")
    assert plan_of(RaceSettings(), "rates", SETUP, 2, tokens, branch=branch).branch == branch
    for settings, choice, said in (
        (RaceSettings(), "cells", "cell cannot be varied: all begin with the weights of first@40, whose cell is lstm"),
        (RaceSettings(vary="lr=0.1,0.2 hidden=8,16"), "vary", "hidden cannot be varied.*whose hidden is 16"),
        (RaceSettings(parameters=True), "rates", "parameters cannot be matched"),
    ):
        with pytest.raises(RnnplayError, match=said):
            plan_of(settings, choice, SETUP, 2, tokens, branch=branch)


def test_the_length_is_the_setups_or_a_minute_or_as_typed() -> None:
    assert with_length(SETUP).minutes == 2
    assert with_length(RunConfig(steps=0, epochs=0, minutes=0)).minutes == 1
    assert with_length(RunConfig(steps=500), 0.5).steps == 0
    assert length_text(RunConfig(minutes=2, steps=0, epochs=1)) == "1 epoch or 2 min"


@pytest.mark.parametrize(
    ("setup", "measure"),
    [(RunConfig(steps=100), "steps"), (RunConfig(epochs=2, minutes=0), "tokens"), (SETUP, "seconds")],
)
def test_variants_are_compared_in_the_measure_of_the_length(setup: RunConfig, measure: str) -> None:
    assert plan_of(RaceSettings(), "cells", setup, 2, tokens).measure == measure


def test_matched_parameters_are_shown() -> None:
    plan = plan_of(RaceSettings(parameters=True), "cells", SETUP, 2, tokens)
    sizes = [size for _, size in preview_lines(plan, tokens)]
    assert len(set(sizes)) == 3 and plan.parameters is not None
    counts = [int(size.split()[1].replace(",", "")) for size in sizes]
    assert all(abs(count - plan.parameters) < 0.05 * plan.parameters for count in counts)


def test_how_the_cores_are_shared_and_how_long_it_takes() -> None:
    def plan(share: str, cores: int, repeat: int = 1) -> tuple[str, str]:
        made = plan_of(RaceSettings(share=share, repeat=repeat), "cells", SETUP, cores, tokens)  # type: ignore[arg-type]
        return sharing_text(made, share), duration_text(made)

    assert plan("auto", 4) == ("all 3 at once on 4 cores, 1 thread each, as there is a core for each", "")
    text, whole = plan("auto", 2, 2)
    assert text.endswith("as there are fewer cores than variants") and whole == "about 6 min in all"
    assert "slow each other down" in plan("threads", 2)[0]
    assert plan("steps", 2)[0].startswith("turns of equal steps")


def test_each_setting_has_a_line_of_help() -> None:
    assert all(len(spec.knob.help) > 10 for spec in knobs(RaceSettings).values())
