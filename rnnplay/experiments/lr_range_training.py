"""Trains a new model at rising learning rates, for `rnnplay.experiments.lr_range`. Loads torch when it is called."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rnnplay.config import RunConfig
from rnnplay.experiments.lr_range import STOP, RangePoint
from rnnplay.text.corpora.catalogue import find_corpus
from rnnplay.text.encoding.encoded import EncodedCorpus, encode_corpus
from rnnplay.workspace import Workspace


def encode_text(config: RunConfig, workspace: Workspace) -> EncodedCorpus:
    """Encodes the text of `config`; raises InputError."""
    return encode_corpus(find_corpus(config.corpus, workspace), config, workspace.cache)


def train_at_rates(
    config: RunConfig,
    corpus: EncodedCorpus,
    lrs: Sequence[float],
    take: Callable[[RangePoint], None],
    stopping: Callable[[], bool] = lambda: False,
) -> list[RangePoint]:
    """Trains a new model for a step at each rate, and returns the losses; ends early where the loss explodes.

    Clipping is as in `config`; its schedule and length play no part. Loads torch.
    """
    from rnnplay.model.hardware import prepare_thread, use_threads
    from rnnplay.training.learner import Learner
    from rnnplay.training.loop import train_step
    from rnnplay.training.threads.free_cores import use_free_cores

    prepare_thread()
    use_threads(config.threads) if config.threads else use_free_cores()
    learner = Learner(config, corpus)
    points: list[RangePoint] = []
    for step, lr in enumerate(lrs, start=1):
        if stopping():
            break
        result = train_step(learner, lr, config.clip, config.clip_threshold, guarded=False)
        points.append(RangePoint(step, lr, result.loss))
        take(points[-1])
        if not math.isfinite(result.loss) or result.loss > STOP * points[0].loss:
            break
    return points
