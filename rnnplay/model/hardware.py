"""Chooses how to use the machine: device, precision, processors and memory."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from rnnplay.common.processors import physical_cores, processors
from rnnplay.errors import ConfigError

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""Of malloc.h."""


def choose_device(name: str) -> torch.device:
    """Returns the device of `config.device`; raises ConfigError if the machine lacks it.

    auto is CUDA if there is one, else the CPU. Apple's MPS must be named: one timestep of a small model does not use it
    to capacity.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device", "device is cuda, but torch sees no CUDA device here; use --device auto or cpu.")
    if name == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device", "device is mps, but torch sees no Apple GPU here; use --device auto or cpu.")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The type of the products: auto is bfloat16 where the hardware multiplies it natively, else float32.

    bfloat16 asked for by name is taken wherever torch can compute it; without native products it is slower than
    float32. Raises ConfigError where it cannot.
    """
    if name == "auto":
        return torch.bfloat16 if native_bfloat16(device) else torch.float32
    if name == "bfloat16" and not can_bfloat16(device):
        raise ConfigError(
            "precision", "precision is bfloat16, which torch cannot compute on this CPU; use --precision auto."
        )
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def native_bfloat16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 in hardware: AVX512-BF16 or AMX; CUDA from compute capability 8.0."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and not {"avx512_bf16", "amx_bf16"}.isdisjoint(cpu_features())


def can_bfloat16(device: torch.device) -> bool:
    """Whether torch computes an LSTM in bfloat16 on `device`, however slowly: oneDNN has none without AVX-512."""
    if device.type != "cpu" or platform.machine() not in ("x86_64", "AMD64"):
        return True
    return native_bfloat16(device) or not {"avx512_bw", "avx512bw"}.isdisjoint(cpu_features())


@cache
def cpu_features() -> frozenset[str]:
    """Names of the CPU's features, as torch and Linux write them."""
    get_capabilities: Callable[[], dict[str, Any]] | None = getattr(torch.cpu, "get_capabilities", None)
    if get_capabilities is not None:  # from torch 2.11 on
        return frozenset(name for name, has in get_capabilities().items() if has is True)
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()


def copy_to(array: NDArray[Any], device: torch.device) -> Tensor:
    """Copies an array to `device`; to a GPU from pinned memory, or the host would wait for all that it has to do."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def prepare_thread() -> None:
    """Prepares a thread that computes; to be called once in each, before its first step.

    Vanishing gradients become denormal numbers, which slow a CPU many times; here they become zero. torch's own worker
    threads inherit this from the thread that starts them.
    """
    torch.set_flush_denormal(True)


def keep_memory() -> None:
    """Makes the process keep freed memory for the next step.

    A step allocates and frees the same large tensors each time. The C library returns those to the system, which hands
    out zeroed pages again: measured, 28% of a step with a vocabulary of 33,000 (2×200, batch 20, bptt 35) and 5 to 10%
    of one of 2×512. Only with glibc; elsewhere nothing happens. See mallopt(3). Where small allocations come to lie
    between large ones, ever more memory is kept: call `release_memory` now and then.
    """
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def release_memory() -> None:
    """Returns unused memory to the system; the next step allocates it again. See malloc_trim(3)."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


@contextmanager
def one_thread() -> Iterator[None]:
    """Computes with one thread, and then with as many as before.

    A step of one sequence is many small products, between which several threads wait for one another: on a machine that
    is busy otherwise, two took ten times as long as one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def use_threads(count: int) -> int:
    """Sets the number of threads that torch uses in the calling thread, at most one per processor, and returns it.

    More would wait for each other in every product, and a run from a larger machine would hardly progress here.
    """
    torch.set_num_threads(min(count, len(processors())))
    return torch.get_num_threads()


def describe_machine() -> dict[str, str]:
    """Describes what matters to a run's speed, for `rnnplay doctor`."""
    cpu = torch.device("cpu")
    described = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu_name(),
        "cores": f"{physical_cores()} physical of {os.cpu_count() or 1} logical",
        "threads": str(torch.get_num_threads()),
        "cpu bfloat16": "native" if native_bfloat16(cpu) else "not native: float32 is used",
        "cuda": "none",
        "mps": "available" if torch.backends.mps.is_available() else "none",
        "device": str(choose_device("auto")),
    }
    if torch.cuda.is_available():
        devices = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
        described["cuda"] = ", ".join(
            f"{torch.cuda.get_device_name(device)} ({'bfloat16' if native_bfloat16(device) else 'float32'})"
            for device in devices
        )
    return described


def _cpu_name() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(errors="replace").splitlines()
    except OSError:
        return []
