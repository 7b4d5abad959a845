"""What the preview says of a run."""

from __future__ import annotations

from rnnplay.config import RunConfig
from rnnplay.runs.browsing.training_now import Training
from rnnplay.runs.lock import Holder
from rnnplay.tui.runs.preview_text import differences, preview_lines
from tests.runs.browsing.listed_runs import a_broken_run, a_run


def text(*arguments: object) -> str:
    return "\n".join(line.plain for line in preview_lines(*arguments))  # type: ignore[arg-type]


def test_all_that_is_known_is_told() -> None:
    parent = a_run("first")
    run = a_run(
        "second", step=1200, valid=1.5, note="see\n\x1b[2J", tags=("good",), cell="rnn", nonlinearity="relu", lr=0.01,
        tie=True, hidden=64, parent=parent,
    )  # fmt: skip
    told = text(run, Training(Holder(7, "gpu3"), 1300, 12.4), 1_234_567, "first@3 (gone)")
    for part in (
        "ReLU RNN 1×64 · 100 parameters · tales", "● 12 steps/s, by process 7 on gpu3", "see\n␛[2J", "#good",
        "step 1,200 · validation 1.5000, perplexity 4.48", "branched from first@3 (gone)", "1.2 MB on disk",
        "tie on   lr 0.01",
    ):  # fmt: skip
        assert part in told
    assert "on disk" not in text(run, None, None)


def test_a_run_that_cannot_be_read_says_why() -> None:
    assert text(a_broken_run("x"), None, 5) == "broken"
    assert "no checkpoint" in text(a_run("new"), None, None)


def test_only_settings_that_differ_and_act_are_told() -> None:
    assert differences(RunConfig()) == []
    config = RunConfig(lr=0.01, cell="gru", nonlinearity="relu", seed=12_345, clip="off", clip_threshold=3.0)
    assert differences(config) == [("seed", "12,345"), ("lr", "0.01"), ("clip", "off")]
