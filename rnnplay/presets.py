"""Named settings to start from: bundled ones, and the user's own, TOML files in the workspace."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnplay.common.files import composed, is_name, replacing
from rnnplay.common.limits import reason, way_out
from rnnplay.common.terminal_text import sanitize_name
from rnnplay.config import RunConfig, knobs, with_values
from rnnplay.errors import InputError
from rnnplay.settings import read_settings, settings_text

DEFAULT_PRESET = "quick"


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings that differ from the knobs' defaults, and what to expect of them."""

    name: str
    summary: str
    values: dict[str, Any]
    expect: str = ""
    """Duration on two cores and the loss reached, as measured."""

    @property
    def config(self) -> RunConfig:
        """The complete config."""
        return with_values(RunConfig(), self.values)


_MUON = {
    "optimizer": "muon",
    "lr": 0.01,
    "schedule": "linear",
    "lr_floor": 0.0,
    "weight_decay": 0.1,
    "beta2": 0.99,
    "clip_threshold": 0.4,
}
"""Muon and a rate that falls to zero learn most in few steps. Without weight decay its matrices grow without end."""

_SHAKESPEARE = {**_MUON, "split": "90/10/0", "ema_decay": 0.99, "eval_every": 500}
"""A validation of 100,000 characters takes as long as some 13 of these steps."""

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "quick",
            "LSTM 1×256 on characters",
            {"minutes": 2.0, **_MUON},
            "2 minutes; tales 0.40 nats after 4,900 steps",
        ),
        Preset(
            "tiny",
            "LSTM 1×128 on characters, a minute",
            {"minutes": 1.0, **_MUON, "lr": 0.02, "hidden": 128, "embedding": 32},
            "1 minute; tales 0.62 nats after 6,000 steps",
        ),
        Preset(
            "shakespeare-2min",
            "LSTM 1×256, for a million characters in two minutes",
            {"minutes": 2.0, **_SHAKESPEARE, "batch_size": 16, "bptt": 128},
            "2 minutes; tinyshakespeare 1.42 nats after 5,000 steps",
        ),
        Preset(
            "shakespeare-5min",
            "LSTM 1×320 with weight drop, for a million characters in five minutes",
            {"minutes": 5.0, **_SHAKESPEARE, "hidden": 320, "weight_drop": 0.1},
            "5 minutes; tinyshakespeare 1.38 nats after 11,000 steps",
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
            "2 minutes; tales 1.08 to 1.49 nats a word",
        ),
        Preset(
            "wikitext-2",
            "LSTM 1×512 on words, tied, sampled softmax: WikiText-2 in an hour",
            {
                "tokens": "word",
                "word_boundary": "whitespace",
                "embedding": 512,
                "hidden": 512,
                "tie": True,
                "softmax": "sampled",
                "dropout": 0.4,
                "dropout_kind": "locked",
                "batch_size": 40,
                "bptt": 70,
                "minutes": 60.0,
                **_MUON,
                "lr": 0.006,
                "clip_threshold": 0.5,
                "weight_decay": 0.1,
                "beta2": 0.99,
                "ema_decay": 0.999,
                "eval_every": 500,
                "eval_tokens": 60_000,
            },
            "60 minutes; test perplexity 94 after 9,154 steps",
        ),
        Preset(
            "awd-wikitext-2",
            "LSTM 3×1150 as the AWD-LSTM's, but its last layer no smaller: WikiText-2 on a GPU",
            {
                "tokens": "word",
                "word_boundary": "whitespace",
                "embedding": 1150,
                "hidden": 1150,
                "layers": 3,
                "tie": True,
                "dropout": 0.4,
                "input_dropout": 0.65,
                "layer_dropout": 0.2,
                "dropout_kind": "locked",
                "embedding_dropout": 0.1,
                "weight_drop": 0.5,
                "ar_alpha": 2.0,
                "tar_beta": 1.0,
                "epochs": 750.0,
                "batch_size": 80,
                "bptt": 70,
                "bptt_jitter": 5.0,
                "optimizer": "sgd",
                "lr": 30.0,
                "weight_decay": 1.2e-6,
                "asgd_window": 5,
                "clip_threshold": 0.25,
                "eval_every": 400,
                "eval_tokens": 0,
            },
            "for a GPU; not measured",
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
            "a second; NaN from step 4 on",
        ),
    )
}


