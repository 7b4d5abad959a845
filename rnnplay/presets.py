"""Named settings to start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnnplay.config import RunConfig, with_values
from rnnplay.errors import InputError

DEFAULT_PRESET = "quick"


@dataclass(frozen=True, slots=True)
class Preset:
    """What differs from the knobs' defaults, and what to expect."""

    name: str
    summary: str
    values: dict[str, Any]


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("quick", "LSTM 1×256 on characters", {"minutes": 2.0, "schedule": "cosine", "clip_threshold": 0.4}),
        Preset(
            "tiny",
            "LSTM 1×128 on characters, a minute",
            {"hidden": 128, "embedding": 32, "minutes": 1.0, "lr": 0.004, "schedule": "cosine"},
        ),
        Preset(
            "words",
            "LSTM 1×256 on words, tied output",
            {
                "tokens": "word",
                "lowercase": True,
                "embedding": 256,
                "tie": True,
                "dropout": 0.2,
                "max_vocabulary": 20_000,
                "bptt": 35,
                "minutes": 2.0,
                "schedule": "cosine",
            },
        ),
        Preset(
            "exploding",
            "ReLU RNN, no clipping: watch it go to NaN",
            {
                "cell": "rnn",
                "nonlinearity": "relu",
                "recurrent_gain": 1.3,
                "optimizer": "sgd",
                "lr": 0.5,
                "clip": "off",
                "divergence": "off",
                "steps": 400,
                "eval_every": 50,
            },
        ),
    )
}


def preset_config(name: str = DEFAULT_PRESET) -> RunConfig:
    """The config of a preset; raises InputError for an unknown name."""
    if name not in PRESETS:
        raise InputError(f"There is no preset {name!r}; the presets are {', '.join(PRESETS)}.")
    return with_values(RunConfig(), PRESETS[name].values)
