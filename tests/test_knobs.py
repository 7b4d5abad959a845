"""What is said of a value that is refused: the knob, what is allowed, what was given."""

from __future__ import annotations

import pytest

from rnnplay.config import KnobSpec, RunConfig, SamplingConfig, knobs, with_values
from rnnplay.errors import ConfigError

ALL = [*knobs().values(), *knobs(SamplingConfig).values()]


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
@pytest.mark.parametrize("value", [None, [], -(10**30), float("nan"), ""])
def test_every_refusal_names_the_knob_what_is_allowed_and_what_was_given(spec: KnobSpec, value: object) -> None:
    if value == "" and spec.kind == "text":
        return
    with pytest.raises(ConfigError) as refused:
        spec.check(value)
    given = repr(value) if isinstance(value, str) else str(value)
    assert str(refused.value).startswith(f"{spec.name} must be {spec.allowed}; got {given}")
    assert refused.value.knob == spec.name


@pytest.mark.parametrize("name", ["corpus", "split"])
def test_a_text_that_no_knob_takes_is_refused_in_the_same_words(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} must be .*; got ' '"):
        with_values(RunConfig(), {name: " "})


def test_an_integer_beyond_every_float_is_refused_like_others() -> None:
    with pytest.raises(ConfigError, match=r"^lr must be a number above 0, at most 1,000; got 1000"):
        with_values(RunConfig(), {"lr": 10**400})


def test_a_dropout_of_zero_is_none_and_minus_one_is_as_dropout() -> None:
    spec = knobs()["input_dropout"]
    assert spec.parse("0") == 0 and spec.text(0.0) == "0"
    assert spec.parse("-1") == spec.default == -1 and spec.text(-1.0) == "as dropout"
    for text in ("-0.5", "-2", "0.96"):
        with pytest.raises(ConfigError, match=r"^input_dropout must be a number from 0 to 0\.95, or -1; got"):
            spec.parse(text)


def test_only_the_special_number_of_a_knob_has_a_meaning() -> None:
    specs = knobs()
    assert (specs["steps"].meaning(0), specs["steps"].meaning(-1), specs["seed"].meaning(0)) == ("no limit", "", "")
    assert specs["tie"].meaning(False) == ""
