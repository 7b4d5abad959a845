"""A model of bytes or byte pairs that another program trained predicts as a run what it predicts by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rnnplay.errors import InputError
from rnnplay.experiments.importing.imported_run import Import, import_model
from rnnplay.experiments.importing.vocabulary_file import Vocabulary, read_vocabulary
from rnnplay.runs.folder import RunFolder
from rnnplay.training.checkpointing.checkpoints import load_model
from rnnplay.workspace import Workspace

TEXT = "the quick brown fox — über den Zaun\nthe quick brown dog\n\nthe end of the quick fox\n" * 12


def foreign(normalizer: Any = None) -> Any:
    """A tokenizer as other programs train it: as GPT-2 divides a text, with a special token at id 0."""
    library = pytest.importorskip("tokenizers")
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = library.trainers.BpeTrainer(
        vocab_size=300,
        show_progress=False,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(TEXT.splitlines(), trainer)
    return tokenizer


def plain(vocabulary: int) -> nn.ModuleDict:
    torch.manual_seed(1)
    rnn = nn.GRU(5, 9, batch_first=True)
    return nn.ModuleDict({"embedding": nn.Embedding(vocabulary, 5), "rnn": rnn, "out": nn.Linear(9, vocabulary)})


def as_run(folder: Path, model: nn.ModuleDict, vocabulary: Path | None, **wanted: Any) -> RunFolder:
    workspace = Workspace(folder / "workspace").create()
    (workspace.corpora / "small.txt").write_text(TEXT, encoding="utf-8")
    torch.save(model.state_dict(), folder / "model.pt")
    what = Import(folder / "model.pt", vocabulary, "small", **wanted)
    return import_model(what, lambda _: RunFolder(workspace.checkpoints / "imported"), workspace)[0]


def predicted(model: nn.ModuleDict, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model["out"](model["rnn"](model["embedding"](torch.tensor([ids])))[0])[0].softmax(-1)
    return found


def test_byte_pairs_of_another_program(tmp_path: Path) -> None:
    tokenizer = foreign()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    model = plain(tokenizer.get_vocab_size())
    run = as_run(tmp_path, model, tmp_path / "tokenizer.json")
    ours, read, _ = load_model(run)
    assert read.kind == "bpe" and run.info().config.tokens == "bpe"
    text = "the quick fox\n\n  über 日本\n"
    ids = tokenizer.encode(text).ids
    assert [read.tokens[one] for one in read.encode(text)][:3] == ["the", " quick", " fox"]
    assert len(read.encode(text)) == len(ids)
    with torch.no_grad():
        found = ours(torch.tensor(read.encode(text))[None])[0][0].softmax(-1)
    expected = predicted(model, ids)
    theirs = {tokenizer.id_to_token(row): row for row in range(len(expected[0]))}
    rows = [theirs[piece] for piece in read.written[1:]]  # type: ignore[attr-defined]
    # Without the special token, the others' probabilities add up to 1.
    expected = expected[:, rows] / expected[:, rows].sum(-1, keepdim=True)
    torch.testing.assert_close(found[:, 1:], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("tokens", "size"),
    [(None, 256), ([*range(256)], 256), ([f"<0x{value:02X}>" for value in range(256)], 256), (None, 260)],
)
def test_bytes_by_their_numbers_or_by_name(tmp_path: Path, tokens: list[object] | None, size: int) -> None:
    if tokens is not None:
        (tmp_path / "tokens.json").write_text(json.dumps(tokens))
    model = plain(size)
    run = as_run(tmp_path, model, None if tokens is None else tmp_path / "tokens.json", tokens="byte")
    ours, read, _ = load_model(run)
    text = "über den Zaun\n"
    with torch.no_grad():
        found = ours(torch.tensor(read.encode(text))[None])[0][0].softmax(-1)
    expected = predicted(model, list(text.encode()))[:, :256]
    torch.testing.assert_close(found[:, 1:], expected / expected.sum(-1, keepdim=True), atol=1e-5, rtol=1e-4)


def test_bytes_in_another_order(tmp_path: Path) -> None:
    tokens = ["<pad>", *(chr(value) for value in reversed(range(256)))]
    found = read(tmp_path, tokens, 257, kind="byte")
    assert found.rows == [None, *reversed(range(1, 257))] and found.left_out == ["<pad>"]


def read(tmp_path: Path, data: object, size: int, **options: Any) -> Vocabulary:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps(data))
    return read_vocabulary(path, size, options.pop("kind", None), [TEXT], **options)


def test_a_normalizer_is_that_of_the_run(tmp_path: Path) -> None:
    library = pytest.importorskip("tokenizers")
    normalizer = library.normalizers.Sequence([library.normalizers.NFKC(), library.normalizers.Lowercase()])
    data = json.loads(foreign(normalizer).to_str())
    found = read(tmp_path, data, len(data["model"]["vocab"])).tokenizer
    assert (found.lowercase, found.normal_form) == (True, "nfkc")


def bpe(vocabulary: dict[str, int], merges: list[str] | None = None, **settings: str) -> dict[str, Any]:
    return {"model": {"type": "BPE", "vocab": vocabulary, "merges": merges or [], **settings}}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"pre_tokenizer": {"type": "Whitespace"}}, "divides a text otherwise"),
        ({"pre_tokenizer": None}, "divides a text otherwise"),
        ({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True}}, "divides a text otherwise"),
        ({"normalizer": {"type": "NFD"}}, "normalizes a text with NFD"),
        ({"model": {"type": "WordPiece", "vocab": {"a": 0}}}, "of the kind WordPiece"),
        (bpe({"a": 0}, end_of_word_suffix="</w>"), "end_of_word_suffix"),
        (bpe({"a": 0, "ĊĊ": 1}), "joins a newline"),
        (bpe({"a": 0, "b": 2}), "the ids from 0 on, each once"),
        (bpe({"a": 0}, ["a zz"]), "merges are invalid"),
        (bpe({"日": 0}), "has no bytes among its tokens"),
        (
            bpe({"a": 0}),
            "has 1 tokens, but the model has a row for each of 3",
        ),
    ],
)
def test_another_kind_of_tokenizer_is_refused(tmp_path: Path, changed: dict[str, Any], sentence: str) -> None:
    usual = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    with pytest.raises(InputError, match=sentence):
        read(tmp_path, {"pre_tokenizer": usual, "added_tokens": []} | {"model": {"vocab": {}}} | changed, 3)


@pytest.mark.parametrize(
    ("data", "kind", "sentence"),
    [
        (["a", "b", "c"], "bpe", "has no merges"),
        ([1, 1, 2], "byte", "has the byte 1 twice"),
        (["aa", "bb", 300], "byte", "has no bytes"),
        ({"model": {"vocab": {}}, "pre_tokenizer": None}, "word", "leave --tokens out"),
    ],
)
def test_vocabularies_of_another_kind_are_refused(tmp_path: Path, data: object, kind: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read(tmp_path, data, 3, kind=kind)


def test_without_a_vocabulary_only_bytes_are_known() -> None:
    with pytest.raises(InputError, match="name the file that has them with --vocabulary"):
        read_vocabulary(None, 65, None, [])
    with pytest.raises(InputError, match="fewer than there are bytes"):
        read_vocabulary(None, 65, "byte", [])
