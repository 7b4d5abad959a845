"""The choice of device, precision and threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from rnnplay.errors import ConfigError, InputError
from rnnplay.model import hardware
from rnnplay.model.hardware import choose_device, choose_precision, use_threads

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


def test_features_are_also_read_where_torch_does_not_list_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(hardware, "_lines", lambda path: ["processor : 0", "flags\t\t: fpu avx2 avx512_bf16"])
    hardware.cpu_features.cache_clear()
    try:
        assert hardware.cpu_features() == {"fpu", "avx2", "avx512_bf16"}
    finally:
        hardware.cpu_features.cache_clear()


@pytest.mark.parametrize(("given", "taken"), [(1, 1), (2, 2), (3, 3), (1024, 3)])
def test_threads_given_are_taken_up_to_one_a_processor(monkeypatch: pytest.MonkeyPatch, given: int, taken: int) -> None:
    """A thousand on a laptop, as of a run from a large machine, would take seconds for a step."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    assert use_threads(given) == taken == torch.get_num_threads()


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
        "import resource, torch; from rnnplay.model import hardware; torch.set_num_threads(1)\n"
        "def minor_faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "def resident(): return int(open('/proc/self/statm').read().split()[1])\n"
        "output, hidden = torch.nn.Linear(16, 10_000), torch.ones(1200, 16); before = resident()\n"
        # Larger than glibc's own threshold of 32 MB, and several at once, as a large vocabulary's logits are.
        "def step(): torch.autograd.grad(output(hidden).tanh().sum(), output.weight)\n"
        "def pages():\n"
        "    for _ in range(3): step()\n"
        "    start = minor_faults()\n"
        "    for _ in range(2): step()\n"
        "    return minor_faults() - start\n"
        "fresh = pages(); hardware.keep_memory(); kept = pages(); small = []\n"
        "for number in range(30): one = torch.ones(4_000_000 + number); small.append(torch.ones(9)); del one\n"
        "gathered = resident() - before; hardware.release_memory()\n"
        "print(fresh, kept, gathered, resident() - before)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    fresh, kept, gathered, released = (int(word) for word in done.stdout.split())
    assert kept < fresh / 2
    assert released < max(gathered / 2, 10_000)
