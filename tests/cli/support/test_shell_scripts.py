"""Command lines, as shells send them: where words end, and what bash replaces of the last."""

from __future__ import annotations

import pytest

from rnnplay.cli.support.shell_scripts import for_bash, split_line


@pytest.mark.parametrize(
    ("line", "words", "quote"),
    [
        ("", [""], ""),
        ("rnnplay ", ["rnnplay", ""], ""),
        ("rnnplay gen", ["rnnplay", "gen"], ""),
        ("rnnplay show my\\ po", ["rnnplay", "show", "my po"], ""),
        ("rnnplay show 'my po", ["rnnplay", "show", "my po"], "'"),
        ("rnnplay show \"it's ", ["rnnplay", "show", "it's "], '"'),
        ("rnnplay show my\\", ["rnnplay", "show", "my"], ""),
        ("rnnplay 'a b' --x=#1", ["rnnplay", "a b", "--x=#1"], ""),
    ],
)
def test_the_last_word_is_the_one_being_typed(line: str, words: list[str], quote: str) -> None:
    assert split_line(line) == (words, quote)


@pytest.mark.parametrize(
    ("value", "line", "typed", "replacement"),
    [
        ("older", "rnnplay show ol", "ol", "older"),
        ("--cell=lstm", "rnnplay train --cell=l", "l", "lstm"),
        ("--cell=lstm", "rnnplay train --cell=", "", "lstm"),
        ("two:parts", "rnnplay show two:p", "p", "parts"),
        ("my poems", "rnnplay show my", "my", "my\\ poems"),
        ("my poems", "rnnplay show my\\ p", "my\\ p", "my\\ poems"),
        ("my poems", "rnnplay show 'my p", "'my p", "my poems"),
        ("$HOME (é)", "rnnplay show ", "", "\\$HOME\\ \\(é\\)"),
        ("~tilde", "rnnplay show ", "", "\\~tilde"),
    ],
)
def test_bash_replaces_the_part_of_the_word_that_it_sees(value: str, line: str, typed: str, replacement: str) -> None:
    assert for_bash(value, line, typed) == replacement
