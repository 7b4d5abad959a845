"""Says what went wrong with a command, where a user can do something about it."""

from __future__ import annotations

from rnnplay.common.limits import limit_met, limit_sentence, way_out
from rnnplay.engine.messages import Failed
from rnnplay.errors import CheckpointError, LackingTokensError, RnnplayError, is_out_of_memory


def failure(error: Exception, tag: str) -> Failed | None:
    """Returns the report of `error`, raised by the command `tag`; None for a mistake in the program itself.

    `tag` is "step" for a step of training.
    """
    match error:
        case CheckpointError():
            return Failed(message=str(error), command=tag, instead=error.instead)
        case LackingTokensError():
            return Failed(message=str(error), command=tag, extendable=error.extendable)
        case RnnplayError():
            return Failed(message=str(error), command=tag)
        case MemoryError() | RuntimeError() if is_out_of_memory(error):
            return Failed(message="There is not enough memory; make hidden, batch or bptt smaller.", command=tag)
        case MemoryError() | RuntimeError() | OSError() if limit := limit_met(error):
            return Failed(message=limit_sentence(limit), command=tag)
        case OSError():
            place = f" ({error.filename})" if error.filename else ""
            onward = "resume the run" if tag == "step" else "try again"  # before training begins there is no run
            what = f"{error.strerror or error}{place}; {way_out(error)}, then {onward}."
            return Failed(message=what, command=tag)
    return None
