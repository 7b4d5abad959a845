"""Says in a few words what a record other than of a step or a validation tells."""

from __future__ import annotations

from rnnplay.runs import records


def event_text(record: records.Record) -> str:
    """Describes `record`, such as "lr set to 0.001"; "" for steps and validations, which are numbers."""
    match record:
        case records.Tuned():
            return f"{record.knob} set to {record.value}"
        case records.Skipped():
            return f"step skipped: {record.cause}{_place(record.where)}"
        case records.Rollback():
            changed = "".join(f"; {knob} set to {value}" for knob, value in record.changed.items())
            return f"{record.cause}{_place(record.where)}: back to step {record.to}{changed}"
        case records.Notice() | records.Threads():
            return record.message
        case records.Checkpoint():
            return "checkpoint written"
        case records.Finished():
            return record.reason
    return ""


def _place(where: str) -> str:
    return f" ({where})" if where else ""
