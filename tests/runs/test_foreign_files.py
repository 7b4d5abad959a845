"""No file of a run folder that came from elsewhere can hurt: it is read rightly, or refused in one sentence."""

from __future__ import annotations

import json
import os
import pickle
import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnplay.errors import InputError
from rnnplay.runs.folder import RunFolder, find_run, list_runs
from rnnplay.runs.metrics.records import Record
from rnnplay.training.checkpointing.checkpoints import load_model
from tests.training.world import World

STEP = "step-000000006/"
JSON = ["run.json", "vocabulary.json", STEP + "state.json"]
TENSORS = [STEP + "weights.safetensors", STEP + "state.safetensors"]
FILES = [*JSON, *TENSORS, "metrics.jsonl"]

# Flushed denormals, which a trainer sets for its thread, are not for Hypothesis's floats: whole numbers do here.
FEW = settings(
    max_examples=int(os.environ.get("RNNPLAY_EXAMPLES", "40")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A run with two checkpoints, the later of which will suffer."""
    torch.set_num_threads(1)
    world = World(tmp_path_factory.mktemp("sound"))
    trainer = world.trainer(world.config(eval_every=3, checkpoint_every=3, keep=3, clip_threshold=0.5))
    for _ in range(6):
        trainer.advance()
    trainer.tune("lr", 0.01)
    trainer.finish("stopped")
    assert [one.step for one in world.folder().checkpoints()] == [0, 3, 6]
    return world


@pytest.fixture
def run(sound: World) -> Iterator[RunFolder]:
    """A copy of it, made anew by `afresh` for each mutation."""
    folder = sound.folder("copy")
    afresh(sound, folder)
    yield folder
    shutil.rmtree(folder.path)


def afresh(sound: World, run: RunFolder) -> None:
    if run.path.is_dir():
        shutil.rmtree(run.path)
    shutil.copytree(sound.folder().path, run.path)


def use(world: World, name: str = "copy") -> tuple[int, list[str]]:
    """All that reads a run: how many of the ways worked, and the sentences of those that did not."""
    used, refused = 0, []
    before = outside(world, name)

    def attempt(way: Callable[[], object]) -> None:
        nonlocal used
        try:
            way()
            used += 1
        except InputError as error:
            assert error.exit_code == 2 and str(error).strip() and "\n" not in str(error) and len(str(error)) < 1500
            refused.append(str(error))

    def train() -> None:
        trainer = world.resume(name=name)
        trainer.advance()
        trainer.close()

    run = RunFolder(world.workspace.checkpoints / name)
    list_runs(world.workspace)
    attempt(lambda: find_run(name, world.workspace).info())
    attempt(lambda: load_model(run))
    attempt(lambda: all(isinstance(record, Record) for record in run.metrics()))
    attempt(train)
    world.kill()
    assert outside(world, name) == before, "nothing is written elsewhere"
    return used, refused


def outside(world: World, name: str) -> dict[str, bytes | None]:
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in sorted(world.workspace.root.rglob("*"))
        if not path.is_relative_to(world.workspace.checkpoints / name) and ".cache" not in path.parts
    }


def without_sums(run: RunFolder) -> None:
    """As one would who changes a checkpoint on purpose."""
    path = run.path / STEP / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": {}}))


def test_as_it_is_all_of_it_works(sound: World, run: RunFolder) -> None:
    assert use(sound) == (4, [])


@FEW
@given(
    file=st.sampled_from(FILES),
    places=st.lists(st.tuples(st.integers(0, 999), st.integers(0, 7)), min_size=1, max_size=4),
    sums=st.booleans(),
)
def test_flipped_bits(file: str, places: list[tuple[int, int]], sums: bool, sound: World, run: RunFolder) -> None:
    afresh(sound, run)
    if not sums:
        without_sums(run)
    data = bytearray((run.path / file).read_bytes())
    for place, bit in places:
        data[place * len(data) // 1000] ^= 1 << bit
    (run.path / file).write_bytes(data)
    use(sound)


@FEW
@given(
    file=st.sampled_from(FILES),
    share=st.integers(0, 1000),
    tail=st.binary(max_size=40) | st.just(b"\n" * 10) | st.just(b"[" * 4000),
    sums=st.booleans(),
)
def test_cut_short_and_written_on(file: str, share: int, tail: bytes, sums: bool, sound: World, run: RunFolder) -> None:
    afresh(sound, run)
    if not sums:
        without_sums(run)
    data = (run.path / file).read_bytes()
    (run.path / file).write_bytes(data[: share * len(data) // 1000] + tail)
    use(sound)


class Evil:
    """What a pickle can do when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("executed",))


@pytest.mark.parametrize("file", FILES)
def test_other_things_in_a_files_place(
    file: str, sound: World, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps(Evil())
    torch.save({"output.bias": torch.zeros(17)}, tmp_path / "saved.pt")
    contents = [
        b"",
        b"\x00" * 1000,
        pickled,
        (tmp_path / "saved.pt").read_bytes(),
        b"null",
        b"{}",
        b"[]",
        b"\xff\xfe{}",
    ]
    contents += [b"[]", b"\xff\xfe{}"]
    contents += [(run.path / other).read_bytes() for other in FILES if other != file]
    for content in contents:
        afresh(sound, run)
        without_sums(run)
        (run.path / file).write_bytes(content)
        _, refused = use(sound)
        # An empty record of what was is one, and an older checkpoint stands in for one that cannot be seen.
        assert refused or file == "metrics.jsonl" or (file == STEP + "state.json")
    assert not (tmp_path / "executed").exists()


STRANGE: list[Any] = [None, -1, 0, 1, 10**9, 10**30, -0.5, 1e308, "nan", "inf", "", "\x1b[2J", "../../x", "/etc/passwd", "x" * 400, [], {}, [1], True]  # fmt: skip # noqa: E501


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a JSON value."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    if isinstance(value, list):
        for index in range(min(len(value), 2)):
            yield from places(value[index], (*path, index))


@pytest.mark.parametrize("file", JSON)
@FEW
@given(data=st.data(), strange=st.sampled_from(STRANGE), how=st.sampled_from(["set", "delete", "add"]))
def test_strange_values(file: str, data: st.DataObject, strange: Any, how: str, sound: World, run: RunFolder) -> None:
    afresh(sound, run)
    whole = json.loads((run.path / file).read_text())
    *way, last = data.draw(st.sampled_from(sorted(places(whole), key=repr)))
    holder = whole
    for part in way:
        holder = holder[part]
    if how == "set":
        holder[last] = strange
    elif how == "delete":
        del holder[last]
    elif isinstance(holder, dict):
        holder["new"] = strange
    else:
        holder.append(strange)
    (run.path / file).write_text(json.dumps(whole))
    use(sound)


def tensors(edit: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[RunFolder, str], None]:
    def change(run: RunFolder, file: str) -> None:
        held = safetensors.torch.load_file(run.path / file)
        edit(held)
        safetensors.torch.save_file(held, run.path / file)

    return change


def first(held: dict[str, torch.Tensor]) -> str:
    return sorted(name for name, tensor in held.items() if tensor.dim() > 1)[0]


TENSOR_EDITS = {
    "transposed": tensors(lambda held: held.update({first(held): held[first(held)].mT.contiguous()})),
    "longer": tensors(lambda held: held.update({first(held): torch.zeros(200, 200)})),
    "empty": tensors(lambda held: held.update({first(held): torch.zeros(0)})),
    "half": tensors(lambda held: held.update({first(held): held[first(held)].half()})),
    "whole numbers": tensors(lambda held: held.update({first(held): held[first(held)].long()})),
    "true or false": tensors(lambda held: held.update({first(held): held[first(held)] > 0})),
    "without": tensors(lambda held: held.pop(first(held))),
    "one more": tensors(lambda held: held.update({"../../evil": torch.zeros(2)})),
}


@pytest.mark.parametrize("file", TENSORS)
@pytest.mark.parametrize("edit", TENSOR_EDITS)
def test_tensors_of_another_kind(edit: str, file: str, sound: World, run: RunFolder) -> None:
    TENSOR_EDITS[edit](run, file)
    without_sums(run)
    used, refused = use(sound)
    if edit == "half" and "weights" in file:  # weights of 16 bits are read
        assert (used, refused) == (4, [])
        return
    assert refused and used == (2 if "weights" in file else 3)


@pytest.mark.parametrize(
    "header", [b"\xff" * 8, (1 << 40).to_bytes(8, "little"), (10).to_bytes(8, "little") + b"[" * 9]
)
def test_headers_that_lie(header: bytes, sound: World, run: RunFolder) -> None:
    lie = json.dumps({"x": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 2**64 - 1]}}).encode()
    for content in (header + b"{}" * 50, len(lie).to_bytes(8, "little") + lie):
        (run.path / TENSORS[0]).write_bytes(content)
        without_sums(run)
        assert use(sound)[1]


