"""What an inspection finds: printed by `rnnplay inspect`, sent by the engine, drawn by the interface. No torch.

Numbers that are not finite may occur wherever a model has diverged.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Quantity = Literal[
    "input_gate", "forget_gate", "output_gate", "new_cell", "cell", "hidden", "reset", "update", "new_hidden"
]
"""What a cell computes at each timestep: the fields of model.cells' steps."""

QUANTITIES: dict[str, tuple[Quantity, ...]] = {
    "lstm": ("input_gate", "forget_gate", "output_gate", "new_cell", "cell", "hidden"),
    "gru": ("reset", "update", "new_hidden", "hidden"),
    "rnn": ("hidden",),
}
GATES: frozenset[Quantity] = frozenset({"input_gate", "forget_gate", "output_gate", "reset", "update"})
"""Those between 0 and 1."""

QUANTITY_NAMES: dict[str, str] = {
    "input_gate": "input gate",
    "forget_gate": "forget gate",
    "output_gate": "output gate",
    "new_cell": "new cell content",
    "cell": "cell state",
    "hidden": "hidden state",
    "reset": "reset gate",
    "update": "update gate",
    "new_hidden": "new hidden content",
}
"""What each is called in a text."""

Order = Literal["index", "variance", "saturation", "property"]
"""How the units of a heatmap are ordered."""

Property = Literal["quotes", "line position", "word start", "space", "capital", "digit"]
"""A property of the text, a number at each token, that a unit may follow."""

SATURATED_LOW, SATURATED_HIGH = 0.1, 0.9
"""A gate below or above is closed or open, nearly."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A token that may come next."""

    token: str
    probability: float
    text: str = ""
    """What it adds to a prompt as it stands; empty for what cannot be typed (`<unk>`), and where there is no prompt."""


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """What a model writes after a text."""

    suggestion: str
    """The most probable continuation, to the end of a word."""
    next: list[Candidate]
    """The most probable next tokens."""


class ForcedCompletion(msgspec.Struct, frozen=True, kw_only=True, tag="what_if"):
    """A text completed by the model as it is, and with quantities of its cells forced."""

    run: str
    step: int
    untouched: Completed
    forced: Completed


class GradientCurve(msgspec.Struct, frozen=True, kw_only=True, tag="gradients"):
    """How much of a loss's gradient arrives k timesteps earlier.

    norms[..][l][k] is the mean over a probe batch of ‖∂L_t/∂h⁽ᵗ⁻ᵏ⁾‖₂ of layer l (0: next to the input), the total
    derivative, L_t the cross-entropy (nats) of the prediction made at timestep t.
    """

    run: str
    step: int
    distances: list[int]
    """0 … K."""
    hidden: list[list[float]]
    """(layers, K + 1)"""
    cell: list[list[float]] = []
    """The same for the cell state c; an LSTM's only."""
    seconds: float = 0.0
    """What the probe cost."""


class ParameterGradient(msgspec.Struct, frozen=True, kw_only=True):
    """One weight matrix or bias in one step."""

    name: str
    before: float
    """L2 norm of its gradient before clipping."""
    after: float
    fraction: float
    """Of the squared total norm before clipping, 0 to 1; NaN where that is not finite."""
    weight: float
    """L2 norm of the parameter itself."""


class ClippedStep(msgspec.Struct, frozen=True, kw_only=True, tag="clipping"):
    """What clipping does to one step's gradient, over all parameters together."""

    run: str
    step: int
    mode: str
    """"norm", "value" or "off"."""
    threshold: float
    before: float
    after: float
    scale: float
    """after / before; 1 where nothing was clipped, NaN where the norm is not finite."""
    cosine: float
    """Of the angle between the gradient before and after: 1 for norm, at most 1 for value; NaN as `scale`."""
    parameters: list[ParameterGradient]


class TokenPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """What the model expected before it saw this token."""

    token: str
    surprisal: float
    """-ln p(token | tokens before), nats."""
    probability: float
    rank: int | None
    """1: the most probable; None where the logits are not finite, or there are none."""
    top: list[Candidate]
    """The ten most probable; empty where there is no rank."""


class Predictions(msgspec.Struct, frozen=True, kw_only=True, tag="predictions"):
    """A text, scored token by token. The first token is predicted from the newline that a text begins after."""

    run: str
    step: int
    tokens: list[TokenPrediction]
    loss: float
    """Mean surprisal, nats per token."""
    perplexity: float
    unknown: list[str] = []
    """Pieces of the text that the model reads as <unk>."""
    unknown_fraction: float = 0.0
    """Fraction of the text's tokens that are <unk>."""


class GateMap(msgspec.Struct, frozen=True, kw_only=True, tag="gates"):
    """One quantity of one layer over a text, for some of its units."""

    run: str
    step: int
    cell: str
    """"rnn", "lstm" or "gru"."""
    layers: int
    units: int
    """H."""
    layer: int
    quantity: Quantity
    order: Order
    property: Property
    first: int
    """Place in the order of the first unit shown."""
    shown: list[int]
    """Units, in the order asked for."""
    scores: list[float]
    """What they are ordered by: variance over the text, fraction of timesteps saturated, or correlation (Pearson)."""
    values: list[list[float]]
    """(len(shown), timesteps)"""
    tokens: list[str]
    """(timesteps,): the token read at each."""
    low: float
    """Fraction of all units and timesteps of this quantity below 0.1, for gates; else of |value| below 0.1.

    NaN if some value is.
    """
    high: float
    """Fraction above 0.9, likewise."""
    histogram: list[int]
    """Counts in 20 equal bins over [0, 1] for gates, [-1, 1] else; what is outside is in the last bins, NaN in none."""


class Connectivity(msgspec.Struct, frozen=True, kw_only=True, tag="connectivity"):
    """Which earlier tokens a prediction depends on (Madsen 2019, Distill)."""

    run: str
    step: int
    tokens: list[str]
    position: int
    """The prediction is the one made after reading tokens[position]."""
    target: str | None
    """The predicted token whose logit was differentiated: the most probable; None if the logits are not finite."""
    strengths: list[float]
    """(position + 1,): ‖∂ logit / ∂ embedding of tokens[i]‖², i from 0."""


class DistanceAccuracy(msgspec.Struct, frozen=True, kw_only=True, tag="distances"):
    """How often tokens that are determined by an earlier one are predicted right, by how much earlier it was."""

    run: str
    step: int
    kind: str
    """"recall", "brackets", "agreement" or "copy"."""
    chance: float
    """Accuracy of a model that knows everything but the earlier token."""
    trained: int
    """The largest distance in the training text."""
    distances: list[int]
    """Lower edges of the bins, which end before the next one's."""
    correct: list[int]
    count: list[int]
    accuracy: list[float]
    """NaN, as its interval, of a model whose weights are not finite."""
    low: list[float]
    """95% interval (Wilson 1927)."""
    high: list[float]
    seconds: float = 0.0


class Forced(msgspec.Struct, frozen=True, kw_only=True):
    """What if: a quantity of a cell is held at `value` at every timestep, whatever the weights say."""

    layer: int
    quantity: Quantity
    value: float
    """0: closed, 1: open, for a gate."""
    units: list[int] = []
    """Which; none: all of the layer."""


Result = GradientCurve | ClippedStep | Predictions | GateMap | Connectivity | DistanceAccuracy | ForcedCompletion
