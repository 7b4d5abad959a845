"""A model that plain PyTorch trained predicts the same as a run, whatever its parts are called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from rnnplay.errors import InputError
from rnnplay.experiments.importing.imported_run import Import, import_model
from rnnplay.experiments.importing.plain_model import plain_model
from rnnplay.experiments.importing.vocabulary_file import Vocabulary, read_vocabulary
from rnnplay.experiments.importing.weights_file import read_tensors
from rnnplay.runs.folder import RunFolder
from rnnplay.training.checkpointing.checkpoints import load_model
from rnnplay.workspace import Workspace

TEXT = "the cat sat on the mat, and the dog ran after it; the bird sang.\n" * 100
CHARACTERS = sorted(set(TEXT), reverse=True)  # not in the order of our ids
PROBE = "the dog sat on the cat,\nand"


class Plain(nn.Module):
    """A language model as tutorials write it."""

    def __init__(self, rnn: nn.RNNBase, vocabulary: int, tie: bool = False, bias: bool = True) -> None:
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, rnn.input_size)
        self.lstm = rnn
        self.fc = nn.Linear(rnn.hidden_size, vocabulary, bias=bias)
        if tie:
            self.fc.weight = self.encoder.weight
        with torch.no_grad():
            draw = torch.Generator().manual_seed(3)
            for weight in self.parameters():
                weight.copy_(0.6 * torch.randn(weight.shape, generator=draw))

    def forward(self, ids: Tensor) -> Tensor:
        hidden, _ = self.lstm(self.encoder(ids))
        logits: Tensor = self.fc(hidden)
        return logits


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., RunFolder]:
    """Imports what torch.save is given, with a vocabulary of CHARACTERS unless told otherwise."""

    def call(saved: object, tokens: object = CHARACTERS, corpus: str = "small", **wanted: Any) -> RunFolder:
        workspace = Workspace(tmp_path / "workspace").create()
        (workspace.corpora / "small.txt").write_text(TEXT, encoding="utf-8")
        torch.save(saved, tmp_path / "model.pt")
        (tmp_path / "tokens.json").write_text(json.dumps(tokens), encoding="utf-8")
        what = Import(tmp_path / "model.pt", tmp_path / "tokens.json", corpus, **wanted)
        return import_model(what, lambda _: RunFolder(workspace.checkpoints / "imported"), workspace)[0]

    return call


def probabilities(run: RunFolder, text: str, tokens: list[str]) -> Tensor:
    """What the run predicts after each token of `text`, in the order of `tokens`."""
    model, tokenizer, _ = load_model(run)
    with torch.no_grad():
        found: Tensor = model(torch.tensor(tokenizer.encode(text))[None])[0][0].softmax(-1)
    return found[:, [tokenizer.tokens.index(token) for token in tokens]]


@pytest.mark.parametrize(
    ("rnn", "options"),
    [
        (lambda: nn.RNN(5, 9, batch_first=True), {}),
        (lambda: nn.RNN(5, 9, 2, nonlinearity="relu", batch_first=True), {"nonlinearity": "relu"}),
        (lambda: nn.GRU(5, 9, 2, batch_first=True), {}),
        (lambda: nn.LSTM(5, 9, batch_first=True), {}),
        (lambda: nn.LSTM(5, 9, 2, bias=False, batch_first=True), {}),
    ],
    ids=["tanh", "relu", "gru", "lstm", "without bias"],
)
def test_a_run_predicts_what_the_model_does(
    imported: Callable[..., RunFolder], rnn: Callable[[], nn.RNNBase], options: dict[str, Any]
) -> None:
    plain = Plain(rnn(), len(CHARACTERS))
    run = imported(plain.state_dict(), **options)
    ids = torch.tensor([[CHARACTERS.index(letter) for letter in PROBE]])
    with torch.no_grad():
        expected = plain(ids)[0].softmax(-1)
    torch.testing.assert_close(probabilities(run, PROBE, CHARACTERS), expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("tie", [True, False])
def test_tied_weights_and_a_missing_bias_are_found(imported: Callable[..., RunFolder], tie: bool) -> None:
    plain = Plain(nn.GRU(9, 9, batch_first=True), len(CHARACTERS), tie, bias=False)
    run = imported({"epoch": 3, "model_state_dict": plain.state_dict(), "optimizer": {}})
    assert run.info().config.tie is tie
    ids = torch.tensor([[CHARACTERS.index(letter) for letter in PROBE]])
    with torch.no_grad():
        expected = plain(ids)[0].softmax(-1)
    torch.testing.assert_close(probabilities(run, PROBE, CHARACTERS), expected, atol=1e-6, rtol=1e-4)


def test_one_hot_inputs_get_an_identity_as_their_embedding(imported: Callable[..., RunFolder]) -> None:
    torch.manual_seed(0)
    size = len(CHARACTERS)
    rnn, output = nn.LSTM(size, 7, batch_first=True), nn.Linear(7, size)
    run = imported(nn.ModuleDict({"rnn": rnn, "h2o": output}).state_dict())
    one_hot = nn.functional.one_hot(torch.tensor([[CHARACTERS.index(letter) for letter in PROBE]]), size).float()
    with torch.no_grad():
        expected = output(rnn(one_hot)[0])[0].softmax(-1)
    torch.testing.assert_close(probabilities(run, PROBE, CHARACTERS), expected, atol=1e-6, rtol=1e-4)


def test_words_with_special_tokens(imported: Callable[..., RunFolder]) -> None:
    words = sorted({*TEXT.replace(",", " ,").replace(";", " ;").replace(".", " .").split()})
    tokens = ["<pad>", *words, "<unk>", "<eos>"]
    plain = Plain(nn.LSTM(5, 9, batch_first=True), len(tokens))
    run = imported(plain.state_dict(), {token: at for at, token in enumerate(tokens)})
    tokenizer = run.tokenizer()
    assert tokenizer.kind == "word" and "<pad>" not in tokenizer.tokens
    ids = torch.tensor([[tokens.index(word) for word in "the cat sat , <eos> zebra".replace("zebra", "<unk>").split()]])
    with torch.no_grad():
        logits = plain(ids)[0]
    logits[:, tokens.index("<pad>")] = -torch.inf
    expected = logits.softmax(-1)[:, [tokens.index(word) for word in (*words, "<unk>", "<eos>")]]
    found = probabilities(run, "the cat sat,\nzebra", [*words, "<unk>", "\n"])
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_a_short_text_is_enough(imported: Callable[..., RunFolder], tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text(TEXT[:2000], encoding="utf-8")
    plain = Plain(nn.LSTM(5, 9, batch_first=True), len(CHARACTERS))
    run = imported(plain.state_dict(), corpus=str(tmp_path / "short.txt"))
    config = run.info().config
    assert config.batch_size * config.bptt < 1800 and config.batch_size > 20


def test_the_run_is_whole(imported: Callable[..., RunFolder]) -> None:
    run = imported(Plain(nn.LSTM(5, 9, batch_first=True), len(CHARACTERS)).state_dict())
    kinds = [type(record).__name__ for record in run.metrics()]
    assert kinds[0] == "Validation" and kinds[-1] == "Finished"
    assert run.checkpoint("best").step == 0 and run.info().config.corpus == "small"


def test_weights_of_an_export_come_back_as_they_were(workspace: Workspace, tmp_path: Path) -> None:
    from rnnplay.experiments.export.export import export
    from rnnplay.experiments.export.request import Export
    from tests.experiments.export.made_runs import add_checkpoint, make_run

    run = make_run(workspace, cell="rnn", nonlinearity="relu", layers=2)
    add_checkpoint(run)
    weights, vocabulary = export(Export([run], "safetensors", tmp_path / "run.safetensors")).files
    back, done = import_model(
        Import(weights, vocabulary, "small"), lambda _: RunFolder(workspace.checkpoints / "back"), workspace
    )
    assert done.config.nonlinearity == "relu" and back.tokenizer().to_bytes() == run.tokenizer().to_bytes()
    ours, theirs = load_model(back)[0].weights(), load_model(run)[0].weights()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def lstm(**changed: Tensor | None) -> dict[str, Tensor]:
    """The tensors of a small model; None takes one away."""
    tensors: dict[str, Tensor | None] = {
        "embedding.weight": torch.ones(11, 5),
        "rnn.weight_ih_l0": torch.ones(28, 5),
        "rnn.weight_hh_l0": torch.ones(28, 7),
        "rnn.bias_ih_l0": torch.ones(28),
        "rnn.bias_hh_l0": torch.ones(28),
        "output.weight": torch.ones(11, 7),
        "output.bias": torch.ones(11),
        **{name.replace("__", "."): tensor for name, tensor in changed.items()},
    }
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"rnn__weight_hh_l0": torch.ones(21, 5)}, "weight_hh_l0 is 21×5; that of an nn.RNN"),
        ({"rnn__weight_ih_l0": torch.ones(21, 5)}, "weight_ih_l0 is 21×5, but weight_hh_l0 asks for 28×any"),
        ({"rnn__bias_hh_l0": torch.ones(7)}, "bias_hh_l0 is 7, but weight_hh_l0 asks for 28"),
        ({"rnn__weight_ih_l1": torch.ones(28, 7)}, "weight_hh_l1 is missing, but there are 2 layers"),
        ({"rnn__weight_ih_l0_reverse": torch.ones(28, 5)}, "bidirectional"),
        ({"rnn__weight_hr_l0": torch.ones(3, 7)}, "proj_size"),
        ({"other__weight_ih_l0": torch.ones(28, 5)}, r"several recurrent modules \(other\., rnn\.\)"),
        ({"norm__weight": torch.ones(7)}, r"more than an embedding.*norm\.weight \(7\)"),
        ({"output__weight": torch.ones(12, 7)}, "embedding has 11 tokens and the output .* 12"),
        ({"output__weight": None}, "no output of 7 numbers a token"),
        ({"embedding__weight": None}, "no embedding of 5 numbers a token"),
        ({name: None for name in lstm() if "rnn" in name} | {"a": None}, "no recurrent layers"),
    ],
)
def test_any_other_model_is_refused_with_the_reason(changed: dict[str, Tensor | None], sentence: str) -> None:
    tensors = {**lstm(**{name: tensor for name, tensor in changed.items() if "." not in name})}
    tensors = {name: tensor for name, tensor in tensors.items() if changed.get(name, tensor) is not None}
    with pytest.raises(InputError, match=sentence):
        plain_model(tensors)


def test_parts_with_other_names_can_be_named() -> None:
    tensors = {name.replace("embedding", "a").replace("output", "b"): tensor for name, tensor in lstm().items()}
    tensors |= {"a.weight": torch.ones(11, 7), "rnn.weight_ih_l0": torch.ones(28, 7)}  # the same shape as b.weight
    with pytest.raises(InputError, match=r"--tensor output\.weight=NAME"):
        plain_model(tensors)
    found = plain_model(tensors, {"embedding.weight": "a.weight", "output.weight": "b.weight"})
    assert (found.cell, found.embedding, found.hidden, found.layers) == ("lstm", 7, 7, 1)
    with pytest.raises(InputError, match=r"no tensor c for output\.weight; the file has a\.weight"):
        plain_model(tensors, {"output.weight": "c"})


def test_wrappers_are_looked_through() -> None:
    tensors = {f"module._orig_mod.{name}": tensor for name, tensor in lstm().items()}
    assert plain_model(tensors).vocabulary == 11


class Harmful:
    """Would write a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.path, "written")


