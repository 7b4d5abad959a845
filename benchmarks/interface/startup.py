"""Measures how long a user waits: for --help, the first paint, the first loss of the default preset.

    python -m benchmarks.interface.startup [--rounds 5] [--installed]

With --installed a wheel is built and installed into a new environment, and started in an empty folder by a user who has
no settings and no runs.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import options_of
from benchmarks.interface.driving import leave
from tests.support.terminal import Terminal, rnnplay_command


def help_seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([*command, "--help"], capture_output=True, check=True)
    return time.perf_counter() - began


def first_paint_and_loss(command: list[str], place: Path) -> tuple[float, float, float]:
    """Measures the seconds from launch to the first screen, to the keys in its footer, and to the first loss.

    For a new user, whose current folder, home and data are in `place`, which is empty.
    """
    (place / "empty").mkdir()
    # Python keeps its compiled files, as for a user.
    environment = {"HOME": str(place), "XDG_DATA_HOME": str(place / "data"), "PYTHONDONTWRITEBYTECODE": ""}
    environment["RNNPLAY_CONFIG"] = str(place / "settings.json")
    began = time.perf_counter()
    with Terminal(command, env=environment, cwd=place / "empty") as terminal:
        wait_for_bytes(terminal, "Prompt")  # the lowest panel
        paint = time.perf_counter() - began
        wait_for_bytes(terminal, "Quit")
        footer = time.perf_counter() - began
        terminal.send("\r")
        wait_for_bytes(terminal, "tok/s")
        loss = time.perf_counter() - began
        leave(terminal)  # with its engine, which would slow the next start
    return paint, footer, loss


def wait_for_bytes(terminal: Terminal, text: str) -> None:
    """Waits until `text` has come, without the emulator's own time."""
    until = time.perf_counter() + 60
    while text.encode() not in terminal.transcript:
        assert time.perf_counter() < until, f"{text!r} did not come"
        terminal.read(1.0, draw=False)


def main() -> None:
    parser = options_of("benchmarks.interface.startup", __doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--installed", action="store_true", help="measure a wheel that is installed outside the clone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = installed(Path(folder)) if options.installed else [*rnnplay_command()]
        measure(command, options.rounds)


def installed(folder: Path) -> list[str]:
    """Builds a wheel and installs it into a new environment in `folder`; returns the program's path."""
    from tests.test_install import ROOT, build, install

    return [str(install(build(ROOT, "wheel", folder / "wheel"), folder / "environment") / "rnnplay")]


def measure(command: list[str], rounds: int) -> None:
    """Prints the figures of a program."""
    paints, footers, losses = [], [], []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        first_paint_and_loss(command, Path(folder))  # the first start compiles, once per installation
    helps = [help_seconds(command) for _ in range(rounds)]
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            paint, footer, loss = first_paint_and_loss(command, Path(folder))
        paints.append(paint)
        footers.append(footer)
        losses.append(loss)
    for name, values in (
        ("rnnplay --help", helps),
        ("first paint", paints),
        ("keys in the footer", footers),
        ("launch to first loss", losses),
    ):
        print(f"{name}: median {statistics.median(values):.2f} s, worst {max(values):.2f} s of {rounds}")


if __name__ == "__main__":
    main()
