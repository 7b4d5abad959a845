"""What `rnnplay eval --keystrokes` measures and prints."""

from __future__ import annotations

from rnnplay.cli.support.console import note, pairs, table, write_json
from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder
from rnnplay.text.encoding.encoded import EncodedSplit


def report_keystrokes(
    run: RunFolder, checkpoint: str, corpus: str, split: str, part: EncodedSplit, characters: int, as_json: bool
) -> None:
    """Measures the keystrokes saved on the first `characters` of `part`, and prints them."""
    import torch

    from rnnplay.model.generation.keystrokes import TOPS, keystrokes_saved
    from rnnplay.training.checkpointing.checkpoints import load_model

    torch.set_num_threads(1)  # one character at a time gains nothing from more
    model, tokenizer, step = load_model(run, checkpoint)
    # A token is at least a byte, and a character of UTF-8 at most four of them.
    text = tokenizer.decode(part.ids[: 4 * characters].tolist())[:characters]
    if not text.strip():
        raise InputError(f"There is nothing to write in {corpus}, {split}; give another text or split.")
    saved = keystrokes_saved(model, tokenizer, text)
    if as_json:
        write_json(
            {
                "run": run.name,
                "step": step,
                "corpus": corpus,
                "split": split,
                "characters": saved.characters,
                "saved": {
                    "word": saved.word,
                    "phrase": saved.phrase,
                    "one_of_five": saved.one_of_five,
                    "five_keys": saved.five_keys,
                },
                "hits": [
                    {"typed": typed, **{f"top_{top}": rate for top, rate in zip(TOPS, row, strict=True)}}
                    for typed, row in enumerate(saved.hits)
                ],
            }
        )
        return
    pairs(
        [
            ("run", f"{run.name}, step {step:,}"),
            ("text", f"{corpus}, {split}: the first {saved.characters:,} characters"),
            ("word", f"{saved.word:.1%} of the keystrokes saved, where the suggested word is taken"),
            ("phrase", f"{saved.phrase:.1%}, where the phrase or its first word is"),
            (
                "one of five",
                f"{saved.one_of_five:.1%}, where one more key chooses another of the five words",
            ),
            ("five keys", f"{saved.five_keys:.1%}, where each of the five words has a key of its own"),
        ]
    )
    rows = [(f"{typed}", *(f"{rate:.1%}" for rate in row)) for typed, row in enumerate(saved.hits)]
    table(("letters typed", *(f"top {top}" for top in TOPS)), rows, ("letters typed", *(f"top {top}" for top in TOPS)))
    note("How often the word under way is among the most probable 1, 3 or 5 words.")
