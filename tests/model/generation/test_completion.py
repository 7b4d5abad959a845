"""Words and phrases: what the search finds, held against all continuations there are."""

from __future__ import annotations

import itertools
from dataclasses import astuple
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from rnnplay.config import CompletionConfig, RunConfig
from rnnplay.model.generation import completion
from rnnplay.model.generation.completion import Completer, complete
from rnnplay.model.generation.context import Writer
from rnnplay.model.generation.filters import softmax
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer, build_tokenizer
from rnnplay.text.tokenizers.characters import is_word_character

torch.set_num_threads(1)
EVERYTHING = CompletionConfig(words=8, floor=0, effort=5000)


def model_of(tokenizer: Tokenizer, sharpness: float = 6, **values: Any) -> LanguageModel:
    model = LanguageModel(RunConfig(**{"embedding": 6, "hidden": 8, **values}), tokenizer.size).eval()
    with torch.no_grad():
        model.output.weight.mul_(sharpness)
    return model


def probability_of(model: LanguageModel, tokenizer: Tokenizer, text: str, addition: str) -> float:
    """Of `text` going on with `addition`, token by token, <unk> left out."""
    before = tokenizer.encode("\n" + text).tolist()
    after = tokenizer.encode(addition).tolist()
    with torch.no_grad():
        logits = model(torch.tensor([before + after]))[0][0].double()
    logits[:, 0] = -torch.inf
    probabilities = logits.softmax(-1)
    return float(np.prod([probabilities[len(before) - 1 + at, token] for at, token in enumerate(after)]))


@pytest.mark.parametrize("text", ["ab", "ab "])
def test_words_have_the_probabilities_of_all_ways_in_which_they_end(text: str) -> None:
    tokenizer = build_tokenizer(["ab .\n"], "char")
    model = model_of(tokenizer)
    found = complete(model, tokenizer, text, 1, config=EVERYTHING)
    assert len(found.words) == 8
    for word, probability, _ in map(astuple, found.words):
        assert is_word_character(word[-1])
        ends = sum(probability_of(model, tokenizer, text, word + end) for end in " .\n")
        assert probability == pytest.approx(ends, rel=1e-3)
    expected = {}
    for length in (1, 2, 3):
        for letters in itertools.product("ab .", repeat=length):
            word = "".join(letters)
            marks = word.rstrip("ab")
            if word[-1] in "ab" and not any(letter in "ab" for letter in marks):
                expected[word] = sum(probability_of(model, tokenizer, text, word + end) for end in " .\n")
    best = sorted(expected.values(), reverse=True)[:3]
    assert [probability for _, probability, _ in map(astuple, found.words)][:3] == pytest.approx(best, rel=1e-3) or (
        found.words[0].probability >= best[0]
    )


def test_the_phrase_saves_the_most_keystrokes_and_begins_with_the_suggestion() -> None:
    tokenizer = build_tokenizer(["to be or not.\n"], "char")
    model = model_of(tokenizer, sharpness=14)
    texts = ["to be", "to b", "", "or not", "not. to"]
    phrases = [complete(model, tokenizer, text, 1, config=EVERYTHING) for text in texts]
    assert any(found.phrase for found in phrases)
    for text, found in zip(texts, phrases, strict=True):
        assert found.phrase.startswith(found.suggestion)
        assert "\n" not in found.phrase
        if found.phrase:
            saved = probability_of(model, tokenizer, text, found.phrase) * (len(found.phrase) - 1)
            assert saved > 0
            above = CompletionConfig(floor=len(found.phrase) + 10)
            assert complete(model, tokenizer, text, 1, config=above).phrase == ""


def test_newlines_are_suggested_where_they_are_asked_for() -> None:
    tokenizer = build_tokenizer(["ab\n"], "char")
    model = model_of(tokenizer)
    with torch.no_grad():
        model.output.bias[tokenizer.newline] += 9
    assert "\n" in complete(model, tokenizer, "ab", 1, config=CompletionConfig(lines=True, floor=0)).phrase
    alone = complete(model, tokenizer, "ab", 1, config=CompletionConfig(floor=0))
    assert "\n" not in alone.phrase + "".join(word.text for word in alone.words)


@pytest.mark.parametrize("text", ["the ", "the ca", "the cat, "])
def test_a_word_model_suggests_its_words(text: str) -> None:
    tokenizer = build_tokenizer(["the cat sat, the catalogue is a cat\n"], "word")
    found = complete(model_of(tokenizer), tokenizer, text, 3, config=EVERYTHING)
    assert found.words
    for word, probability, _ in map(astuple, found.words):
        assert 0 < probability <= 1
        written = (text + word).replace(",", "").split()
        assert all(one in tokenizer.tokens for one in written), word
    probabilities = [word.probability for word in found.words]
    assert probabilities == sorted(probabilities, reverse=True)


