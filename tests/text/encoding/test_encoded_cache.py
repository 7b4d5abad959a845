"""The cache of encoded texts never lies: what was written to it is what comes out, to the last byte, or nothing."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnplay.errors import InputError
from rnnplay.text.corpora import content_hash
from rnnplay.text.encoding import encoded_cache, mapped
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_again
from tests.training.world import World, run_to_end

FILES = ("train.ids", "train.lines", "validation.ids", "test.lines")


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files need not be 100 ms old to be remembered."""
    monkeypatch.setattr(content_hash, "TOO_FRESH_NS", -(10**18))


@pytest.fixture
def long(world: World) -> World:
    """With a text of more than the 64 kB at each end that were once all that was checked."""
    world.text.write_text(world.text.read_text() * 60)
    return world


def folder_of(world: World) -> Path:
    (folder,) = (place for place in (world.workspace.cache / "encoded").iterdir() if place.is_dir())
    return folder


def overwrite_middle(path: Path, size: int = 120_000) -> None:
    """With values that may stand there, all times as they were but the one that cannot be set."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    half = len(data) // 2 // 8 * 8
    size = min(size, half)
    first, last = half - size // 2, half + size // 2
    data[first:last] = data[first + 1 : last] + data[first : first + 1]
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def ids(corpus: EncodedCorpus) -> list[bytes]:
    return [np.array(part.ids).tobytes() for part in (corpus.train, corpus.validation, corpus.test)]


def again(world: World, **values: Any) -> EncodedCorpus:
    config = world.config(**values)
    folder = world.folder()
    return encode_again(config, folder.info().corpus_sha256, folder.tokenizer(), world.workspace)


@pytest.mark.parametrize("copied", [False, True])
def test_bytes_overwritten_in_the_middle_are_noticed(long: World, copied: bool) -> None:
    """Also where the folder was copied with its times. What was encoded is then encoded again."""
    expected = ids(long.encode(long.config(feed="lines")))
    folder = folder_of(long)
    assert (folder / "seen.json").exists()
    for name in FILES:
        if copied:
            shutil.copytree(folder, folder.with_name("kept"))
            shutil.rmtree(folder)
            folder.with_name("kept").rename(folder)
        overwrite_middle(folder / name)
        assert encoded_cache.load(long.workspace.cache, folder.name) is None, name
        assert ids(long.encode(long.config(feed="lines"))) == expected, name


def test_a_run_never_goes_on_with_another_text(long: World) -> None:
    """The identical sequence of losses, from the text encoded anew; and where that is gone, a sentence."""
    config = long.config(batch_size=2, bptt=64, steps=40)
    run_to_end(long.trainer(config, "whole"))
    run_to_end(long.trainer(long.config(batch_size=2, bptt=64, steps=20)))
    long.kill()
    overwrite_middle(folder_of(long) / "train.ids", 10**6)
    corpus = again(long, batch_size=2, bptt=64, steps=40)
    from rnnplay.training.trainer import Trainer

    trainer = Trainer.resume(config, corpus, long.folder(), long.emitted.append)
    run_to_end(trainer)
    trainer.close()
    assert long.steps() == long.steps("whole")
    for path in (long.workspace.cache / "encoded").glob("*/train.ids"):
        overwrite_middle(path, 10**6)
    long.text.unlink()
    with pytest.raises(InputError, match="is gone, and so is its encoded copy"):
        again(long)


def test_a_vocabulary_with_two_tokens_swapped_is_noticed(world: World) -> None:
    expected = world.encode(world.config()).tokenizer.to_bytes()
    path = folder_of(world) / "vocabulary.json"
    saved = json.loads(path.read_bytes())
    saved["tokens"][3], saved["tokens"][4] = saved["tokens"][4], saved["tokens"][3]
    path.write_text(json.dumps(saved))
    assert world.encode(world.config()).tokenizer.to_bytes() == expected


def test_what_was_checked_is_not_read_again_until_it_may_have_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    check = mapped.check_whole

    def noting(path: Path, *rest: Any) -> None:
        read.append(path.name)
        check(path, *rest)

    monkeypatch.setattr(encoded_cache, "check_whole", noting)
    config = world.config()
    world.encode(config)
    assert read == ["train.ids", "validation.ids", "test.ids"], "once, as it was written"
    read.clear()
    world.encode(config)
    assert not read
    os.utime(folder_of(world) / "validation.ids")
    world.encode(config)
    world.encode(config)
    assert read == ["validation.ids"]


def test_a_file_that_was_written_just_now_is_not_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another change could leave it with the same times."""
    monkeypatch.setattr(content_hash, "TOO_FRESH_NS", 10**12)
    world.encode(world.config())
    assert not (folder_of(world) / "seen.json").exists()


@pytest.mark.parametrize(
    "content", [b"", b"[" * 60_000, b'{"train.ids": 3}', b"x" * 10**6, b'{"train.ids":[1,2,3,4,5]}']
)
def test_a_foreign_seen_json_is_not_believed(world: World, content: bytes) -> None:
    expected = ids(world.encode(world.config()))
    (folder_of(world) / "seen.json").write_bytes(content)
    overwrite_middle(folder_of(world) / "train.ids")
    assert ids(world.encode(world.config())) == expected


def test_where_nothing_can_be_written_the_cache_is_read_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ids(world.encode(world.config()))
    (folder_of(world) / "seen.json").unlink()

    def refused(*_: Any, **__: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("rnnplay.text.corpora.content_hash.replacing", refused)
    assert ids(world.encode(world.config())) == expected


def as_format_1(folder: Path) -> None:
    """What earlier versions wrote: checksums of the ends, no more."""
    meta = json.loads((folder / "meta.json").read_bytes())
    meta["format"] = 1
    del meta["vocabulary_check"], meta["check"]
    for name, part in zip(("train", "validation", "test"), meta["parts"], strict=True):
        data = (folder / f"{name}.ids").read_bytes()
        part["ids_check"] = zlib.crc32(data[-65536:], zlib.crc32(data[:65536]))
        del part["unknown"], part["hidden"]
    (folder / "meta.json").write_text(json.dumps(meta))
    (folder / "seen.json").unlink()


def test_a_copy_of_an_earlier_version_is_made_anew_while_the_text_is_there(world: World) -> None:
    run_to_end(world.trainer(world.config()))
    folder = folder_of(world)
    as_format_1(folder)
    expected = encoded_cache.load(world.workspace.cache, folder.name, old=True)
    found = again(world)
    assert found.remark == "" and expected is not None
    assert np.array_equal(found.train.ids, expected[1][0].ids)
    made = {json.loads(path.read_bytes())["format"] for path in folder.parent.glob("*/meta.json")}
    assert encoded_cache.FORMAT in made and encoded_cache.load(world.workspace.cache, folder.name) is None


def test_and_where_the_text_is_gone_it_is_used_and_said(world: World) -> None:
    """As before; nobody's run ends with an update."""
    run_to_end(world.trainer(world.config()))
    expected = ids(world.encode(world.config()))
    folder = folder_of(world)
    as_format_1(folder)
    world.text.unlink()
    corpus = again(world)
    assert ids(corpus) == expected
    assert "is gone; the run goes on from its encoded copy. An earlier version wrote that" in corpus.remark
    data = bytearray((folder / "train.ids").read_bytes())
    data[10] ^= 1
    (folder / "train.ids").write_bytes(data)
    with pytest.raises(InputError, match="is gone, and so is its encoded copy"):
        again(world)
