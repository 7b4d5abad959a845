"""Several processes train what one would: the same losses, rollbacks and checkpoints. Processes are threads here;
tests/cli/commands/training/test_torchrun.py starts real ones."""

from __future__ import annotations

import math
import threading
import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from rnnplay.errors import ConfigError, InputError, LostProcessError
from rnnplay.model.language_model import state_to_tensors
from rnnplay.runs.checkpoint_state import read_state
from rnnplay.runs.launch import BY_ITSELF
from rnnplay.runs.metrics.records import Notice, Rollback, Started
from rnnplay.training import followers
from rnnplay.training.processes.group import ALONE, Group
from rnnplay.training.processes.joining import meet
from tests.training.processes.together import Together, together
from tests.training.world import World, run_to_end

KINDS: list[dict[str, Any]] = [
    {"cell": "lstm", "layers": 2, "clip_threshold": 0.3},
    {"cell": "gru", "tie": True, "embedding": 10, "clip": "value", "clip_threshold": 0.01, "optimizer": "rmsprop"},
    {"cell": "rnn", "feed": "lines", "batch_size": 8, "optimizer": "sgd", "momentum": 0.9, "lr": 0.1},
    {"cell": "gru", "softmax": "adaptive", "hidden": 16, "tokens": "word", "ema_decay": 0.9, "eval_every": 7},
    {"cell": "lstm", "hidden": 12, "optimizer": "muon", "weight_decay": 0.1},
]


