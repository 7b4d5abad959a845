"""Says in a few words what a record other than of a step or a validation tells."""

from __future__ import annotations

from rnnplay.config import Value, knobs
from rnnplay.runs.metrics import records

ENDS = {
    "length": "finished: length reached",
    "early stop": "finished: no improvement for a while",
    "stopped": "stopped",
    "diverged": "ended: diverged",
}
"""How a run has ended, by the reason in its last record."""


def event_text(record: records.Record) -> str:
    """Describes `record`, such as "lr set to 0.001"; "" for steps and validations, which are numbers."""
    match record:
        case records.Tuned():
            return f"{record.knob} set to {_value(record.knob, record.value)}"
        case records.Skipped():
            return f"step skipped: {_cause(record)}"
        case records.Rollback():
            changes = ", ".join(f"{knob} is now {_value(knob, value)}" for knob, value in record.changed.items())
            return f"{_cause(record)}: back to step {record.to:,}" + (f"; {changes}" if changes else "")
        case records.Notice() | records.Threads():
            return record.message
        case records.Checkpoint():
            return "checkpoint written"
        case records.Finished():
            return record.reason
    return ""


def _cause(record: records.Skipped | records.Rollback) -> str:
    return record.cause + (f" ({record.where})" if record.where else "")


def _value(knob: str, value: Value) -> str:
    spec = knobs().get(knob)
    return spec.text(value) if spec is not None else str(value)
