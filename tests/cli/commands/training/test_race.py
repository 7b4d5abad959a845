"""`rnnplay race`: real engines at the smallest size, and everything that is refused before one is started."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from rnnplay.cli.commands.training import race
from rnnplay.cli.support.reporters import JsonReporter
from rnnplay.config import RunConfig, with_values
from rnnplay.engine.client import EngineClient
from rnnplay.errors import InputError
from rnnplay.experiments import engines
from rnnplay.experiments.resumption import tag_dropped
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import describe_run
from rnnplay.runs.metrics.records import Step
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.workspace import Workspace
from tests.conftest import small_text
from tests.support import quick_engine
from tests.support.terminal import rnnplay_command
from tests.tui.stage import add_checkpoint

Invoke = Callable[..., Result]

SMALL = ("--corpus", "small", "--hidden", "8", "--embedding", "8", "--batch-size", "4", "--bptt", "16")


@pytest.fixture
def small(workspace: Path) -> Path:
    (workspace / "corpora" / "small.txt").write_text(small_text(), encoding="utf-8")
    return workspace


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that train nothing."""

    def start(workspace: Path, on_event: Any, on_exit: Any, _command: Any = None) -> EngineClient:
        return EngineClient(workspace, on_event, on_exit, [sys.executable, "-S", quick_engine.__file__])

    monkeypatch.setattr(engines, "EngineClient", start)


@pytest.mark.usefixtures("quick")
def test_a_race_as_json(invoke: Invoke, small: Path) -> None:
    """Plan, records, standings and outcome; seed and data are the same for all."""
    given = ("--vary", "cell=rnn,lstm", "--share", "steps", "--match-parameters", "--json")
    result = invoke("race", *SMALL, *given)
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [lines[0]["type"], lines[-1]["type"]] == ["race", "result"]
    assert {line["type"] for line in lines[1:-1]} == {"record", "standings"}
    assert [variant["label"] for variant in lines[0]["variants"]] == ["RNN", "LSTM"]
    rnn, lstm = (variant["config"] for variant in lines[0]["variants"])
    assert (rnn["seed"], rnn["corpus"]) == (lstm["seed"], lstm["corpus"]) == (1, "small")
    assert rnn["hidden"] > lstm["hidden"] == 8 and lines[0]["parameters"] > 100
    recorded = [line["record"]["type"] for line in lines if line["type"] == "record"]
    assert sorted(set(recorded)) == ["finished", "started", "validation"]
    tables = [line["standings"] for line in lines if line["type"] == "standings"]
    assert [tables[0]["at"], tables[-1]["at"]] == [0, 2]
    outcome = lines[-1]
    assert (outcome["at"], outcome["measure"], outcome["best_run"]) == ([2], "steps", "race-01-rnn")
    assert [one["figures"] for one in outcome["variants"]] == [[pytest.approx(0.018)]] * 2


@pytest.mark.usefixtures("quick")
def test_a_race_that_is_repeated_has_ranges(invoke: Invoke, small: Path) -> None:
    """And variants that cannot be trained are told, while the others go on."""
    result = invoke(
        "race", *SMALL, "--vary", "lr=0.1,0.105", "--vary", "device=cpu,cuda", "--repeat", "2", "--share", "threads"
    )
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("lr=0.1 device=cuda  There is no CUDA device here.") == 2
    assert "lr=0.1 device=cpu  step 2  valid 0.1080" in result.stderr
    head, columns, *rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert head == ["small: best validation loss, compared at 0:00."]
    assert columns == ["rank", "variant", "mean", "range", "seeds", "tok/s", "hidden", "params", "died", "run"]
    best, second = "lr=0.1 device=cpu", "lr=0.105 device=cpu"
    assert rows[0][:6] == ["1", best, "0.1130", "0.1080 to 0.1180", "2", "1.0k"]
    assert rows[1][:3] == ["2", second, "0.1180"]
    assert [row[:4] + row[8:9] for row in rows[2:4]] == [
        ["", f"lr={lr} device=cuda", "", "", "failed"] for lr in ("0.1", "0.105")
    ]
    assert [row[0] for row in rows[4:]] == [
        f"The ranges of {best} and {second} overlap over 2 seeds: their difference may be noise.",
        "Write with the best: rnnplay generate race-01-lr-0.1-device-cpu",
        "Look inside it: rnnplay inspect race-01-lr-0.1-device-cpu",
    ]


@pytest.mark.usefixtures("quick")
def test_a_race_with_one_seed_says_how_to_tell_noise(invoke: Invoke, small: Path) -> None:
    result = invoke("race", *SMALL, "--ready", "rates")
    *_, note, command, _, _ = result.stdout.splitlines()
    assert "may be noise" in note
    assert command.strip().startswith("rnnplay race --repeat 3 --corpus small")


