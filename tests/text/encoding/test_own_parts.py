"""A folder with files for training, validation and test is split by them, to the character."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest

from rnnplay.config import RunConfig, split_fractions
from rnnplay.errors import InputError
from rnnplay.runs.metrics.records import Notice
from rnnplay.text.corpora.adding import add_corpus
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.corpora.joining import own_parts, split_of
from rnnplay.text.encoding.encoded import encode_again, encode_corpus
from rnnplay.training.checkpointing.resuming import resolved
from tests.training.world import World

TRAIN = "the cat sat\non the mat ä€\n" * 40
VALID, TEST = "a dog ran\n" * 7 + "and ran", "the end\n" * 5


def fill(folder: Path, names: tuple[str, ...] = ("train.txt", "valid.txt", "test.txt")) -> Path:
    folder.mkdir()
    for name, text in zip(names, (TRAIN, VALID, TEST), strict=False):
        data = text.encode()
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ("train.txt", "valid.txt", "test.txt"),
        ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"),
        ("ptb_training.txt", "ptb_dev.txt"),
        ("Train.txt.gz", "val.txt.gz", "test.txt.gz"),
    ],
)
def test_each_part_is_its_file(names: tuple[str, ...], world: World, tmp_path: Path) -> None:
    folder = fill(tmp_path / "texts", names)
    (folder / "README.md").write_text("not a part of it")
    config = RunConfig(corpus=str(folder), batch_size=2, bptt=4, split="50/25/25")
    corpus = encode_corpus(find_corpus(config.corpus, world.workspace), config, world.workspace.cache)
    decode = corpus.tokenizer.decode
    parts = [decode(part.ids.tolist()) for part in (corpus.train, corpus.validation, corpus.test)]
    assert parts == [TRAIN, VALID + "\n", TEST if len(names) == 3 else ""]
    for name in names:
        assert name in corpus.remark
    assert ("there is no file for test" in corpus.remark) == (len(names) == 2)

    # From run.json alone, also after the encoded copy is gone.
    kept = resolved(config, corpus)
    assert sum(split_fractions(kept.split)) == pytest.approx(1)
    again = encode_again(kept, corpus.sha256, corpus.tokenizer, world.workspace, use_copy=False)
    assert decode(again.validation.ids.tolist()) == VALID + "\n"
    assert resolved(kept, again) == kept


def test_a_run_says_which_file_is_which_and_keeps_the_split(world: World, tmp_path: Path) -> None:
    config = world.config(corpus=str(fill(tmp_path / "texts")), steps=2, batch_size=2, bptt=4)
    world.trainer(config).advance()
    said = [record.message for record in world.emitted if isinstance(record, Notice)]
    assert said[0] == (
        "The files of texts are its split: train.txt for training, valid.txt for validation, test.txt for test."
    )
    assert world.folder().info().config.split == split_of(own_parts(tmp_path / "texts"))
    resumed = world.resume(msgspec.structs.replace(world.folder().info().config, steps=4))
    resumed.advance()


def test_a_folder_without_both_is_joined_and_one_with_two_of_a_kind_is_refused(world: World, tmp_path: Path) -> None:
    plain = fill(tmp_path / "plain", ("train.txt", "poems.txt", "test.txt"))
    assert own_parts(plain) == () and not find_corpus(str(plain), world.workspace).split_by_file
    with pytest.raises(InputError, match="give the folder itself wherever a corpus is asked for"):
        add_corpus(fill(tmp_path / "whole"), world.workspace)
    twice = fill(tmp_path / "twice")
    (twice / "dev.txt").write_text("another")
    with pytest.raises(InputError, match=r"several files for validation, dev\.txt and valid\.txt; leave one of them"):
        find_corpus(str(twice), world.workspace)
