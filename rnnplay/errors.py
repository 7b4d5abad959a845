"""Errors whose message is for the user: one sentence that says what was wrong, where, and what to do."""

from __future__ import annotations


class RnnplayError(Exception):
    """An operation failed; the message is shown without a traceback. Exit code 1."""

    exit_code = 1


class LostProcessError(RnnplayError):
    """The connection with the other processes that train the same model is lost."""


class InputError(RnnplayError):
    """An option, a file or a name that the user gave is invalid or unusable. Exit code 2."""

    exit_code = 2


class ConfigError(InputError):
    """A knob has an invalid value; the message names the knob, the value and the allowed range."""

    def __init__(self, knob: str, message: str) -> None:
        super().__init__(message)
        self.knob = knob


class TooShortError(InputError):
    """A text is too short for the settings."""


class CheckpointError(InputError):
    """A checkpoint of a run cannot be used; `instead`: the step of one that may be usable, None if there is none."""

    def __init__(self, message: str, instead: int | None) -> None:
        super().__init__(message)
        self.instead = instead


class LackingTokensError(InputError):
    """A text has tokens that the vocabulary of the run to branch from lacks."""

    def __init__(self, message: str, min_count: int, extendable: bool) -> None:
        """`min_count`: with which all are read as `<unk>`, else 0; `extendable`: whether they can be added."""
        super().__init__(message)
        self.min_count = min_count
        self.extendable = extendable


class EncodingError(InputError):
    """A text is not in the encoding that it was read in, but seems to be in another one."""

    def __init__(self, message: str, path: str, encoding: str, seems: str) -> None:
        """`encoding`: Python's name of the other one; `seems`: its name for users, and how the text reads in it."""
        super().__init__(message)
        self.path = path
        self.encoding = encoding
        self.seems = seems


class FinishedError(InputError):
    """A run has reached its length; `longer`: knobs with values with which it would continue."""

    def __init__(self, message: str, longer: dict[str, float]) -> None:
        super().__init__(message)
        self.longer = longer


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the CPU or of a device: on the CPU torch raises a plain RuntimeError."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "allocate memory" in str(error))
    )
