"""Damages run folders: each must load correctly, or end in one sentence with exit code 2.

    python -m benchmarks.reliability.mutations [--count 2000] [--seed 1]

Each mutation is tried with `runs show`, `complete`, `generate` and `train --resume`, in a process forked from one that
has torch loaded, with a limit on its memory, in a folder watched for files written anywhere but in the run.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import random
import resource
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks import options_of
from tests.conftest import small_text

MOST_MEMORY = 3 * 2**30
"""Bytes of address space beyond those that the process has after loading torch."""
CANARY = "executed"


def main() -> None:
    parser = options_of("benchmarks.reliability.mutations", __doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(measure(Path(folder), options.count, random.Random(options.seed)))


def measure(folder: Path, count: int, draw: random.Random) -> int:
    """Tries `count` mutations, prints the results, and returns the exit code."""
    import torch

    import rnnplay.__main__
    import rnnplay.training.trainer  # noqa: F401  (loaded before the forks)

    torch.set_num_threads(1)
    workspace = folder / "workspace"
    (workspace / "corpora").mkdir(parents=True)
    (workspace / "corpora" / "small.txt").write_text(small_text())
    made = command(folder, ["train", "--workspace", str(workspace), "--run", "one", *OPTIONS])
    assert made[0] == 0, made
    whole = folder / "whole"
    shutil.copytree(workspace / "checkpoints" / "one", whole)
    codes: Counter[int] = Counter()
    bad: list[str] = []
    peak = 0
    for number in range(count):
        run = workspace / "checkpoints" / "one"
        shutil.rmtree(run)
        shutil.copytree(whole, run)
        what = mutate(run, draw)
        before = outside(folder)
        arguments = COMMANDS[number % len(COMMANDS)]
        code, output, memory = command(folder, [*arguments, "--workspace", str(workspace)])
        codes[code] += 1
        peak = max(peak, memory)
        if code not in (0, 2) or "Traceback" in output or (code == 2 and not one_sentence(output)):
            bad.append(f"{what}; {arguments[0]}: exit code {code}: {output[-300:]!r}")
        if outside(folder) != before:
            bad.append(f"{what}; {arguments[0]}: wrote or executed something outside the run")
    print(f"{count} mutations: {codes[0]} loaded, {codes[2]} refused in one sentence, {len(bad)} otherwise")
    print(f"nothing executed, nothing written outside; largest resident memory {peak / 1024:.0f} MB")
    for line in bad[:20]:
        print("  " + line)
    return bool(bad)


OPTIONS = (
    *("--corpus", "small", "--hidden", "12", "--embedding", "6", "--batch-size", "4", "--bptt", "8", "--steps", "30"),
    *("--eval-every", "10", "--checkpoint-every", "10", "--threads", "1", "--precision", "float32", "--json"),
)
COMMANDS: list[list[str]] = [
    ["complete", "one", "the c", "--json"],
    ["generate", "one", "--length", "5", "--json"],
    ["train", "--resume", "--run", "one", "--steps", "32", "--json"],
    ["runs", "show", "one", "--json"],
]


def command(folder: Path, arguments: list[str]) -> tuple[int, str, int]:
    """Returns exit code, output and peak resident kB of one command in a forked process."""
    output = folder / "output.txt"
    output.write_bytes(b"")
    child = multiprocessing.get_context("fork").Process(target=child_main, args=(arguments, output, folder))
    child.start()
    child.join(60)
    if child.exitcode is None:
        child.kill()
        child.join()
    text = output.read_text(errors="replace")
    memory = 0
    with contextlib.suppress(OSError, ValueError):
        memory = int((folder / "memory.txt").read_text())
    return child.exitcode if child.exitcode is not None else 99, text, memory


def child_main(arguments: list[str], output: Path, folder: Path) -> None:
    """Runs the command in the child, with its output in a file and its memory limited."""
    from rnnplay.__main__ import main

    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MEMORY, used + MOST_MEMORY))
    sys.argv = ["rnnplay", *arguments]
    try:
        main()
    finally:
        (folder / "memory.txt").write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def one_sentence(output: str) -> bool:
    """Whether the output is one `Error: …` line."""
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("{")]
    return len(lines) == 1 and lines[0].startswith("Error: ")


def outside(folder: Path) -> list[str]:
    """Returns all files except the run's own, the cache's and this script's."""
    run = folder / "workspace" / "checkpoints" / "one"
    cache = folder / "workspace" / ".cache"
    mine = {folder / "output.txt", folder / "memory.txt"}
    return sorted(
        str(path)
        for path in folder.rglob("*")
        if path not in mine and not path.is_relative_to(run) and not path.is_relative_to(cache)
    )


class Executes:
    """A pickle that would write a file if it were ever loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return os.system, (f"touch {self.path}",)  # type: ignore[return-value]


def mutate(run: Path, draw: random.Random) -> str:
    """Damages something and returns what."""
    files = sorted(path for path in run.rglob("*") if path.is_file())
    path = draw.choice(files)
    name = str(path.relative_to(run))
    kind = draw.choice(("flip", "flip", "cut", "grow", "swap", "pickle", "number", "number", "path", "link", "missing"))
    data = bytearray(path.read_bytes())
    if kind == "flip" and data:
        for _ in range(draw.choice((1, 1, 3, 50))):
            data[draw.randrange(min(len(data), draw.choice((64, 512, len(data)))))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
    elif kind == "cut":
        path.write_bytes(data[: draw.randrange(len(data) + 1)])
    elif kind == "grow":
        path.write_bytes(bytes(data) + draw.randbytes(draw.choice((1, 100, 10_000))))
    elif kind == "swap":
        other = draw.choice(files)
        path.write_bytes(other.read_bytes())
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(Executes(str(run.parent.parent / CANARY))))
    elif kind == "number":
        digits = [index for index, byte in enumerate(data) if 48 <= byte <= 57]
        if digits:
            at = draw.choice(digits)
            data[at : at + 1] = draw.choice((b"-1", b"0", b"99999999999999", b"1e308", b'"x"', b"null", b"[]"))
        path.write_bytes(data)
    elif kind == "path":
        text = path.read_bytes()
        path.write_bytes(text.replace(b"step-0000000", draw.choice((b"../../step-", b"/etc/", b"..\\\\.."))))
    elif kind == "link":
        path.unlink()
        path.symlink_to(draw.choice(("/dev/zero", "/etc/passwd", "/nowhere", str(run))))
    else:
        path.unlink()
    return f"{kind} {name}"


if __name__ == "__main__":
    main()
