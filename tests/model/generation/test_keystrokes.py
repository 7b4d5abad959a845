"""Keystrokes saved, against a user who is imagined key by key."""

from __future__ import annotations

import pytest
import torch

from rnnplay.config import CompletionConfig, RunConfig
from rnnplay.model.generation.completion import Completer, Suggestion, complete
from rnnplay.model.generation.keystrokes import keystrokes_saved
from rnnplay.model.generation.search import Word
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer, build_tokenizer

torch.set_num_threads(1)
TEXT = "to be or not\nto be, that is\nthe question to be or not\n"
OFFERED = CompletionConfig(lines=True, floor=0.05)


def trained(tokenizer: Tokenizer) -> LanguageModel:
    model = LanguageModel(RunConfig(embedding=16, hidden=32), tokenizer.size)
    ids = torch.from_numpy(tokenizer.encode("\n" + TEXT))[None]
    moments = [torch.zeros_like(weight) for weight in model.parameters()]
    for _ in range(60):
        loss, _ = model.loss(ids[:, :-1], ids[0, 1:])
        model.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for weight, moment in zip(model.parameters(), moments, strict=True):
                moment.mul_(0.9).add_(weight.grad if weight.grad is not None else 0)
                weight.sub_(moment.sign() * 0.01)
    return model


@pytest.mark.parametrize("kind", ["char", "word"])
def test_a_user_who_writes_the_text_presses_so_many_keys(kind: str) -> None:
    tokenizer = build_tokenizer([TEXT], kind)  # type: ignore[arg-type]
    model = trained(tokenizer)
    found = keystrokes_saved(Completer(model, tokenizer), TEXT, OFFERED)

    def keys_pressed(with_phrase: bool, with_words: bool) -> int:
        written, keys = "", 0
        while written != TEXT:
            offer = complete(model, tokenizer, written, 1, config=OFFERED)
            taken = TEXT[len(written)]
            for suggestion in [offer.suggestion] + ([offer.phrase] if with_phrase else []):
                if len(suggestion) > max(1, len(taken)) and TEXT.startswith(written + suggestion):
                    taken = suggestion
            more = 0
            for word in (text for one in offer.words for text in (one.text, one.phrase)) if with_words else []:
                if len(word) - 1 > len(taken) - more and TEXT.startswith(written + word):
                    taken, more = word, 1
            written += taken
            keys += 1 + more
        return keys

    assert found.characters == len(TEXT)
    assert found.word == pytest.approx(1 - keys_pressed(False, False) / len(TEXT))
    assert found.phrase == pytest.approx(1 - keys_pressed(True, False) / len(TEXT))
    assert found.one_of_five == pytest.approx(1 - keys_pressed(True, True) / len(TEXT))
    assert 0 < found.word <= found.phrase
    assert found.five_keys >= found.phrase


def test_hits_count_whole_words_by_the_letters_typed() -> None:
    tokenizer = build_tokenizer([TEXT], "char")
    model = trained(tokenizer)
    hits = keystrokes_saved(Completer(model, tokenizer), TEXT, OFFERED).hits
    starts = [at for at in range(1, len(TEXT)) if TEXT[at].isalpha() and not TEXT[at - 1].isalpha()]
    for typed in (0, 1):
        right = asked = 0
        for start in starts:
            word = TEXT[start:].replace(",", " ").split()[0]
            if len(word) > typed:
                asked += 1
                offer = complete(model, tokenizer, TEXT[: start + typed], 1, config=OFFERED)
                right += word[typed:] in [word.text for word in offer.words[:3]]
        assert hits[typed][1] == pytest.approx(right / asked)
    assert all(row == sorted(row) for row in hits)


def test_a_word_with_its_mark_is_a_hit_where_the_text_has_both() -> None:
    """As the words are of a model whose words end at white space only."""

    class Offers:
        def complete(self, text: str, bars: int, config: CompletionConfig) -> Suggestion:
            begun = text.rpartition(" ")[2]
            words = [word.removeprefix(begun) for word in ("said,", "said-") if word.startswith(begun)]
            return Suggestion("", [], [], words=[Word(word, 0.4, word) for word in words])

    (asked_0, *_), *_ = keystrokes_saved(Offers(), "x said, y said. z said w", OFFERED).hits
    assert asked_0 == pytest.approx(1 / 5), "the first one; y and z are words, too, and w may go on"
