"""Measures what inspections cost: each by itself, and training's speed while the gradient view is open.

    python -m benchmarks.interface.inspection [--threads 1] [--seconds 20] [--every 3] [--rounds 2]
    python -m benchmarks.interface.inspection --beside

Wall and CPU time of one thread, the best of several; speed as tokens/s of the same trainer in turns, without and with
a gradient probe every few seconds. With --beside: inspections of an opened run, while another process trains one, with
as many threads as torch has by default and, in turns, as an engine does it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks import options_of
from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.engine.inspections import Inspections
from rnnplay.inspection.cell.unrolled import unroll_text
from rnnplay.inspection.clipping import clipped_step
from rnnplay.inspection.gates import gate_map
from rnnplay.inspection.gradients import gradient_curve, probe_batch
from rnnplay.inspection.loaded_model import SavedRun
from rnnplay.inspection.predictions import connectivity, predictions
from rnnplay.inspection.questions import GatesQuestion, GradientsQuestion, PredictionsQuestion
from rnnplay.model.language_model import LanguageModel
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.shipped import find_model
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import EncodedSplit, encode_corpus
from rnnplay.text.feeds import make_feed
from rnnplay.text.tokenizers.build import build_tokenizer
from rnnplay.training.trainer import Trainer
from rnnplay.workspace import Workspace
from tests.support.terminal import rnnplay_command

TEXT = ('The old king said, "You are 3 days late; come in."\nAnd the fox, who was wet, went in at once. ' * 5)[:400]


def best(action: Callable[[], object], times: int = 7) -> str:
    """Returns the shortest wall and CPU time, in milliseconds."""
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.thread_time()
        action()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.thread_time() - cpu)
    return f"{1e3 * min(walls):7.1f} ms wall, {1e3 * min(cpus):7.1f} ms CPU"


def measure_views() -> None:
    """Measures each inspection, on models of the size in the targets."""
    tokenizer = build_tokenizer([TEXT], "char")
    ids = np.resize(tokenizer.encode(TEXT), 20_000)
    split = EncodedSplit(ids, len(ids), None)
    for cell in ("lstm", "gru", "rnn"):
        model = LanguageModel(RunConfig(cell=cell), tokenizer.size)
        probe = probe_batch(split, "stream", 64)
        print(f"gradients, distance 64, {cell} 1x256:        {best(lambda m=model, p=probe: gradient_curve(m, p))}")  # type: ignore[misc]
    model = LanguageModel(RunConfig(), tokenizer.size)
    batch = make_feed(split, "stream", 32, 64, 1).next()
    print(f"clipping, 32x64 tokens, lstm 1x256:         {best(lambda: clipped_step(model, batch, None, 'norm', 1.0))}")
    large = LanguageModel(RunConfig(hidden=512, layers=2), tokenizer.size)
    kept = unroll_text(large, tokenizer, TEXT)
    fresh = best(lambda: gate_map(unroll_text(large, tokenizer, TEXT), tokenizer, order="property"))
    print(f"gates of {len(TEXT)} characters, lstm 2x512:      {fresh}")
    again = best(lambda: gate_map(kept, tokenizer, layer=1, order="variance"))
    print(f"  another layer and order, text kept:       {again}")
    print(f"predictions, the same:                      {best(lambda: predictions(large, tokenizer, TEXT))}")
    print(f"connectivity, the same:                     {best(lambda: connectivity(large, tokenizer, TEXT))}")


def measure_training(threads: int, seconds: float, every: float, rounds: int) -> None:
    """Measures tokens per second of one trainer, in turns without and with probes."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder)).create()
        config = RunConfig(threads=threads, eval_every=0, checkpoint_seconds=0.0)
        corpus = encode_corpus(find_corpus("tales", workspace), config, workspace.cache)
        trainer = Trainer(config, corpus, RunFolder(workspace.checkpoints / "run"), lambda _record: None)
        costs: list[float] = []

        def post(event: messages.Event) -> None:
            if isinstance(event, messages.Inspected):
                costs.append(getattr(event.result, "seconds", 0.0))

        inspections = Inspections(post, lambda: trainer, workspace, lambda _tag, action, _request: action())
        speeds: dict[bool, list[float]] = {False: [], True: []}
        for turn in range(2 * rounds + 1):
            probing = turn % 2 == 0
            began = due = time.perf_counter()
            first = trainer.step
            while (now := time.perf_counter()) - began < seconds:
                if probing and now >= due:
                    inspections.ask(messages.Inspect(request=1, question=GradientsQuestion(), purpose="view"))
                    due = now + every
                trainer.advance()
                inspections.work()
            rate = (trainer.step - first) * config.batch_size * config.bptt / (time.perf_counter() - began)
            if turn:  # the first turn is a warm-up
                speeds[probing].append(rate)
        with_probe, without = statistics.median(speeds[True]), statistics.median(speeds[False])
        print(f"training: {without:,.0f} tokens/s; with a probe every {every:g} s {with_probe:,.0f} tokens/s")
        print(f"  a probe took {1e3 * statistics.median(costs):.0f} ms; with / without: {with_probe / without:.3f}")
        trainer.close()


def measure_beside(times: int = 15) -> None:
    """Measures inspections of the shipped model beside a training, with torch's default threads and with one."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder)).create()
        command = rnnplay_command("train", "--workspace", folder, "--preset", "quick", "--minutes", "60")
        training = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(15)  # until it has chosen its number of threads
            opened = SavedRun(find_model("shipped-model", workspace), "latest", workspace)
            for question in (GradientsQuestion(), PredictionsQuestion(text=TEXT), GatesQuestion(text=TEXT)):
                walls: dict[bool, list[float]] = {True: [], False: []}
                used = dict.fromkeys(walls, 0.0)
                for number in range(2 * times + 2):
                    stepping = number % 2 == 0  # then the number of threads stays
                    inspections = Inspections(
                        lambda _: None, lambda: opened, workspace, lambda _tag, action, _request: action(),
                        lambda answer=stepping: answer,  # type: ignore[misc]
                    )  # fmt: skip
                    inspections.ask(messages.Inspect(request=1, question=question, purpose="view"))
                    wall, cpu = time.perf_counter(), time.process_time()
                    inspections.work()
                    if number > 1:  # the text is read at the first
                        walls[stepping].append(time.perf_counter() - wall)
                        used[stepping] += time.process_time() - cpu
                for stepping, found in walls.items():
                    threads = torch.get_num_threads() if stepping else 1
                    print(
                        f"{type(question).__name__}, threads: {threads}: p50 {statistics.median(found) * 1e3:.0f} ms, "
                        f"most {max(found) * 1e3:.0f} ms, {used[stepping] / times * 1e3:.0f} ms of a processor"
                    )
        finally:
            training.terminate()
            training.wait()


def main() -> None:
    parser = options_of("benchmarks.interface.inspection", __doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--every", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=2, help="0: no training")
    parser.add_argument("--beside", action="store_true", help="measure inspections beside another process's training")
    options = parser.parse_args()
    if options.beside:
        print(f"load of the machine before: {os.getloadavg()[0] if hasattr(os, 'getloadavg') else 0.0:.1f}")
        measure_beside()
        return
    torch.set_num_threads(options.threads)
    measure_views()
    if options.rounds:
        measure_training(options.threads, options.seconds, options.every, options.rounds)


if __name__ == "__main__":
    main()
