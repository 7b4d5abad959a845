"""Measures a large text: MB/s to encode it by characters and by words, peak memory, and seconds to open it again.

    python -m benchmarks.speed.corpus_cost [--megabytes 100]

Each pass runs in its own process, whose peak memory is measured.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks import options_of

BLOCK = 1 << 20


class Cost(NamedTuple):
    """The cost of one pass."""

    seconds: float
    megabytes: float
    """Peak memory of the process."""


def write_text(path: Path, megabytes: int) -> None:
    """Writes lines of generated words, few of them frequent: a million characters, shuffled anew each time."""
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(30_000)]
    often = [1 / (rank + 1) for rank in range(len(words))]
    lines = [" ".join(rng.choices(words, often, k=12)) for _ in range(BLOCK // 70)]
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < megabytes * 10**6:
            rng.shuffle(lines)
            file.write("\n".join(lines) + "\n")


def cost(path: Path, cache: Path, tokens: str) -> Cost:
    """Opens the text in a new process, encoding it unless the cache has it."""
    command = [sys.executable, "-m", "benchmarks.speed.corpus_cost", "--open", str(path), str(cache), tokens]
    return Cost(*json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))


def measure(megabytes: int, tokens: str) -> tuple[float, Cost, Cost]:
    """Returns MB/s, and the costs of encoding and of opening again."""
    with tempfile.TemporaryDirectory() as folder:
        path, cache = Path(folder) / "text.txt", Path(folder) / "cache"
        write_text(path, megabytes)
        first, again = cost(path, cache, tokens), cost(path, cache, tokens)
        return path.stat().st_size / 1e6 / first.seconds, first, again


def open_here(path: str, cache: str, tokens: str) -> Cost:
    """Opens the text in this process, which must be new."""
    from rnnplay.config import RunConfig, with_values
    from rnnplay.text.corpora.catalogue import find_corpus
    from rnnplay.text.encoding.encoded import encode_corpus
    from rnnplay.workspace import Workspace

    workspace = Workspace(Path(cache).parent).create()
    config = with_values(RunConfig(), {"corpus": path, "tokens": tokens})
    began = time.perf_counter()
    encode_corpus(find_corpus(path, workspace), config, Path(cache))
    seconds = time.perf_counter() - began
    return Cost(seconds, peak_megabytes())


def peak_megabytes() -> float:
    """Returns the peak memory of this process.

    On Linux not getrusage's figure, which starts at the parent's.
    """
    import resource

    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    parser = options_of("benchmarks.speed.corpus_cost", __doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--open", nargs=3, metavar=("TEXT", "CACHE", "TOKENS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.open:
        print(json.dumps(open_here(*options.open)))
        return
    for tokens in ("char", "word"):
        speed, first, again = measure(options.megabytes, tokens)
        print(
            f"{tokens}: {speed:.0f} MB/s, peak {first.megabytes:.0f} MB; "
            f"again {again.seconds:.2f} s, peak {again.megabytes:.0f} MB"
        )


if __name__ == "__main__":
    main()
