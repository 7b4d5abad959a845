"""The n-gram that completion is compared with: its probabilities against the formula, and the search over it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.ngram import NGram, NGramCompleter, NGramSteps
from rnnplay.config import CompletionConfig
from rnnplay.text.tokenizers.build import build_tokenizer

TEXT = "the cat sat on the mat and the cat ran to the hat on the mat "
ORDER = 4


def expected(ids: list[int], size: int, context: list[int], token: int) -> float:
    """Witten and Bell's estimate, counted anew."""
    if not context:
        shorter, seen = 1 / size, ids
    else:
        shorter = expected(ids, size, context[1:], token)
        length = len(context)
        seen = [ids[at] for at in range(length, len(ids)) if ids[at - length : at] == context]
    kinds = len(set(seen))
    return (seen.count(token) + kinds * shorter) / (len(seen) + kinds) if seen else shorter


@pytest.mark.parametrize("context", ["", "t", "the", "the ", "at", "zq", "qat"])
def test_its_probabilities_are_those_of_the_formula(context: str) -> None:
    tokenizer = build_tokenizer([TEXT + "zq"], "char")
    ids = tokenizer.encode(TEXT).tolist()
    ngram = NGram(ids, tokenizer.size, ORDER)
    before = tokenizer.encode(context).tolist()
    found = ngram.probabilities(before)
    last = before[-(ORDER - 1) :]
    assert found.sum() == pytest.approx(1)
    assert found.tolist() == pytest.approx([expected(ids, tokenizer.size, last, token) for token in range(len(found))])


def test_a_step_forgets_the_oldest_token() -> None:
    tokenizer = build_tokenizer([TEXT], "char")
    ngram = NGram(tokenizer.encode(TEXT).tolist(), tokenizer.size, ORDER)
    batch = NGramSteps(ngram).batch(2)
    batch.states[:] = [tokenizer.encode("the"), tokenizer.encode("cat")]
    logits = batch.step(tokenizer.encode(" s").tolist())
    for row, context in zip(logits, ("he ", "ats"), strict=True):
        after = ngram.probabilities(tokenizer.encode(context).tolist())
        np.testing.assert_allclose(row, np.log(after), rtol=1e-5)


def test_it_suggests_whole_words_as_a_model_does() -> None:
    tokenizer = build_tokenizer([TEXT], "char")
    ngram = NGram(tokenizer.encode(TEXT).tolist(), tokenizer.size, ORDER)
    found = NGramCompleter(ngram, tokenizer, TEXT.split()).complete("on th", 1, CompletionConfig())
    assert found.words[0].text == "e"
    assert found.phrase.startswith("e ")
