"""The variants of a setup that race each other: ready-made sets, and every combination of given values."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from rnnplay.config import RunConfig, Value, knobs, with_values
from rnnplay.errors import ConfigError, InputError
from rnnplay.knobs import typed

FEWEST, MOST = 2, 6
"""Variants of a race: each has a process, a colour and a mark of its own."""

TOKEN_KNOBS = ("tokens", "bpe_size", "word_boundary", "normal_form", "lowercase", "min_count", "max_vocabulary")
"""Knobs that decide what one token is."""
TEXT_KNOBS = ("corpus", "split", *TOKEN_KNOBS)
"""Knobs that change what is predicted: between their values losses per token say little."""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One variant of a setup."""

    label: str
    """How it differs from the other variants: "LSTM", "clip 0.25", "cell=gru lr=0.01"."""
    config: RunConfig
    changed: dict[str, Value] = {}
    """The knobs that were varied, with this variant's values; knobs without an effect are left out."""


class ReadySet(NamedTuple):
    """A ready-made set of variants."""

    title: str
    """What is compared, for a menu."""


READY = {
    "cells": ReadySet("RNN, GRU and LSTM"),
    "clip": ReadySet("clipping off, at 0.25, 1 and 5"),
    "nonlinearity": ReadySet("an RNN with tanh and with ReLU"),
    "rates": ReadySet("a third of the learning rate, the learning rate, three times it"),
}
"""The ready-made sets by name; `ready` makes their variants."""


def ready(name: str, config: RunConfig) -> list[Variant]:
    """Returns the ready-made variants of `config`; raises InputError for an unknown name."""
    if name == "cells":
        return vary(config, {"cell": ["rnn", "gru", "lstm"]})
    if name == "clip":
        kind = config.clip if config.clip != "off" else "norm"
        return variants_of(
            config, [{"clip": "off"}, *({"clip": kind, "clip_threshold": at} for at in (0.25, 1.0, 5.0))]
        )
    if name == "nonlinearity":
        return variants_of(config, [{"cell": "rnn", "nonlinearity": name} for name in ("tanh", "relu")])
    if name == "rates":
        highest = knobs()["lr"].knob.high
        rates = [float(f"{rate:.2g}") for rate in (config.lr / 3, 3 * config.lr) if rate <= highest]
        return vary(config, {"lr": sorted({*rates, config.lr})})
    raise InputError(f"There is no ready-made set {name[:60]!r}; the sets are {', '.join(READY)}.")


def vary(config: RunConfig, values: Mapping[str, Sequence[Value]]) -> list[Variant]:
    """Returns a variant of `config` for every combination of the knobs' values, in their order.

    Combinations that differ only in knobs without an effect (a threshold with clipping off) are one variant. Raises
    ConfigError for an unknown knob, an invalid value or combination, a value given twice, or a number of variants
    outside FEWEST to MOST.
    """
    specs = knobs()
    for name, given in values.items():
        if name not in specs:
            raise ConfigError(name, f"Unknown knob {name[:60]!r}; the knobs are {', '.join(specs)}.")
        checked = [specs[name].check(value) for value in given]
        for value in checked:
            if checked.count(value) > 1:
                raise ConfigError(name, f"{name} is varied over {typed(value)} twice; leave one out.")
    combined = [dict(zip(values, found, strict=True)) for found in itertools.product(*values.values())]
    if len(combined) > 1000:
        raise ConfigError(next(iter(values)), f"{_product(values)} are {len(combined):,} variants; {_ALLOWED}.")
    return variants_of(config, combined)


def variants_of(config: RunConfig, changes: Sequence[Mapping[str, Value]]) -> list[Variant]:
    """Returns a variant of `config` for each of `changes`; the same errors as `vary`."""
    names = list(dict.fromkeys(name for change in changes for name in change))
    variants: dict[RunConfig, dict[str, Value]] = {}
    for change in changes:
        varied = with_values(config, change)
        effective, changed = _effective(varied, names)
        variants.setdefault(effective, changed)
    if len(variants) < FEWEST:
        raise ConfigError(names[0] if names else "", _too_few(config, changes, names))
    if len(variants) > MOST:
        what = f"{names[0]} is varied over" if len(names) == 1 else f"{' and '.join(names)} in every combination are"
        raise ConfigError(
            names[0], f"{what} {len(variants)} {'values' if len(names) == 1 else 'variants'}; {_ALLOWED}."
        )
    labels = labels_of(list(variants.values()))
    return [
        Variant(label=label, config=varied, changed=changed)
        for label, (varied, changed) in zip(labels, variants.items(), strict=True)
    ]


