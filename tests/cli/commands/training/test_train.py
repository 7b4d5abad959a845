"""`rnnplay train` and what reads its runs: the JSON forms that other programs rely on, in processes of their own."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rnnplay.cli.main import program
from rnnplay.common.jsonl import decode_line
from rnnplay.common.processors import processors
from rnnplay.runs.checkpoint_state import read_state
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.metrics.records import Record

SENTENCES = ("the cat sat on the mat.", "a dog ran to the cat!", "she saw the old dog run.", "we sat by the sea.")
TEXT = "".join(f"{SENTENCES[i * i % 4]} {SENTENCES[(i + i // 3) % 4]}\n" for i in range(150))
TINY = ("--hidden", "12", "--embedding", "8", "--batch-size", "4", "--bptt", "16", "--threads", "1")
FAST = (*TINY, "--precision", "float32", "--lr", "0.01", "--device", "cpu")


def environment(workspace: Path) -> dict[str, str]:
    """Of a process in its own workspace."""
    kept = {name: value for name, value in os.environ.items() if name not in ("RNNPLAY_DEBUG", "NO_COLOR")}
    return {**kept, "RNNPLAY_WORKSPACE": str(workspace), "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def rnnplay(workspace: Path, *arguments: str) -> Done:
    """The command in this process, where torch is loaded once for all."""
    result = CliRunner().invoke(program, arguments, env=environment(workspace))
    return Done(result.exit_code, result.stdout, result.stderr)


def start(workspace: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own, not waited for."""
    return subprocess.Popen(
        [sys.executable, "-m", "rnnplay", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(workspace),
        encoding="utf-8",
    )


def records(output: str) -> list[dict[str, Any]]:
    """Every line of stdout; each must be a record."""
    for line in output.splitlines():
        decode_line(line, Record)
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a text; the tests of this file share it."""
    folder = tmp_path_factory.mktemp("train") / "workspace"
    (folder / "corpora").mkdir(parents=True)
    (folder / "checkpoints").mkdir()
    (folder / "corpora" / "pets.txt").write_text(TEXT, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(workspace: Path) -> list[dict[str, Any]]:
    """The records of the run "pets", 40 steps long."""
    arguments = ("--corpus", "pets", "--run", "pets", "--steps", "40", "--eval-every", "20", "--json")
    process = start(workspace, "train", *FAST, *arguments)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert errors == ""
    return records(output)


def test_the_records_of_a_run(trained: list[dict[str, Any]], workspace: Path) -> None:
    """Names and order as published; nothing else on stdout (the fixture decodes every line)."""
    kinds = [record["type"] for record in trained]
    assert kinds[0] == "started"
    assert kinds[-1] == "finished"
    by_kind = {kind: [record for record in trained if record["type"] == kind] for kind in set(kinds)}
    assert {"run", "parameters", "vocabulary", "device"} <= set(by_kind["started"][0])
    assert by_kind["started"][0]["run"] == "pets"
    assert [record["step"] for record in by_kind["step"]] == list(range(1, 41))
    assert {
        "step", "loss", "grad_norm", "grad_norm_clipped", "clipped", "lr", "tokens", "tokens_per_second",
    } <= set(by_kind["step"][0])  # fmt: skip
    assert [record["step"] for record in by_kind["validation"]] == [20, 40]
    assert {"step", "loss", "perplexity", "bits_per_character"} <= set(by_kind["validation"][0])
    assert Path(by_kind["checkpoint"][-1]["path"]).is_dir()
    assert by_kind["finished"] == [{"type": "finished", "step": 40, "reason": "length"}]
    assert by_kind["step"][-1]["loss"] < by_kind["step"][0]["loss"]


def test_a_run_of_that_name_is_not_overwritten(trained: list[dict[str, Any]], workspace: Path) -> None:
    """Hours of training are in it."""
    done = rnnplay(workspace, "train", *FAST, "--corpus", "pets", "--run", "pets", "--steps", "1", "--json")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--resume" in done.stderr


def test_resume_goes_on_to_a_new_length_and_no_other_model(trained: list[dict[str, Any]], workspace: Path) -> None:
    """Only the length and the live knobs can be given anew; a run that has reached its length says so."""
    rnnplay(workspace, "train", *FAST, "--corpus", "pets", "--run", "longer", "--steps", "10", "--json")
    over = rnnplay(workspace, "train", "--resume", "--run", "longer", "--json")
    assert over.returncode == 2
    assert "--steps" in over.stderr
    other = rnnplay(workspace, "train", "--resume", "--run", "longer", "--steps", "15", "--hidden", "13", "--json")
    assert other.returncode == 2
    assert "hidden is 13" in other.stderr
    done = rnnplay(
        workspace, "train", "--resume", "--run", "longer", "--steps", "15", "--clip-threshold", "0.25", "--json"
    )
    assert done.returncode == 0, done.stderr
    steps = [record for record in records(done.stdout) if record["type"] == "step"]
    assert [record["step"] for record in steps] == list(range(11, 16))
    assert all(float(record["grad_norm_clipped"]) <= 0.2501 for record in steps)
    # Without --run it is the newest.
    newest = rnnplay(workspace, "train", "--resume", "--steps", "17", "--json")
    assert records(newest.stdout)[0]["run"] == "longer"


def test_a_signal_stops_with_a_checkpoint(workspace: Path) -> None:
    """SIGTERM and ctrl-C alike; stderr says how to go on."""
    process = start(workspace, "train", *FAST, "--corpus", "pets", "--run", "stopped", "--minutes", "5", "--json")
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if '"step"' in line and json.loads(line)["type"] == "step":
            process.send_signal(signal.SIGINT)
            break
    rest, errors = process.communicate(timeout=60)
    got = records("".join(lines) + rest)
    assert process.returncode == 0, errors
    assert got[-1]["type"] == "finished"
    assert got[-1]["reason"] == "stopped"
    assert Path(workspace / "checkpoints" / "stopped" / f"step-{got[-1]['step']:09d}" / "state.json").is_file()
    assert "rnnplay train --resume --run stopped" in errors
    assert "Traceback" not in errors


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGSTOP")
def test_while_it_is_stopped_a_run_does_not_spend_its_minutes(workspace: Path) -> None:
    """ctrl+z and `fg`: it goes on where it was, on its schedule."""
    budget = 2.4
    length = ("--minutes", str(budget / 60), "--schedule", "cosine", "--eval-every", "0")
    process = start(workspace, "train", *FAST, "--corpus", "pets", "--run", "suspended", *length, "--json")
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if '"step"' in line and json.loads(line)["type"] == "step":
            break
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    with pytest.raises(subprocess.TimeoutExpired):  # longer than the budget, and than what a busy machine explains
        process.wait(timeout=budget + 0.6)
    process.send_signal(signal.SIGCONT)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    got = records("".join(lines) + rest)
    assert [one["reason"] for one in got if one["type"] == "finished"] == ["length"]
    rates = [one["lr"] for one in got if one["type"] == "step"]
    if len(rates) < 10 and os.getloadavg()[0] > 4 * len(processors()):
        pytest.skip("the machine is so busy that the time was over within some steps")
    falls = [before - after for before, after in pairwise(rates)]
    # On a busy machine a step takes long, too; a schedule that counted the stop would fall from its top to its end.
    assert max(falls) < 0.7 * max(rates), "the schedule jumps"
    assert rates[-1] < 0.5 * max(rates), "the schedule ends where the steps do"
    (said,) = [re.search(r"stood still for (\d+) s", one["message"]) for one in got if one["type"] == "notice"]
    assert said and int(said[1]) >= 2
    folder = RunFolder(workspace / "checkpoints" / "suspended")
    assert 0.7 * budget < read_state(folder.checkpoint().path).seconds < budget + 1


def test_a_reader_that_leaves_ends_the_run_with_a_checkpoint(workspace: Path) -> None:
    """`rnnplay train --json | head -3`."""
    process = start(workspace, "train", *FAST, "--corpus", "pets", "--run", "piped", "--minutes", "5", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["type"] == "started"
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0, errors
    assert "rnnplay train --resume --run piped" in errors
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors
    assert list((workspace / "checkpoints" / "piped").glob("step-*"))


def test_for_people_in_a_log(workspace: Path) -> None:
    """Plain lines on stderr, the result on stdout, no escape sequences."""
    done = rnnplay(workspace, "train", *FAST, "--corpus", "pets", "--run", "log", "--steps", "4", "--eval-every", "2")
    assert done.returncode == 0, done.stderr
    assert "rnnplay generate log" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert "log · pets · LSTM 1×12" in done.stderr
    assert done.stderr.count("  valid ") == 2
    assert "\x1b" not in done.stdout + done.stderr


def test_divergence_is_spelt_in_json(workspace: Path) -> None:
    """JSON has no NaN: other programs must be able to read every line."""
    done = rnnplay(
        workspace, "train", *TINY, "--corpus", "pets", "--run", "diverged", "--steps", "12", "--optimizer", "sgd",
        "--lr", "1000", "--clip", "off", "--cell", "rnn", "--nonlinearity", "relu", "--recurrent-gain", "5", "--json",
        "--divergence", "off",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    losses = [record["loss"] for record in records(done.stdout) if record["type"] == "step"]
    assert {"nan", "inf"} & set(losses)


EXPLOSIVE = (
    "--optimizer", "sgd", "--lr", "5", "--clip", "off", "--cell", "rnn", "--nonlinearity", "relu",
    "--recurrent-gain", "1.6", "--bptt", "40", "--device", "cpu", "--precision", "float32",
)  # fmt: skip


def test_an_explosion_is_rolled_back_and_told(workspace: Path) -> None:
    """By default; each event is a line, and the run ends as asked."""
    arguments = ("train", *TINY, "--corpus", "pets", "--steps", "40", *EXPLOSIVE, "--divergence-remedy", "clip")
    done = rnnplay(workspace, *arguments, "--run", "back", "--json")
    assert done.returncode == 0, done.stderr
    told = records(done.stdout)
    rollback = next(record for record in told if record["type"] == "rollback")
    assert {"step", "to", "cause", "remedy"} <= rollback.keys()
    assert (rollback["to"], rollback["remedy"], rollback["changed"]["clip"]) == (0, "clip", "norm")
    assert {"skipped", "tuned", "finished"} <= {record["type"] for record in told}
    plain = rnnplay(workspace, *arguments, "--run", "plain")
    assert plain.returncode == 0 and "back to step 0; clip is now norm" in plain.stderr


def test_a_run_that_diverges_for_good_ends_with_code_1(workspace: Path) -> None:
    done = rnnplay(
        workspace, "train", *TINY, "--corpus", "pets", "--run", "stop", "--steps", "40", *EXPLOSIVE,
        "--divergence", "stop", "--json",
    )  # fmt: skip
    assert done.returncode == 1
    assert records(done.stdout)[-1]["reason"] == "diverged"
    assert "last good step, 0" in done.stderr and "--resume --run stop" in done.stderr
    assert "Change something (--lr, --clip, --divergence); for example" in done.stderr


def test_what_is_set_already_is_no_advice(workspace: Path) -> None:
    """Neither is what a rollback set."""
    done = rnnplay(
        workspace, "train", *TINY, "--corpus", "pets", "--run", "again", "--steps", "40", *EXPLOSIVE,
        "--lr", "1000", "--divergence-remedy", "clip", "--max-rollbacks", "1", "--json",
    )  # fmt: skip
    assert done.returncode == 1
    assert records(done.stdout)[-1]["reason"] == "diverged"
    assert "Change something (--lr, --clip-threshold); for example" in done.stderr


def test_a_run_that_cannot_begin_is_not_said_to_go_on(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: RunFolder) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder.path))

    monkeypatch.setattr(RunFolder, "claim", refuse)
    done = rnnplay(workspace, "train", *FAST, "--corpus", "pets", "--run", "none", "--steps", "4")
    assert done.returncode == 1
    assert f"Read-only file system ({workspace / 'checkpoints' / 'none'})" in done.stderr
    assert "then start it again with: rnnplay train" in done.stderr and "--resume" not in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--run", "one")], ids=["new", "named"])
def test_where_the_folder_of_runs_is_none_training_says_so(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """It does not look for a free name for ever."""
    (tmp_path / "checkpoints").symlink_to(tmp_path / "nowhere")
    done = rnnplay(tmp_path, "train", *FAST, "--steps", "1", *arguments)
    assert done.returncode == 2
    assert "checkpoints is a link that leads nowhere, and has to be a folder; move it away" in done.stderr


def test_generate(trained: list[dict[str, Any]], workspace: Path) -> None:
    """The same seed draws the same text; a pipe gets prompt and text exactly; the folder's path will do."""
    arguments = ("--prompt", "the ", "--length", "30", "--seed", "5")
    found = json.loads(rnnplay(workspace, "generate", "pets", *arguments, "--json").stdout)
    assert list(found) == ["run", "step", "prompt", "text", "sampling"]
    assert (found["run"], found["step"], found["prompt"]) == ("pets", 40, "the ")
    assert len(found["text"]) == 30
    assert found["sampling"]["seed"] == 5
    path = str(workspace / "checkpoints" / "pets")
    assert rnnplay(workspace, "generate", path, *arguments).stdout == "the " + found["text"].removesuffix("\n") + "\n"
    unknown = rnnplay(workspace, "generate", "pets", "--prompt", "Ω", "--length", "3")
    assert "no token for 'Ω'" in unknown.stderr
    missing = rnnplay(workspace, "generate", "pest")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "pets" in missing.stderr


def test_complete(trained: list[dict[str, Any]], workspace: Path) -> None:
    """The suggestion, and tokens with probabilities, the most probable first."""
    found = json.loads(rnnplay(workspace, "complete", "pets", "the c", "--bars", "5", "--json").stdout)
    assert isinstance(found["suggestion"], str)
    assert len(found["next"]) == 5
    shares = [entry["probability"] for entry in found["next"]]
    assert shares == sorted(shares, reverse=True)
    assert all(set(entry) == {"token", "probability"} for entry in found["next"])
    assert rnnplay(workspace, "complete", "pets", "the c").stdout.startswith("the c" + found["suggestion"])


def test_eval(trained: list[dict[str, Any]], workspace: Path) -> None:
    """The loss is that of training's last validation, on the whole of the split; test is another part."""
    found = json.loads(rnnplay(workspace, "eval", "pets", "--json").stdout)
    assert {"loss", "perplexity", "bits_per_character", "tokens", "characters"} <= set(found)
    validation = [record for record in trained if record["type"] == "validation"][-1]
    assert found["loss"] == pytest.approx(validation["loss"], abs=0.02)
    test = json.loads(rnnplay(workspace, "eval", "pets", "--split", "test", "--json").stdout)
    assert test["loss"] != found["loss"]
    own = json.loads(rnnplay(workspace, "eval", "pets", "--corpus", "pets", "--json").stdout)
    assert own["loss"] == pytest.approx(found["loss"])


def test_runs(trained: list[dict[str, Any]], workspace: Path) -> None:
    """List and show; rm only of what is in the workspace, and only when told."""
    assert rnnplay(workspace, "train", *FAST, "--corpus", "pets", "--run", "old", "--steps", "2").returncode == 0
    listed = {run["run"]: run for run in json.loads(rnnplay(workspace, "runs", "--json").stdout)}
    assert {"lr", "clip", "clip_threshold"} <= set(listed["pets"])
    heads, *rows = (line.split("\t") for line in rnnplay(workspace, "runs").stdout.splitlines())
    pets = dict(zip(heads, next(row for row in rows if row[0] == "pets"), strict=True))
    assert float(pets["lr"]) == listed["pets"]["lr"]
    assert pets["clip"] == f"{listed['pets']['clip']} {listed['pets']['clip_threshold']:g}"
    assert listed["pets"]["step"] == 40
    assert listed["pets"]["model"] == "LSTM 1×12"
    shown = json.loads(rnnplay(workspace, "runs", "show", "pets", "--json").stdout)
    assert shown["config"]["hidden"] == 12
    assert [validation["step"] for validation in shown["validations"]] == [20, 40]
    assert "hidden" in rnnplay(workspace, "runs", "show", "pets").stdout
    for name in ("../workspace", "/", "..", "none"):
        refused = rnnplay(workspace, "runs", "rm", "--permanently", "--yes", "old", name)
        assert refused.returncode == 2
        assert (workspace / "checkpoints" / "old" / "run.json").exists()
    asked = rnnplay(workspace, "runs", "rm", "--permanently", "old")
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert (workspace / "checkpoints" / "old").exists()
    assert rnnplay(workspace, "runs", "rm", "--permanently", "old", "--yes").stdout == "Deleted old.\n"
    assert not (workspace / "checkpoints" / "old").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_records_that_cannot_be_written_are_no_success(trained: list[dict[str, Any]], workspace: Path) -> None:
    """A full disk behind `> file` is told; a reader that has left, as in `| head`, had what it wanted."""
    command = [sys.executable, "-m", "rnnplay", "train", *FAST, "--corpus", "pets", "--run", "full"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*command, "--workspace", str(workspace), "--minutes", "5", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "cannot be written to standard output (No space left on device)" in done.stderr
    assert "rnnplay train --resume --run full" in done.stderr
