"""`rnnplay eval` and lists of runs: `<unk>` and windows are said, to people and to programs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rnnplay.cli.main import program

TRAIN = (
    "train --corpus small --hidden 8 --embedding 6 --batch-size 4 --bptt 8 --steps 3 --threads 1 --device cpu "
    "--precision float32"
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a run that knows its text, one that knows little of it, and one of lines."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "corpora").mkdir()
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    lines = [" ".join(words[(i * k) % 9] for k in range(1, 6)) for i in range(300)]
    (folder / "corpora" / "small.txt").write_text("\n".join(lines) + "\n")
    (folder / "corpora" / "chinese.txt").write_text("春眠不觉晓，处处闻啼鸟。\n" * 60, encoding="utf-8")
    for name, options in (("known", ""), ("unknown", "--tokens word --max-vocabulary 7"), ("lines", "--feed lines")):
        result = rnnplay(folder, *TRAIN.split(), "--run", name, *options.split())
        assert result.exit_code == 0, result.stderr
        assert ("<unk>" in result.stderr) is (name == "unknown")
    return folder


def rnnplay(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(program, ["--workspace", str(workspace), *words])


def test_a_text_that_is_mostly_unknown(workspace: Path) -> None:
    """An English model on Chinese: the fraction, a warning beside it, and bits of which what is hidden has its part."""
    told = rnnplay(workspace, "eval", "known", "--corpus", "chinese")
    assert "<unk>               92% of the tokens\n" in told.stdout
    assert told.stderr.startswith("Warning: 92% <unk> in chinese, validation: ")
    result = rnnplay(workspace, "eval", "known", "--corpus", "chinese", "--json")
    found = json.loads(result.stdout)
    assert "Warning" in result.stderr and result.stdout.count("\n") == 1
    assert found["unknown_fraction"] == pytest.approx(12 / 13, abs=0.01)
    assert found["bits_per_character"] > 8 * 3 * found["unknown_fraction"], "three bytes each in UTF-8"
    own = rnnplay(workspace, "eval", "known")
    assert "<unk>               none of the tokens\n" in own.stdout and not own.stderr


def test_runs_with_a_loss_that_is_mostly_of_unknown_tokens(workspace: Path) -> None:
    listed = rnnplay(workspace, "runs")
    marked = [line.split("\t")[0] for line in listed.stdout.splitlines() if "<unk>" in line]
    assert marked == ["unknown"]
    runs = {run["run"]: run["unknown_fraction"] for run in json.loads(rnnplay(workspace, "runs", "--json").stdout)}
    assert runs["known"] == runs["lines"] == 0 and runs["unknown"] > 0.3
    assert "% of the tokens" in rnnplay(workspace, "runs", "show", "unknown").stdout


def test_a_run_of_an_earlier_version_has_no_fraction(workspace: Path) -> None:
    path = workspace / "checkpoints" / "known" / "run.json"
    info = json.loads(path.read_bytes())
    kept = path.read_bytes()
    try:
        del info["unknown_fraction"]
        path.write_text(json.dumps(info))
        described = json.loads(rnnplay(workspace, "runs", "show", "known", "--json").stdout)
        assert described["unknown_fraction"] is None
        assert "<unk>            –\n" in rnnplay(workspace, "runs", "show", "known").stdout
    finally:
        path.write_bytes(kept)


def test_a_perplexity_of_seventy_digits_is_short(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rnnplay.training import evaluation

    found = evaluation.Evaluation(158.0, 2.3e68, 228.0, 10, 10.0)
    monkeypatch.setattr(evaluation, "evaluate", lambda *_, **__: found)
    assert "perplexity          2.3e+68\n" in rnnplay(workspace, "eval", "known").stdout


def test_windows(workspace: Path) -> None:
    """Deterministic, said how it was read, and the numbers of it are in JSON."""
    results = [rnnplay(workspace, "eval", "known", "--windows", "20", "--json") for _ in range(2)]
    assert results[0].stdout == results[1].stdout
    found = json.loads(results[0].stdout)
    assert (found["windows"], found["window_count"], found["seed"], found["tokens"]) == (20, 2000, 1, 40_000)
    other = json.loads(rnnplay(workspace, "eval", "known", "--windows", "20", "--seed", "2", "--json").stdout)
    assert other["loss"] != found["loss"] == pytest.approx(other["loss"], rel=0.02)
    told = rnnplay(workspace, "eval", "known", "--windows", "20", "--window-count", "0").stdout
    assert "tokens, one at every position, each from an empty context" in told
    assert "hidden state carried along" in rnnplay(workspace, "eval", "known").stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["known", "--seed", "3"], "--window-count and --seed need --windows N"),
        (["known", "--by-distance", "--windows", "3"], "leave --corpus, --split and --windows out"),
        (["lines", "--windows", "3"], "lines reads each line from an empty context already"),
        (["known", "--tokens", "9"], "need --dynamic or --cache"),
        (["known", "--cache-lambda", "0.5"], "need --dynamic or --cache"),
        (["known", "--cache", "--cache-lambda", "1"], "cache_lambda must be a number above 0, at most 0.99; got 1"),
        (["known", "--dynamic", "--windows", "3"], "leave --windows and --by-distance out"),
        (["lines", "--cache"], "--dynamic and --cache need a stream"),
        (["known", "--windows", "5000"], "a window of 5,000 needs one more than that"),
    ],
)
def test_windows_that_cannot_be(workspace: Path, words: list[str], complaint: str) -> None:
    result = rnnplay(workspace, "eval", *words)
    assert result.exit_code == 2 and complaint in result.stderr and result.stderr.count("\n") == 1


def test_a_model_that_adapts(workspace: Path) -> None:
    """The loss with and without, what was set, and a run that stays as it is."""
    weights = {path: path.read_bytes() for path in (workspace / "checkpoints" / "known").rglob("*.safetensors")}
    words = ["eval", "known", "--dynamic", "--cache", "--tokens", "200", "--dynamic-lr", "0.01"]
    found = json.loads(rnnplay(workspace, *words, "--json").stdout)
    assert found["tokens"] == 200 and found["adaptation"]["dynamic_lr"] == 0.01
    assert found["loss"] < found["unadapted_loss"]
    told = rnnplay(workspace, *words).stdout
    assert "as one sequence, adapted to by dynamic evaluation and a cache" in told and "without " in told
    assert weights == {path: path.read_bytes() for path in weights}
    plain = json.loads(rnnplay(workspace, "eval", "known", "--json").stdout)
    whole = json.loads(rnnplay(workspace, "eval", "known", "--cache", "--json").stdout)
    assert whole["unadapted_loss"] == pytest.approx(plain["loss"], rel=1e-5)
    assert whole["tokens"] == plain["tokens"]


def test_keystrokes_are_counted_on_a_split(workspace: Path) -> None:
    found = json.loads(
        rnnplay(workspace, "eval", "known", "--keystrokes", "--characters", "60", "--split", "test", "--json").stdout
    )
    assert (found["split"], found["characters"]) == ("test", 60)
    assert list(found["saved"]) == ["word", "phrase", "one_of_five", "five_keys"]
    assert all(0 <= fraction < 1 for fraction in found["saved"].values())
    assert [row["typed"] for row in found["hits"]] == list(range(6))
    told = rnnplay(workspace, "eval", "lines", "--keystrokes", "--characters", "20")
    assert "the first 20 characters" in told.stdout and "top 5" in told.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--characters", "5"), "--characters needs --keystrokes"),
        (("--keystrokes", "--windows", "9"), "--keystrokes measures the completion alone"),
    ],
)
def test_keystrokes_are_measured_alone(workspace: Path, words: tuple[str, ...], told: str) -> None:
    result = rnnplay(workspace, "eval", "known", *words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_perplexity_per_word_is_of_the_same_nats_whatever_the_tokens(workspace: Path) -> None:
    """Of the text as it stands: nats of all tokens by its words and newlines."""
    for run in ("known", "unknown"):
        found = json.loads(rnnplay(workspace, "eval", run, "--json").stdout)
        text = (workspace / "corpora" / "small.txt").read_text()
        part = text[-found["characters"] - 2 * len(text) // 100 :]  # longer than the part: its words are about as long
        each = len(part) / (len(part.split()) + part.count("\n"))
        assert found["words"] == pytest.approx(found["characters"] / each, rel=0.02)
        nats = found["bits_per_character"] * found["characters"] * math.log(2)
        assert math.log(found["word_perplexity"]) == pytest.approx(nats / found["words"], rel=1e-3)
        assert f"({found['words']:,} words between spaces" in rnnplay(workspace, "eval", run).stdout
    assert "word_perplexity" not in json.loads(rnnplay(workspace, "eval", "known", "--windows", "20", "--json").stdout)