_ALLOWED = f"a race has {FEWEST} to {MOST} variants: give fewer values"


def _product(values: Mapping[str, Sequence[Value]]) -> str:
    return " × ".join(f"{len(given)} values of {name}" for name, given in values.items())


def _effective(config: RunConfig, names: Sequence[str]) -> tuple[RunConfig, dict[str, Value]]:
    """Returns `config` with its knobs of `names` that have no effect at their defaults, and the others' values."""
    specs = knobs()
    idle = [name for name in names if not specs[name].relevant(config)]
    defaults = {name: specs[name].default for name in idle}
    changed = {name: getattr(config, name) for name in names if name not in idle}
    return msgspec.structs.replace(config, **defaults), changed


def _too_few(config: RunConfig, changes: Sequence[Mapping[str, Value]], names: Sequence[str]) -> str:
    specs = knobs()
    for name in names:
        when = specs[name].knob.when
        if (
            len(changes) >= FEWEST
            and when is not None
            and not any(specs[name].relevant(with_values(config, change)) for change in changes)
        ):
            other, _ = when
            return (
                f"{name} has an effect only with {specs[name].needs}, and {other} is "
                f"{getattr(config, other)}; set it, or vary another knob."
            )
    what = f"{names[0]} has one value" if names else "Nothing is varied"
    return f"{what}, and a race has {FEWEST} to {MOST} variants: give at least two values, such as cell=rnn,lstm."


# --- labels ---------------------------------------------------------------------------------------------------


def labels_of(changes: Sequence[Mapping[str, Value]]) -> list[str]:
    """Returns for each of `changes` what distinguishes it from the others, in a few words."""
    varied = {name: {change.get(name) for change in changes} for change in changes for name in change}
    names = [name for name, values in varied.items() if len(values) > 1] or list(varied)
    if set(names) <= {"clip", "clip_threshold"}:
        return [_clip_label(change, several=len(varied.get("clip", set()) - {"off"}) > 1) for change in changes]
    if len(names) == 1:
        labels = [_label(names[0], change[names[0]]) for change in changes]
        if len(set(labels)) == len(labels):  # two texts may have the same name in different folders
            return labels
    return [" ".join(f"{name}={typed(change[name])}" for name in names if name in change) for change in changes]


def label_now(variant: Variant, config: RunConfig) -> str:
    """Returns the label of a variant whose run has `config` by now, since live knobs may have been changed meanwhile.

    "lr 0.001 → 0.01" where that knob was varied, else "LSTM, now lr 0.01".
    """
    from rnnplay.runs.checkpoint_state import live_knobs

    specs = knobs()
    before = variant.config
    names = [name for name in live_knobs() if getattr(config, name) != getattr(before, name)]
    names = [name for name in names if specs[name].relevant(config)]
    if not names:
        return variant.label
    if len(names) == 1 and list(variant.changed) == names:
        return f"{variant.label} → {specs[names[0]].text(getattr(config, names[0]))}"
    parts = [f"{name.replace('_', ' ')} {specs[name].text(getattr(config, name))}" for name in names]
    return f"{variant.label}, now {', '.join(parts)}"


def _label(name: str, value: Value) -> str:
    if name == "cell":
        return str(value).upper()
    if name == "nonlinearity":
        return {"relu": "ReLU"}.get(str(value), str(value))
    if name == "corpus":
        return str(value).rpartition("/")[2]
    return f"{name} {knobs()[name].text(value)}"


def _clip_label(change: Mapping[str, Value], several: bool) -> str:
    """ "clip off", "clip 0.25"; where clipping by norm and by value are compared, "clip norm 0.25"."""
    kind = str(change.get("clip", ""))
    at = typed(change["clip_threshold"]) if "clip_threshold" in change else ""
    words = [kind] if kind == "off" or not at else [kind, at] if several else [at]
    return " ".join(["clip", *words])