@pytest.mark.parametrize("file", FILES)
def test_absurd_sizes_take_no_memory(file: str, sound: World, run: RunFolder) -> None:
    """Also where the config asks for as much: a file of 100 GB that takes no room on the disk."""
    info = json.loads((run.path / "run.json").read_text())
    if file in TENSORS:
        info["config"] |= {"hidden": 16384, "layers": 16, "embedding": 16384, "batch_size": 65536}
        (run.path / "run.json").write_text(json.dumps(info))
        without_sums(run)
    with (run.path / file).open("ab") as stream:
        stream.truncate(100 << 30)
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, refused = use(sound)
    assert refused or file == STEP + "state.json"
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 200 << 20


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such things here")
@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "link to nothing", "link to a device"])
@pytest.mark.parametrize("file", [*FILES, "run.lock"])
def test_what_is_no_plain_file_is_not_followed(
    file: str, kind: str, sound: World, run: RunFolder, tmp_path: Path
) -> None:
    path = run.path / file
    target = sound.workspace.root / "target"
    shutil.copyfile(path, target)
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"link": target, "link to nothing": target.with_name("new")}.get(kind, Path("/dev/zero")))
    try:
        _, refused = use(sound)
        assert refused or file == STEP + "state.json"
        assert not target.with_name("new").exists()
    finally:
        target.unlink()


