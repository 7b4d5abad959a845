"""A number that is typed is read as the one meant, or refused with the one to write instead."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnplay.cli.main import COMMANDS, program
from rnnplay.cli.support.options import WholeNumber
from rnnplay.common.numbers import meant, real_number, whole_number
from rnnplay.config import RunConfig, SamplingConfig, knobs, split_fractions
from rnnplay.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.01", 0.01),
        (" 1e-3 ", 0.001),
        (".5", 0.5),
        ("5.", 5.0),
        ("1,000", 1000.0),
        ("12,345,678.5", 12345678.5),
        ("1_000", 1000.0),
        ("-0.5", -0.5),
        ("−0.5", -0.5),
        ("０．０１", 0.01),
        ("١٢٨", 128.0),
        ("0e9", 0.0),
    ],
)
def test_what_is_read(text: str, number: float) -> None:
    assert real_number(text) == number


@pytest.mark.parametrize(
    ("text", "whole", "instead"),
    [
        ("0,01", False, "0.01"),
        ("0,001", False, "0.001"),
        (",5", False, "0.5"),
        ("-1,5", False, "-1.5"),
        ("0，5", False, "0.5"),
        ("1.000,5", False, "1000.5"),
        ("1 000,5", False, "1000.5"),
        ("1,5e-3", False, "1.5e-3"),
        ("1.000.000", False, "1000000"),
        ("1.000.000", True, "1000000"),
        ("1.000", True, "1000"),
        ("2.500", True, "2500"),
        ("1.0000", True, "1"),
        ("0.000", True, "0"),
        ("1 000", True, "1000"),
        ("1'000", True, "1000"),
        ("1,00,000", True, "100000"),
        ("1e3", True, "1000"),
        ("5.0", True, "5"),
        # No telling which number is meant.
        ("10,5", True, ""),
        ("0_01", False, ""),
        ("1_0", False, ""),
        ("1e-400", False, ""),
        ("1e999", False, ""),
        ("1²", False, ""),
        ("inf", False, ""),
        ("nan", False, ""),
        ("", False, ""),
        ("0x10", True, ""),
        ("9" * 5000, False, ""),
    ],
)
def test_what_is_refused_and_what_to_write_instead(text: str, whole: bool, instead: str) -> None:
    assert (whole_number(text) if whole else real_number(text)) is None
    assert meant(text, whole=whole) == instead
    if instead:
        assert (whole_number(instead) if whole else real_number(instead)) is not None


@given(st.integers(-(10**15), 10**15))
def test_what_rnnplay_prints_can_be_typed(number: int) -> None:
    assert whole_number(f"{number:,}") == whole_number(str(number)) == whole_number(f"{number:_}") == number


@given(st.text("0123456789,._ -+e'", max_size=12))
def test_no_text_is_read_as_another_number_than_python_reads(text: str) -> None:
    """But for separators between thousands, which are exactly where Python itself writes them."""
    for read, parse, grouped in ((whole_number, int, "{:,}"), (real_number, float, "{:,}")):
        number = read(text)
        if number is None:
            continue
        plain = text.strip()
        separators = {mark for mark in plain if mark in ",_"}
        assert len(separators) <= 1
        for mark in separators:
            before = plain.lstrip("+-").partition(".")[0].partition("e")[0]
            assert before.replace(mark, ",") == grouped.format(int(before.replace(mark, "")))
        assert parse(plain.replace(",", "").replace("_", "")) == number


@pytest.mark.parametrize(
    "spec", [*knobs(RunConfig).values(), *knobs(SamplingConfig).values()], ids=lambda spec: spec.name
)
def test_no_knob_takes_a_decimal_comma(spec: object) -> None:
    """Whatever number it takes, on the command line and in the form."""
    from rnnplay.config import KnobSpec

    assert isinstance(spec, KnobSpec)
    if spec.kind not in ("int", "float"):
        return
    for text in ("0,01", "0,5", "1,5", "12,34", "1_0"):
        with pytest.raises(ConfigError, match=f"^{spec.name} must be .*; got '{text}'"):
            spec.parse(text)


def test_the_refusal_says_what_to_write_where_that_is_allowed() -> None:
    specs = knobs()
    for name, text, end in (
        ("lr", "0,01", "; write 0.01."),
        ("minutes", "0,5", "; write 0.5."),
        ("steps", "1e3", "; write 1000."),
        ("dropout", "1,5", "0 to 0.95; got '1,5'."),  # 1.5 would be refused as well
        ("hidden", "10,5", "1 to 16,384; got '10,5'."),
    ):
        with pytest.raises(ConfigError) as caught:
            specs[name].parse(text)
        assert str(caught.value).endswith(end)
    with pytest.raises(ConfigError, match=r"write 0\.01 without quotes"):
        specs["lr"].check("0.01")
    for split in ("90,5/5/4,5", "90/5/5/", "9_0/5/5", "90/5/inf"):
        with pytest.raises(ConfigError, match=r"like 90/5/5 or 92\.5/5/2\.5|write 90\.5/5/4\.5"):
            split_fractions(split)
    assert split_fractions("92.5/5/2.5") == (0.925, 0.05, 0.025)


@pytest.mark.parametrize(
    ("split", "hint"),
    [
        ("0.9,0.05,0.05", "; write 90/5/5."),
        ("0,9,0,05", "; write 90/5/5."),
        ("0,9/0,05/0,05", "; write 90/5/5."),
        ("92,5/5/2,5", "; write 92.5/5/2.5."),
        ("80%, 10%, 10%", "; write 80/10/10."),
        ("[0.8, 0.1, 0.1]", "; write 80/10/10."),
        ("90:10", "; write 90/10/0."),
        ("0,9", ": slashes separate the numbers, and a point their decimals."),
        ("9,1", ": slashes separate the numbers, and a point their decimals."),
        ("5/5/9", ", like 90/5/5 or 92.5/5/2.5."),
        ("0.9", ", like 90/5/5 or 92.5/5/2.5."),
    ],
)
def test_a_split_in_other_ways(split: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        split_fractions(split)
    assert str(refused.value).endswith(hint)
    if hint.startswith("; write "):
        split_fractions(hint[len("; write ") : -1])


def commands(group: click.Group) -> list[click.Command]:
    context = click.Context(group)
    found = [group.get_command(context, name) for name in group.list_commands(context)]
    return [
        one
        for command in found
        if command
        for one in (commands(command) if isinstance(command, click.Group) else [command])
    ]


def test_every_number_of_the_command_line_is_read_the_same_way() -> None:
    """click's own numbers know no thousands, and Python's underscores stand anywhere."""
    assert len(commands(program)) > len(COMMANDS)
    for command in commands(program):
        for param in command.params:
            assert not isinstance(param.type, click.types.IntParamType | click.types.FloatParamType), (command, param)
    number = WholeNumber(1, 2000)
    assert number.convert("1,000", None, None) == 1000
    for text, complaint in (
        ("1,5", "'1,5' is not a whole number from 1 to 2,000."),
        ("1e3", "write 1000."),
        ("3000", "from 1 to 2,000."),
        ("1_0", "'1_0' is not a whole number"),
    ):
        with pytest.raises(click.BadParameter, match=complaint):
            number.convert(text, None, None)
