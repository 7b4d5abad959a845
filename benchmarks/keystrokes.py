"""Measures keystrokes saved: a run's model beside an n-gram of characters with back-off, on the same text.

    python -m benchmarks.keystrokes RUN [--workspace FOLDER] [--split test] [--order 6] [--characters 12000] [--model]
    python -m benchmarks.keystrokes RUN --curve 250,1000,9000 [--characters 3000]

The n-gram is counted on the run's training text; it backs off to the longest context that it has seen, and its ghost
is the most probable character each time to the end of a word, or of a phrase while each character's probability times
those before stays above 1/2. Both are taken with one key where they are right and at least two characters long. With
--model `rnnplay eval --keystrokes` is run on the same text, too: as trained, with dynamic evaluation, with a cache and
with both, which takes ten minutes for 12,000 characters. With --curve it is run at these checkpoints instead, as
trained and with both, and prints a table: what is saved, and hits (top 1 / top 5) by the letters typed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks import options_of
from rnnplay.runs.folder import find_run
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.text.tokenizers.characters import is_word_character
from rnnplay.workspace import Workspace
from tests.support.terminal import rnnplay_command

WAYS: tuple[tuple[str, ...], ...] = ((), ("--dynamic",), ("--cache",), ("--dynamic", "--cache"))


class NGram:
    """Counts of the characters after each context of up to `order` - 1 characters."""

    def __init__(self, text: str, order: int) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._order = order
        for at, character in enumerate(text):
            for length in range(min(order, at + 1)):
                self._counts[text[at - length : at]][character] += 1

    def next(self, context: str) -> tuple[str, float]:
        """The most probable next character, and its probability by the longest context that was seen."""
        for length in range(min(self._order - 1, len(context)), -1, -1):
            counts = self._counts.get(context[len(context) - length :])
            if counts:
                character, number = counts.most_common(1)[0]
                return character, number / counts.total()
        return " ", 0.0

    def ghost(self, context: str, phrase: bool) -> str:
        """Continues `context` to the end of a word, or of a phrase."""
        found, probability, within = "", 1.0, False
        while len(found) < 48:
            character, one = self.next(context + found)
            probability *= one
            part = is_word_character(character)
            if (phrase and probability < 0.5) or (not phrase and (character == "\n" or (within and not part))):
                break
            found += character
            within = part
        return found


def saved(ngram: NGram, text: str, phrase: bool) -> float:
    """The fraction of keystrokes that the n-gram saves."""
    at = keys = 0
    while at < len(text):
        ghosts = [ngram.ghost(text[:at][-20:], each) for each in {phrase, False}]
        right = [len(ghost) for ghost in ghosts if len(ghost) > 1 and text.startswith(ghost, at)]
        at, keys = at + max(right, default=1), keys + 1
    return 1 - keys / len(text)


def main() -> None:
    """Prints the fractions."""
    parser = options_of("benchmarks.keystrokes", __doc__)
    parser.add_argument("run")
    parser.add_argument("--workspace", type=Path, default=Path())
    parser.add_argument("--order", type=int, default=6)
    parser.add_argument("--characters", type=int, default=12_000)
    parser.add_argument("--model", action="store_true")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--curve", metavar="STEPS")
    options = parser.parse_args()
    if options.curve:
        curve(options)
        return
    workspace = Workspace(options.workspace)
    run = find_run(options.run, workspace)
    config, tokenizer = run.info().config, run.tokenizer()
    encoded = encode_corpus(find_corpus(config.corpus, workspace), config, workspace.cache, tokenizer=tokenizer)
    part = encoded.test if options.split == "test" else encoded.validation
    text = tokenizer.decode(part.ids.tolist())[: options.characters]
    ngram = NGram(tokenizer.decode(encoded.train.ids.tolist()), options.order)
    for name, phrase in (("word", False), ("word or phrase", True)):
        print(f"{options.order}-gram, {name}: {saved(ngram, text, phrase):.4f}", flush=True)
    if not options.model:
        return
    for way in WAYS:
        found = measured(options, "latest", way)["saved"]
        parts = ", ".join(f"{name} {fraction:.4f}" for name, fraction in found.items())
        print(f"{run.name}{''.join(f' {one}' for one in way)}: {parts}", flush=True)


def measured(options: argparse.Namespace, checkpoint: str, way: tuple[str, ...]) -> dict[str, Any]:
    """What `rnnplay eval --keystrokes` says."""
    words = ["eval", options.run, "--workspace", str(options.workspace), "--keystrokes", "--json", *way]
    words += ["--split", options.split, "--characters", str(options.characters), "--checkpoint", checkpoint]
    found: dict[str, Any] = json.loads(subprocess.run(rnnplay_command(*words), capture_output=True, check=True).stdout)
    return found


def curve(options: argparse.Namespace) -> None:
    """Prints a row for each checkpoint and way."""
    typed = range(5)
    titles = ["step", "adapts", "word", "phrase", "one of five", "five keys", *(f"{count} typed" for count in typed)]
    print(f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}", flush=True)
    for step in options.curve.split(","):
        for way in (WAYS[0], WAYS[-1]):
            found = measured(options, step, way)
            saved = (f"{100 * fraction:.1f}" for fraction in found["saved"].values())
            hits = (" / ".join(f"{100 * found['hits'][at][top]:.0f}" for top in ("top_1", "top_5")) for at in typed)
            print(f"| {int(step):,} | {'both' if way else ''} | {' | '.join((*saved, *hits))} |", flush=True)


if __name__ == "__main__":
    main()