def test_links_in_the_place_of_folders_are_not_followed(sound: World, run: RunFolder) -> None:
    """Neither a checkpoint, nor what an interrupted write left: that is swept away, and its target with it."""
    elsewhere = sound.workspace.root / "elsewhere"
    shutil.move(run.path / STEP, elsewhere)
    (run.path / STEP.rstrip("/")).symlink_to(elsewhere)
    for leftover in (".step-000000006.partial", ".step-000000009.replaced", ".step-000000007.removed"):
        (run.path / leftover).symlink_to(elsewhere)
    (run.path / ".run.json.partial").symlink_to(elsewhere / "state.json")
    try:
        assert [one.step for one in run.checkpoints()] == [0, 3]
        use(sound)  # compares what is outside
        trainer = sound.resume(name="copy")
        for _ in range(9):
            trainer.advance()
        trainer.tune("lr", 0.5)
        trainer.finish("stopped")
        assert sorted(path.name for path in elsewhere.iterdir()) == [
            "state.json",
            "state.safetensors",
            "weights.safetensors",
        ]
        assert not (run.path / "run.json").is_symlink()
    finally:
        shutil.rmtree(elsewhere)


def test_a_vocabulary_of_too_many_tokens_is_not_decoded(sound: World, run: RunFolder) -> None:
    """Strings take many times their length in memory."""
    path = run.path / "vocabulary.json"
    saved = json.loads(path.read_text())
    saved["tokens"] += ["a"] * 1_000_000
    path.write_text(json.dumps(saved))
    with pytest.raises(InputError, match=r"more tokens than its run\.json says"):
        run.tokenizer()


def test_no_escape_sequence_comes_out_of_a_record(run: RunFolder) -> None:
    for line in (
        '{"type":"notice","step":3,"message":"\\u001b[2J"}',
        '{"type":"finished","step":3,"reason":"a\\nb"}',
        '{"type":"tuned","step":3,"knob":"\\u009b2J","value":1}',
        '{"type":"rollback","step":3,"to":1,"cause":"x","remedy":"none","changed":{"\\u0007":1}}',
        '{"type":"validation","step":-3,"loss":1,"perplexity":1,"bits_per_character":1}',
    ):
        (run.path / "metrics.jsonl").write_text(line + "\n")
        with pytest.raises(InputError, match="line 1"):
            list(run.metrics())


def test_a_run_of_a_later_rnnplay_is_refused_kindly(sound: World, run: RunFolder) -> None:
    for file in JSON:
        afresh(sound, run)
        whole = json.loads((run.path / file).read_text())
        (run.path / file).write_text(json.dumps(whole | {"format": 99}))
        _, refused = use(sound)
        assert any("format 99" in sentence for sentence in refused) or file.startswith(STEP)


def test_a_run_of_an_earlier_rnnplay_is_read(sound: World, run: RunFolder) -> None:
    """Before there was a policy for divergence."""
    path = run.path / STEP / "state.json"
    state = json.loads(path.read_text())
    for name in ("watch", "good"):
        del state[name]
    state["live"] = {name: state["live"][name] for name in ("lr", "clip", "clip_threshold")}
    path.write_text(json.dumps(state))
    info = json.loads((run.path / "run.json").read_text())
    for name in ("divergence", "divergence_remedy", "max_rollbacks", "good_seconds"):
        del info["config"][name]
    (run.path / "run.json").write_text(json.dumps(info))
    assert use(sound) == (4, [])