def test_nothing_in_a_pickle_is_run(tmp_path: Path) -> None:
    torch.save({"model": Harmful(tmp_path / "trace")}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="could run any program"):
        read_tensors(tmp_path / "model.pt")
    assert not (tmp_path / "trace").exists()


def test_files_that_are_no_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not weights", encoding="utf-8")
    (tmp_path / "short.safetensors").write_bytes(safetensors.torch.save({"a": torch.ones(4)})[:-3])
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    torch.save({"a": torch.tensor([float("nan")])}, tmp_path / "nan.pt")
    torch.save({"a": torch.tensor([1])}, tmp_path / "whole.pt")
    for name, sentence in (
        ("text", "neither a safetensors file nor"),
        ("short.safetensors", "not a complete safetensors file"),
        ("empty.pt", r"no tensors by name \(it has epoch\)"),
        ("nan.pt", "not finite"),
        ("whole.pt", "no weight tensors"),
        ("absent", "There is no file"),
        (".", "is a folder, a pipe or a device"),
    ):
        with pytest.raises(InputError, match=sentence):
            read_tensors(tmp_path / name)


def read(tmp_path: Path, data: object, size: int, **options: Any) -> Vocabulary:
    path = tmp_path / "tokens.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return read_vocabulary(path, size, options.pop("kind", None), [TEXT], **options)


