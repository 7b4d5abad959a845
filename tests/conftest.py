"""Shared fixtures: a workspace of its own for each test, and small texts."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rnnplay.workspace import Workspace

SENTENCE = "the cat sat on a mat and the dog ran after it while birds sang in the old tall tree by the river"
WORDS = SENTENCE.split()


def small_text(characters: int = 6_000) -> str:
    """Lines of plain words, the same each time; enough for the smallest runs."""
    lines: list[str] = []
    length = index = 0
    while length < characters:
        line = " ".join(WORDS[(index * 7 + offset * offset + index // 5) % len(WORDS)] for offset in range(8)) + "."
        lines.append(line)
        length += len(line) + 1
        index += 1
    return "\n".join(lines) + "\n"


# Without it each worker, and each process that a test starts, compiles the same modules again: half of a collection.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


# The same examples each time, and no limit to how long one takes: a test fails by what was changed, not by chance or by
# what else the machine does. Other examples: --hypothesis-profile=default.
settings.register_profile(
    "the same everywhere",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("the same everywhere")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """More than cores: half of the time a test of the interface, or of a process, waits with its core idle."""
    cores = os.cpu_count() or 1
    return cores + cores // 2 + 1


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Gives each worker a stretch of tests, so that most tests of a module share its fixtures."""
    if config.getoption("numprocesses", None) and config.getoption("dist") == "no":
        config.option.dist = "worksteal"


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Names a test by the kind and length of a long value: one of a megabyte was sent to and fro with each report."""
    if isinstance(val, (str, bytes)) and len(val) > 250:
        return f"{argname} of {len(val)} {'bytes' if isinstance(val, bytes) else 'characters'}"
    return None


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Shells start what runs in the background with ctrl+c ignored, `nohup` with hang-ups; children inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGHUP", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what the user of this machine has set up."""
    monkeypatch.setenv("RNNPLAY_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.delenv("RNNPLAY_WORKSPACE", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace with one small corpus, `small`."""
    made = Workspace(tmp_path / "workspace").create()
    (made.corpora / "small.txt").write_text(small_text(), encoding="utf-8")
    return made


@pytest.fixture(autouse=True)
def denormals_again() -> Iterator[None]:
    """A trainer flushes denormal numbers to zero for its whole thread; the next test may need them."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)
