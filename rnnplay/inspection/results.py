"""Results of inspections: printed by `rnnplay inspect`, sent by the engine, drawn by the interface. No torch.

Any number may be infinite or NaN if the model has diverged.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Quantity = Literal[
    "input_gate", "forget_gate", "output_gate", "new_cell", "cell", "hidden", "reset", "update", "new_hidden"
]
"""A quantity that a cell computes at each timestep: the fields of the steps in rnnplay.model.cells."""

QUANTITIES: dict[str, tuple[Quantity, ...]] = {
    "lstm": ("input_gate", "forget_gate", "output_gate", "new_cell", "cell", "hidden"),
    "gru": ("reset", "update", "new_hidden", "hidden"),
    "rnn": ("hidden",),
}
GATES: frozenset[Quantity] = frozenset({"input_gate", "forget_gate", "output_gate", "reset", "update"})
"""The quantities that lie between 0 and 1."""

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
"""The name of each quantity in running text."""

Order = Literal["index", "variance", "saturation", "property"]
"""How the units of a heatmap are ordered."""

Property = Literal["quotes", "line position", "word start", "space", "capital", "digit"]
"""A property of the text, one number per token, that a unit may track."""

SATURATED_LOW, SATURATED_HIGH = 0.1, 0.9
"""Below the first, a gate counts as closed; above the second, as open."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A possible next token."""

    token: str
    probability: float
    text: str = ""
    """The text that it adds to the prompt; empty for a token that cannot be typed (`<unk>`), and without a prompt."""


class WordCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A possible continuation to the end of a word."""

    text: str
    """What it adds to the prompt: the rest of a word, or spaces and marks and then a word."""
    probability: float
    """Probability that the text goes on with exactly this word: a lower bound, the sum over what was searched."""
    phrase: str = ""
    """What it leads on to, itself at least: the continuation beginning with it that saves the most keystrokes."""


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """A model's continuation of a text."""

    suggestion: str
    """The most probable continuation, up to the end of a word."""
    next: list[Candidate]
    """The most probable next tokens."""


class ForcedCompletion(msgspec.Struct, frozen=True, kw_only=True, tag="what_if"):
    """Two completions of a text: by the model unchanged, and with some quantities of its cells forced."""

    run: str
    step: int
    untouched: Completed
    forced: Completed


class GradientCurve(msgspec.Struct, frozen=True, kw_only=True, tag="gradients"):
    """How much of a loss's gradient reaches the timestep k steps earlier.

    hidden[l][k] is the mean over a probe batch of ‖∂L_t/∂h⁽ᵗ⁻ᵏ⁾‖₂ for layer l (0: next to the input): the norm of the
    total derivative of L_t, the cross-entropy (nats) of the prediction made at timestep t.
    """

    run: str
    step: int
    distances: list[int]
    """0 … K."""
    hidden: list[list[float]]
    """(layers, K + 1)"""
    cell: list[list[float]] = []
    """The same for the cell state c; empty unless the model is an LSTM."""
    seconds: float = 0.0
    """How long the probe took."""


class ParameterGradient(msgspec.Struct, frozen=True, kw_only=True):
    """The gradient of one weight matrix or bias in one step."""

    name: str
    before: float
    """L2 norm of the gradient before clipping."""
    after: float
    fraction: float
    """Fraction of the squared total norm before clipping that is this parameter's; NaN if that norm is not finite."""
    weight: float
    """L2 norm of the parameter itself."""


class ClippedStep(msgspec.Struct, frozen=True, kw_only=True, tag="clipping"):
    """The effect of clipping on one step's gradient, over all parameters together."""

    run: str
    step: int
    mode: str
    """"norm", "value" or "off"."""
    threshold: float
    before: float
    after: float
    scale: float
    """after / before; 1 if nothing was clipped, NaN if the norm is not finite."""
    cosine: float
    """Cosine between the gradient before and after clipping: 1 by norm, at most 1 by value; NaN like `scale`."""
    parameters: list[ParameterGradient]


class TokenPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """What the model expected before it read this token."""

    token: str
    surprisal: float
    """-ln p(token | tokens before), nats."""
    probability: float
    rank: int | None
    """1 for the most probable token; None if the logits are not finite or the token was not predicted."""
    top: list[Candidate]
    """The ten most probable tokens; empty if `rank` is None."""


