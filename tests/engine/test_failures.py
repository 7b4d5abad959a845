"""What the engine says of a command that failed, and what it takes for a mistake of its own."""

from __future__ import annotations

import errno

import pytest

from rnnplay.engine.failures import failure
from rnnplay.engine.messages import Failed
from rnnplay.errors import CheckpointError, InputError, LackingTokensError


def test_a_mistake_in_the_program_is_none_of_the_users() -> None:
    """It ends the engine, whose log then has the traceback."""
    assert failure(KeyError("no such thing"), "train") is None
    assert failure(RuntimeError("shapes do not fit"), "step") is None


@pytest.mark.parametrize(
    ("error", "tag", "said"),
    [
        (InputError("There is no run 'a'."), "open", "There is no run 'a'."),
        (MemoryError(), "train", "There is not enough memory; make hidden, batch or bptt smaller."),
        (
            OSError(errno.EACCES, "Permission denied", "/somewhere"),
            "train",
            "Permission denied (/somewhere); allow writing there, then try again.",
        ),
        (
            OSError(errno.EIO, "Input/output error"),
            "step",
            "Input/output error; check that disk, then resume the run.",
        ),
    ],
)
def test_what_a_user_can_mend_is_said_with_how(error: Exception, tag: str, said: str) -> None:
    assert failure(error, tag) == Failed(message=said, command=tag)


def test_another_checkpoint_and_missing_tokens_are_handed_on() -> None:
    damaged = failure(CheckpointError("It is damaged.", instead=40), "open")
    assert damaged is not None and damaged.instead == 40
    lacking = failure(LackingTokensError("It lacks é.", 0, extendable=True), "train")
    assert lacking is not None and lacking.extendable
