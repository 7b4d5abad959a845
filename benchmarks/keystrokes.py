"""Measures keystrokes saved: a run's model beside an n-gram of characters with back-off, on the same text.

    python -m benchmarks.keystrokes RUN [--workspace FOLDER] [--order 6] [--characters 12000] [--model]

The n-gram is counted on the run's training text; it backs off to the longest context that it has seen, and its ghost
is the most probable character each time to the end of a word, or of a phrase while each character's probability times
those before stays above 1/2. Both are taken with one key where they are right and at least two characters long. With
--model `rnnplay eval --keystrokes` is run on the same text, too, which takes a minute.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

from benchmarks import options_of
from rnnplay.runs.folder import find_run
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import encode_corpus
from rnnplay.text.tokenizers.characters import is_word_character
from rnnplay.workspace import Workspace
from tests.support.terminal import rnnplay_command


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
    options = parser.parse_args()
    workspace = Workspace(options.workspace)
    run = find_run(options.run, workspace)
    config, tokenizer = run.info().config, run.tokenizer()
    encoded = encode_corpus(find_corpus(config.corpus, workspace), config, workspace.cache, tokenizer=tokenizer)
    part = encoded.test if options.split == "test" else encoded.validation
    text = tokenizer.decode(part.ids.tolist())[: options.characters]
    ngram = NGram(tokenizer.decode(encoded.train.ids.tolist()), options.order)
    for name, phrase in (("word", False), ("word or phrase", True)):
        print(f"{options.order}-gram, {name}: {saved(ngram, text, phrase):.4f}", flush=True)
    if options.model:
        words = [
            "eval",
            run.name,
            "--workspace",
            str(options.workspace),
            "--keystrokes",
            "--json",
            "--split",
            options.split,
        ]
        words += ["--characters", str(options.characters)]
        told = subprocess.run(rnnplay_command(*words), capture_output=True, check=True).stdout
        for name, fraction in json.loads(told)["saved"].items():
            print(f"{run.name}, {name}: {fraction:.4f}")


if __name__ == "__main__":
    main()
