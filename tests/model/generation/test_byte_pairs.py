"""Bytes and byte pairs in generation: characters of several tokens, and words whose beginning was typed."""

from __future__ import annotations

import pytest
import torch

from rnnplay.config import CompletionConfig, RunConfig, SamplingConfig, TokenKind
from rnnplay.model.generation.completion import complete
from rnnplay.model.generation.context import Writer, prompt_ids, unread_word
from rnnplay.model.generation.sampling import generate
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import Tokenizer, build_tokenizer
from rnnplay.text.tokenizers.characters import is_word_character as is_word

pytest.importorskip("tokenizers")

TEXT = "the cat thought that the thin cat thinks\nKäthe 猫 there\n" * 20
PAIRS = build_tokenizer([TEXT], "bpe", bpe_size=320)


def model_of(tokenizer: Tokenizer) -> LanguageModel:
    torch.manual_seed(1)
    return LanguageModel(RunConfig(hidden=8, embedding=4, tokens=tokenizer.kind), tokenizer.size).eval()


@pytest.mark.parametrize("kind", ["byte", "bpe"])
def test_samples_are_whole_characters(kind: TokenKind) -> None:
    """An untrained model draws any byte; what is no character is shown as one that says so."""
    tokenizer = build_tokenizer([TEXT], kind, bpe_size=320)
    text = "".join(generate(model_of(tokenizer), tokenizer, "the ", SamplingConfig(length=300, seed=1)))
    assert text.encode("utf-8").decode() == text
    assert "\ufffd" in text


@pytest.mark.parametrize(
    ("text", "unread"),
    [("the cat th", " th"), ("th", "th"), ("the cat ", ""), ("the cat,", ""), ("Kä", "Kä"), ("the\n", ""), ("", "")],
)
def test_an_unfinished_word_is_asked_for_and_not_read(text: str, unread: str) -> None:
    ids = prompt_ids(model_of(PAIRS), PAIRS, text)
    found, count = unread_word(PAIRS, text, ids)
    assert found == unread
    assert PAIRS.decode(ids[1 : len(ids) - count].tolist()) + unread == text.removesuffix(" ")


def test_what_was_typed_is_not_written_again() -> None:
    """Whether the tokens end where it ends or not."""
    for pieces in (["the"], ["t", "h", "e"], ["th", "e"]):
        writer = Writer(PAIRS, [PAIRS.encode("cat")[-1]], "cat th", " th")
        tokens = [PAIRS.encode(" ")[0]] + [int(token) for piece in pieces for token in PAIRS.encode(piece)]
        for token in tokens:
            assert writer.fits(token)
            last = writer.copy()
            written = writer.write(token)
        assert written == "e"
        assert not last.fits(PAIRS.newline or 0) or last.unread == ""


def test_words_go_on_as_they_were_begun() -> None:
    """Their probabilities are those among all that begin so, as one knows what was typed."""
    tokenizer, model = PAIRS, model_of(PAIRS)
    found = complete(model, tokenizer, "the cat th", 5, config=CompletionConfig(words=50, effort=400))
    assert found.words
    assert sum(word.probability for word in found.words) <= 1 + 1e-9
    ids = prompt_ids(model, tokenizer, "the cat th")
    _, count = unread_word(tokenizer, "the cat th", ids)
    with torch.inference_mode():
        hidden, _ = model.rnn(model.embedding(torch.from_numpy(ids[:-count])[None]), model.zero_state(1))
        first = torch.softmax(model.logits(hidden[0, -1]).double(), 0)
    unconditional = max(float(first[int(PAIRS.encode(word)[0])]) for word in (" the", " that", " thin", " thought"))
    assert found.words[0].probability > 3 * unconditional


def test_a_word_begun_is_marginalised_over_all_ways_to_write_it_in_tokens() -> None:
    """Its probability is that of all ways that spell it, by that of all ways that spell what was typed."""
    tokenizer, model = PAIRS, model_of(PAIRS)
    with torch.no_grad():
        model.output.weight.mul_(8)
    spelled = [
        tokenizer.decode_after(None, token).encode("utf-8", "surrogateescape") for token in range(tokenizer.size)
    ]
    ends = [token for token, text in enumerate(spelled) if token and text[0] < 0x80 and not is_word(chr(text[0]))]
    ids = prompt_ids(model, tokenizer, "the cat th")
    before = ids[: -unread_word(tokenizer, "the cat th", ids)[1]].tolist()

    def probabilities(context: list[int]) -> torch.Tensor:
        with torch.inference_mode():
            logits: torch.Tensor = model(torch.tensor([before + context]))[0][0, -1].double()
            logits[0] = -torch.inf
            return logits.softmax(0)

    def spelling(rest: bytes, context: list[int], exactly: bool) -> float:
        """The probability that the next tokens spell `rest`: and a word ends there, or go on in any way."""
        found = probabilities(context)
        if not rest:
            return sum(float(found[token]) for token in ends)
        total = 0.0
        for token in range(1, tokenizer.size):
            if rest.startswith(spelled[token]) and (exactly or len(spelled[token]) < len(rest)):
                total += float(found[token]) * spelling(rest[len(spelled[token]) :], [*context, token], exactly)
            elif not exactly and spelled[token].startswith(rest):
                total += float(found[token])
        return total

    begun = spelling(b" th", [], exactly=False)
    config = CompletionConfig(words=50, effort=3000, floor=0, lines=True)
    found = {word.text: word.probability for word in complete(model, tokenizer, "the cat th", 5, config=config).words}
    checked = 0
    for text, probability in sorted(found.items(), key=lambda word: -word[1])[:4]:
        if text.isascii() and text.isalpha():
            expected = spelling(b" th" + text.encode(), [], exactly=True) / begun
            assert probability == pytest.approx(expected, rel=0.1), text
            checked += 1
    assert checked


def test_within_a_word_the_bars_are_what_continues_it() -> None:
    """Not what follows its letters read as tokens of their own; and they agree with the words beside them."""
    tokenizer, model = PAIRS, model_of(PAIRS)
    with torch.no_grad():
        model.output.weight.mul_(8)
    text = "the cat th"
    found = complete(model, tokenizer, text, tokenizer.size, config=CompletionConfig(words=50, effort=3000, floor=0))
    assert sum(probability for _, probability in found.next) == pytest.approx(1, abs=0.01)
    assert len({label for label, _ in found.next}) == len(found.next) == len(found.texts)
    ids = prompt_ids(model, tokenizer, text)
    context = ids[: -unread_word(tokenizer, text, ids)[1]].tolist()

    def begins(rest: bytes, context: list[int]) -> float:
        """The probability that the tokens after `context` spell a text that begins with `rest`."""
        with torch.inference_mode():
            logits: torch.Tensor = model(torch.tensor([context]))[0][0, -1].double()
            logits[0] = -torch.inf
        total = 0.0
        for token, probability in enumerate(logits.softmax(0).tolist()):
            piece = tokenizer.decode_after(None, token).encode("utf-8", "surrogateescape") if token else b""
            if piece.startswith(rest):
                total += probability
            elif piece and rest.startswith(piece):
                total += probability * begins(rest[len(piece) :], [*context, token])
        return total

    of_all = begins(b" th", context)
    for letter in "aeiou":
        bars = sum(
            probability for (_, probability), added in zip(found.next, found.texts, strict=True) if added[:1] == letter
        )
        assert bars == pytest.approx(begins(b" th" + letter.encode(), context) / of_all, abs=0.01), letter
