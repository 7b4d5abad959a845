"""All mistakes of a TOML file are found at once, and each value's line."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest

from rnnplay.common.toml.repair import MAX_FAULTS, line_of, places, read_past_faults


@pytest.mark.parametrize(
    ("text", "values", "lines", "lost"),
    [
        ("a = 1\n[b]\nc = 2\n", {"a": 1, "b": {"c": 2}}, [], False),
        ("a = tru\nb = 0,5\n[c\nd = 1", {"a": "tru", "b": 0.5, "c": {"d": 1}}, [1, 2, 3], False),
        ("a = = 1\nb 2\nc = 3", {"c": 3}, [1, 2], True),
        ("a = 1\na = 2\nb = 3\n", {"a": 1, "b": 3}, [2], True),
        ("[a]\nx = 1\n[a]\nx = 2\n[b]\ny = ~\n", {"a": {"x": 1}, "b": {"y": "~"}}, [3, 6], True),
        ("a = {x = 1,\n  y = 2,\n}\nb = {\nc = [1 2]\nd = 4", {}, [1, 4], True),
        ("a = [\n  {b = 1}\n  {b = 2},\n]\nc = 3", {"a": [{"b": 1}], "c": 3}, [3], True),
        ("a = [\n  1,\nb = 2\nc = 3\n", {}, [3], True),
        ('a = """\nb = 2\nc = 3\n', {}, [1], True),
        ("", {}, [], False),
    ],
)
def test_faults(text: str, values: object, lines: list[int], lost: bool) -> None:
    """Each once; what is understood is mended, what is not is left out, and a bracket left open ends it."""
    read = read_past_faults(text)
    assert (read.values, [fault.line for fault in read.faults], read.lost) == (values, lines, lost)


def test_what_is_no_toml_is_not_read_to_its_end() -> None:
    assert len(read_past_faults("once upon a time\n" * 1000).faults) == MAX_FAULTS
    assert len(read_past_faults("a = " + "[" * 9000).faults) == 1


def test_it_ends_whatever_the_text() -> None:
    """Lines in order, none twice in a row, and never an exception: a lesson's author may be half-way through a word."""
    draw = random.Random(5)
    good = 'number = 1\n[common]\na = "b"\n[[steps]]\nc = [\n  { d = 1, e = "f" },\n]\n# note\ng = """\nh"""\n'
    for _ in range(500):
        text = list(good)
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(text))
            text[at : at + draw.randint(0, 2)] = draw.choice("\"'[]{}=,#\n\\ab1")
        mangled = "".join(text)
        read = read_past_faults(mangled)
        lines = [fault.line for fault in read.faults]
        assert lines == sorted(set(lines)) and all(1 <= line <= mangled.count("\n") + 1 for line in lines)
        try:
            tomllib.loads(mangled)
            assert not read.faults
        except tomllib.TOMLDecodeError:
            assert read.faults
        places(mangled)


SAMPLE = """\
a = 1 # [no]
"b c".d = "x = y"

[e]
f = [1, 2,
  3]
g = { h = 1 }

[[i]]
j = 1
[[i]]
k = '''
j = 5
'''
j = 2
[[i.l]]
m = [[1], [2]]
[i.n."o p"]
q = [
    { r = "]" },  # {
    { r = 2, s = [1, 2] },
]
"""


def test_the_line_of_each_value() -> None:
    lines = places(SAMPLE)
    expected = {
        ("a",): 1,
        ("b c", "d"): 2,
        ("e",): 4,
        ("e", "f"): 5,
        ("e", "f", 1): 5,
        ("e", "f", 2): 6,
        ("e", "g"): 7,
        ("i", 0): 9,
        ("i", 0, "j"): 10,
        ("i", 1): 11,
        ("i", 1, "j"): 15,
        ("i", 1, "l", 0, "m", 1): 17,
        ("i", 1, "n", "o p"): 18,
        ("i", 1, "n", "o p", "q", 0): 20,
        ("i", 1, "n", "o p", "q", 1): 21,
    }
    assert {path: lines[path] for path in expected} == expected
    assert line_of(lines, ("i", 1, "n", "o p", "q", 1, "s", 0)) == 21
    assert line_of(lines, ("nowhere", 3)) == 1


def test_every_value_of_the_bundled_lessons_has_its_line() -> None:
    """What stands there is what was looked for."""
    import rnnplay.lessons

    for file in sorted(Path(rnnplay.lessons.__file__).parent.rglob("lesson.toml")):
        text = file.read_text(encoding="utf-8")
        lines, found = text.split("\n"), places(text)
        for path, line in found.items():
            name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
            if path and isinstance(path[-1], str):
                assert name in lines[line - 1], (file, path)
