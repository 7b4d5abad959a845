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
