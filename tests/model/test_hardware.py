"""The choice of device, precision and threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from rnnplay.config import RunConfig, knobs
from rnnplay.errors import ConfigError, InputError
from rnnplay.model import hardware
from rnnplay.model.hardware import (
    choose_device,
    choose_precision,
    choose_threads,
    fastest,
    physical_cores,
    thread_counts,
)
from rnnplay.model.language_model import LanguageModel

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Machine:
    """Steps that take a known time at each count of threads, on a clock of its own."""

    def __init__(self, seconds: dict[int, float]) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.threads = 0
        self.used: list[int] = []

    def clock(self) -> float:
        return self.now

    def set_threads(self, count: int) -> None:
        self.threads = count

    def step(self) -> None:
        self.used.append(self.threads)
        self.now += self.seconds[self.threads]

    def fastest(self) -> int:
        return fastest(list(self.seconds), self.step, self.clock, self.set_threads)


@pytest.mark.parametrize("missing", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(InputError, match=f"device is {missing}"):
        choose_device(missing)
    assert choose_device("auto") == choose_device("cpu") == CPU


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"avx2", "avx512_f"}, torch.float32),
        ({"avx512_f", "avx512_bf16"}, torch.bfloat16),
        ({"amx_bf16"}, torch.bfloat16),
    ],
)
def test_auto_precision_follows_the_cpu(
    features: set[str], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "cpu_features", lambda: frozenset(features))
    assert choose_precision("auto", CPU) == expected
    assert choose_precision("float32", CPU) == torch.float32
    assert choose_precision("auto", torch.device("mps")) == torch.float32


@pytest.mark.parametrize("features", [{"avx512_bw"}, {"avx512bw"}, {"avx512_bf16"}, {"amx_bf16"}])
def test_bfloat16_by_name_is_taken_where_torch_can_compute_it(
    features: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(hardware, "cpu_features", lambda: frozenset(features))
    assert choose_precision("bfloat16", CPU) == torch.bfloat16
    monkeypatch.setattr(hardware, "cpu_features", lambda: frozenset({"avx2"}))
    with pytest.raises(ConfigError, match="precision is bfloat16"):
        choose_precision("bfloat16", CPU)


def test_no_more_threads_than_openmp_is_told_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_physical", lambda: {("0", str(core)) for core in range(64)})
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    for value, cores in (("1", 1), ("8,2", 8), ("", 64), ("many", 64), ("0", 64), ("128", 64)):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert physical_cores() == cores


def test_features_are_also_read_where_torch_does_not_list_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(hardware, "_lines", lambda path: ["processor : 0", "flags\t\t: fpu avx2 avx512_bf16"])
    hardware.cpu_features.cache_clear()
    try:
        assert hardware.cpu_features() == {"fpu", "avx2", "avx512_bf16"}
    finally:
        hardware.cpu_features.cache_clear()


def test_counts_of_threads_double_up_to_the_cores() -> None:
    assert thread_counts(1) == [1]
    assert thread_counts(2) == [1, 2]
    assert thread_counts(6) == [1, 2, 4, 6]
    assert thread_counts(8) == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({1: 0.010, 2: 0.006}, 2),
        ({1: 0.010, 2: 0.0097}, 1),  # not worth a second thread
        ({1: 0.010, 2: 0.012}, 1),
        ({1: 0.010, 2: 0.006, 4: 0.004, 8: 0.0039}, 4),
        ({1: 9.0, 2: 5.0, 4: 3.0}, 4),  # too slow to try them all: all are used
    ],
)
def test_the_fastest_count_is_taken(seconds: dict[int, float], expected: int) -> None:
    machine = Machine(seconds)
    assert machine.fastest() == expected


def test_the_measurement_ends_in_time_and_stops_past_the_peak() -> None:
    machine = Machine({1: 0.010, 2: 0.006, 4: 0.050, 8: 5.0})
    assert machine.fastest() == 2
    assert 8 not in machine.used
    assert machine.used.count(4) == 2
    assert machine.now < hardware.MEASURE_SECONDS + 0.2


@pytest.mark.parametrize(("given", "taken"), [(1, 1), (2, 2), (3, 3), (1024, 3)])
def test_threads_given_are_taken_up_to_one_a_processor(monkeypatch: pytest.MonkeyPatch, given: int, taken: int) -> None:
    """A thousand on a laptop, as of a run from a large machine, would take seconds for a step."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    config = RunConfig(threads=given, hidden=4, embedding=4)
    assert choose_threads(config, LanguageModel(config, 5), CPU) == taken == torch.get_num_threads()


