"""TOML from other editors is read, and a line that is not TOML is told of with what to write."""

from __future__ import annotations

import pytest

from rnnplay.common.toml.text import parse_toml
from rnnplay.errors import InputError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(encoding: str) -> None:
    """Notepad and Windows PowerShell write them."""
    assert parse_toml('title = "Ünïcode"\r\nlr = 0.5\r\n'.encode(encoding), "x.toml") == {"title": "Ünïcode", "lr": 0.5}


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("lr = 0,01", "lr = 0.01"),
        ("lr = 0,01 # rate", "lr = 0.01"),
        ("lr = .5", "lr = 0.5"),
        ("lr = -.5", "lr = -0.5"),
        ("lr = 5.", "lr = 5"),
        ("lr = １", "lr = 1"),
        ("steps = 1,000", "steps = 1000"),
        ("steps = 1 000", "steps = 1000"),
        ("steps = 010", "steps = 10"),
        ("tie = True", "tie = true"),
        ("split = 90/5/5", 'split = "90/5/5"'),
        ("corpus = tales", 'corpus = "tales"'),
        ("corpus = “tales”", 'corpus = "tales"'),
        (r'corpus = "C:\Users\a.txt"', r"corpus = 'C:\Users\a.txt'"),
    ],
)
def test_the_line_to_write_is_said(line: str, instead: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_toml(f"seed = 1\r\n{line}\r\nhidden = 3\r\n".encode(), "x.toml")
    assert str(caught.value) == f"x.toml is not valid TOML: line 2 is {line}; write {instead}."
    parse_toml(instead.encode(), "x.toml")


@pytest.mark.parametrize(
    "text", ["hidden 3", "hidden = 3 4", "hidden = 3,", "lr = 1e", 'a = "b', "a=" + "[" * 9000, "\x1b ="]
)
def test_else_what_the_parser_says_is_said(text: str) -> None:
    with pytest.raises(InputError, match=r"^x\.toml is not valid TOML \(.*\)\.$") as caught:
        parse_toml(text.encode(), "x.toml")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("{ a = 0,1, b = -2,5 },", "{ a = 0.1, b = -2.5 }"),
        ('{ a = „x”, b = "y" },', '{ a = "x", b = "y" }'),
        ('{ a = "x" b = 2 c = [1] d = 3 }', '{ a = "x", b = 2, c = [1], d = 3 }'),
    ],
)
def test_what_to_write_in_a_table_of_a_list_is_said(line: str, instead: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_toml(f"x = [\n  {line}\n]\n".encode(), "x.toml")
    assert str(caught.value) == f"x.toml is not valid TOML: line 2 is {line.removesuffix(',')}; write {instead}."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\na = 2\nb = 3", ": line 2 has a a second time."),
        ("[a]\n[ a ]\n", ": line 2 has [a] a second time; if it is a list, write [[a]] each time."),
        ("a = [1,\n2", " (a bracket, [ or {, is not closed)."),
    ],
)
def test_what_the_parser_means_is_said_in_plain_words(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_toml(text.encode(), "x.toml")
    assert str(caught.value) == f"x.toml is not valid TOML{said}"
