"""The list of runs, apart from its widget: what is shown, in which order, and what is chosen."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from rnnplay.runs.browsing.sorting import Order
from rnnplay.runs.browsing.training_now import Training
from rnnplay.runs.lock import Holder
from rnnplay.tui.runs import run_browser
from rnnplay.tui.runs.run_browser import MOST_CHOSEN, RunBrowser
from rnnplay.tui.runs.run_cells import COLUMNS, GAP, cells_of, column_at, fit_columns, natural_widths
from tests.runs.browsing.listed_runs import a_broken_run, a_run

ROOT = a_run("root", "2026-03-01T10:15:00+00:00", step=12_345, valid=0.94842, corpus="/texts/my text.txt")
CHILD = a_run("child", "2026-03-02T10:15:00+00:00", cell="gru", clip="off", tags=("good", "fig2"), parent=ROOT)
OTHER = a_run("other", "2026-03-03T10:15:00+00:00", step=7, valid=1.5, layers=2, tokens="word", lr=0.01)
RUNS = [ROOT, CHILD, OTHER, a_broken_run("broken")]


@pytest.fixture
def browser() -> RunBrowser:
    browser = RunBrowser(2026)
    browser.take(RUNS)
    return browser


def shown(browser: RunBrowser) -> list[str]:
    return [f"{row.lines}{row.run.name}" for row in browser.rows]


def test_a_run_in_words() -> None:
    assert cells_of(ROOT, 2025) == {
        "run": "root",
        "now": "",
        "corpus": "my text.txt",
        "model": "LSTM 1×256",
        "lr": "0.002",
        "clip": "norm 1",
        "step": "12,345",
        "valid": "0.948",
        "created": cells_of(ROOT, 2025)["created"],
        "tags": "",
    }
    assert cells_of(ROOT, 2025)["created"] == f"2026-{cells_of(ROOT, 2026)['created']}"
    assert cells_of(OTHER, 2026)["model"] == "LSTM 2×256 word"
    assert (cells_of(CHILD, 2026)["step"], cells_of(CHILD, 2026)["tags"]) == ("none", "good fig2")
    assert cells_of(RUNS[-1], 2026)["model"] == "cannot be read"


def test_the_list_is_filtered_and_a_wrong_filter_leaves_it_as_it_is(browser: RunBrowser) -> None:
    assert shown(browser) == ["other", "child", "root", "broken"]
    assert browser.filter("cell=lstm") == "" and shown(browser) == ["other", "root"]
    assert "needs a number" in browser.filter("cell=lstm lr>") and shown(browser) == ["other", "root"]
    assert browser.count_text == "2 of 4 runs"
    browser.take([*RUNS, a_run("new", "2026-03-04T10:15:00+00:00")])
    assert shown(browser) == ["new", "other", "root"], "the filter holds for runs that come"
    assert browser.filter("") == "" and browser.count_text == "5 runs"


def test_a_key_in_the_filter_sorts_nothing(browser: RunBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorting thousands of runs at each key is felt; they are in order already."""
    browser.sort_by("valid")
    monkeypatch.setattr(run_browser, "in_order", None)
    browser.filter("cell=lstm")
    assert shown(browser) == ["root", "other"]
    browser.filter("")
    assert shown(browser) == ["root", "other", "child", "broken"]


def test_the_name_of_a_field_that_is_being_typed_does_not_empty_the_list(browser: RunBrowser) -> None:
    for text in ("hid", "hidden", "cell=lstm hidd"):
        assert browser.filter(text).endswith("to compare hidden, go on with = != < <= > or >=.")
        assert len(browser.rows) == 4
    assert browser.filter("roo") == "" and shown(browser) == ["root"]
    assert browser.filter("nothing like it") == "" and not browser.rows
    assert browser.filter("hidden") == ""


def test_the_list_is_ordered_by_a_column_and_by_the_next(browser: RunBrowser) -> None:
    browser.sort_by("valid")
    assert shown(browser) == ["root", "other", "child", "broken"]
    browser.sort_by("valid")
    assert browser.order == Order("valid", True)
    browser.sort_by("now")
    assert browser.order == Order("valid", True), "nothing to order by"
    browser.sort_by_next(["run", "now", "valid", "created"])
    assert browser.order.column == "created"
    browser.sort_by_next(["run", "valid", "created"])
    assert browser.order.column == "run"


def test_branches_are_below_their_parents_on_demand(browser: RunBrowser) -> None:
    browser.switch_tree()
    assert shown(browser) == ["other", "root", "└ child", "broken"] and browser.indent == 2
    browser.filter("child")
    assert shown(browser) == ["child"]


def test_chosen_runs_stay_chosen_while_there_is_room(browser: RunBrowser) -> None:
    assert browser.choose("child") and browser.choose("root") and browser.chosen == ["child", "root"]
    browser.rename("child", "renamed")
    browser.filter("other")
    assert browser.chosen == ["renamed", "root"], "what the filter hides stays chosen"
    browser.take([OTHER, ROOT])
    assert browser.chosen == ["root"] and browser.count_text == "1 of 2 runs, 1 chosen"
    assert browser.choose("root") and not browser.chosen
    browser.take([a_run(f"run-{number}") for number in range(20)])
    assert [browser.choose(f"run-{number}") for number in range(20)].count(True) == MOST_CHOSEN


def test_runs_that_are_being_trained_are_marked_with_their_pace(browser: RunBrowser) -> None:
    assert not browser.widths["now"]
    training = {"root": Training(Holder(7), 13_000, 12.4), "elsewhere": Training(Holder(8), 1, 1.0)}
    assert browser.take_training(training) and not browser.take_training(dict(training))
    assert browser.cells("root")["now"] == "● 12 steps/s" and browser.cells("root")["step"] == "13,000"
    assert browser.widths["now"] == len("● 12 steps/s") and browser.cells("other")["now"] == ""
    assert browser.count_text == "4 runs, 1 being trained"


def test_the_cursor_goes_to_a_neighbour_of_a_removed_run(browser: RunBrowser) -> None:
    assert [browser.beside(name) for name in ("other", "root", "broken", "gone")] == ["child", "broken", "root", None]
    browser.take([ROOT])
    assert browser.beside("root") is None


@pytest.mark.parametrize("available", range(1, 160, 7))
def test_columns_fit_and_the_name_is_the_last_to_be_cut(available: int) -> None:
    widths = natural_widths([cells_of(run, 2026) for run in RUNS]) | {"run": 40, "now": 12}
    columns = fit_columns(widths, available, indent=4)
    assert columns[0].name == "run" and [name for name in COLUMNS if name in dict(columns)] == list(dict(columns))
    assert sum(column.width for column in columns) + GAP * (len(columns) - 1) <= max(available, 1)
    if len(columns) == len(COLUMNS):
        assert columns[0].width >= 24
    for at in range(available):
        column = column_at(columns, at)
        assert column is None or column in dict(columns)


def test_wide_characters_count_twice_and_empty_columns_are_left_out() -> None:
    rows = [cells_of(a_run("模型-01"), 2026)]
    widths = natural_widths(rows)
    assert widths["run"] == cell_len("模型-01") == 7 and not widths["tags"] and not widths["now"]
    assert "tags" not in dict(fit_columns(widths, 200))
