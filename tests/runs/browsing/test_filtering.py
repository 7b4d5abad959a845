"""What is typed into the filter chooses the runs that it names, and nothing that is mistyped passes silently."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from rnnplay.config import knobs
from rnnplay.errors import InputError
from rnnplay.runs.browsing.filtering import begun_field, read_filter
from rnnplay.runs.index import ListedRun
from tests.runs.browsing.listed_runs import a_broken_run, a_run

ONE = a_run("tales-lstm-01", "2026-03-01T12:00:00+00:00", step=5000, valid=0.9, tags=("good",), note="Best so far")
TWO = a_run("poems-gru-02", "2026-04-20T12:00:00+00:00", step=100, valid=1.5, cell="gru", lr=0.01, corpus="/My.txt")
THREE = a_run("new", "2026-04-21T12:00:00+00:00", cell="rnn", tie=True, hidden=64, clip="off", parent=ONE)
RUNS = [ONE, TWO, THREE, a_broken_run("broken")]


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dates are those of Greenwich."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "tales-lstm-01 poems-gru-02 new broken"),
        ("tales", "tales-lstm-01 new"),  # the name, or the corpus
        ("TALES-", "tales-lstm-01"),
        ("best", "tales-lstm-01"),
        ('"so far"', "tales-lstm-01"),
        ("brok", "broken"),
        ("cell=lstm", "tales-lstm-01"),
        ("cell!=lstm", "poems-gru-02 new"),
        ("Cell:GRU", "poems-gru-02"),
        ("lr>=0.01", "poems-gru-02"),
        ("lr<0.01", "tales-lstm-01 new"),
        ("lr=2e-3", "tales-lstm-01 new"),
        ("lr==.002 cell=rnn", "new"),
        ("hidden<=64", "new"),
        ("tie=yes", "new"),
        ("clip=off", "new"),
        ("clip-threshold=1", "tales-lstm-01 poems-gru-02"),  # the third does not clip
        ("step>100", "tales-lstm-01"),
        ("step>=1,000", "tales-lstm-01"),
        ("step<1e9", "tales-lstm-01 poems-gru-02"),  # the third has none
        ("valid<1.5", "tales-lstm-01"),
        ("valid!=0.9", "poems-gru-02"),
        ("parameters=100", "tales-lstm-01 poems-gru-02 new"),
        ("corpus=my", "poems-gru-02"),
        ("corpus=my.txt", "poems-gru-02"),
        ("corpus=tales", "tales-lstm-01 new"),
        ("tag:good", "tales-lstm-01"),
        ("tag!=good", "poems-gru-02 new broken"),
        ("note=best", "tales-lstm-01"),
        ("parent=tales-lstm-01", "new"),
        ("parent=tales-lstm-01@3", "new"),
        ("run=new", "new"),
        ("created>=2026-04", "poems-gru-02 new"),
        ("created=2026-04-21", "new"),
        ("created<2026-04-20", "tales-lstm-01"),
        ("created<=2026-04-20", "tales-lstm-01 poems-gru-02"),
        ("created>2026-04-20", "new"),
        ("created>2025 created<2026-04", "tales-lstm-01"),
        ("created!=2026-03", "poems-gru-02 new"),
        ('created="2026-04-21 12:00"', "new"),
        ("average=0", "tales-lstm-01 poems-gru-02 new"),  # by its former name
        ("muon-ratio=2", ""),  # all have it, and in none of them it has an effect
        ("muon-ratio!=1", ""),
        ("nonlinearity=tanh", "new"),
        ("c:/texts", ""),
        ('"', "tales-lstm-01 poems-gru-02 new broken"),
    ],
)
def test_a_filter_chooses(text: str, names: str) -> None:
    assert [run.name for run in read_filter(text).chosen(RUNS)] == names.split()


def test_branches_are_found_by_the_present_name_of_their_parent() -> None:
    renamed = a_run("base", ONE.info.created if ONE.info else "")
    assert named("parent=base", [renamed, THREE]) == named("parent=base@3", [renamed, THREE]) == ["new"]
    assert named("parent=tales-lstm-01", [renamed, THREE]) == []
    assert named("parent=tales-lstm-01", [THREE]) == ["new"], "it is gone, and so is known by its last name"
    another = a_run("tales-lstm-01", "2026-05-01T12:00:00+00:00")
    assert named("parent=tales-lstm-01", [another, THREE]) == [], "the run of that name is not the parent"
    assert named("parent!=tales-lstm-01", [another, THREE]) == ["new"]


def named(text: str, runs: list[ListedRun]) -> list[str]:
    return [run.name for run in read_filter(text).chosen(runs)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lr>=", r"^lr>= needs a number, like lr>=0\.002\.$"),
        ("lr>=much", r"needs a number, like lr>=0\.002, not 'much'\."),
        ("lr<0,01", r"write 0\.01\.$"),
        ("cell=ls", r"^cell is rnn, lstm or gru, never 'ls'\.$"),
        ("cell=", r"^cell= needs a value: rnn, lstm or gru\.$"),
        ("cell>rnn", r"compared with = or !="),
        ("tie=perhaps", "true or false"),
        ("hiden=3", r"^Runs have no hiden; did you mean hidden\?$"),
        ("xyzzy=3", "there are step, valid"),
        ("tag=", "like tag=good"),
        ("valid<", "needs a number"),
        ("created>yesterday", r"like created>2026-03-01, not 'yesterday'\.$"),
        ("created=2026-02-31", "needs a date"),
        ("created=", "needs a date"),
        ("created=9999-12-31", "needs a date"),
        ("tales lr>", "lr> needs a number"),
    ],
)
def test_a_wrong_term_is_said_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_filter(text)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", ""),
        ("l", "lowercase"),
        ("lr", "lr"),
        ("x valid", "valid"),
        ("Clip-t", "clip_threshold"),
        ("lr ", ""),
        ("zz", ""),
    ],
)
def test_a_field_is_known_while_it_is_typed(text: str, field: str) -> None:
    assert begun_field(text) == field


def test_every_knob_can_be_asked_for() -> None:
    for name, spec in knobs().items():
        value = str(spec.default).lower() if spec.kind == "bool" else f"{spec.default}"
        run = a_run("one")
        assert run.info is not None
        assert bool(read_filter(f'{name}="{value}"').chosen([run])) is spec.relevant(run.info.config), name
