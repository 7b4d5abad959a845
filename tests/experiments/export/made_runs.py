"""Makes run folders with known records and weights, without training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnnplay.config import RunConfig
from rnnplay.runs.checkpoint_state import FORMAT, TrainingState, ValidationHistory
from rnnplay.runs.folder import RunFolder
from rnnplay.runs.info import RunInfo
from rnnplay.runs.metrics.records import Finished, Record, Rollback, Skipped, Step, Tuned, Validation
from rnnplay.text.tokenizers.build import Tokenizer, build_tokenizer
from rnnplay.workspace import Workspace

TEXT = "the cat sat on the mat, and the dog ran after it.\n" * 4
CREATED = "2026-01-02T03:04:05.678+00:00"


def step(number: int, loss: float = 2.0, norm: float = 0.5, **changed: Any) -> Step:
    """A step record; one of a larger norm than 1 is clipped to that."""
    values: dict[str, Any] = {
        "step": number,
        "loss": loss,
        "grad_norm": norm,
        "grad_norm_clipped": min(norm, 1.0),
        "clipped": norm > 1,
        "lr": 0.01,
        "tokens": 100 * number,
        "tokens_per_second": 200.0,
    }
    return Step(**values | changed)


def validation(number: int, loss: float = 1.5) -> Validation:
    """A validation record."""
    return Validation(step=number, loss=loss, perplexity=4.5, bits_per_character=2.2, best=True, unknown_fraction=0.0)


ROLLED_BACK: list[Record] = [
    step(1),
    step(2, norm=3.0),
    validation(2),
    step(3, loss=float("nan"), norm=float("inf")),
    Skipped(step=3, cause="loss not finite"),
    validation(3, loss=float("nan")),
    Rollback(step=3, to=2, cause="loss not finite", remedy="lower-rate", changed={"lr": 0.005}, count=1),
    Tuned(step=2, knob="lr", value=0.005),
    step(3, loss=1.75, lr=0.005),
    validation(3, loss=1.25),
    Finished(step=3, reason="length"),
]
"""Three steps, the third one a second time."""


def make_run(
    workspace: Workspace, name: str = "run", records: Sequence[Record] = ROLLED_BACK, **knobs: Any
) -> RunFolder:
    """Makes a run of an LSTM with 8 units on TEXT; `knobs` change its settings."""
    config = RunConfig(**{"embedding": 6, "hidden": 8, "steps": 3, "threads": 1, "feed": "stream", **knobs})
    run, tokenizer = RunFolder(workspace.checkpoints / name), make_tokenizer(config)
    info = RunInfo(
        run=name,
        config=config,
        corpus_sha256="0" * 64,
        rnnplay="1.0",
        torch="2.13",
        created=CREATED,
        parameters=1234,
        vocabulary=tokenizer.size,
        unknown_fraction=0.0,
    )
    run.create(info, tokenizer)
    run.log.append(records)
    run.log.flush()
    return run


def make_tokenizer(config: RunConfig) -> Tokenizer:
    """The tokenizer of TEXT."""
    return build_tokenizer([TEXT], config.tokens, lowercase=config.lowercase)


def add_checkpoint(run: RunFolder, step: int = 3) -> None:
    """Writes a checkpoint with weights that are all far from zero."""
    import torch

    from rnnplay.model.language_model import LanguageModel
    from rnnplay.training.checkpointing.checkpoints import write_checkpoint

    info = run.info()
    model = LanguageModel(info.config, info.vocabulary)
    with torch.no_grad():
        draw = torch.Generator().manual_seed(step)
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=draw))
    state = TrainingState(
        format=FORMAT,
        step=step,
        tokens=100 * step,
        seconds=60.0,
        epoch=0.5,
        created=1767323045.0,
        feed={},
        validations=ValidationHistory(best_loss=1.25, best_step=step, last_loss=1.25, last_step=step),
        live={},
        device="cpu",
        precision="float32",
        threads=1,
        metrics_bytes=0,
        sha256={},
    )
    write_checkpoint(run, state, model.weights(), {})
