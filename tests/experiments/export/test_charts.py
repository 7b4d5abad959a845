"""Charts draw what counts of a run, say what is drawn, and are the same bytes for the same run."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnplay.experiments.export import charts
from rnnplay.experiments.export.charts import Ink, chart
from rnnplay.experiments.export.curves import Curves, averaged, read_curves, thinned
from rnnplay.experiments.export.export import export
from rnnplay.experiments.export.request import Export
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Finished, Record, Tuned
from rnnplay.workspace import Workspace
from tests.experiments.export.made_runs import ROLLED_BACK, make_run, step, validation

WITH_TEXT = Ink(text_as_paths=False)


def texts(curves: list[Curves]) -> list[str]:
    """All that a chart says."""
    root = ElementTree.fromstring(chart(curves, "svg", WITH_TEXT))
    return ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]


def test_curves_are_without_what_a_rollback_undid(workspace: Workspace) -> None:
    curves = read_curves(make_run(workspace))
    assert curves.step.tolist() == [1, 2, 3]
    assert curves.loss.tolist() == [2.0, 2.0, 1.75]
    assert curves.validation_loss.tolist() == [1.5, 1.25]
    assert curves.returns == [2] and not curves.diverged


def test_a_chart_names_its_axes_with_units_and_its_curves(workspace: Workspace) -> None:
    told = texts([read_curves(make_run(workspace))])
    for wanted in (
        "loss (nats per token)", "gradient norm (L2)", "step", "training", "validation", "before clipping",
        "clipping threshold 1", "rollback to here",
    ):  # fmt: skip
        assert wanted in told


def test_several_runs_are_named_and_their_common_threshold_once(workspace: Workspace) -> None:
    told = texts([read_curves(make_run(workspace, name)) for name in ("one", "two")])
    assert {"one", "two", "lines: training, marks: validation"} <= set(told)
    assert told.count("clipping threshold 1") == 1
    told = texts([read_curves(make_run(workspace, f"r{n}", clip_threshold=n)) for n in range(1, 8)])
    assert {f"r{n}" for n in range(1, 8)} <= set(told) and "clipping thresholds" in told


def raced(workspace: Workspace, name: str, losses: list[float], **knobs: Any) -> RunFolder:
    records: list[Record] = [
        *(step(number, loss) for number, loss in enumerate(losses, 1)),
        validation(len(losses), losses[-1]),
    ]
    return make_run(workspace, f"race-01-{name}", records, **knobs)


def said_in(runs: list[RunFolder], tmp_path: Path) -> list[str]:
    """All letters of the chart of `runs` as it is written: its labels are those of the race."""
    seen: list[list[Curves]] = []

    def noted(curves: list[Curves], *_: Any, **__: Any) -> bytes:
        seen.append(curves)
        return b""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "chart", noted)
        charts.write_chart(runs, tmp_path / "chart.svg", "svg")
    return texts(seen[0])


def test_the_variants_of_a_race_are_called_as_there(workspace: Workspace, tmp_path: Path) -> None:
    runs = [raced(workspace, cell, [2.0, 1.5], cell=cell) for cell in ("rnn", "lstm")]
    assert {"RNN", "LSTM"} <= set(said_in(runs, tmp_path))
    other = make_run(workspace, "other")
    assert {"race-01-rnn", "other"} <= set(said_in([runs[0], other], tmp_path)), "not of one race: by their names"


def test_seeds_of_a_variant_are_one_curve_with_their_range(workspace: Workspace, tmp_path: Path) -> None:
    runs = [
        raced(workspace, f"{cell}{f'-seed-{seed}' * (seed > 1)}", [2.0, 1.0 + seed, seed], cell=cell, seed=seed)
        for cell in ("rnn", "lstm")
        for seed in (1, 2, 3)
    ]
    told = said_in(runs, tmp_path)
    assert told.count("RNN") == told.count("LSTM") == 1
    assert "mean and range over 3 seeds; lines: training, marks: validation" in told
    seeds = [read_curves(run) for run in runs[:3]]
    mean = charts.mean_of(seeds)
    assert mean.loss == pytest.approx(np.mean([averaged(one.loss) for one in seeds], axis=0))
    assert (mean.validation_step.tolist(), mean.validation_loss.tolist()) == ([3.0], [2.0])


def test_validations_of_seeds_at_no_common_step_are_marked_one_by_one(workspace: Workspace, tmp_path: Path) -> None:
    """Runs of equally many minutes end at different steps: without these the picture had lines alone."""
    runs = [
        raced(workspace, f"{cell}{f'-seed-{seed}' * (seed > 1)}", [2.0] * (2 + seed), cell=cell, seed=seed)
        for cell in ("rnn", "lstm")
        for seed in (1, 2)
    ]
    assert "mean and range over 2 seeds; lines: training, marks: validation of each" in said_in(runs, tmp_path)
    curves = [replace(read_curves(run), variant=run.name[8:11]) for run in runs]
    assert [len(charts.mean_of(curves[at : at + 2]).validation_step) for at in (0, 2)] == [0, 0]
    root = ElementTree.fromstring(chart(curves, "svg", WITH_TEXT))
    drawn = [
        one for one in root.iter("{http://www.w3.org/2000/svg}use") if one.get("{http://www.w3.org/1999/xlink}href")
    ]
    blue = [one for one in drawn if "#0072b2" in (one.get("style") or "")]
    assert len(blue) == 2 + 2 + 1, "the ranges in both charts, two validations, and the mark in the legend"


def test_a_run_that_diverges_does_not_squeeze_the_others_in_print(workspace: Workspace, tmp_path: Path) -> None:
    usual = [4.0 - step / 20 for step in range(50)]
    runs = [raced(workspace, "lr-0.01", usual, lr=0.01), raced(workspace, "lr-0.02", usual, lr=0.02)]
    runs.append(raced(workspace, "lr-900", [4.0, *[900.0] * 49], lr=900.0))
    told = said_in(runs, tmp_path)
    assert {"lr 0.01", "lr 0.02", "lr 900 (above the plot)"} <= set(told)
    assert "800" not in told and {"2.0", "3.0"} <= set(told), "the axis is that of the others"


def test_runs_are_compared_by_tokens(workspace: Workspace) -> None:
    curves = read_curves(make_run(workspace)).by_tokens()
    assert curves.step.tolist() == [100, 200, 300] and curves.validation_step.tolist() == [200, 300]
    assert curves.returns == [200] and curves.last_step == 300
    root = ElementTree.fromstring(chart([curves], "svg", WITH_TEXT, x="tokens"))
    assert "tokens trained on" in ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([step(1), step(2), Finished(step=2, reason="diverged")], None),
        ([step(1), step(2, loss=9e9), Finished(step=2, reason="diverged")], None),
        ([step(1), step(2), step(3, loss=float("nan")), step(4, loss=float("nan"))], "not finite from 3 on"),
        ([step(1, loss=float("inf"), norm=0.0)], None),
        ([validation(0)], "no step that counts"),
        ([], "no step that counts"),
    ],
)
def test_runs_that_went_wrong_are_drawn_all_the_same(
    workspace: Workspace, records: list[Record], said: str | None
) -> None:
    told = texts([read_curves(make_run(workspace, records=records))])
    assert said is None or said in told


def test_the_threshold_follows_the_knob_and_what_clipping_did_before(workspace: Workspace) -> None:
    def clipped(number: int, at: float) -> Record:
        return step(number, norm=3.0, grad_norm_clipped=at, clipped=True)

    tuned: list[Record] = [
        clipped(1, 1.0), clipped(2, 1.0), Tuned(step=2, knob="clip_threshold", value=0.5), clipped(3, 0.5),
        Tuned(step=3, knob="clip", value="off"), step(4), Tuned(step=4, knob="clip", value="norm"), clipped(5, 0.5),
    ]  # fmt: skip
    found = read_curves(make_run(workspace, records=tuned)).threshold
    assert found == [(0, 1.0), (2, 0.5), (3, None), (4, 0.5)]
    assert read_curves(make_run(workspace, "plain", clip_threshold=0.7)).threshold == [(0, 0.7)]
    assert read_curves(make_run(workspace, "off", clip="off")).threshold == [(0, None)]
    assert read_curves(make_run(workspace, "value", clip="value")).threshold == [(0, None)]


def test_a_thinned_curve_keeps_its_peaks_in_their_places() -> None:
    steps, values = np.arange(100_000.0), np.zeros(100_000)
    values[[7, 50_001, 99_999]] = 5.0, -3.0, 2.0
    values[1000:3000] = np.nan
    x, y = thinned(steps, values, 2000)
    assert len(x) <= 2002 and (np.diff(x) >= 0).all()
    for place in (7, 50_001, 99_999):
        assert y[x == place].tolist()[:1] == [values[place]]
    assert np.isnan(y[(x > 1100) & (x < 2900)]).all()
    assert thinned(steps, values, 200_000)[0] is steps


def test_one_spike_does_not_lift_the_average() -> None:
    values = np.full(500, 2.0)
    values[250] = 1e6
    values[100] = np.nan
    smooth = averaged(values)
    assert np.nanmax(smooth) < 4 and np.isnan(smooth[100]) and smooth[-1] == pytest.approx(2, rel=0.01)


def test_the_same_runs_give_the_same_bytes(workspace: Workspace, tmp_path: Path) -> None:
    run = make_run(workspace, records=[*ROLLED_BACK, Finished(step=3, reason="diverged")])
    one, two = tmp_path / "1.svg", tmp_path / "2.svg"
    export(Export([run], "svg", one))
    export(Export([run], "svg", two))
    assert one.read_bytes() == two.read_bytes() and b"Loss and gradient norm of run" in one.read_bytes()
    export(Export([run, make_run(workspace, "other")], "png", tmp_path / "1.png"))
    assert (tmp_path / "1.png").read_bytes().startswith(b"\x89PNG")
