"""The prompts of the sample log, as they are typed in one line."""

from __future__ import annotations

import pytest

from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError
from rnnplay.knob_texts import sample_prompts


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("auto", None),
        ("off", ()),
        ("off|", ("off",)),
        ("Once upon |He said:\\n", ("Once upon ", "He said:\n")),
        ("a\\|b|c\\\\|d", ("a|b", "c\\", "d")),
        ("\\\\n", ("\\n",)),
        ("||a||", ("a",)),
        ("前|後", ("前", "後")),
    ],
)
def test_prompts_are_separated_by_bars(text: str, prompts: tuple[str, ...] | None) -> None:
    assert sample_prompts(text) == prompts
    assert RunConfig(sample_prompts=text).sample_prompts == text


@pytest.mark.parametrize("text", ["", "|", "a\\", "a\\d", "a" * 201, "a|b|c|d|e|f|g|h|i", "\x1b[2J", "a\nb"])
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match="sample_prompts must be auto, off, or prompts separated") as error:
        RunConfig(sample_prompts=text)
    assert error.value.knob == "sample_prompts"
