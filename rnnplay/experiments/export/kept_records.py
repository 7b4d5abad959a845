"""Reads the records of a run with its rollbacks applied: which of them still count, and which were undone."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator

from rnnplay.runs.metrics.metrics_log import MetricsLog
from rnnplay.runs.metrics.records import Record, Rollback


def kept_records(log: MetricsLog) -> Iterator[tuple[Record, bool]]:
    """Yields every record, oldest first, and whether a later rollback undid it: the run went back to before its step.

    The rollback itself, and what led to it, happened all the same: only steps and validations lose their meaning with
    the weights that they are of. Reads the file twice, in little memory; raises InputError for an unreadable line.
    """
    ends: list[int] = []  # the index of each rollback
    targets: list[float] = []
    count = 0
    for record in log.read():
        if isinstance(record, Rollback):
            ends.append(count)
            targets.append(record.to)
        count += 1
    lowest = [math.inf] * (len(targets) + 1)  # the earliest step that this rollback or a later one goes back to
    for at in range(len(targets) - 1, -1, -1):
        lowest[at] = min(targets[at], lowest[at + 1])
    for index, record in enumerate(log.read()):
        if index >= count:  # of a run in training
            return
        undone = not isinstance(record, Rollback) and record.step > lowest[bisect_right(ends, index)]
        yield record, undone