def test_no_more_threads_are_chosen_than_the_knob_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a checkpoint would say of itself what cannot be."""
    monkeypatch.setattr(hardware, "_chosen", {})
    monkeypatch.setattr(hardware, "physical_cores", lambda: 3000)
    asked: list[int] = []

    def fastest(counts: list[int], _: object) -> int:
        asked.extend(counts)
        return 1

    monkeypatch.setattr(hardware, "fastest", fastest)
    config = RunConfig(hidden=8, embedding=8, batch_size=2, bptt=4)
    choose_threads(config, LanguageModel(config, 5), CPU)
    assert max(asked) == knobs()["threads"].knob.high


def test_measuring_leaves_no_trace_in_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "MEASURE_SECONDS", 0.02)
    monkeypatch.setattr(hardware, "physical_cores", lambda: 2)
    config = RunConfig(hidden=8, embedding=8, batch_size=2, bptt=4, dropout=0.5)
    model = LanguageModel(config, 5)
    before = {name: tensor.clone() for name, tensor in model.weights().items()}
    random = torch.get_rng_state()
    chosen = choose_threads(config, model, CPU)
    assert chosen == torch.get_num_threads()
    assert chosen in (1, 2)
    assert torch.equal(torch.get_rng_state(), random)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.weights().items())


def test_a_shape_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_chosen", {})
    monkeypatch.setattr(hardware, "physical_cores", lambda: 2)
    monkeypatch.setattr(hardware, "_processors", lambda: 2)
    measured: list[int] = []

    def fastest(counts: list[int], _: object) -> int:
        measured.append(1)
        return counts[-1]

    monkeypatch.setattr(hardware, "fastest", fastest)
    for hidden in (8, 8, 9, 8):
        config = RunConfig(hidden=hidden, embedding=8, batch_size=2, bptt=4)
        torch.set_num_threads(1)
        assert choose_threads(config, LanguageModel(config, 5), CPU) == 2 == torch.get_num_threads()
    assert len(measured) == 2


def test_denormal_numbers_become_zero() -> None:
    hardware.prepare_thread()
    try:
        assert float(torch.full((3,), 1e-30) @ torch.full((3,), 1e-15)) == 0.0
    finally:
        torch.set_flush_denormal(False)


def test_the_machine_is_described() -> None:
    described = hardware.describe_machine()
    assert described["torch"] == torch.__version__
    assert described["device"] in ("cpu", "cuda")
    assert all(described.values())


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc alone")
def test_memory_is_kept_from_step_to_step_until_it_is_released() -> None:
    """Fewer new pages with it; and however much has gathered between small things that stay, release gives it back."""
    script = (
        "import resource, sys, torch; from rnnplay.model import hardware; torch.set_num_threads(1)\n"
        "if sys.argv[1] == 'keep': hardware.keep_memory()\n"
        "def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "def resident(): return int(open('/proc/self/statm').read().split()[1])\n"
        "output, hidden = torch.nn.Linear(16, 10_000), torch.ones(1200, 16); before = resident()\n"
        # Larger than glibc's own threshold of 32 MB, and several at once, as a large vocabulary's logits are.
        "def step(): torch.autograd.grad(output(hidden).tanh().sum(), output.weight)\n"
        "for _ in range(8): step()\n"
        "start = faults()\n"
        "for _ in range(4): step()\n"
        "pages, small = faults() - start, []\n"
        "for number in range(60): one = torch.ones(4_000_000 + number); small.append(torch.ones(9)); del one\n"
        "gathered = resident() - before; hardware.release_memory()\n"
        "print(pages, gathered, resident() - before)"
    )

    def measured(mode: str) -> list[int]:
        done = subprocess.run([sys.executable, "-c", script, mode], capture_output=True, text=True, check=True)
        return [int(word) for word in done.stdout.split()]

    kept_faults, gathered, released = measured("keep")
    assert kept_faults < measured("no")[0] / 2
    assert released < max(gathered / 2, 10_000)
