"""Text from a model: what may be drawn, that samples repeat, and what a user typing is offered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor, nn

from rnnplay.config import RunConfig, SamplingConfig
from rnnplay.errors import RnnplayError
from rnnplay.model.generation.completion import complete
from rnnplay.model.generation.sampling import generate, generate_ids, generate_together
from rnnplay.model.language_model import LanguageModel
from rnnplay.text.tokenizers.build import CharTokenizer, Tokenizer, build_tokenizer
from rnnplay.text.tokenizers.vocabulary import UNKNOWN

torch.set_num_threads(1)

TALE = 'Once upon a time there was a cat.\nThe cat said, "I am not the king; you\'re the king!"\nAnd so it was.\n'


def tokenizer_of(kind: Any = "char", text: str = TALE, **options: Any) -> Tokenizer:
    return build_tokenizer([text], kind, **options)


def tiny(tokenizer: Tokenizer, **values: Any) -> LanguageModel:
    """A random model whose choices are sharp, so that two ways to compute them cannot differ by rounding."""
    model = LanguageModel(RunConfig(**{"embedding": 8, "hidden": 12, **values}), tokenizer.size)
    with torch.no_grad():
        model.output.weight.mul_(20)
    return model


def parrot(tokenizer: Tokenizer, text: str, **values: Any) -> LanguageModel:
    """A plain RNN without memory that holds one token to follow each: what follows it in `text`."""
    size = tokenizer.size
    config = RunConfig(**{"cell": "rnn", "nonlinearity": "relu", "embedding": size, "hidden": size, **values})
    model = LanguageModel(config, size)
    ids = tokenizer.encode(text).tolist()
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.embedding.weight.copy_(torch.eye(size))
        model.rnn.get_parameter("weight_ih_l0").copy_(torch.eye(size))
        for before, after in pairwise(ids):
            model.output.weight[after, before] = 8.0
    return model


def following(logits: Sequence[float]) -> Tensor:
    return torch.tensor(logits)


# --- generate


def test_a_sample_ends_where_its_settings_say() -> None:
    tokenizer = tokenizer_of()
    model = tiny(tokenizer)
    free = SamplingConfig(length=200, temperature=3, seed=4)
    text = "".join(generate(model, tokenizer, "Once", free))
    stop = text[60:63]
    escaped = stop.replace("\n", "\\n")
    stopped = "".join(generate(model, tokenizer, "Once", replace(free, stop=f"not there|{escaped}")))
    assert stopped == text[: text.index(stop)]
    whole = "".join(generate(model, tokenizer, "Once", replace(free, length=20, whole_sentences=True)))
    assert text.startswith(whole[:40]) and 20 <= len(whole) <= 40


def test_a_penalty_of_repetition_is_for_the_prompt_and_what_was_drawn() -> None:
    tokenizer = tokenizer_of()
    model = tiny(tokenizer)
    sampling = SamplingConfig(length=len(tokenizer.tokens) - 3, temperature=0, repetition_penalty=100.0)
    ids = list(generate_ids(model, [1, 2], sampling))
    logits = [float(value) for value in ids]
    assert len(set(ids)) > len(set(generate_ids(model, [1, 2], replace(sampling, repetition_penalty=1.0))))
    assert len(logits) == sampling.length


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_greedy_text_equals_that_of_plain_torch(cell: str) -> None:
    """One token at a time with carried state, against torch.nn reading the whole text anew for each token."""
    tokenizer = tokenizer_of()
    model = tiny(tokenizer, cell=cell, layers=2)
    plain = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](8, 12, 2, batch_first=True)
    weights = model.weights()
    plain.load_state_dict({name.removeprefix("rnn."): weights[name] for name in weights if name.startswith("rnn.")})
    ids = tokenizer.encode("\nOnce").tolist()
    with torch.no_grad():
        for _ in range(30):
            hidden, _ = plain(weights["embedding.weight"][ids][None])
            scores = nn.functional.linear(hidden[0, -1], weights["output.weight"], weights["output.bias"])
            ids.append(1 + int(scores[1:].argmax()))  # never <unk>
    sampling = SamplingConfig(length=30, temperature=0)
    assert list(generate_ids(model, ids[:5], sampling)) == ids[5:]
    assert "".join(generate(model, tokenizer, "Once", sampling)) == tokenizer.decode(ids[5:])


def test_the_same_seed_draws_the_same_and_zero_something_new() -> None:
    tokenizer = tokenizer_of()
    model = tiny(tokenizer)

    def sample(seed: int) -> str:
        return "".join(generate(model, tokenizer, "The", SamplingConfig(length=60, temperature=5, seed=seed)))

    assert sample(7) == sample(7)
    assert sample(7) != sample(8)
    assert sample(0) != sample(0)
    assert len(sample(7)) == 60


def test_draws_follow_the_probabilities() -> None:
    tokenizer = tokenizer_of(text="ab")
    model = parrot(tokenizer, "aa")
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.copy_(torch.tensor([9.0, math.log(3), 0.0]))  # <unk> the most probable by far; a : b = 3 : 1
    text = "".join(generate(model, tokenizer, "", SamplingConfig(length=2000, temperature=1, seed=5)))
    assert set(text) == {"a", "b"}  # and never <unk>
    assert abs(text.count("a") / 2000 - 0.75) < 0.05


@pytest.mark.parametrize("lowercase", [False, True])
def test_pieces_of_a_word_model_join_to_the_decoded_text(lowercase: bool) -> None:
    tokenizer = tokenizer_of("word", lowercase=lowercase)
    model = tiny(tokenizer)
    sampling = SamplingConfig(length=80, temperature=3, seed=2)
    start = tokenizer.encode("\n").tolist()
    ids = list(generate_ids(model, start, sampling))
    assert "".join(generate(model, tokenizer, "", sampling)) == tokenizer.decode(start + ids).removeprefix("\n")
    prompt = "The cat"
    read = start + tokenizer.encode(prompt).tolist()
    ids = list(generate_ids(model, read, sampling))
    pieces = "".join(generate(model, tokenizer, prompt, sampling))
    assert (prompt.lower() if lowercase else prompt) + pieces == tokenizer.decode(read + ids).removeprefix("\n")


def test_a_space_at_the_end_of_a_prompt_is_not_doubled() -> None:
    tokenizer = tokenizer_of("word")
    model = parrot(tokenizer, TALE)
    sampling = SamplingConfig(length=2, temperature=0)
    assert "".join(generate(model, tokenizer, "Once", sampling)) == " upon a"
    assert "".join(generate(model, tokenizer, "Once ", sampling)) == "upon a"
    assert complete(model, tokenizer, "Once ", 1).suggestion == "upon"
    assert complete(model, tokenizer, "Once", 1).suggestion == " upon"


def test_a_sample_goes_on_with_the_weights_as_they_become() -> None:
    """Between two pieces training may go on: gradients on, training mode, and new weights count."""
    tokenizer = tokenizer_of(text="abc")
    model = parrot(tokenizer, "abcabc", dropout=0.5)
    pieces = generate(model, tokenizer, "a", SamplingConfig(length=6, temperature=0))
    assert "".join(islice(pieces, 3)) == "bca"
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    assert model.training
    logits, _ = model(torch.tensor([[1, 2]]))
    logits.sum().backward()  # the weights are none of inference mode's tensors
    with torch.no_grad():
        model.output.bias[3] = 99.0
    assert "".join(pieces) == "ccc"


@pytest.mark.parametrize("feed", ["lines", "stream"])
def test_a_model_of_lines_begins_each_line_from_nothing(feed: str) -> None:
    tokenizer = tokenizer_of()
    model = tiny(tokenizer, feed=feed)
    greedy = SamplingConfig(length=8, temperature=0)
    after_lines = "".join(generate(model, tokenizer, "The cat\nsaid\n", greedy))
    after_nothing = "".join(generate(model, tokenizer, "", greedy))
    assert (after_lines == after_nothing) == (feed == "lines")


def test_the_state_is_zero_again_after_a_restart() -> None:
    tokenizer = tokenizer_of(text="ab\n")
    newline = tokenizer.newline
    assert newline is not None
    model = tiny(tokenizer)
    sampling = SamplingConfig(length=200, temperature=3, seed=4)
    ids = list(generate_ids(model, [newline, 2, 2], sampling, restart=newline))
    at = ids.index(newline)
    assert 0 < at < 190
    random = np.random.Generator(np.random.PCG64(4)).random(at + 2)
    with torch.no_grad():
        logits, _ = model(torch.tensor([[newline]]))
    logits[0, 0, 0] = -torch.inf
    sums = (logits[0, 0].double() / 3).softmax(0).cumsum(0)
    expected = int((sums <= random[-1]).sum())
    assert ids[at + 1] == expected


@pytest.mark.parametrize("kind", ["char", "word"])
@pytest.mark.parametrize(("cell", "feed"), [("lstm", "stream"), ("gru", "lines"), ("rnn", "lines")])
def test_prompts_side_by_side_are_continued_as_each_alone(kind: str, cell: str, feed: str) -> None:
    tokenizer = tokenizer_of(kind)
    model = tiny(tokenizer, cell=cell, feed=feed, layers=2, tokens=kind)
    prompts = ["Once ", "", "The cat\nsaid", "zebra", "Once upon a time there was a"]
    sampling = SamplingConfig(length=60, temperature=2, seed=5)
    together = generate_together(model, tokenizer, prompts, sampling)
    for k, (prompt, text) in enumerate(zip(prompts, together, strict=True)):
        alone = SamplingConfig(length=60, temperature=2, seed=5 + k)
        assert text == "".join(generate(model, tokenizer, prompt, alone))
    assert any("\n" in text[:-1] for text in together)  # where a state began anew while the others went on


@pytest.mark.parametrize("text", ["", "x", "Once upon a time " * 200])
def test_any_prompt_can_be_read(text: str) -> None:
    for tokenizer in (tokenizer_of(), tokenizer_of(text="ab"), tokenizer_of("word")):
        assert "".join(generate(tiny(tokenizer), tokenizer, text, SamplingConfig(length=4, seed=1)))
        complete(tiny(tokenizer), tokenizer, text, 3)


@pytest.mark.parametrize("text", ["", "Once", "Once ", "Once u", "Once upon a"])
@pytest.mark.parametrize("kind", ["char", "word"])
def test_a_token_is_taken_into_the_text_as_it_would_be_written(kind: str, text: str) -> None:
    tokenizer = tokenizer_of(kind)
    found = complete(tiny(tokenizer), tokenizer, text, 6)
    assert len(found.texts) == len(found.next) > 0
    for (token, _), added in zip(found.next, found.texts, strict=True):
        if token == UNKNOWN:
            assert added == ""
        elif added:  # a word model has tokens for how its words are joined, which may add nothing
            assert tokenizer.tokens[tokenizer.encode(text + added)[-1]] == token


def test_a_model_that_diverged_says_so() -> None:
    tokenizer = tokenizer_of()
    model = tiny(tokenizer)
    with torch.no_grad():
        model.output.bias.fill_(math.nan)
    with pytest.raises(RnnplayError, match="diverged"):
        next(generate(model, tokenizer, "Once", SamplingConfig()))
    found = complete(model, tokenizer, "Once £", 3)
    assert (found.suggestion, found.next, found.unknown) == ("", [], ["£"])
    assert model.training


def test_a_vocabulary_of_nothing_is_refused() -> None:
    tokenizer = CharTokenizer([])
    with pytest.raises(RnnplayError, match="min_count"):
        next(generate(tiny(tokenizer), tokenizer, "a", SamplingConfig()))


# --- complete


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("xa", "bc"),  # to the end of the word under way
        ("xabc", ", def"),  # past a word's end: marks and spaces, then one word
        ("x, ", "def"),
        ("xdef", ""),  # a newline comes next, which is to be asked for
    ],
)
def test_characters_are_suggested_to_the_end_of_a_word(text: str, suggestion: str) -> None:
    tokenizer = tokenizer_of(text="xabc, def\n")
    assert complete(parrot(tokenizer, "abc, def\n"), tokenizer, text, 2).suggestion == suggestion


def test_a_suggestion_ends_where_it_leads_nowhere() -> None:
    tokenizer = tokenizer_of(text="ab -\n")
    assert complete(parrot(tokenizer, "aa"), tokenizer, "a", 1).phrase == ""  # a word without end
    assert complete(parrot(tokenizer, "a  "), tokenizer, "a", 1).suggestion == ""  # nothing but spaces
    assert complete(parrot(tokenizer, "a-\n"), tokenizer, "a", 1).phrase == ""  # a key for a key


def test_a_word_model_completes_the_word_under_way() -> None:
    tokenizer = tokenizer_of("word", text="the cat sat on the catalogue a and\n")
    model = parrot(tokenizer, "\nthe catalogue")
    found = complete(model, tokenizer, "the ca", 5)
    assert found.suggestion == "talogue"
    assert [token for token, _ in found.next] == ["catalogue", "cat"]
    assert found.unknown == []  # it is only not finished
    # A whole word that may go on: the model decides.
    assert complete(model, tokenizer, "the cat", 1).suggestion == "alogue"
    finished = complete(parrot(tokenizer, "the cat sat"), tokenizer, "the cat", 1)
    assert finished.suggestion == " sat"
    assert finished.next[0][0] == "sat"


def test_a_lower_case_word_model_completes_what_is_typed_in_capitals() -> None:
    tokenizer = tokenizer_of("word", text="The Catalogue", lowercase=True)
    assert complete(parrot(tokenizer, "the catalogue"), tokenizer, "The Ca", 1).suggestion == "talogue"


def test_bars_are_the_most_probable_tokens_of_the_whole_vocabulary() -> None:
    tokenizer = tokenizer_of()
    model = tiny(tokenizer).eval()
    found = complete(model, tokenizer, "Once £€£", 4)
    with torch.no_grad():
        logits, _ = model(torch.from_numpy(tokenizer.encode("\nOnce £€£"))[None])
    shares, ids = logits[0, -1].double().softmax(0).topk(4)
    assert [token for token, _ in found.next] == [tokenizer.tokens[token] for token in ids.tolist()]
    assert [share for _, share in found.next] == pytest.approx(shares.tolist(), rel=1e-4)
    assert found.unknown == ["£", "€"]
    assert len(complete(model, tokenizer, "Once", 10_000).next) == tokenizer.size


@pytest.mark.parametrize("training", [False, True])
def test_completing_leaves_no_trace(training: bool) -> None:
    tokenizer = tokenizer_of()
    model = tiny(tokenizer, layers=2, dropout=0.5).train(training)
    before = {name: tensor.clone() for name, tensor in model.weights().items()}
    random = torch.get_rng_state()
    first = complete(model, tokenizer, "Once", 3)
    assert complete(model, tokenizer, "Once", 3) == first  # no dropout
    "".join(generate(model, tokenizer, "Once", SamplingConfig(length=5)))
    assert torch.equal(torch.get_rng_state(), random)
    assert model.training is training
    assert model.rnn.training is training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.weights().items())


def test_answers_are_in_float32_also_inside_autocast() -> None:
    tokenizer = tokenizer_of()
    model = tiny(tokenizer)
    plain = complete(model, tokenizer, "Once", 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert complete(model, tokenizer, "Once", 3) == plain
