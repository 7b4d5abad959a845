"""Checks the health line's verdicts on runs whose condition is known.

    python -m benchmarks.health --texts FOLDER [--workspace DIR] [--only NAME,…] [--train]

Each condition is trained once with `rnnplay train` on a real text; runs that the workspace already has are not trained
again. The rules were calibrated on the conditions of Tiny Shakespeare alone; those of the other texts are the check.
FOLDER holds tinyshakespeare.txt and wikitext-2/train.txt.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import options_of
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
    # calibration: Tiny Shakespeare
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
    # check: other texts, rates and sizes
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
)  # fmt: skip
# ruff: noqa: E501


def train(condition: Condition, texts: Path, workspace: Path) -> None:
    """Trains the run of `condition`, if the workspace does not have it."""
    if (workspace / "checkpoints" / condition.name / "run.json").exists():
        return
    files = {"shakespeare": "tinyshakespeare.txt", "wikitext": "wikitext-2/train.txt"}
    corpus = str(texts / files[condition.text]) if condition.text in files else condition.text
    arguments = ("train", "--workspace", str(workspace), "--run", condition.name, "--corpus", corpus)
    quiet = subprocess.DEVNULL
    subprocess.run(rnnplay_command(*arguments, *SMALL, *condition.options), stdout=quiet, stderr=quiet, check=False)


def main() -> None:
    parser = options_of("benchmarks.health", __doc__)
    parser.add_argument("--texts", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--workspace", type=Path, metavar="DIR", help="where the runs are kept; else a temporary folder"
    )
    parser.add_argument("--only", default="", help="names of conditions, separated by commas")
    options = parser.parse_args()
    only = set(options.only.split(",")) - {""}
    with tempfile.TemporaryDirectory() as temporary:
        workspace = options.workspace or Path(temporary)
        for condition in CONDITIONS:
            if not only or condition.name in only:
                train(condition, options.texts, workspace)
                print(condition.name, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
