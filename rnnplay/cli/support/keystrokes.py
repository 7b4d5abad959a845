"""What `rnnplay eval --keystrokes` measures and prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rnnplay.cli.support.console import learned_text, note, pairs, table, write_json
from rnnplay.cli.support.working import working
from rnnplay.errors import InputError
from rnnplay.text.encoding.encoded import EncodedSplit

if TYPE_CHECKING:
    from rnnplay.generation_config import AdaptationConfig, CompletionConfig
    from rnnplay.inspection.loaded_model import LoadedModel


def report_keystrokes(
    loaded: LoadedModel,
    corpus: str,
    split: str,
    part: EncodedSplit,
    characters: int,
    offered: CompletionConfig,
    adaptation: AdaptationConfig,
    as_json: bool,
) -> None:
    """Measures the keystrokes saved on the first `characters` of `part`, and prints them."""
    import torch

    from rnnplay.inspection.adapting import adapted_prompt
    from rnnplay.model.generation.completion import Completer
    from rnnplay.model.generation.keystrokes import TOPS, keystrokes_saved

    torch.set_num_threads(1)  # one character at a time gains nothing from more
    tokenizer = loaded.tokenizer
    # A token is at least a byte, and a character of UTF-8 at most four of them.
    text = tokenizer.decode(part.ids[: 4 * characters].tolist())[:characters]
    if not text.strip():
        raise InputError(f"There is nothing to write in {corpus}, {split}; give another text or split.")
    with working("writing the text"):
        adapted = adapted_prompt(loaded, adaptation)
        completer = Completer(loaded.model, tokenizer, adapted=adapted, words=loaded.words)
        saved = keystrokes_saved(completer, text, offered)
    learned = adapted.learned if adapted is not None else None
    if as_json:
        write_json(
            {
                "run": loaded.run,
                "step": loaded.step,
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
                "completion": msgspec.to_builtins(offered),
                **({"learned": msgspec.to_builtins(learned)} if learned is not None else {}),
            }
        )
        return
    pairs(
        [
            ("run", f"{loaded.run}, step {loaded.step:,}"),
            ("text", f"{corpus}, {split}: the first {saved.characters:,} characters"),
            *([("adapted", learned_text(learned))] if learned is not None else []),
            ("word", f"{saved.word:.1%} of the keystrokes saved, where the suggested word is taken"),
            ("phrase", f"{saved.phrase:.1%}, where the phrase or its first word is"),
            (
                "one of five",
                f"{saved.one_of_five:.1%}, where one more key chooses another of the words and what it leads on to",
            ),
            ("five keys", f"{saved.five_keys:.1%}, where each of the five words has a key of its own"),
        ]
    )
    rows = [(f"{typed}", *(f"{rate:.1%}" for rate in row)) for typed, row in enumerate(saved.hits)]
    table(("letters typed", *(f"top {top}" for top in TOPS)), rows, ("letters typed", *(f"top {top}" for top in TOPS)))
    note("How often the word under way is among the most probable 1, 3 or 5 words.")
