"""Checks the health line's verdicts on runs whose condition is known.

    python -m benchmarks.quality.health --texts FOLDER [--workspace DIR]

Each condition is trained once with `rnnplay train` on a real text; runs that the workspace already has are not trained
again. The rules were written with the first 33 runs in view; the ordinary settings, and then the fresh conditions, were
trained afterwards and are the check.
FOLDER holds tinyshakespeare.txt and wikitext-2/train.txt.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import options_of
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.health import Health, Verdict
from tests.support.terminal import rnnplay_command

SMALL: tuple[str, ...] = (
    "--preset",
    "tiny",
    "--schedule",
    "constant",
    "--threads",
    "1",
    "--precision",
    "float32",
    "--batch-size",
    "16",
)
SMALL += ("--bptt", "48", "--embedding", "32", "--hidden", "96", "--eval-tokens", "20000", "--keep", "1")
SMALL += ("--checkpoint-seconds", "0", "--clip", "norm", "--clip-threshold", "1", "--eval-every", "50")
LITTLE_TEXT = ("--split", "3/5/92")


@dataclass(frozen=True, slots=True)
class Condition:
    """A run and the verdicts that describe it; "" stands for silence."""

    name: str
    text: str
    expected: tuple[str, ...]
    options: tuple[str, ...]


def _condition(name: str, text: str, expected: str, options: str) -> Condition:
    return Condition(f"{text}-{name}", text, tuple(expected.split(",")), tuple(options.split()))


LEARNING, LEVEL, OVER, UNSTABLE, HIGH, LOW = (
    "learning",
    "levelled off",
    "overfitting",
    "unstable",
    "too high",
    "too low",
)

CONDITIONS = (
    # seen while the rules were written
    _condition("lstm", "shakespeare", LEARNING, "--steps 1000 --lr 0.004"),
    _condition("gru", "shakespeare", LEARNING, "--steps 700 --lr 0.004 --cell gru"),
    _condition("rnn", "shakespeare", LEARNING, "--steps 700 --lr 0.002 --cell rnn"),
    _condition("sgd", "shakespeare", LEARNING, "--steps 1200 --optimizer sgd --lr 2 --momentum 0.9"),
    _condition("cosine", "shakespeare", f"{LEARNING},{LEVEL}", "--steps 1000 --lr 0.01 --schedule cosine"),
    _condition("narrow", "shakespeare", LEVEL, "--steps 5000 --hidden 8 --embedding 8 --lr 0.01 --eval-every 200"),
    _condition("narrow-rnn", "shakespeare", LEVEL, "--steps 4000 --hidden 6 --cell rnn --lr 0.01 --eval-every 200"),
    _condition("finished", "shakespeare", LEVEL, "--steps 4000 --hidden 16 --lr 0.01 --schedule cosine --eval-every 200"),
    _condition("little", "shakespeare", OVER, f"--steps 2500 --lr 0.004 {' '.join(LITTLE_TEXT)}"),
    _condition("little-gru", "shakespeare", OVER, f"--steps 2000 --lr 0.004 --cell gru {' '.join(LITTLE_TEXT)}"),
    _condition("little-early", "shakespeare", f"{LEARNING},", f"--steps 500 --lr 0.002 {' '.join(LITTLE_TEXT)}"),
    _condition("unclipped-sgd", "shakespeare", f"{UNSTABLE},{HIGH}", "--steps 800 --optimizer sgd --lr 20 --momentum 0.9 --clip off --cell rnn"),
    _condition("relu", "shakespeare", f"{UNSTABLE},{HIGH}", "--steps 800 --cell rnn --nonlinearity relu --clip off --lr 0.03 --recurrent-gain 1.2"),
    _condition("carried-on", "shakespeare", f"{UNSTABLE},{HIGH}", "--steps 800 --cell rnn --optimizer sgd --lr 5 --momentum 0.9 --clip off --divergence off"),
    _condition("rate-0.1", "shakespeare", f"{HIGH},{UNSTABLE}", "--steps 800 --lr 0.1"),
    _condition("rate-0.1-rnn", "shakespeare", f"{HIGH},{UNSTABLE}", "--steps 800 --lr 0.1 --cell rnn"),
    _condition("rate-0.3", "shakespeare", f"{HIGH},{UNSTABLE}", "--steps 800 --lr 0.3"),
    _condition("rate-1e-5", "shakespeare", LOW, "--steps 1000 --lr 1e-5"),
    _condition("rate-3e-5", "shakespeare", LOW, "--steps 1000 --lr 3e-5"),
    _condition("rate-sgd-0.005", "shakespeare", LOW, "--steps 1000 --optimizer sgd --lr 0.005"),
    _condition("rate-1e-5-rnn", "shakespeare", LOW, "--steps 1000 --lr 1e-5 --cell rnn"),
    _condition("lstm", "tales", LEARNING, "--steps 400 --lr 0.003"),
    _condition("gru", "wikitext", LEARNING, "--steps 1200 --lr 0.002 --cell gru --hidden 128"),
    _condition("words", "wikitext", f"{LEARNING},", "--steps 800 --lr 0.002 --tokens word --max-vocabulary 4000"),
    _condition("narrow", "wikitext", LEVEL, "--steps 5000 --hidden 6 --embedding 8 --lr 0.01 --cell gru --eval-every 200"),
    _condition("narrow", "tales", LEVEL, "--steps 5000 --hidden 8 --embedding 8 --lr 0.02 --eval-every 200"),
    _condition("little", "wikitext", OVER, "--steps 2500 --lr 0.005 --split 0.3/1/98.7"),
    _condition("little-words", "wikitext", OVER, "--steps 1500 --lr 0.005 --tokens word --max-vocabulary 4000 --split 1/1/98"),
    _condition("rate-0.15", "wikitext", f"{HIGH},{UNSTABLE}", "--steps 800 --lr 0.15 --cell gru"),
    _condition("rate-0.2", "tales", f"{HIGH},{UNSTABLE}", "--steps 800 --lr 0.2"),
    _condition("unclipped", "wikitext", f"{UNSTABLE},{HIGH}", "--steps 800 --cell rnn --nonlinearity relu --clip off --lr 0.02 --recurrent-gain 1.3"),
    _condition("rate-2e-5", "wikitext", LOW, "--steps 1000 --lr 2e-5 --cell gru"),
    _condition("rate-1e-5", "tales", LOW, "--steps 800 --lr 1e-5"),
    # ordinary settings, of which nothing alarming may be said; trained after the rules were written
    _condition("quick", "shakespeare", f"{LEARNING},{LEVEL},", "--preset quick --steps 1000 --hidden 128 --schedule cosine --lr 0.01"),
    _condition("quick", "wikitext", f"{LEARNING},{LEVEL},", "--preset quick --steps 1000 --hidden 128 --schedule cosine --lr 0.01"),
    _condition("regularised", "shakespeare", f"{LEARNING},{LEVEL},", "--steps 1000 --lr 0.005 --dropout 0.4 --ema-decay 0.99"),
    _condition("warm-up", "shakespeare", f"{LEARNING},{LEVEL},", "--steps 1200 --lr 0.004 --schedule warmup --warmup-steps 500"),
    _condition("tied-words", "wikitext", f"{LEARNING},{LEVEL},", "--steps 800 --lr 0.003 --tokens word --max-vocabulary 4000 --embedding 96 --tie --optimizer adamw --weight-decay 0.1"),
    _condition("rate-0.02", "shakespeare", f"{LEARNING},{LEVEL},{HIGH},", "--steps 1000 --lr 0.02"),
    _condition("rate-0.03-gru", "tales", f"{LEARNING},{LEVEL},{HIGH},", "--steps 800 --lr 0.03 --cell gru"),
    _condition("rmsprop", "tales", f"{LEARNING},{LEVEL},", "--steps 800 --optimizer rmsprop --lr 0.002"),
    _condition("sgd", "wikitext", f"{LEARNING},{LEVEL},", "--steps 1200 --optimizer sgd --lr 1 --momentum 0.9"),
    _condition("rnn", "tales", f"{LEARNING},{LEVEL},", "--steps 800 --cell rnn --lr 0.003"),
    _condition("lines", "tales", f"{LEARNING},{LEVEL},", "--steps 800 --feed lines --lr 0.004"),
    # fresh: trained after the rules were final
    _condition("rate-5e-6", "wikitext", LOW, "--steps 1000 --lr 5e-6"),
    _condition("rate-sgd-0.003", "tales", LOW, "--steps 1000 --optimizer sgd --lr 0.003 --cell gru"),
    _condition("rate-0.2-rnn", "tales", f"{HIGH},{UNSTABLE}", "--steps 800 --lr 0.2 --cell rnn"),
    _condition("rate-0.15-gru", "shakespeare", f"{HIGH},{UNSTABLE}", "--steps 800 --lr 0.15 --cell gru"),
    _condition("little", "tales", OVER, "--steps 2500 --lr 0.005 --split 1/5/94"),
    _condition("little-words", "shakespeare", OVER, "--steps 1500 --lr 0.005 --tokens word --max-vocabulary 4000 --split 10/5/85"),
    _condition("narrow-rnn", "wikitext", LEVEL, "--steps 4000 --hidden 6 --embedding 8 --cell rnn --lr 0.01 --eval-every 200"),
    _condition("narrow-gru", "tales", LEVEL, "--steps 4000 --hidden 4 --embedding 8 --cell gru --lr 0.02 --eval-every 200"),
    _condition("lstm", "wikitext", LEARNING, "--steps 1000 --lr 0.003"),
    _condition("gru", "tales", LEARNING, "--steps 500 --lr 0.004 --cell gru"),
    _condition("unclipped-sgd", "wikitext", f"{UNSTABLE},{HIGH}", "--steps 800 --optimizer sgd --lr 15 --momentum 0.9 --clip off --cell rnn"),
)  # fmt: skip
# ruff: noqa: E501

SEEN, FRESH = 33, 44
"""The thresholds were set with the first conditions in view; the last were trained when the rules were final."""


def train(condition: Condition, texts: Path, workspace: Path) -> None:
    """Trains the run of `condition`, if the workspace does not have it."""
    if (workspace / "checkpoints" / condition.name / "run.json").exists():
        return
    files = {"shakespeare": "tinyshakespeare.txt", "wikitext": "wikitext-2/train.txt"}
    corpus = str(texts / files[condition.text]) if condition.text in files else condition.text
    arguments = ("train", "--workspace", str(workspace), "--run", condition.name, "--corpus", corpus)
    quiet = subprocess.DEVNULL
    subprocess.run(rnnplay_command(*arguments, *SMALL, *condition.options), stdout=quiet, stderr=quiet, check=False)


def verdicts(folder: RunFolder) -> tuple[list[str], Verdict | None]:
    """Returns the kinds of verdict at 30, 50 and 75 percent of a run, and the verdict at its end."""
    records = list(folder.metrics())
    last = max(record.step for record in records)
    marks = [0.3, 0.5, 0.75]
    health = Health(folder.info().config)
    before: list[str] = []
    for record in records:
        health.take(record)
        while marks and record.step >= marks[0] * last:
            found = health.verdict()
            before.append(found.kind if found else "–")
            marks.pop(0)
    return before, health.verdict()


def report(conditions: Sequence[Condition], workspace: Path) -> bool:
    """Prints the verdicts of a group of conditions and their counts; returns whether none is wrong."""
    counts = dict.fromkeys(("hit", "silent", "WRONG"), 0)
    for condition in conditions:
        before, found = verdicts(RunFolder(workspace / "checkpoints" / condition.name))
        kind = found.kind if found else ""
        grade = "hit" if kind in condition.expected else "silent" if not kind else "WRONG"
        counts[grade] += 1
        expected = " or ".join(one or "silence" for one in condition.expected)
        print(f"{grade:6} {condition.name:26} {expected:40} {' | '.join(before):40} {found.text if found else '–'}")
    print("  ".join(f"{grade}: {count}" for grade, count in counts.items()), flush=True)
    return not counts["WRONG"]


def main() -> None:
    parser = options_of("benchmarks.quality.health", __doc__)
    parser.add_argument("--texts", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--workspace", type=Path, metavar="DIR", help="where the runs are kept; else a temporary folder"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        workspace = options.workspace or Path(temporary)
        for condition in CONDITIONS:
            train(condition, options.texts, workspace)
        groups = (CONDITIONS[:SEEN], CONDITIONS[SEEN:FRESH], CONDITIONS[FRESH:])
        good = [report(group, workspace) for group in groups]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
