"""A comparison says in what runs differ and how far each has come, as a plain reading of their files does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rnnplay.config import RunConfig, knobs, with_values
from rnnplay.errors import InputError
from rnnplay.experiments import comparison as comparisons
from rnnplay.experiments.comparison import Comparison, Difference, compare, differences, read_course, value_text
from rnnplay.experiments.sweep.space import param_text
from rnnplay.runs.checkpoint_state import ValidationHistory
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.metrics_log import encode_lines
from rnnplay.runs.metrics.records import Finished, Record, Rollback, Step, Validation
from rnnplay.runs.samples.logged import LoggedSample, SampleFile
from rnnplay.tui.runs import preview_text
from rnnplay.tui.setup.knob_field import KnobField
from tests.experiments.test_resumption import STATE
from tests.runs.test_folder import info


def step(number: int, loss: float) -> Step:
    return Step(
        step=number,
        loss=loss,
        grad_norm=1.0,
        grad_norm_clipped=1.0,
        clipped=False,
        lr=0.1,
        tokens=number * 100,
        tokens_per_second=5.0,
    )


def validation(number: int, loss: float) -> Validation:
    return Validation(step=number, loss=loss, perplexity=9.0, bits_per_character=loss / 2)


def a_run(
    place: Path, name: str, records: list[Record], about: dict[str, Any] | None = None, **knobs: Any
) -> RunFolder:
    folder = RunFolder(place / name)
    folder.path.mkdir()
    config = with_values(RunConfig(), knobs)
    folder.write_info(msgspec.structs.replace(info(name), config=config, **(about or {})))
    folder.log.path.write_bytes(encode_lines(records))
    return folder


STEADY: list[Record] = [
    *(step(number, 3 - number / 100) for number in range(1, 251)),
    validation(200, 1.2),
    validation(250, 1.5),
    Finished(step=250, reason="length"),
]
ROLLED_BACK: list[Record] = [
    *(step(number, 2.0) for number in range(1, 101)),
    validation(50, 1.9),
    validation(100, 0.5),
    step(101, math.nan),
    Rollback(step=101, to=60, cause="loss not finite", remedy="none"),
    *(step(number, 1.0) for number in range(61, 81)),
]


def test_losses_steps_and_ends(tmp_path: Path) -> None:
    comparison = compare([a_run(tmp_path, "one", STEADY), a_run(tmp_path, "two", ROLLED_BACK, cell="gru")])
    one, two = comparison.runs
    assert (one.step, one.tokens, one.ended, one.rollbacks) == (250, 25_000, "length", 0)
    assert (one.best_validation_loss, one.best_step, one.best_bits_per_character) == (1.2, 200, 0.6)
    assert one.last_validation_loss == 1.5
    mean = sum(3 - number / 100 for number in range(151, 251)) / 100
    assert one.last_training_loss == one.best_training_loss == pytest.approx(mean)
    assert (two.step, two.ended, two.rollbacks) == (80, "", 1), "what was rolled back is not counted"
    assert (two.best_validation_loss, two.best_step, two.last_validation_loss) == (1.9, 50, 1.9)
    assert two.last_training_loss == pytest.approx((60 * 2 + 20) / 80)
    assert (two.seconds, two.tokens) == (None, 8000)
    assert comparison.courses[0].tokens_per_step == 100


def test_runs_without_records_are_compared_too(tmp_path: Path) -> None:
    comparison = compare([a_run(tmp_path, "one", []), a_run(tmp_path, "two", [validation(3, math.nan)])])
    for run in comparison.runs:
        assert (run.best_validation_loss, run.best_training_loss, run.tokens, run.step) == (None, None, None, 0)
    assert comparison.remarks == [] and comparison.courses[0].tokens_per_step is None


def test_of_a_run_whose_records_are_lost_its_checkpoint_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [a_run(tmp_path, "one", STEADY), a_run(tmp_path, "two", [])]
    seen = ValidationHistory(best_loss=1.1, best_step=300, last_loss=1.2, last_step=400)
    state = msgspec.structs.replace(STATE, step=400, tokens=40_000, seconds=9.0, validations=seen)
    monkeypatch.setattr(comparisons, "_last_state", lambda _: state)
    one, two = compare(folders).runs
    assert (two.step, two.tokens, two.seconds) == (400, 40_000, 9.0)
    assert (two.best_validation_loss, two.best_step, two.last_validation_loss) == (1.1, 300, 1.2)
    assert (one.step, one.tokens, one.best_step) == (250, 25_000, 200)


def test_only_knobs_that_differ_and_act_are_told() -> None:
    lstm, rnn = RunConfig(lr=0.01, seed=2), RunConfig(cell="rnn", lr=0.01, seed=3, clip="off")
    assert differences([lstm, rnn]) == [
        Difference("cell", ["lstm", "rnn"]),
        Difference("nonlinearity", [None, "tanh"]),
        Difference("forget_bias", [1.0, None]),
        Difference("seed", [2, 3]),
        Difference("clip", ["norm", "off"]),
        Difference("clip_threshold", [1.0, None]),
    ]
    assert differences([lstm, lstm, lstm]) == []
    values = {"lr": (None, 0.01, 0.0012345678), "tie": (True,), "hidden": (12_345,), "corpus": ("a\x1bb",)}
    shown = [value_text(name, value) for name, given in values.items() for value in given]
    assert shown == ["–", "0.01", "0.0012345678", "on", "12,345", "a␛b"]


@pytest.mark.parametrize("name", [name for name, spec in knobs().items() if spec.knob.zero])
def test_zero_is_said_as_in_the_form_wherever_a_table_has_it(name: str) -> None:
    spec = knobs()[name]
    zero = spec.check(0)
    assert value_text(name, zero) == KnobField(spec, label_width=9).spec.text(zero) == spec.knob.zero
    assert param_text({name: zero}, name) == spec.knob.zero
    config = with_values(RunConfig(steps=9, minutes=9.0), {name: zero})
    if zero != spec.default and spec.relevant(config):
        assert (name, spec.knob.zero) in preview_text.differences(config)


def with_about(place: Path, second: dict[str, Any], **knobs: Any) -> Comparison:
    return compare([a_run(place, "one", STEADY), a_run(place, "two", STEADY, second, **knobs)])


def test_what_to_mind(tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({"corpus_sha256": "1" * 64}, {}, "texts differ"),
        ({}, {"split": "80/10/10"}, "texts differ"),
        ({"vocabulary": 99}, {}, "bits per character"),
        ({}, {"tokens": "word"}, "bits per character"),
        ({}, {"normal_form": "nfc"}, "bits per character"),
        ({}, {"eval_tokens": 5}, "different amounts"),
    ]
    for number, (about, given, part) in enumerate(cases):
        (place := tmp_path / str(number)).mkdir()
        found = with_about(place, about, **given)
        assert part in " ".join(found.remarks)
        measures = {"texts differ": None, "bits per character": "best_bits_per_character"}
        assert found.measure == measures.get(part, "best_validation_loss")
    (place := tmp_path / "none").mkdir()
    assert with_about(place, {}, lr=0.1, cell="gru").remarks == []
    (place := tmp_path / "tokens").mkdir()
    read = compare([a_run(place, "one", STEADY), a_run(place, "two", ROLLED_BACK)]).remarks
    assert read == ["They have read from 8,000 to 25,000 tokens."]


def test_the_last_sample_of_each_prompt_is_shown(tmp_path: Path) -> None:
    one, two = a_run(tmp_path, "one", STEADY), a_run(tmp_path, "two", STEADY)
    SampleFile(one.path).append(LoggedSample(step=n, prompt=prompt, text=f"{n}") for n in (1, 2) for prompt in "ab")
    samples = compare([one, two]).samples
    assert {prompt: sample.text for prompt, sample in samples[0].items()} == {"a": "2", "b": "2"} and not samples[1]


def test_what_is_no_comparison_is_refused(tmp_path: Path) -> None:
    one = a_run(tmp_path, "one", STEADY)
    (tmp_path / "link").symlink_to(one.path)
    for runs, part in (([one], "two runs"), ([], "two runs"), ([one, RunFolder(tmp_path / "link")], "twice")):
        with pytest.raises(InputError, match=part):
            compare(runs)
    with pytest.raises(InputError, match=r"run\.json"):
        compare([one, RunFolder(tmp_path / "missing")])
    found = compare([one, RunFolder(tmp_path / "missing"), a_run(tmp_path, "two", STEADY)])
    assert [run.run for run in found.runs] == ["one", "two"], "the others are compared all the same"
    assert "left out" in found.remarks[-1] and "missing" in found.remarks[-1]


def test_a_course_ends_only_if_the_last_record_says_so(tmp_path: Path) -> None:
    resumed = a_run(tmp_path, "one", [*STEADY, step(251, 1.0)])
    assert read_course(resumed).ended == "" and read_course(resumed).steps[-1] == 251
