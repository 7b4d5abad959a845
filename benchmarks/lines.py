"""The lines of the table, by group: each with what is compared, the target and the result."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.baselines import CHAR_RNN, CHARACTERS, WORDS, Shape, gemm_gflops
from benchmarks.speed.contender import prepared
from benchmarks.speed.duel import Contender, duel
from rnnplay.model.hardware import native_bfloat16
from rnnplay.runs.folder import RunFolder
from rnnplay.training import loop
from rnnplay.training.progress import StepResult
from rnnplay.training.trainer import Trainer


@dataclass(frozen=True)
class Options:
    """How much to measure."""

    threads: int = 1
    rounds: int = 9
    seconds: float = 1.5
    megabytes: int = 100
    quick: bool = False
    texts: Path | None = None
    """The folder of tinyshakespeare.txt and wikitext-2/train.txt, which do not come with rnnplay."""


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    group: str
    what: str
    value: float | None
    """None if it cannot be measured here; `note` says why."""
    unit: str = "×"
    asked: str = ""
    note: str = ""
    decimals: int = 2


def against_bare(options: Options, group: str, shape: Shape, asked: str, precision: str = "float32") -> Line:
    """Measures rnnplay's whole step relative to the bare loop's, by processor time on one thread."""
    one, other = Contender("rnnplay", shape, options.threads, precision), Contender("bare", shape, options.threads)
    found = duel(one, other, options.rounds, options.seconds)
    by_cpu = options.threads == 1
    ratio = found.cpu_ratio if by_cpu else found.ratio
    note = f"{found.speed:,.0f} tokens/s against {found.baseline:,.0f}"
    if by_cpu:
        note += f"; by the clock {found.ratio:.2f}"
    return Line(group, f"{shape.name}, batch {shape.batch}, bptt {shape.bptt}", ratio, asked=asked, note=note)


def step(options: Options) -> Iterator[Line]:
    """Compares rnnplay's step with a bare loop's."""
    for shape in (*CHARACTERS, CHAR_RNN, WORDS):
        yield against_bare(options, "step / bare loop", shape, "≥ 0.98")


def kernels(options: Options) -> Iterator[Line]:
    """Compares GRU and RNN with torch.nn's."""
    for cell, asked in (("gru", "≥ 1.3"), ("rnn", "≥ 1.2")):
        for like in CHARACTERS:
            shape = Shape(cell, like.layers, like.hidden)
            yield against_bare(options, f"{cell.upper()} / nn.{cell.upper()}", shape, asked)
            first, second = Contender("products", shape, options.threads), Contender("layers", shape, options.threads)
            bound = duel(first, second, options.rounds, options.seconds / 2)
            ratio = bound.cpu_ratio if options.threads == 1 else bound.ratio
            yield Line(f"its products alone / nn.{cell.upper()}", shape.name, ratio, note="what could be reached")


def precision(options: Options) -> Iterator[Line]:
    """Compares precision `auto` with float32."""
    native = native_bfloat16(torch.device("cpu"))
    gated = [Shape(cell, like.layers, like.hidden) for cell in ("gru", "rnn") for like in CHARACTERS]
    for shape in (*CHARACTERS[1:], *gated):
        asked = {"lstm": "≥ 1.4", "gru": "≥ 1.3", "rnn": "≥ 1.2"}[shape.cell]
        if native:
            yield against_bare(options, "auto / float32 bare loop", shape, asked, "auto")
        else:
            yield Line("auto / float32 bare loop", shape.name, None, asked=asked, note="bfloat16 not native here")