@pytest.mark.usefixtures("quick")
def test_records_that_cannot_be_written_end_the_race(
    invoke: Invoke, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: JsonReporter, value: object) -> None:
        self.closed, self.failure = True, OSError(28, "No space left on device")

    monkeypatch.setattr(JsonReporter, "write", full)
    result = invoke("race", *SMALL, "--ready", "rates", "--json")
    assert result.exit_code == 1
    assert (
        "written to standard output (No space left on device), so the race has stopped; make room there, then start it"
        in (result.stderr)
    )


@pytest.mark.usefixtures("quick")
def test_how_well_parameters_are_matched_is_said(invoke: Invoke, small: Path) -> None:
    """The engine says that each has 9, and the setup has more."""
    result = invoke("race", *SMALL, "--vary", "cell=rnn,lstm", "--match-parameters")
    wanted = re.search("about ([0-9,]+) parameters each", result.stderr)
    assert wanted is not None
    off = 9 / int(wanted[1].replace(",", "")) - 1
    assert result.stdout.splitlines()[2].split("\t")[6] == f"9 ({off:+.1%})"


@pytest.mark.usefixtures("quick")
def test_one_whose_engine_ends_is_told_and_the_others_go_on(invoke: Invoke, small: Path) -> None:
    result = invoke("race", *SMALL, "--vary", "early_stop=0,9", "--json")
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    (failed,) = [line for line in lines if line["type"] == "failed"]
    assert failed == {
        "type": "failed",
        "variant": "early_stop 9",
        "run": "race-01-early_stop-9",
        "message": "Its engine has ended: it ended with exit code 3.",
    }
    assert [one["label"] for one in lines[-1]["variants"]] == ["early_stop never", "early_stop 9"]
    assert lines[-1]["variants"][1]["failures"] == [failed["message"]]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--vary", "lr=0.1"), "lr has one value"),
        (("--vary", "lr=1,2", "--ready", "cells"), "--vary and --ready both say what races"),
        (("--vary", "lr=1,2", "--vary", "lr=3,4"), "lr is there twice"),
        (("--vary", "lr=0.1..0.2"), "say how many, as in lr=0.1..0.2:3"),
        (("--vary", "learning_rate=1,2"), "unknown knob 'learning_rate'; did you mean lr?"),
        (("--vary", "hidden=1,024"), "a comma separates two values"),
        (("--ready", "cell"), "no ready-made set 'cell'"),
        (("--share", "half"), "'half' is not one of"),
        (("--repeat", "21"), "from 1 to 20"),
        (("--vary", "corpus=small,nowhere"), "There is no corpus 'nowhere'"),
        (("--vary", "hidden=8,16", "--match-parameters"), "parameters cannot be matched"),
        (("--vary", "seed=1,2"), "--repeat 3 trains each combination with three seeds"),
        (("--resume", "race-01", "--repeat", "2"), "--repeat cannot be given with --resume"),
        (("--resume", "race-01"), "There is no race race-01"),
        (("--run", "one"), "There is no option --run"),
    ],
)
def test_what_cannot_race_is_refused_at_once(invoke: Invoke, small: Path, given: tuple[str, ...], words: str) -> None:
    result = invoke("race", *SMALL, *given)
    assert result.exit_code == 2
    assert words in result.stderr and result.stderr.count("\n") == 1
    assert list((small / "checkpoints").iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_race_in_which_nothing_can_be_trained_fails(invoke: Invoke, small: Path) -> None:
    result = invoke("race", *SMALL, "--device", "cuda", "--vary", "lr=1,2")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: No variant could be trained to a validation. There is no CUDA device here.\n" in result.stderr
    assert list((small / "checkpoints").iterdir()) == []


def test_ctrl_c_ends_all_with_a_checkpoint_and_the_race_goes_on(invoke: Invoke, small: Path) -> None:
    """In a process of its own, with real engines; nothing that was trained is lost."""
    command = rnnplay_command(
        "race", *SMALL, "--eval-every", "10", "--vary", "cell=rnn,lstm", "--minutes", "10", "--share", "steps"
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        said = list(itertools.takewhile(lambda line: "valid" not in line, process.stderr))
        process.send_signal(signal.SIGINT)
        said += process.stderr.readlines()
        table = process.stdout.read()
    assert process.returncode == 0, said
    told = "".join(said)
    assert "Stopping with a checkpoint of each" in told and told.count("stopped") == 2
    assert {line.partition("\t")[2].partition("\t")[0] for line in table.splitlines()[1:4]} == {
        "variant",
        "RNN",
        "LSTM",
    }
    assert "To go on with the race: rnnplay race --resume race-01\n" in told
    assert "Or with one run of it alone: rnnplay train --resume --run race-01-rnn\n" in told
    reached: list[int] = []
    for name in ("race-01-rnn", "race-01-lstm"):
        folder = RunFolder(small / "checkpoints" / name)
        last = [record for record in folder.metrics() if isinstance(record, Step)][-1]
        assert folder.checkpoint("latest").step == last.step > 0
        reached.append(last.step)
    resumed = invoke("race", "--resume", "race-01", "--steps", str(max(reached) + 5), "--json")
    assert resumed.exit_code == 0, resumed.stderr
    lines = [json.loads(line) for line in resumed.stdout.splitlines()]
    started = {line["run"]: line["record"]["step"] for line in lines if line.get("record", {}).get("type") == "started"}
    assert started == dict(zip(("race-01-rnn", "race-01-lstm"), reached, strict=True))
    assert (lines[-1]["at"], lines[-1]["measure"]) == ([max(reached) + 5], "steps")
    tag_dropped(RunFolder(small / "checkpoints" / "race-01-rnn"))
    without = invoke("race", "--resume", "race-01", "--steps", str(max(reached) + 8))
    assert without.exit_code == 0 and "Not trained on: RNN (dropped).\n" in without.stderr, without.stderr
    assert "failed" not in without.stdout + without.stderr
    assert RunFolder(small / "checkpoints" / "race-01-rnn").checkpoint("latest").step == max(reached) + 5


def test_a_corpus_by_its_path_is_found_from_anywhere(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one.txt", "two.txt"):
        Path(name).write_text(small_text(), encoding="utf-8")
    setup = with_values(RunConfig(), {"hidden": 8})
    variants = race.chosen_variants(setup, ["corpus=one.txt,two.txt"], None, Workspace(workspace))
    assert [variant.config.corpus for variant in variants] == [str(tmp_path / "one.txt"), str(tmp_path / "two.txt")]
    with pytest.raises(InputError, match="both say what races"):
        race.chosen_variants(setup, ["lr=1,2"], "cells", Workspace(workspace))


def test_every_option_is_in_the_help(invoke: Invoke) -> None:
    shown = click.unstyle(invoke("race", "--help").stdout)
    for option in ("--vary", "--ready", "--share", "--equal", "--by", "--match-parameters", "--repeat", "--json"):
        assert option in shown


def test_all_variants_begin_with_the_weights_of_a_checkpoint(invoke: Invoke, small: Path) -> None:
    """In a real race: each run's first validation is that of the parent's checkpoint, and run.json names it."""
    few = ("--threads", "1", "--device", "cpu", "--precision", "float32")
    first = invoke("train", "--preset", "quick", *SMALL, *few, "--steps", "4", "--eval-every", "2", "--run", "first")
    assert first.exit_code == 0, first.stderr
    result = invoke("race", "--from", "first@4", "--vary", "lr=0.01,0.02", "--steps", "2", "--share", "steps", "--json")
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[0]["branch"]["checkpoint"] == "first@4" and lines[0]["setup"]["hidden"] == 8
    begins = [one["record"] for one in lines if one["type"] == "record" and one["record"]["type"] == "validation"]
    at_first = [one["loss"] for one in begins if one["step"] == 0]
    state = RunFolder(small / "checkpoints" / "first").checkpoint("4")
    assert at_first == [pytest.approx(state.loss, rel=1e-5)] * 2
    for run in ("race-01-lr-0.01", "race-01-lr-0.02"):
        parent = RunFolder(small / "checkpoints" / run).info().parent
        assert parent is not None and parent.name == "first@4"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--vary", "cell=rnn,gru"),
            "varied with --from: the variants begin with the weights of first@4, whose cell",
        ),
        (("--ready", "cells"), "cell cannot be varied with --from"),
        (("--vary", "lr=0.1,0.2", "--hidden", "9"), "hidden is 9, but the weights of first@4 have 8"),
        (("--match-parameters",), "--match-parameters cannot be given with --from"),
        (("--preset", "tiny"), "--preset cannot be given with --from"),
        (("--vary", "corpus=small,other"), "that the vocabulary of first lacks"),
        (("--resume", "race-01"), "--from cannot be given with --resume"),
    ],
)
def test_what_does_not_fit_the_weights_is_refused_before_anything_begins(
    words: tuple[str, ...], sentence: str, invoke: Invoke, small: Path
) -> None:
    folder = RunFolder(small / "checkpoints" / "first")
    config = with_values(RunConfig(), {"corpus": "small", "hidden": 8, "embedding": 8})
    corpus = encode_corpus(find_corpus("small", Workspace(small)), config, Workspace(small).cache)
    folder.create(describe_run(config, corpus, "first", 1, "2"), corpus.tokenizer)
    add_checkpoint(folder, 4, 1.0)
    (small / "corpora" / "other.txt").write_text(small_text().replace("e", "é"), encoding="utf-8")
    result = invoke("race", "--from", "first", *words)
    assert result.exit_code == 2 and sentence in result.stderr
    assert [path.name for path in (small / "checkpoints").iterdir()] == ["first"]
    assert invoke("race", "--with-optimizer").exit_code == 2
