"""Inspections answered between training steps, from the weights as they are at that moment.

Of each kind only the newest is kept. One is answered at a time, so that a training step is never far off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rnnplay.common.working_time import working_time
from rnnplay.engine import messages
from rnnplay.errors import InputError
from rnnplay.inspection.clipping import clipped_step
from rnnplay.inspection.connectivity import connectivity
from rnnplay.inspection.distances import distance_accuracy, required_kind
from rnnplay.inspection.gates import UnrolledCache, gate_map
from rnnplay.inspection.gradients import gradient_curve
from rnnplay.inspection.predictions import predictions
from rnnplay.inspection.probe import ProbeBatch, probe_batch
from rnnplay.inspection.reading import finite_weights
from rnnplay.inspection.results import ClippedStep, Connectivity, DistanceAccuracy, GateMap, GradientCurve, Predictions
from rnnplay.inspection.subject import Subject, initial_model
from rnnplay.text.encoding.encoded import EncodedCorpus
from rnnplay.workspace import Workspace


class Guarded(Protocol):
    """Runs an action; what goes wrong is told as Failed with this tag and request."""

    def __call__(self, tag: str, action: Callable[[], object], request: int) -> None: ...


class Inspections:
    """The newest request of each kind, and what makes answering them cheap."""

    def __init__(
        self,
        post: Callable[[messages.Event], None],
        subject: Callable[[], Subject | None],
        workspace: Workspace,
        guarded: Guarded,
    ) -> None:
        self._post = post
        self._subject = subject
        self._workspace = workspace
        self._guarded = guarded
        self._waiting: dict[tuple[type, bool, bool, str], messages.Inspection] = {}
        self._working = False
        self._unrolled = UnrolledCache()
        self._probe: tuple[EncodedCorpus, int, ProbeBatch] | None = None

    @property
    def busy(self) -> bool:
        """Whether there is something to do."""
        return bool(self._waiting)

    def ask(self, command: messages.Inspection) -> None:
        """Take a request; a newer one makes an older one of its kind out of date."""
        # The initial curve is drawn beside the current one: neither replaces the other. A lesson asks for several
        # quantities at once, and needs them all.
        initial = isinstance(command, messages.InspectGradients) and command.initial
        quantity = command.quantity if isinstance(command, messages.InspectGates) and command.aside else ""
        kind = (type(command), initial, command.aside, quantity)
        self._waiting.pop(kind, None)  # the newest goes to the end, that none waits for ever
        self._waiting[kind] = command

    def work(self) -> None:
        """Answer the request that has waited longest, if there is one. Does nothing while it is at it already."""
        if self._working or not self._waiting:
            return
        command = self._waiting.pop(next(iter(self._waiting)))
        self._working = True
        try:
            tag = str(command.__struct_config__.tag)
            self._guarded(tag, lambda: self._answer(command), command.request)
        finally:
            self._working = False

    def _answer(self, command: messages.Inspection) -> None:
        subject = self._subject()
        if subject is None:
            raise InputError("There is no model yet; train one or open a run.")
        began = working_time()
        result: GradientCurve | ClippedStep | Predictions | GateMap | Connectivity | DistanceAccuracy
        run, step = subject.run, subject.step
        model, tokenizer = subject.model, subject.tokenizer
        match command:
            case messages.InspectGradients():
                result = self._gradients(subject, command)
            case messages.InspectClipping():
                batch, state = subject.next_batch()
                config = subject.config
                result = clipped_step(subject.raw_model, batch, state, config.clip, config.clip_threshold, run, step)
            case messages.InspectPredictions():
                result = predictions(model, tokenizer, command.text, run, step)
            case messages.InspectGates():
                result = gate_map(
                    self._unrolled.get(model, tokenizer, command.text, step),
                    tokenizer,
                    layer=command.layer,
                    quantity=command.quantity,
                    order=command.order,
                    property=command.property,
                    first=command.first,
                    count=command.count,
                    run=run,
                    step=step,
                )
            case messages.InspectConnectivity():
                result = connectivity(model, tokenizer, command.text, command.position, run, step)
            case messages.InspectDistances():
                kind = required_kind(subject.config, self._workspace)
                result = distance_accuracy(model, tokenizer, kind, run, step)
        finite, seconds = finite_weights(model), working_time() - began
        self._post(messages.Inspected(request=command.request, result=result, seconds=seconds, finite=finite))

    def _gradients(self, subject: Subject, command: messages.InspectGradients) -> GradientCurve:
        corpus = subject.corpus
        if self._probe is None or self._probe[0] is not corpus or self._probe[1] != command.distance:
            self._probe = corpus, command.distance, probe_batch(corpus.validation, corpus.feed, command.distance)
        model, step = subject.model, subject.step
        if command.initial:
            model, step = initial_model(subject), 0
        return gradient_curve(model, self._probe[2], subject.run, step)
