"""The inspections that a lesson's conditions need, made of the model that the trainer has in hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from rnnplay.inspection.results import Candidate, Quantity
from rnnplay.lessons.evidence import Evidence
from rnnplay.lessons.lesson import Probe
from rnnplay.lessons.metrics import Source

if TYPE_CHECKING:
    from rnnplay.text.encoding.encoded import EncodedCorpus
    from rnnplay.training.trainer import Trainer
    from rnnplay.workspace import Workspace

BARS = 8
"""Most probable next tokens that are compared, as in the interface."""

Needed = Mapping[Source, set[str]]
"""What is to be looked at, with the metrics' parameters: measurements.sources."""


def look_before(trainer: Trainer, encoded: EncodedCorpus, needed: Needed, evidence: Evidence) -> None:
    """Before the first step."""
    if "initial gradients" in needed:
        _gradients(trainer, encoded, needed["initial gradients"], evidence)


def look_after(
    trainer: Trainer, encoded: EncodedCorpus, workspace: Workspace, needed: Needed, probe: Probe, evidence: Evidence
) -> None:
    """After the last step."""
    if "gradients" in needed:
        _gradients(trainer, encoded, needed["gradients"], evidence)
    if "clipping" in needed:
        _clipping(trainer, encoded, evidence)
    if "gates" in needed:
        _gates(trainer, probe.text, needed["gates"], evidence)
    if "predictions" in needed:
        from rnnplay.inspection.predictions import predictions

        evidence.take(predictions(trainer.model, trainer.tokenizer, probe.text, step=trainer.step))
    if "what if" in needed:
        _what_if(trainer, probe, evidence)
    if "distances" in needed:
        _distances(trainer, workspace, evidence)


def _gradients(trainer: Trainer, encoded: EncodedCorpus, distances: set[str], evidence: Evidence) -> None:
    from rnnplay.inspection.gradients import gradient_curve
    from rnnplay.inspection.probe import probe_batch

    probe = probe_batch(encoded.validation, encoded.feed, max(int(distance) for distance in distances))
    evidence.take(gradient_curve(trainer.model, probe, step=trainer.step))


def _clipping(trainer: Trainer, encoded: EncodedCorpus, evidence: Evidence) -> None:
    from rnnplay.inspection.clipping import clipped_step
    from rnnplay.text.feeds import make_feed

    config = trainer.config
    batch = make_feed(encoded.train, encoded.feed, config.batch_size, config.bptt, config.seed).next()
    evidence.take(clipped_step(trainer.raw_model, batch, None, config.clip, config.clip_threshold, step=trainer.step))


def _gates(trainer: Trainer, text: str, quantities: set[str], evidence: Evidence) -> None:
    from rnnplay.inspection.gates import gate_map
    from rnnplay.inspection.unrolled import unroll_text

    unrolled = unroll_text(trainer.model, trainer.tokenizer, text)
    for quantity in sorted(quantities):
        evidence.take(
            gate_map(
                unrolled,
                trainer.tokenizer,
                quantity=cast(Quantity, quantity),
                count=trainer.config.hidden,
                step=trainer.step,
            )
        )


def _what_if(trainer: Trainer, probe: Probe, evidence: Evidence) -> None:
    from rnnplay.inspection.what_if import forcing
    from rnnplay.model.generation.sampling import complete

    hook = forcing(trainer.config, probe.forced)
    untouched, forced = (
        [
            Candidate(token=token, probability=share)
            for token, share in complete(trainer.model, trainer.tokenizer, probe.prompt, BARS, one).next
        ]
        for one in (None, hook)
    )
    evidence.take_what_if(trainer.step, untouched, forced)


def _distances(trainer: Trainer, workspace: Workspace, evidence: Evidence) -> None:
    from rnnplay.inspection.distances import distance_accuracy, required_kind

    kind = required_kind(trainer.config, workspace)
    evidence.take(distance_accuracy(trainer.model, trainer.tokenizer, kind, step=trainer.step))
