"""The program's numbers, computed again from a run's files by plain PyTorch.

Nothing of rnnplay is used on this side: weights.safetensors, vocabulary.json, run.json and the text are read by other
means, the text is split as docs/architecture.md says, and torch.nn's layers do the rest.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from torch import Tensor, nn

from rnnplay.cli.main import program
from tests.conftest import small_text

TRAIN = (
    "train --corpus small --run made --steps 120 --eval-every 0 --embedding 12 --hidden 24 --layers 2 --batch-size 4 "
    "--bptt 16 --lr 0.01 --device cpu --precision float32 --threads 1 --json"
)
RUNS = {
    "lstm": "--cell lstm",
    "gru": "--cell gru",
    "rnn": "--cell rnn --nonlinearity tanh",
    "relu": "--cell rnn --nonlinearity relu --layers 1",
    "words-tied": "--cell lstm --tokens word --tie --embedding 24",
    "gru-lines": "--cell gru --feed lines",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A trained run, and an independent reading of its files."""

    workspace: Path
    words: bool
    lines: bool
    tokens: list[str]
    layers: nn.ModuleDict
    validation: str

    def rnnplay(self, *arguments: str) -> dict[str, Any]:
        """What the program answers."""
        result = CliRunner().invoke(program, ["--workspace", str(self.workspace), *arguments, "--json"])
        assert result.exit_code == 0, result.stderr
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def ids(self, text: str) -> list[int]:
        """Tokens by id, -1 for none; spaces between words are regular in this text, so no token is one."""
        pieces = re.findall(r"\w+|[^\w ]", text) if self.words else list(text)
        return [self.tokens.index(piece) if piece in self.tokens else -1 for piece in pieces]

    def text(self, ids: list[int], before: str) -> str:
        """The inverse of `ids`, for what follows the token `before`."""
        out = ""
        for token in ids:
            spaced = self.words and self.tokens[token] not in ".\n" and before not in ("\n", "")
            out += (" " if spaced else "") + self.tokens[token]
            before = self.tokens[token]
        return out

    @torch.no_grad()
    def logits(self, ids: list[int]) -> Tensor:
        """(T, V): of what follows each of `ids`, read from a zero state."""
        hidden, _ = self.layers["rnn"](self.layers["embedding"](torch.tensor([ids])))
        found: Tensor = self.layers["output"](hidden[0])
        return found.double()

    def sequences(self) -> list[list[int]]:
        """What the validation text is read as, each from a zero state: all but the first token are predicted."""
        if not self.lines:
            return [self.ids(self.validation)]
        return [self.ids("\n" + line) for line in self.validation.splitlines(keepends=True)]


@pytest.fixture(scope="module", params=RUNS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """`rnnplay train` on a small text, for each kind of model."""
    workspace = tmp_path_factory.mktemp("workspace")
    (workspace / "corpora").mkdir()
    text = small_text(24_000)
    (workspace / "corpora" / "small.txt").write_text(text, encoding="utf-8", newline="\n")
    options = RUNS[request.param].split()
    result = CliRunner().invoke(program, ["--workspace", str(workspace), *TRAIN.split(), *options])
    assert result.exit_code == 0, result.stderr
    torch.set_flush_denormal(False)
    folder = workspace / "checkpoints" / "made"
    config = json.loads((folder / "run.json").read_text(encoding="utf-8"))["config"]
    tokens = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))["tokens"]
    weights = load_file(max(folder.glob("step-*")) / "weights.safetensors")
    assert ("output.weight" in weights) is not config["tie"]
    weights.setdefault("output.weight", weights["embedding.weight"])
    sizes = config["embedding"], config["hidden"], config["layers"]
    rnn: nn.Module
    if config["cell"] == "rnn":
        rnn = nn.RNN(*sizes, nonlinearity=config["nonlinearity"], batch_first=True)
    else:
        rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[config["cell"]](*sizes, batch_first=True)
    layers = nn.ModuleDict(
        {
            "embedding": nn.Embedding(*weights["embedding.weight"].shape),
            "rnn": rnn,
            "output": nn.Linear(config["hidden"], len(tokens)),
        }
    )
    layers.load_state_dict(weights)
    ends = [text.index("\n", round(share * len(text)) - 1) + 1 for share in (0.9, 0.95)]
    yield Made(
        workspace, config["tokens"] == "word", config["feed"] == "lines", tokens, layers, text[ends[0] : ends[1]]
    )


def test_validation_loss_perplexity_and_bits_per_character(made: Made) -> None:
    """`eval` on the validation text is the mean cross-entropy of one pass with carried state."""
    nats, count = 0.0, 0
    for ids in made.sequences():
        losses = nn.functional.cross_entropy(made.logits(ids[:-1]), torch.tensor(ids[1:]), reduction="sum")
        nats += float(losses)
        count += len(ids) - 1
    found = made.rnnplay("eval", "made")
    assert (found["tokens"], found["characters"]) == (count, len(made.validation))
    assert count > 100
    assert found["loss"] == pytest.approx(nats / count, rel=1e-5)
    assert found["perplexity"] == pytest.approx(math.exp(nats / count), rel=1e-5)
    assert found["bits_per_character"] == pytest.approx(nats / math.log(2) / len(made.validation), rel=1e-5)
    assert 0 < found["loss"] < math.log(len(made.tokens))  # it has learned something: an even guess is worse