def records(options: Options) -> Iterator[Line]:
    """Measures the cost of recording each step."""
    shape = CHARACTERS[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        whole, inside = recording_seconds(shape, Path(home), options)
    yield Line("records, clock, watch", shape.name, 100 * (whole - inside) / whole, "% of a step", "< 1")


def recording_seconds(shape: Shape, home: Path, options: Options) -> tuple[float, float]:
    """Returns processor seconds of many steps, and those of them that the learner took."""
    torch.set_num_threads(options.threads)
    config, corpus, workspace = prepared(shape, home, "float32", options.threads)
    trainer = Trainer(config, corpus, RunFolder(workspace.checkpoints / "run"), lambda _: None)
    learn, inside = loop.train_step, 0.0

    def timed(*given: Any) -> StepResult:
        nonlocal inside
        began = time.process_time()
        result = learn(*given)
        inside += time.process_time() - began
        return result

    loop.train_step = timed  # type: ignore[assignment]
    try:
        began = time.process_time()
        for _ in range(20 if options.quick else 200):
            trainer.advance()
        whole = time.process_time() - began
    finally:
        loop.train_step = learn
    trainer.close()
    return whole, inside


def limits(options: Options) -> Iterator[Line]:
    """Measures the machine's limits."""
    torch.set_num_threads(options.threads)
    seconds = 0.3 if options.quick else 2.0
    yield Line("product 1024³", "float32", gemm_gflops(torch.float32, seconds=seconds), "GFLOP/s", decimals=0)
    if native_bfloat16(torch.device("cpu")):
        yield Line("product 1024³", "bfloat16", gemm_gflops(torch.bfloat16, seconds=seconds), "GFLOP/s", decimals=0)
    else:
        yield Line("product 1024³", "bfloat16", None, note="not native here")


def corpora(options: Options) -> Iterator[Line]:
    """Measures a large text."""
    from benchmarks.speed.corpus_cost import measure

    for tokens, asked in (("char", "≥ 80"), ("word", "≥ 10")):
        speed, first, again = measure(options.megabytes, tokens)
        group = f"text of {options.megabytes:,} MB, {tokens}"
        yield Line(group, "encode", speed, "MB/s", asked, decimals=0)
        yield Line(group, "peak memory, without torch", first.megabytes, "MB", "≤ 300", decimals=0)
        yield Line(group, "open again", again.seconds, "s", "≤ 1")


def charts(options: Options) -> Iterator[Line]:
    """Measures a redraw of the chart."""
    from benchmarks.interface.chart import POINTS, make_histories, measure

    for points in POINTS[: 1 if options.quick else None]:
        cost = asyncio.run(measure(make_histories(points), (120, 20)))
        yield Line("chart 120×20, three series", f"redraw with {points:,} points", cost.painted, "ms of CPU", "≤ 3")


def startup(options: Options) -> Iterator[Line]:
    """Measures how long a user waits."""
    from benchmarks.interface.startup import first_paint_and_loss
    from tests.support.terminal import rnnplay_command

    times = []
    for _ in range(2 if options.quick else 6):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            times.append(first_paint_and_loss(rnnplay_command(), Path(folder)))
    paint, _, loss = (statistics.median(column) for column in zip(*times[1:], strict=True))  # the first one compiles
    yield Line("start", "first paint", paint, "s", "≤ 0.5")
    yield Line("start", "launch to first loss", loss, "s", "≤ 5")


def interface(options: Options) -> Iterator[Line]:
    """Measures the echo of keys while training, and training while the interface is open."""
    from benchmarks.interface import driving, latency
    from benchmarks.measures import percentile
    from tests.support.terminal import Terminal, rnnplay_command

    seconds = 5.0 if options.quick else 15.0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace = Path(folder)
        environment = {"RNNPLAY_CONFIG": str(workspace / "settings.json")}
        with Terminal(rnnplay_command("--workspace", folder), 120, 40, env=environment) as terminal:
            driving.start_training(terminal)
            terminal.send("g")
            driving.settle(terminal, 1.0)
            echo = driving.measure_echo(terminal, 30 if options.quick else 200)
            driving.leave(terminal)
        idle = 100 * latency.idle_fraction(workspace, 5.0 if options.quick else 20.0)
        yield Line("interface", "its process while nothing goes on", idle, "% of a core", "≤ 1", decimals=1)
        yield Line("interface", "echo of a key while training, p99", percentile(echo, 0.99) * 1e3, "ms", "≤ 30")
        for columns, rows in ((80, 24), (200, 60)):
            ratios, loads, sent = [], [], []
            rounds = 1 if options.quick else 5
            for alone, speed, load, bytes_second in latency.in_turns(workspace, seconds, columns, rows, rounds):
                ratios.append(speed / alone)
                loads.append(100 * load)
                sent.append(bytes_second / 1e3)
            group = f"interface {columns}×{rows}"
            yield Line(group, "training / headless", statistics.median(ratios), asked="≥ 0.95")
            yield Line(group, "its process", statistics.median(loads), "% of a core", "≤ 8", decimals=1)
            yield Line(group, "to the terminal", statistics.median(sent), "kB/s", "≤ 20", decimals=1)


def words(options: Options) -> Iterator[Line]:
    """Measures a vocabulary of 33,000 words with word_language_model's recipe."""
    from benchmarks.speed.words import measure

    group = "WikiText-2, LSTM 2×200 / word_language_model"
    asked = {"rnnplay, full softmax": "≥ 1.3", "rnnplay, adaptive softmax": "≥ 4"}
    if options.texts is None:
        for name, least in asked.items():
            yield Line(group, name, None, asked=least, note="needs --texts")
        return
    turns, seconds, steps = (1, 1.0, 3) if options.quick else (5, 6.0, 150)
    plain, *ours = measure(str(options.texts / "wikitext-2" / "train.txt"), options.threads, turns, seconds, steps)
    for row in ours:
        ratio = row.processor_ratio if options.threads == 1 else row.ratio
        note = f"validation {row.loss:.3f} nats after {row.steps} steps, plain {plain.loss:.3f}"
        yield Line(group, row.name, ratio, asked=asked[row.name], note=note)


def quality(options: Options) -> Iterator[Line]:
    """Measures the losses that the presets for tinyshakespeare reach in their time."""
    from benchmarks.quality.presets import measure

    ways = ("carried state", "windows of 256")
    for preset, asked in (("shakespeare-2min", ("≤ 1.435", "≤ 1.4645")), ("shakespeare-5min", ("≤ 1.39", "≤ 1.42"))):
        reached = []
        if options.texts is not None:
            length = ["--minutes", "0.2"] if options.quick else []
            corpus = str(options.texts / "tinyshakespeare.txt")
            reached = [measure(corpus, preset, seed, 256, length) for seed in ((1,) if options.quick else (1, 2, 3))]
        for at, (way, most) in enumerate(zip(ways, asked, strict=True), start=1):
            losses = [float(one[at]) for one in reached]
            note = ", ".join(f"{loss:.4f}" for loss in losses) or "needs --texts"
            median = statistics.median(losses) if losses else None
            yield Line("tinyshakespeare", f"{preset}, {way}", median, "nats", most, note, decimals=4)


GROUPS: dict[str, Callable[[Options], Iterator[Line]]] = {
    "limits": limits,
    "step": step,
    "kernels": kernels,
    "precision": precision,
    "records": records,
    "corpora": corpora,
    "charts": charts,
    "startup": startup,
    "interface": interface,
    "words": words,
    "quality": quality,
}