def preset_config(name: str = DEFAULT_PRESET) -> RunConfig:
    """The config of a bundled preset; raises InputError for an unknown name."""
    return find_preset(name).config


def find_preset(name: str, own: Path | None = None, whole: bool = True) -> Preset:
    """Finds the preset of that name; the user's own, in the folder `own`, win.

    Unless `whole`, its settings need not be consistent by themselves, as others are to be applied over them. Raises
    InputError for an unknown name, or for a file that cannot be used.
    """
    name = composed(name)
    if own is not None and is_kept(name, own):
        return _read(own / f"{name}.toml", whole)
    if name not in PRESETS:
        raise InputError(
            f"There is no preset {sanitize_name(name)!r}; the presets are {', '.join(all_presets(own)[0])}."
        )
    return PRESETS[name]


def all_presets(own: Path | None) -> tuple[dict[str, Preset], list[str]]:
    """Every preset by name, the user's own last; and a sentence for each unusable file."""
    found, problems = dict(PRESETS), []
    try:
        places = sorted(own.glob("[!.]*.toml")) if own is not None else []
    except OSError as error:
        return found, [f"{own} cannot be read ({error.strerror}); {way_out(error, reading=True)}."]
    for place in places:
        if not is_name(place.stem, _LONGEST_NAME):
            problems.append(f"{sanitize_name(str(place))} is left out, for {_NAMED}; give it such a name.")
            continue
        try:
            found[composed(place.stem)] = _read(place)
        except InputError as error:
            problems.append(str(error))
    return found, problems


def is_kept(name: str, own: Path) -> bool:
    """Whether a preset of the user's own has that name, even an unreadable one."""
    return is_name(name, _LONGEST_NAME) and os.path.lexists(own / f"{name}.toml")


def check_name(name: str) -> None:
    """Raises InputError if a preset of the user's own cannot have that name."""
    if not is_name(name, _LONGEST_NAME):
        raise InputError(f"A preset cannot be called {sanitize_name(name)[:60]!r}: {_NAMED}.")
    if name in PRESETS:
        raise InputError(f"{name} is a preset that comes with rnnplay; choose another name.")


def save_preset(name: str, config: RunConfig, own: Path) -> Path:
    """Saves the values of `config` that differ from the knobs' defaults as the user's own preset; returns the file.

    An existing preset of that name is replaced; its summary stays, but not its expected results, which belong to other
    settings. Raises InputError for an invalid name or that of a bundled preset, if the folder cannot be written, or if
    something other than a file has the name.
    """
    name = composed(name)
    check_name(name)
    defaults = RunConfig()
    values = {knob: getattr(config, knob) for knob in knobs() if getattr(config, knob) != getattr(defaults, knob)}
    place = own / f"{name}.toml"
    with suppress(InputError):
        if summary := read_settings(place, words=_WORDS).get("summary"):
            values = {"summary": summary} | values
    try:
        own.mkdir(parents=True, exist_ok=True)
        target = Path(os.path.realpath(place))  # it may be a link to where the user keeps such files
        if target.exists() and not target.is_file():
            raise InputError(f"{place} is a folder, a pipe or a device; choose another name.")
        with replacing(target, keep_mode=True) as file:
            file.write(settings_text(values).encode())
    except OSError as error:
        raise InputError(f"The preset cannot be written to {own} ({reason(error)}); {way_out(error)}.") from error
    return place


def _read(place: Path, whole: bool = True) -> Preset:
    values = read_settings(place, words=_WORDS)
    summary, expect = (sanitize_name(values.pop(word, ""))[:200] for word in _WORDS)
    preset = Preset(place.stem, summary or "your own", values, expect)
    if not whole:
        return preset
    try:
        preset.config  # noqa: B018  (raises where the values do not go together)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
    return preset


_WORDS = ("summary", "expect")
_LONGEST_NAME = 40
_NAMED = "presets are named by at most 40 letters, digits, dots, dashes and underscores, a letter or digit first"