@pytest.mark.parametrize("kind", ["char", "word"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_hook_that_changes_nothing_suggests_the_same(kind: str, cell: str) -> None:
    tokenizer = build_tokenizer(["the cat sat on the catalogue.\n"], kind)  # type: ignore[arg-type]
    model = model_of(tokenizer, cell=cell, layers=2)
    for text in ("", "the ca", "sat on"):
        plain = complete(model, tokenizer, text, 4)
        same = complete(model, tokenizer, text, 4, lambda _layer, _quantity, value: value)
        assert (plain.suggestion, plain.phrase, plain.texts) == (same.suggestion, same.phrase, same.texts)
        texts, others = ({word.text: word.probability for word in one.words} for one in (plain, same))
        assert texts == pytest.approx(others, rel=1e-3)


def test_answers_key_by_key_are_those_to_the_whole_text() -> None:
    tokenizer = build_tokenizer(["the cat sat on the catalogue.\n"], "char")
    model = model_of(tokenizer)
    completer = Completer(model, tokenizer)
    for length in (*range(20), 5, 3, 19, 20):
        text = "the cat sat on the cat"[:length]
        found = completer.complete(text, 3, CompletionConfig())
        alone = complete(model, tokenizer, text, 3)
        assert found is not None
        assert (found.suggestion, found.phrase) == (alone.suggestion, alone.phrase)


def test_words_that_the_corpus_lacks_are_less_probable_by_the_prior() -> None:
    tokenizer = build_tokenizer(["ab .\n"], "char")
    model = model_of(tokenizer)
    plain = complete(model, tokenizer, "a", 1, config=EVERYTHING)
    known = {"ab", "aba"}
    config = msgspec.structs.replace(EVERYTHING, prior=0.25, words=100)
    found = Completer(model, tokenizer, words=sorted(known)).complete("a", 1, config)
    assert found is not None
    judged = {word.text: word.probability for word in found.words}
    assert len(plain.words) == 8
    for word in plain.words:
        factor = 1 if "a" + word.text in known else 0.25
        if word.text in judged and not set(" .") & set(word.text):
            assert judged[word.text] == pytest.approx(word.probability * factor, rel=1e-3), word
    assert judged["b"] > 0 and {"a" + text in known for text in judged} == {True, False}
    never = Completer(model, tokenizer, words=["x"]).complete("a", 1, EVERYTHING)
    assert never is not None
    unjudged = {word.text: word.probability for word in never.words}
    whole = [word for word in plain.words if word.text.isalpha()]
    assert whole, "the words cannot judge one that begins as none of them"
    assert [unjudged[word.text] for word in whole] == pytest.approx([word.probability for word in whole])


def test_a_word_leads_on_to_the_phrase_that_saves_most() -> None:
    tokenizer = build_tokenizer(["to be or not.\n"], "char")
    model = model_of(tokenizer, sharpness=14)
    led = 0
    for text in ("to be", "to b", "", "or not", "not. to"):
        for word in complete(model, tokenizer, text, 1, config=EVERYTHING).words:
            assert word.phrase.startswith(word.text)
            led += len(word.phrase) > len(word.text)
    assert led


def test_while_a_long_text_is_read_its_end_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "END", 16)
    tokenizer = build_tokenizer(["ab .\n"], "char")
    model, text = model_of(tokenizer), "ab. ba ab " * 60
    completer = Completer(model, tokenizer)
    assert completer.complete(text, 3, EVERYTHING, seconds=0) is None
    first = completer.complete(text, 3, EVERYTHING, seconds=0, meanwhile=True)
    assert first is not None and 0 < first.read < 1
    ids = tokenizer.encode("\n" + text)
    with torch.no_grad():
        end = model(torch.from_numpy(ids[len(ids) // 16 * 16 - 16 :])[None])[0][0, -1].softmax(-1)
    assert first.next[0][1] == pytest.approx(float(end.max()), rel=1e-4)
    found, fractions = first, [first.read]
    while found.read < 1:
        again = completer.complete(text, 3, EVERYTHING, seconds=0, meanwhile=True)
        assert again is not None and len(fractions) < 100
        found = again
        fractions.append(again.read)
    assert fractions == sorted(fractions) and len(fractions) > 3
    whole = complete(model, tokenizer, text, 3, config=EVERYTHING)
    assert [token for token, _ in found.next] == [token for token, _ in whole.next]
    assert [probability for _, probability in found.next] == pytest.approx([p for _, p in whole.next], rel=1e-4)


def test_while_a_long_text_is_read_a_typed_letter_costs_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "END", 16)
    tokenizer = build_tokenizer(["ab .\n"], "char")
    completer = Completer(model_of(tokenizer), tokenizer)
    text = "ab. ba ab " * 500
    completer.complete(text, 3, EVERYTHING, seconds=0, meanwhile=True)
    before = set(completer._end._states)
    completer.complete(text + "b", 3, EVERYTHING, seconds=0, meanwhile=True)
    assert len(set(completer._end._states) - before) == 1


def test_the_words_begun_and_the_most_probable_tokens_are_those_of_a_plain_search() -> None:
    tokenizer = build_tokenizer(["on one only to too tone oneself , . on-line\n"], "word")
    logits = np.random.default_rng(3).normal(size=tokenizer.size).astype(np.float32)
    logits[-2:] = logits[3]  # equals come in the order of the vocabulary
    chances = softmax(logits)
    order = sorted(range(tokenizer.size), key=lambda token: (-chances[token], token))
    for beginning in ("o", "on", "one", "t", "x"):
        expected = [token for token in order if tokenizer.tokens[token].startswith(beginning) and token]
        found = completion.words_starting_with(tokenizer, beginning, logits)
        assert found == [(token, chances[token]) for token in expected]
    for bars in (0, 1, 5, tokenizer.size, 99):
        top, _ = completion.next_tokens(tokenizer, logits, Writer(tokenizer, np.array([1]), ""), bars)
        assert top == [(tokenizer.tokens[token], chances[token]) for token in order[:bars]]
