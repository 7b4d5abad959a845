"""Tables hold what still counts after rollbacks, exact, in columns that other programs read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from rnnplay.experiments.export.export import export
from rnnplay.experiments.export.kept_records import kept_records
from rnnplay.experiments.export.request import Export
from rnnplay.runs.metrics.records import Notice, Record, Rollback, Step, Tuned
from rnnplay.workspace import Workspace
from tests.experiments.export.made_runs import make_run, step


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_steps_that_a_rollback_undid_are_left_out_of_the_tables(workspace: Workspace, tmp_path: Path) -> None:
    export(Export([make_run(workspace)], "csv", tmp_path / "out"))
    steps = rows(tmp_path / "out" / "steps.csv")
    assert [(row["run"], row["step"], row["loss"]) for row in steps] == [
        ("run", "1", "2.0"),
        ("run", "2", "2.0"),
        ("run", "3", "1.75"),
    ]
    assert steps[1]["clipped"] == "true" and steps[1]["grad_norm"] == "3.0" and steps[1]["grad_norm_clipped"] == "1.0"
    assert [row["loss"] for row in rows(tmp_path / "out" / "validations.csv")] == ["1.5", "1.25"]


def test_events_that_a_rollback_undid_stay_and_are_marked(workspace: Workspace, tmp_path: Path) -> None:
    export(Export([make_run(workspace)], "csv", tmp_path / "out"))
    events = rows(tmp_path / "out" / "events.csv")
    assert [(row["event"], row["undone"]) for row in events] == [
        ("skipped", "true"),
        ("rollback", "false"),
        ("tuned", "false"),
        ("finished", "false"),
    ]
    assert events[1]["message"] == "loss not finite: back to step 2; lr is now 0.005"
    assert (events[2]["knob"], events[2]["value"], events[3]["reason"]) == ("lr", "0.005", "length")


def test_each_record_knows_whether_any_later_rollback_went_back_before_it(workspace: Workspace) -> None:
    def back(number: int, to: int) -> Rollback:
        return Rollback(step=number, to=to, cause="by hand", remedy="none")

    records: list[Record] = [
        step(1),
        step(2),
        back(2, 1),
        step(2),
        step(3),
        back(3, 0),
        Tuned(step=0, knob="lr", value=1),
    ]
    records += [step(1), step(2), back(2, 1), step(2)]
    kept = list(kept_records(make_run(workspace, records=records).log))
    assert [record for record, _ in kept] == records
    assert [undone for record, undone in kept if isinstance(record, Step)] == [True] * 4 + [False, True, False]
    assert not any(undone for record, undone in kept if not isinstance(record, Step))


def test_several_runs_are_told_apart_by_their_first_column(workspace: Workspace, tmp_path: Path) -> None:
    runs = [make_run(workspace, name) for name in ("one", "two")]
    export(Export(runs, "csv", tmp_path / "out"))
    assert [row["run"] for row in rows(tmp_path / "out" / "steps.csv")] == ["one"] * 3 + ["two"] * 3


def test_a_message_is_never_a_formula_for_a_spreadsheet(workspace: Workspace, tmp_path: Path) -> None:
    run = make_run(workspace, records=[Notice(step=1, message='=HYPERLINK("http://x")')])
    export(Export([run], "csv", tmp_path / "out"))
    assert rows(tmp_path / "out" / "events.csv")[0]["message"].startswith("'=")


def test_json_lines_are_the_records_after_a_line_about_the_run(workspace: Workspace, tmp_path: Path) -> None:
    export(Export([make_run(workspace)], "jsonl", tmp_path / "run.jsonl"))
    first, *others = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    assert first["type"] == "run" and first["config"]["hidden"] == 8 and first["run"] == "run"
    assert [line["type"] for line in others] == [
        "step", "step", "validation", "skipped", "rollback", "tuned", "step", "validation", "finished",
    ]  # fmt: skip
    assert [line["type"] for line in others if line.get("undone")] == ["skipped"]