def test_next_tokens_and_suggestion(made: Made) -> None:
    """`complete` shows the softmax of the last logits, and whole words with the probability that a plain sum gives."""
    prompt = "the cat " if made.words else "the cat s"
    found = made.rnnplay("complete", "made", prompt, "--prior", "1")
    ids = made.ids("\n" + prompt)
    shares, order = torch.softmax(made.logits(ids)[-1], 0).topk(8)
    assert [bar["token"] for bar in found["next"]] == [made.tokens[token] for token in order.tolist()]
    assert [bar["probability"] for bar in found["next"]] == pytest.approx(shares.tolist(), rel=1e-4)
    words = found["words"]
    assert words and [one["probability"] for one in words] == sorted(
        (one["probability"] for one in words), reverse=True
    )
    for one in words:
        assert one["probability"] == pytest.approx(naive_probability(made, ids, one["text"]), rel=2e-3)
    assert found["phrase"].startswith(found["suggestion"])


def naive_probability(made: Made, ids: list[int], word: str) -> float:
    """Probability that `word` comes next, up to its end; <unk> is never written."""

    def known(context: list[int]) -> torch.Tensor:
        logits = made.logits(context)[-1].clone()
        logits[0] = -torch.inf
        return torch.softmax(logits, 0)

    if made.words:
        return float(known(ids)[made.tokens.index(word.strip())])
    probability = 1.0
    for at, character in enumerate(word):
        written = [made.tokens.index(before) for before in word[:at]]
        probability *= float(known(ids + written)[made.tokens.index(character)])
    after = known(ids + [made.tokens.index(character) for character in word])
    return probability * float(after[[not token.isalpha() for token in made.tokens]].sum())


def test_greedy_text(made: Made) -> None:
    """`generate --greedy` is the most probable token each time, of the state after all before it."""
    ids = made.ids("\nthe dog")
    written: list[int] = []
    for _ in range(30):
        if made.lines and "\n" in (made.tokens[token] for token in written):
            start = max(at for at, token in enumerate(written) if made.tokens[token] == "\n")
            context = written[start:]  # a line begins from a zero state
        else:
            context = ids + written
        written.append(greedy(made.logits(context)[-1]))
    found = made.rnnplay("generate", "made", "--prompt", "the dog", "--greedy", "--length", "30")
    assert found["text"] == made.text(written, made.tokens[ids[-1]])


@pytest.mark.parametrize(
    ("options", "temperature", "top_k", "top_p"),
    [("", 0.8, 0, 1.0), ("--temperature 1.3 --top-k 6 --top-p 0.9", 1.3, 6, 0.9)],
)
def test_samples_are_drawn_from_the_distribution(
    made: Made, options: str, temperature: float, top_k: int, top_p: float
) -> None:
    """A long seeded sample is as likely as a draw from the stated distribution is, and never leaves it.

    Of a draw x_t from p_t, -ln p_t(x_t) has mean H(p_t); over many draws the sum is within a few of its standard
    deviations. A temperature that is 15% off would be about five away.
    """
    if made.lines:
        pytest.skip("the state begins anew at each line; the stream runs hold the same code")
    if made.words and not top_k:
        options, top_k = "--top-k 12", 12  # rarer ones tell of irregular spaces, which `Made.ids` does not read
    first = made.ids("\nthe dog")
    for seed in range(11, 131):  # two words drawn side by side may read as one: that text tells nothing of its tokens
        asked = ["--prompt", "the dog", "--length", "1500", "--seed", str(seed), *options.split()]
        found = made.rnnplay("generate", "made", *asked)
        drawn = made.ids(found["text"])
        if len(drawn) == 1500 and -1 not in drawn:
            break
    assert len(drawn) == 1500 and -1 not in drawn
    again = made.rnnplay("generate", "made", *asked, "--length", "100")["text"]
    assert again and found["text"].startswith(again)
    surprise = expected = variance = 0.0
    for logits, token in zip(made.logits(first + drawn[:-1])[len(first) - 1 :], drawn, strict=True):
        shares = filtered(logits, temperature, top_k, top_p)
        assert shares[token] > 0
        nats = -torch.log(shares[shares > 0])
        mean = float((shares[shares > 0] * nats).sum())
        surprise -= math.log(float(shares[token]))
        expected += mean
        variance += float((shares[shares > 0] * nats**2).sum()) - mean**2
    assert variance > 10
    assert abs(surprise - expected) < 4 * math.sqrt(variance)


def greedy(logits: Tensor) -> int:
    """The most probable token that is not <unk>."""
    return 1 + int(logits[1:].argmax())


def filtered(logits: Tensor, temperature: float, top_k: int, top_p: float) -> Tensor:
    """Temperature, then the k most probable, then the fewest of these that hold p; written token by token."""
    shares = torch.softmax(logits / temperature, 0)
    shares[0] = 0
    shares /= shares.sum()
    ranked = sorted(range(len(shares)), key=lambda token: -float(shares[token]))[: top_k or None]
    whole = sum(float(shares[token]) for token in ranked)
    kept, held = [], 0.0
    for token in ranked:
        if held >= top_p:
            break
        kept.append(token)
        held += float(shares[token]) / whole
    result = torch.zeros_like(shares)
    result[kept] = shares[kept]
    return result / result.sum()