@pytest.mark.parametrize(
    "data", [["b", "a"], {"b": 0, "a": 1}, {"0": "b", "1": "a"}, {"epoch": 1, "stoi": {"b": 0, "a": 1}}]
)
def test_vocabularies_are_read_in_the_forms_that_programs_write(tmp_path: Path, data: object) -> None:
    found = read(tmp_path, data, 2)
    assert found.tokenizer.tokens == ["<unk>", "a", "b"] and found.rows == [None, 1, 0]


def test_special_tokens_of_characters(tmp_path: Path) -> None:
    found = read(tmp_path, ["<pad>", "<unk>", "a", "</s>"], 4)
    assert found.tokenizer.tokens == ["<unk>", "\n", "a"]
    assert found.rows == [1, 3, 2] and found.left_out == ["<pad>"]


def test_tokens_that_no_text_has_are_left_out_only_if_asked(tmp_path: Path) -> None:
    tokens = ["the", "dog", "a b", "u.s."]
    with pytest.raises(
        InputError, match=r"2 of the 4 tokens in .* such as 'a b', 'u\.s\.', are no words .*--leave-out"
    ):
        read(tmp_path, tokens, 4)
    found = read(tmp_path, tokens, 4, leave_out=True)
    assert found.left_out == ["a b", "u.s."] and found.rows[5:] == [0, 1]


