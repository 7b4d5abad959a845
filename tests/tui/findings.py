"""What an engine finds when it is asked: made up, but of the right shapes, and the same on every machine."""

from __future__ import annotations

import math

from rnnplay.engine import messages
from rnnplay.inspection.questions import (
    ClippingQuestion,
    ConnectivityQuestion,
    DistancesQuestion,
    GatesQuestion,
    GradientsQuestion,
    PredictionsQuestion,
    TimestepQuestion,
)
from rnnplay.inspection.results import (
    QUANTITIES,
    Candidate,
    ClippedStep,
    Completed,
    Connectivity,
    DistanceAccuracy,
    GateMap,
    GradientCurve,
    LSTMNumbers,
    ParameterGradient,
    Predictions,
    Result,
    Timestep,
    TokenPrediction,
)
from tests.tui.stage import RUN, noise

UNITS, LAYERS = 256, 2
TEXT = 'Once there was a fox. "Where is it?" asked Mia.'


def gradients(
    distance: int = 64, *, run: str = RUN, step: int = 600, decay: float = 0.8, cell: bool = True, seconds: float = 0.01
) -> GradientCurve:
    """Two layers whose gradient falls by `decay` a timestep; the cell's falls more slowly."""
    distances = list(range(distance + 1))
    hidden = [[0.1 * (layer + 1) * decay**k for k in distances] for layer in range(LAYERS)]
    states = [[0.1 * math.sqrt(decay) ** k for k in distances] for _ in range(LAYERS)] if cell else []
    return GradientCurve(run=run, step=step, distances=distances, hidden=hidden, cell=states, seconds=seconds)


def predictions(text: str = TEXT, *, step: int = 600, unknown: tuple[str, ...] = ()) -> Predictions:
    tokens = []
    for at, token in enumerate(text):
        probability = min(0.98, 0.02 + abs(noise(at)))
        others = [
            Candidate(token=other, probability=(1 - probability) / 2**i) for i, other in enumerate("etaonis h", 1)
        ]
        top = [Candidate(token=token, probability=probability), *(one for one in others if one.token != token)][:10]
        tokens.append(
            TokenPrediction(
                token=token, surprisal=-math.log(probability), probability=probability, rank=1 + at % 7, top=top
            )
        )
    loss = sum(one.surprisal for one in tokens) / max(len(tokens), 1)
    return Predictions(run=RUN, step=step, tokens=tokens, loss=loss, perplexity=math.exp(loss), unknown=list(unknown))


def gates(asked: GatesQuestion, *, cell: str = "lstm", step: int = 600) -> GateMap:
    """As asked: each unit follows a wave of its own."""
    layer = min(asked.layer, LAYERS - 1)
    quantity = asked.quantity if asked.quantity in QUANTITIES[cell] else "hidden"
    shown = [(asked.first + i) * 37 % UNITS for i in range(min(asked.count, UNITS - asked.first))]
    signed = quantity in ("new_cell", "cell", "hidden", "new_hidden")
    waves = [[math.sin((t + unit) / (1 + unit % 9)) for t in range(len(asked.text))] for unit in shown]
    return GateMap(
        run=RUN,
        step=step,
        cell=cell,
        layers=LAYERS,
        units=UNITS,
        layer=layer,
        quantity=quantity,
        order=asked.order,
        property=asked.property,
        first=asked.first,
        shown=shown,
        scores=[0.9 - 0.01 * i for i in range(len(shown))],
        values=waves if signed else [[(wave + 1) / 2 for wave in row] for row in waves],
        tokens=list(asked.text),
        low=0.12,
        high=0.4,
        histogram=[20, 9, 4, 3, 2, 2, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12, 30, 80],
    )


def connectivity(asked: ConnectivityQuestion, *, step: int = 600) -> Connectivity:
    position = len(asked.text) - 1 if asked.position < 0 else min(asked.position, len(asked.text) - 1)
    strengths = [4.0 ** -((position - i) / 3) * (1 + 0.5 * noise(i)) for i in range(position + 1)]
    return Connectivity(run=RUN, step=step, tokens=list(asked.text), position=position, target="e", strengths=strengths)


