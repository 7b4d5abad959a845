"""Says in a few words what a record other than of a step or a validation tells."""

from __future__ import annotations

from rnnplay.config import knobs
from rnnplay.runs.divergence import rollback_text
from rnnplay.runs.metrics import records


def event_text(record: records.Record) -> str:
    """Describes `record`, such as "lr set to 0.001"; "" for steps and validations, which are numbers."""
    match record:
        case records.Tuned():
            return f"{record.knob} set to {_value(record)}"
        case records.Skipped():
            return f"step skipped: {record.cause}" + (f" ({record.where})" if record.where else "")
        case records.Rollback():
            return rollback_text(record)
        case records.Notice() | records.Threads():
            return record.message
        case records.Checkpoint():
            return "checkpoint written"
        case records.Finished():
            return record.reason
    return ""


def _value(record: records.Tuned) -> str:
    spec = knobs().get(record.knob)
    return spec.text(record.value) if spec is not None else str(record.value)
