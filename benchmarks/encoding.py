"""What a large text costs: MB/s to read it into ids, peak memory, seconds until it is open again.

    python -m benchmarks.encoding [--megabytes 100] [--text FILE]

The text is FILE (default: the bundled tales) over and over to that size. Each measurement is a process of its own:
"encode" from nothing (hash, count, encode, write), "reopen" from the cache that this left. Memory is the peak of the
process, torch not loaded; seconds are of the processor, with those by the clock beside.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rnnplay.workspace import Workspace, bundled_corpora


@dataclass(frozen=True)
class Row:
    """One measurement."""

    tokens: str
    """char or word."""
    what: str
    """encode or reopen."""
    megabytes: float
    seconds: float
    """Of the processor."""
    clock: float
    peak_megabytes: float

    @property
    def speed(self) -> float:
        """MB/s."""
        return self.megabytes / self.seconds


def measure(megabytes: int = 100, text: Path | None = None) -> list[Row]:
    """Both kinds of tokens, from nothing and from the cache."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "large.txt"
        data = (text or bundled_corpora() / "tales.txt").read_bytes()
        with path.open("wb") as file:
            for _ in range(max(1, round(megabytes * 1e6 / len(data)))):
                file.write(data)
        return [_apart(path, Path(place), tokens, what) for tokens in ("char", "word") for what in ("encode", "reopen")]


def _apart(path: Path, workspace: Path, tokens: str, what: str) -> Row:
    command = [sys.executable, "-m", "benchmarks.encoding", "--one", str(path), str(workspace), tokens, what]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Row(**json.loads(done.stdout))


def _one(path: Path, workspace: Path, tokens: str, what: str) -> Row:
    from rnnplay.config import RunConfig
    from rnnplay.text.catalogue import find_corpus
    from rnnplay.text.encoded import encode_corpus

    place = Workspace(workspace).create()
    config = RunConfig(corpus=str(path), tokens="word" if tokens == "word" else "char")
    clock, processor = time.perf_counter(), time.process_time()
    encode_corpus(find_corpus(config.corpus, place), config, place.cache)
    seconds, clock = time.process_time() - processor, time.perf_counter() - clock
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return Row(tokens, what, path.stat().st_size / 1e6, seconds, clock, peak)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--text", type=Path, help="repeated to that size; default: the tales")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        path, workspace, tokens, what = given.one
        print(json.dumps(asdict(_one(Path(path), Path(workspace), tokens, what))))
        return
    for row in measure(given.megabytes, given.text):
        print(
            f"{row.tokens:4s} {row.what:6s} {row.megabytes:6,.0f} MB   {row.speed:8,.1f} MB/s   {row.seconds:7.2f} s "
            f"of the processor, {row.clock:7.2f} s by the clock   peak {row.peak_megabytes:5,.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