def test_words_of_a_corpus_divided_into_tokens_end_at_white_space(imported: Callable[..., RunFolder]) -> None:
    """As those of models of WikiText-2 do: every token has its row, and the text is read by them."""
    tokens = ["the", "dog", "'s", "u.s.", "@-@", ",", "<unk>", "<eos>"]
    plain = Plain(nn.LSTM(5, 9, batch_first=True), len(tokens))
    run = imported(plain.state_dict(), tokens)
    tokenizer = run.tokenizer()
    assert run.info().config.word_boundary == "whitespace"
    text = "the dog 's u.s. @-@ zebra ,"
    assert [tokenizer.tokens[one] for one in tokenizer.encode(text)] == text.replace("zebra", "<unk>").split()
    with torch.no_grad():
        expected = plain(torch.tensor([[0, 1, 2, 3, 4, 6, 5]]))[0].softmax(-1)
    torch.testing.assert_close(probabilities(run, text, [*tokens[:-1], "\n"]), expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (["a", "b"], "has 2 tokens, but the model has a row for each of 3"),
        (["a", "b", "a"], "has 'a' twice, with ids 0 and 2"),
        ({"a": 0, "b": 1, "c": 3}, "none with id 2; ids are from 0 to 2"),
        ({"a": 0, "b": 1, "c": 1}, "none with id 2"),
        ("[1, 2", "not a JSON file"),
        ([1, 2, 3], "neither a list of tokens nor"),
        ({"a": True}, "neither a list of tokens nor"),
        ({"format": 1, "kind": "char", "tokens": ["a"]}, "damaged"),
    ],
)
def test_vocabularies_that_do_not_fit_are_refused(tmp_path: Path, data: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read(tmp_path, data, 3)