class Predictions(msgspec.Struct, frozen=True, kw_only=True, tag="predictions"):
    """A text, scored token by token. The first token is predicted from a newline put before the text."""

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
    """H, the units in the layer."""
    layer: int
    quantity: Quantity
    order: Order
    property: Property
    first: int
    """Rank, in the chosen order, of the first unit shown."""
    shown: list[int]
    """Indices of the units shown, in the chosen order."""
    scores: list[float]
    """The scores they are ordered by: variance over the text, fraction of saturated timesteps, or Pearson's r."""
    values: list[list[float]]
    """(len(shown), timesteps)"""
    tokens: list[str]
    """The token read at each timestep."""
    low: float
    """Fraction of the values, over all units and timesteps, that are below 0.1 (gates) or have |value| below 0.1.

    NaN if any value is.
    """
    high: float
    """The same for values above 0.9."""
    histogram: list[int]
    """Counts in 20 equal bins over [0, 1] for gates, else [-1, 1]; outliers go to the outermost bins, NaN to none."""


class Connectivity(msgspec.Struct, frozen=True, kw_only=True, tag="connectivity"):
    """How strongly a prediction depends on each earlier token (Madsen 2019, Distill)."""

    run: str
    step: int
    tokens: list[str]
    position: int
    """The prediction is the one made after reading tokens[position]."""
    target: str | None
    """The most probable next token, whose logit was differentiated; None if the logits are not finite."""
    strengths: list[float]
    """‖∂ logit / ∂ embedding of tokens[i]‖² for i = 0 … position."""


class DistanceAccuracy(msgspec.Struct, frozen=True, kw_only=True, tag="distances"):
    """How often tokens that an earlier one determines are predicted correctly, by the distance between them."""

    run: str
    step: int
    kind: str
    """"recall", "brackets", "agreement" or "copy"."""
    chance: float
    """Accuracy of a model that knows everything except the earlier token."""
    trained: int
    """The largest distance in the training text."""
    distances: list[int]
    """Lower edges of the bins; each ends before the next one's."""
    correct: list[int]
    count: list[int]
    accuracy: list[float]
    """NaN, like its interval, if the model's weights are not finite."""
    low: list[float]
    """Lower end of the 95% interval (Wilson 1927)."""
    high: list[float]
    seconds: float = 0.0


class Forced(msgspec.Struct, frozen=True, kw_only=True):
    """Holds a quantity of a cell at `value` at every timestep, whatever the weights compute."""

    layer: int
    quantity: Quantity
    value: float
    """For a gate, 0 is closed and 1 is open."""
    units: list[int] = []
    """Units to force; empty for all units of the layer."""


class LSTMNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """One number per unit of each quantity in an LSTM's timestep: its value, or ∂L/∂ that quantity."""

    hidden_before: list[float]
    """h⁽ᵗ⁻¹⁾"""
    cell_before: list[float]
    """c⁽ᵗ⁻¹⁾"""
    input_sum: list[float]
    """z_i, of which the input gate is σ; the next three alike."""
    forget_sum: list[float]
    output_sum: list[float]
    new_sum: list[float]
    input_gate: list[float]
    forget_gate: list[float]
    output_gate: list[float]
    new_cell: list[float]
    cell: list[float]
    """c⁽ᵗ⁾"""
    squashed: list[float]
    """tanh c⁽ᵗ⁾"""
    hidden: list[float]
    """h⁽ᵗ⁾"""


class Timestep(msgspec.Struct, frozen=True, kw_only=True, tag="timestep"):
    """One timestep of an LSTM's top layer, forward and backward, for some of its units.

    The loss is that of this timestep alone: the cross-entropy of tokens[position + 1] after tokens[position] was read.
    """

    run: str
    step: int
    layer: int
    hidden: int
    """H, the units in the layer."""
    units: list[int]
    """Indices of the units that the numbers are of."""
    tokens: list[str]
    position: int
    probability: float
    """The model's probability of the token that follows."""
    loss: float
    """-ln of it, nats."""
    values: LSTMNumbers
    gradients: LSTMNumbers
    """By the equations, within this timestep: the states before it count as given."""
    difference: float
    """Largest difference between these gradients and autograd's, over all units, relative to the largest gradient."""


Result = (
    GradientCurve | ClippedStep | Predictions | GateMap | Connectivity | DistanceAccuracy | ForcedCompletion | Timestep
)