@pytest.mark.parametrize(("size", "hosts"), [(2, 2), (4, 1)])
@pytest.mark.parametrize(
    "kind", KINDS, ids=lambda kind: "-".join([kind["cell"], kind.get("softmax", ""), kind.get("optimizer", "")])
)
def test_several_train_what_one_does(
    kind: dict[str, Any], size: int, hosts: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses, norms, clipped norms, rates and tokens of every step, and the weights at the end."""
    config = world.config(**kind)
    one = world.trainer(config, "one")
    run_to_end(one)
    with together(size, world, monkeypatch, hosts) as group:
        several = group.trainer(config, "several")
        run_to_end(several)
        for mine, theirs in zip(world.steps("several"), world.steps("one"), strict=True):
            assert mine == pytest.approx(theirs, rel=2e-5, abs=1e-6)
        for name, weight in one.model.weights().items():
            assert several.model.weights()[name] == pytest.approx(weight, rel=1e-3, abs=1e-5), name
        for learner in group.learners.values():
            for ours, first in zip(learner.raw_model.parameters(), several.raw_model.parameters(), strict=True):
                assert torch.equal(ours, first)
    assert len(world.steps("several")) == 20


def test_a_resumed_run_of_as_many_is_the_same_to_the_bit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    config = world.config(cell="lstm", layers=2)
    with together(2, world, monkeypatch) as group:
        run_to_end(group.trainer(config, "whole"))
    with together(2, world, monkeypatch) as group:
        trainer = group.trainer(config, "broken")
        for _ in range(8):
            trainer.advance()
        trainer.finish("stopped")
    with together(2, world, monkeypatch) as group:
        run_to_end(group.trainer(config, "broken", resume=True))
    assert world.steps("broken") == world.steps("whole")
    assert not [record for record in world.emitted if isinstance(record, Notice)]


def test_another_number_goes_on_from_the_same_state_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two, then four, then one: the rows of the carried state are put together and divided anew."""
    config = world.config(cell="gru")
    run_to_end(world.trainer(config, "one"))
    for size, steps in ((2, 5), (4, 5)):
        with together(size, world, monkeypatch) as group:
            trainer = group.trainer(config, "many", resume=size == 4)
            for _ in range(steps):
                trainer.advance()
            trainer.finish("stopped")
        assert read_state(world.folder("many").checkpoint().path).processes == size
    run_to_end(world.resume(name="many"))
    for mine, theirs in zip(world.steps("many"), world.steps("one"), strict=True):
        assert mine == pytest.approx(theirs, rel=2e-5, abs=1e-6)
    said = [record.message for record in world.emitted if isinstance(record, Notice)]
    assert [message.partition(";")[0] for message in said] == [
        "4 processes now train this run, which 2 processes trained until here",
        "1 process now trains this run, which 4 processes trained until here",
    ]


def test_a_process_that_diverges_takes_all_back_to_the_same_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hidden state of one becomes NaN: none makes that step, and all go back together."""
    config = world.config(steps=40, checkpoint_every=5)
    with together(2, world, monkeypatch) as group:
        trainer = group.trainer(config)
        for _ in range(12):
            trainer.advance()
        other = group.learners[1]
        with torch.no_grad():
            next(other.raw_model.rnn.parameters()).fill_(math.nan)  # a broken processor, say
        while not (rolled := [record for record in world.emitted if isinstance(record, Rollback)]):
            trainer.advance()
        assert rolled[0].to == trainer.step <= 12
        for ours, first in zip(other.raw_model.parameters(), trainer.raw_model.parameters(), strict=True):
            assert torch.equal(ours, first)
        assert other.state is None and trainer._learner.state is None
        assert other.feed.state() == trainer._learner.feed.state()
        run_to_end(trainer)
    assert math.isfinite(world.steps()[-1][1])


@pytest.mark.parametrize("hosts", [1, 2])
def test_on_one_host_each_computes_a_part_of_what_all_need(hosts: int, world: World) -> None:
    """Of several hosts each process computes all: to send the results would take longer."""
    groups = Together(2, world, hosts).groups
    inputs = [torch.full((2, 3), float(number)) for number in range(5)]
    computed: list[list[float]] = [[], []]
    found: list[list[Tensor]] = [[], []]

    def work(rank: int) -> None:
        def compute(one: Tensor) -> Tensor:
            computed[rank].append(float(one[0, 0]))
            return one * 10

        found[rank] = groups[rank].divide(inputs, compute)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert computed == ([[0, 2, 4], [1, 3]] if hosts == 1 else [[0, 1, 2, 3, 4]] * 2)
    for results in found:
        assert [one.tolist() for one in results] == [(one * 10).tolist() for one in inputs]


def test_a_checkpoint_holds_the_state_of_all_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    config = world.config()
    with together(2, world, monkeypatch) as group:
        trainer = group.trainer(config)
        trainer.advance()
        carried = trainer._learner.tensors()["carried.hidden"]
        parts = [state_to_tensors(learner.state)["hidden"] for learner in (trainer._learner, group.learners[1])]
        assert carried.shape == (1, 4, 10) and torch.equal(carried, torch.cat(parts, dim=1))


def test_a_step_costs_two_messages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order and the sum; over a network each more would cost its latency at every step."""
    with together(2, world, monkeypatch, hosts=2) as group:
        trainer = group.trainer(world.config())
        trainer.advance()
        before = group.channels[0].sent
        trainer.advance()
        assert group.channels[0].sent == before + 2


def test_a_signal_to_any_process_reaches_the_one_that_leads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with together(2, world, monkeypatch) as group:
        trainer = group.trainer(world.config())
        trainer.advance()
        assert not group.groups[0].asked_to_stop
        group.asked.add(1)
        trainer.advance()
        assert group.groups[0].asked_to_stop


def test_a_lost_process_ends_the_run_at_its_last_checkpoint(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half is written: the rows of the other process's state are gone with it."""
    with together(2, world, monkeypatch) as group:
        trainer = group.trainer(world.config(checkpoint_every=3))
        for _ in range(4):
            trainer.advance()
        group.channels[1].close()
        with pytest.raises(LostProcessError):
            trainer.advance()
        with pytest.raises(LostProcessError):
            trainer.finish("stopped")
        trainer.close()
    assert [one.step for one in world.folder().checkpoints()] == [0, 3]


def test_a_batch_that_cannot_be_divided_is_refused_before_anything_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with together(3, world, monkeypatch) as group:
        with pytest.raises(ConfigError, match=r"batch_size is 4, whose rows .* 3 processes; use --batch-size 3 or 6"):
            group.trainer(world.config())
        group.channels[0].close()
    assert not world.folder().path.exists()


def test_a_host_without_the_text_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> Any:
        raise InputError("There is no text tiny.")

    monkeypatch.setattr(followers, "encode_again", missing)
    monkeypatch.setattr("socket.gethostname", lambda: "gpu2")
    with (
        together(2, world, monkeypatch) as group,
        pytest.raises(InputError, match=r"^Process 1 of 2, on gpu2, cannot join: There is no text tiny.$"),
    ):
        group.trainer(world.config())
    assert not world.folder().path.exists()


def test_another_version_cannot_join(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = followers._versions()
    invitation = followers.Invitation(
        versions=("9.9", mine[1]), config=world.config(), device="cpu", sha256="", vocabulary=b""
    )
    group = Group(BY_ITSELF._replace(rank=1, size=2))
    with pytest.raises(InputError, match="install the same versions on all hosts"):
        followers._joined(invitation, group, world.workspace, lambda config: config, lambda: False)
    elsewhere = msgspec.structs.replace(invitation, versions=mine, device="cuda")
    with pytest.raises(ConfigError, match="the first process trains on cuda, but here is only cpu; use --device cpu"):
        followers._joined(elsewhere, group, world.workspace, lambda config: config, lambda: False)


def test_dropout_differs_by_process_and_is_the_same_again() -> None:
    groups = [Group(BY_ITSELF._replace(rank=rank, size=2)) for rank in (0, 1)]
    places = [{"epoch": 0, "position": 12}, {"epoch": 1, "position": 0}]
    seeds = [group.draw_seed(7, place) for group in groups for place in places]
    assert len(set(seeds)) == 4 and seeds == [group.draw_seed(7, place) for group in groups for place in places]
    assert groups[0].draw_seed(8, places[0]) not in seeds


def test_cores_are_divided_among_the_processes_of_a_host(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnplay.training.processes.group.share_of_cores", lambda processes: 12 // processes)
    channel: Any = object()
    group = Group(BY_ITSELF._replace(size=8, local_size=4), channel)
    assert group.fixed_threads(world.config(threads=0)) == 3
    assert group.fixed_threads(world.config(threads=2)) == 2
    assert ALONE.fixed_threads(world.config()) == 0


def test_the_number_of_threads_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process sees the others as programs that use the cores; it must not give way to them."""
    with together(2, world, monkeypatch) as group:
        trainer = group.trainer(world.config())
        assert trainer._loop.threads._watch is None
    assert [record.threads for record in world.emitted if isinstance(record, Started)] == [1]


class Kept:
    """A store, as torchrun keeps it, with what was looked for at each pause."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def set(self, key: str, value: str) -> None:
        self.values[key] = value

    def get(self, key: str) -> bytes:
        return self.values[key].encode()

    def check(self, keys: list[str]) -> bool:
        return all(key in self.values for key in keys)


def words_of(store: Kept, size: int) -> set[str]:
    """What processes that all start now have in common."""
    found: list[str] = []

    def come(rank: int) -> None:
        found.append(meet(store, rank, size, timedelta(seconds=20), lambda _: time.sleep(0)))

    threads = [threading.Thread(target=come, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == size
    return set(found)


def test_processes_meet_those_of_their_own_start(world: World) -> None:
    """The store still has what those before a restart have put there, also where their number was another."""
    store = Kept()
    words = [words_of(store, size) for size in (2, 2, 4, 3)]
    assert all(len(word) == 1 for word in words) and len(set.union(*words)) == 4


def test_the_first_does_not_go_on_with_the_numbers_of_processes_that_are_gone() -> None:
    """It answers them, but nobody sees that."""
    store = Kept()
    store.set("rnnplay/here/1", "gone")
    with pytest.raises(TimeoutError):
        meet(store, 0, 2, timedelta(0))
    assert store.check(["rnnplay/answer/gone"])
