"""The number of parameters by the config alone is that of the model."""

from __future__ import annotations

from typing import Any

import pytest

from rnnplay.config import RunConfig
from rnnplay.model.language_model import LanguageModel
from rnnplay.model.parameter_count import parameter_count


@pytest.mark.parametrize("vocabulary", [3, 11, 700])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(
    "values",
    [
        *({"cell": cell, "embedding": 6, "hidden": 24} for cell in ("rnn", "gru", "lstm")),
        {"cell": "lstm", "embedding": 24, "hidden": 24, "tie": True},
        {"cell": "gru", "embedding": 6, "hidden": 24, "tokens": "word", "softmax": "adaptive"},
        {"cell": "rnn", "embedding": 6, "hidden": 17, "tokens": "word", "softmax": "adaptive"},
        {"cell": "rnn", "embedding": 6, "hidden": 17, "tokens": "word", "softmax": "sampled"},
    ],
)
def test_it_is_the_models_own(values: dict[str, Any], layers: int, vocabulary: int) -> None:
    config = RunConfig(**values, layers=layers)
    assert parameter_count(config, vocabulary) == LanguageModel(config, vocabulary).size