def clipping(mode: str = "norm", *, step: int = 600, before: float = 2.31) -> ClippedStep:
    shares = {
        "embedding.weight": 0.05,
        "recurrent.weight_ih_l0": 0.31,
        "recurrent.weight_hh_l0": 0.44,
        "recurrent.bias_ih_l0": 0.02,
        "recurrent.bias_hh_l0": 0.02,
        "decoder.weight": 0.15,
        "decoder.bias": 0.01,
    }
    parameters = [
        ParameterGradient(
            name=name,
            before=before * math.sqrt(share),
            after=math.sqrt(share),
            fraction=share,
            weight=12.0 * (1 + share),
        )
        for name, share in shares.items()
    ]
    return ClippedStep(
        run=RUN,
        step=step,
        mode=mode,
        threshold=1.0,
        before=before,
        after=1.0,
        scale=1.0 / before,
        cosine=1.0 if mode == "norm" else 0.934,
        parameters=parameters,
    )


def distances(*, step: int = 600) -> DistanceAccuracy:
    edges = [1, 2, 4, 8, 16, 32, 64, 128]
    accuracy = [1.0, 0.99, 0.97, 0.8, 0.4, 0.16, 0.13, 0.12]
    count = [400, 380, 350, 300, 220, 160, 90, 40]
    return DistanceAccuracy(
        run=RUN,
        step=step,
        kind="recall",
        chance=0.125,
        trained=80,
        distances=edges,
        correct=[round(a * n) for a, n in zip(accuracy, count, strict=True)],
        count=count,
        accuracy=accuracy,
        low=[max(0.0, a - 0.04) for a in accuracy],
        high=[min(1.0, a + 0.04) for a in accuracy],
        seconds=0.02,
    )


def timestep(question: TimestepQuestion = TimestepQuestion(text=TEXT), *, step: int = 600) -> Timestep:  # noqa: B008
    """Two units of the top layer; the numbers are made up, and do not follow from each other."""
    last = len(question.text) - 2

    def numbers(seed: int) -> LSTMNumbers:
        fields = enumerate(LSTMNumbers.__struct_fields__)
        return LSTMNumbers(**{name: [noise(seed + 2 * at), noise(seed + 2 * at + 1)] for at, name in fields})

    return Timestep(
        run=RUN,
        step=step,
        layer=1,
        hidden=UNITS,
        units=[question.first, question.first + 1],
        tokens=list(question.text),
        position=question.position if question.position >= 0 else last,
        probability=0.25,
        loss=1.386,
        values=numbers(1),
        gradients=numbers(100),
        difference=3e-16,
    )


def completed(request: int, *, forced: bool = False, step: int = 600) -> messages.Completion:
    """The answer to a prompt; with `forced`, also what an engine that was told WhatIf says."""
    following = [Candidate(token=t, probability=p, text=t) for t, p in (("a", 0.62), ("e", 0.17), ("\n", 0.004))]
    return messages.Completion(
        request=request,
        suggestion="alked",
        next=following,
        unknown=[],
        step=step,
        forced=Completed(suggestion=" the the", next=following[::-1]) if forced else None,
    )


def found(asked: messages.Command, *, forced: bool = False, step: int = 600) -> messages.Event | None:
    """The answer to a question; None for other commands."""
    if isinstance(asked, messages.Complete):
        return completed(asked.request, forced=forced, step=step)
    if not isinstance(asked, messages.Inspect):
        return None
    result: Result
    match question := asked.question:
        case GradientsQuestion():
            initial = question.initial
            result = gradients(question.distance, step=0 if initial else step, decay=0.6 if initial else 0.8)
        case PredictionsQuestion():
            result = predictions(question.text, step=step)
        case GatesQuestion():
            result = gates(question, step=step)
        case ConnectivityQuestion():
            result = connectivity(question, step=step)
        case ClippingQuestion():
            result = clipping(step=step)
        case DistancesQuestion():
            result = distances(step=step)
        case TimestepQuestion():
            result = timestep(question, step=step)
        case _:
            return None
    return messages.Inspected(request=asked.request, result=result)
