"""Errors whose text is meant for a user: one sentence that says what was wrong, where, and what to do."""

from __future__ import annotations


class RnnplayError(Exception):
    """Something failed; `str(error)` is shown as it is, without a traceback. Exit code 1."""

    exit_code = 1


class InputError(RnnplayError):
    """What a user gave (an option, a file, a name) cannot be used. Exit code 2."""

    exit_code = 2


class ConfigError(InputError):
    """A knob has a value that is not allowed; the text names the knob, the value and the allowed range."""

    def __init__(self, knob: str, message: str) -> None:
        super().__init__(message)
        self.knob = knob


class CheckpointError(InputError):
    """A checkpoint of a run cannot be used; `instead`: the step of one that may be, None if there is none."""

    def __init__(self, message: str, instead: int | None) -> None:
        super().__init__(message)
        self.instead = instead


class EncodingError(InputError):
    """A text is not in the encoding it was read in, but seems to be in another one."""

    def __init__(self, message: str, path: str, encoding: str, seems: str) -> None:
        """`encoding`: as Python calls it; `seems`: its name for users, and how the text reads in it."""
        super().__init__(message)
        self.path = path
        self.encoding = encoding
        self.seems = seems


class FinishedError(InputError):
    """A run has reached its length; `longer`: the knobs, with new values, by which it would go on."""

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
