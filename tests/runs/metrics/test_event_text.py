"""What happens to a run is told in the same words on the screen, in a terminal, in reports and in tables."""

from __future__ import annotations

import pytest

from rnnplay.common.jsonl import decode_line, encode_line
from rnnplay.runs.divergence import GRADIENT
from rnnplay.runs.metrics.event_text import event_text
from rnnplay.runs.metrics.records import Finished, Notice, Record, Rollback, Skipped, Tuned

ROLLBACK = Rollback(
    step=1234, to=1200, cause=GRADIENT, remedy="lower-rate", where="rnn.weight_hh_l0", changed={"lr": 0.001}
)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (ROLLBACK, "gradient not finite (rnn.weight_hh_l0): back to step 1,200; lr is now 0.001"),
        (Rollback(step=9, to=5, cause="by hand", remedy="none"), "by hand: back to step 5"),
        (Skipped(step=3, cause="loss not finite"), "step skipped: loss not finite"),
        (Tuned(step=3, knob="lr", value=0.001), "lr set to 0.001"),
        (Tuned(step=3, knob="lr_of_another_version", value=0.5), "lr_of_another_version set to 0.5"),
        (Notice(step=3, message="The disk is full."), "The disk is full."),
        (Finished(step=3, reason="length"), "length"),
    ],
)
def test_events_are_described(record: Record, text: str) -> None:
    assert event_text(record) == text


def test_a_rollback_is_kept_on_disk() -> None:
    line = encode_line(ROLLBACK)
    assert line.startswith(b'{"type":"rollback","step":1234,"to":1200,"cause":')
    assert decode_line(line, Record) == ROLLBACK
