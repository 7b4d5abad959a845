"""Measures keystrokes saved: a run's model beside an n-gram of characters with back-off, on the same text.

    python -m benchmarks.quality.keystrokes RUN [--workspace FOLDER] [--split test] [--order 6] [--characters 12000]
        [--model]
    python -m benchmarks.quality.keystrokes RUN --curve 250,1000,9000 [--characters 3000]

The n-gram is counted on the run's training text, and measured twice: with its most probable continuation, the character
that most often followed the longest context that it has seen, to the end of a word, or of a phrase while the product of
these fractions stays above 1/2, each taken with one key where it is right and at least two characters long; and by the
same search for words and phrases as a model, with smoothed probabilities and the same words known.

With --model `rnnplay eval --keystrokes` is run on the same text, too: as trained, with dynamic evaluation, with a cache
and with both, which takes ten minutes for 12,000 characters. With --curve it is run at these checkpoints instead, as
trained and with both, and prints a table: what is saved, and hits (top 1 / top 5) by the letters typed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import options_of
from benchmarks.quality.ngram import NGram, NGramCompleter
from rnnplay.model.generation.context import UNKNOWN_ID
from rnnplay.model.generation.keystrokes import keystrokes_saved
from rnnplay.model.generation.search import LONGEST
from rnnplay.runs.folder import find_run
from rnnplay.runs.words import read_words
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.text.tokenizers.build import Tokenizer
from rnnplay.text.tokenizers.characters import is_word_character
from rnnplay.workspace import Workspace
from tests.support.terminal import rnnplay_command

WAYS: tuple[tuple[str, ...], ...] = ((), ("--dynamic",), ("--cache",), ("--dynamic", "--cache"))


def ghost(ngram: NGram, tokenizer: Tokenizer, ids: list[int], phrase: bool) -> str:
    """The most probable continuation of `ids` a token at a time, to the end of a word, or of a phrase."""
    found, probability, within = "", 1.0, False
    ids = list(ids)
    while len(found) < LONGEST:
        counts = ngram.longest(ids)
        token, number = counts.most_common(1)[0]
        probability *= number / counts.total()
        piece = tokenizer.decode_after(ids[-1], token)
        part = is_word_character(piece[:1])
        if (phrase and probability < 0.5) or (not phrase and (piece == "\n" or (within and not part))):
            break
        found, within = found + piece, part
        ids.append(token)
    return found


def saved(ngram: NGram, tokenizer: Tokenizer, text: str, phrase: bool) -> float:
    """The fraction of keystrokes that the n-gram saves with its most probable continuation."""
    at = keys = 0
    while at < len(text):
        ids = [UNKNOWN_ID, *tokenizer.encode(text[max(0, at - 20) : at]).tolist()]
        ghosts = [ghost(ngram, tokenizer, ids, each) for each in {phrase, False}]
        right = [len(one) for one in ghosts if len(one) > 1 and text.startswith(one, at)]
        at, keys = at + max(right, default=1), keys + 1
    return 1 - keys / len(text)


def main() -> None:
    """Prints the fractions."""
    parser = options_of("benchmarks.quality.keystrokes", __doc__)
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
    ngram = NGram(encoded.train.ids.tolist(), tokenizer.size, options.order)
    for name, phrase in (("word", False), ("word or phrase", True)):
        fraction = saved(ngram, tokenizer, text, phrase)
        print(f"{options.order}-gram, most probable {name}: {fraction:.4f}", flush=True)
    found = keystrokes_saved(NGramCompleter(ngram, tokenizer, read_words(run.path)), text)
    print(f"{options.order}-gram, the same search: {parts_of(asdict(found))}", flush=True)
    if not options.model:
        return
    for way in WAYS:
        parts = parts_of(measured(options, "latest", way)["saved"])
        print(f"{run.name}{''.join(f' {one}' for one in way)}: {parts}", flush=True)


def parts_of(saved: Mapping[str, Any]) -> str:
    """The fractions by what is offered."""
    return ", ".join(f"{name} {saved[name]:.4f}" for name in ("word", "phrase", "one_of_five", "five_keys"))


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
