"""What is suggested to the user is read back by a shell as the very words that were meant."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from rnnplay.common.commands import repeat_command, shell_command

NASTY = (
    "plain",
    "two words",
    "it's",
    'a "quote"',
    "$HOME `id` [1]*",
    "-dash",
    "--",
    "",
    "ü 中文",
    "~",
    "a\\b",
    "#x;y&z",
)


def words(command: str, shell: str = "sh") -> list[str]:
    """What a program named rnnplay would get as arguments."""
    script = 'rnnplay() { for word; do printf "%s\\0" "$word"; done; }\n' + command
    done = subprocess.run([shell, "-c", script], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


@pytest.mark.parametrize("name", NASTY)
def test_any_name_survives_a_shell(name: str) -> None:
    """As an argument, as an option's value and as the workspace; no argument is taken for an option."""
    given = words(shell_command("generate", name, run=name, workspace=name))
    before = given[: given.index("--", 2)] if name.startswith("-") else given
    assert name in given
    assert all(one in before or f"--{which}={name}" in before for which, one in (("run", name), ("workspace", name)))
    if name.startswith("-"):
        assert given[-2:] == ["--", name]


@pytest.mark.skipif(shutil.which("bash") is None, reason="$'…' is read by bash, zsh and newer sh")
@pytest.mark.parametrize("name", ["two\nlines", "a\ttab", "it's\x1b[2J", "\u202eleft", "not utf-8 \udcff"])
def test_what_cannot_be_seen_is_escaped(name: str) -> None:
    command = shell_command("train", corpus=name)
    assert command.isprintable()
    assert words(command, "bash") == ["train", "--corpus", name]


def test_values_as_they_would_be_typed() -> None:
    assert shell_command("train", resume=True, json=False, lr=0.0025, steps=12) == (
        "rnnplay train --resume --lr 0.0025 --steps 12"
    )


def test_what_was_typed_with_an_option_changed() -> None:
    """Wherever it stood, however it was written; nothing behind -- is an option."""
    given = ["complete", "--checkpoint", "best", "first", "--workspace=w", "--", "--checkpoint"]
    assert repeat_command(given, "a b", checkpoint=40) == (
        "rnnplay complete --workspace 'a b' --checkpoint 40 first -- --checkpoint"
    )
    assert repeat_command(["train", "--lr=1", "--steps", "2"], steps=12) == "rnnplay train --steps 12 --lr=1"
