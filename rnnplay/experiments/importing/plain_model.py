"""Finds embedding, recurrent layers and output among tensors by names and shapes, as plain torch.nn modules have them.

embedding   (V, E)   nn.Embedding; none if the model reads one-hot vectors
recurrent   weight_ih_l0 (G·H, E), weight_hh_l0 (G·H, H), biases (G·H,), and so on; G: RNN 1, GRU 3, LSTM 4
output      (V, H), bias (V,)   nn.Linear; the embedding's own weights if there are no others
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from rnnplay.errors import InputError
from rnnplay.experiments.importing.weights_file import shown

Cell = Literal["rnn", "gru", "lstm"]

CELLS: dict[int, Cell] = {1: "rnn", 3: "gru", 4: "lstm"}
"""By the number of blocks of H rows in weight_hh."""

_RECURRENT = re.compile(r"(?P<prefix>(?:.*\.)?)(?P<part>weight_ih|weight_hh|bias_ih|bias_hh)(?:_l(?P<layer>[0-9]+))?$")
_OUTSIDE = ("_orig_mod.", "module.", "model.", "net.")
"""What wrappers put before all names: torch.compile, DataParallel."""
_EMBEDDING = ("embed", "emb", "encoder", "lookup", "wte", "tok")
_OUTPUT = ("decoder", "output", "out", "linear", "fc", "head", "proj", "dense", "h2o", "logits")


@dataclass
class PlainModel:
    """A model's tensors, named as a run's checkpoint names them, and what follows from their shapes."""

    cell: Cell
    embedding: int
    hidden: int
    layers: int
    tie: bool
    weights: dict[str, Tensor]
    """The embedding's and the output's rows in the order of the file."""
    notes: list[str] = field(default_factory=list)
    """What the file lacked and was filled in."""

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return len(self.weights["embedding.weight"])


def plain_model(tensors: Mapping[str, Tensor], named: Mapping[str, str] | None = None) -> PlainModel:
    """Finds the parts; `named` says which tensors are embedding.weight, output.weight and
    output.bias, where names do not tell. Raises InputError for any other model."""
    tensors = _unwrapped(tensors)
    named = dict(named or {})
    for part, name in named.items():
        if name not in tensors:
            names = ", ".join(map(shown, list(tensors)[:12]))
            raise InputError(f"There is no tensor {shown(name)} for {part}; the file has {names}.")
    recurrent, others = _split(tensors)
    notes: list[str] = []
    weights = _layers(recurrent, notes)
    layers = sum(name.startswith("rnn.weight_ih") for name in weights)
    size, hidden = weights["rnn.weight_ih_l0"].shape[1], weights["rnn.weight_hh_l0"].shape[1]
    cell = CELLS[len(weights["rnn.weight_hh_l0"]) // hidden]
    embedding, output, bias = _outer(others, named, size, hidden)
    tie = output is None
    if embedding is not None:
        table = others.pop(embedding)
    else:
        table = torch.eye(size)
        notes.append(f"no embedding: tokens are read as one-hot vectors of {size:,}")
    weights = {"embedding.weight": table, **weights}
    if output is not None:
        weights["output.weight"] = others.pop(output)
        tie = embedding is not None and hidden == size and torch.equal(weights["output.weight"], table)
    if tie:
        weights.pop("output.weight", None)
        notes.append("the output's weights are the embedding's")
    if bias is not None:
        weights["output.bias"] = others.pop(bias)
    else:
        weights["output.bias"] = torch.zeros(len(table))
        notes.append("no bias of the output: zeros")
    if others:
        raise InputError(
            f"The model has more than an embedding, recurrent layers and an output: {_listed(others)}; only plain "
            "nn.RNN, nn.GRU and nn.LSTM can be imported."
        )
    return PlainModel(cell, size, hidden, layers, tie, weights, notes)


def _unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without what wrappers put before every name."""
    names = dict(tensors)
    while prefix := next((one for one in _OUTSIDE if all(name.startswith(one) for name in names)), None):
        names = {name.removeprefix(prefix): tensor for name, tensor in names.items()}
    return names


def _split(tensors: Mapping[str, Tensor]) -> tuple[dict[tuple[int, str], Tensor], dict[str, Tensor]]:
    """The recurrent tensors by layer and part, and the others by name."""
    recurrent: dict[tuple[int, str], Tensor] = {}
    others: dict[str, Tensor] = {}
    prefixes: set[str] = set()
    for name, tensor in tensors.items():
        if name.endswith("_reverse"):
            raise InputError(
                f"{shown(name)}: the layers are bidirectional; a model that predicts the next token "
                "reads in one direction."
            )
        if re.search(r"weight_hr(_l[0-9]+)?$", name):
            raise InputError(f"{shown(name)}: an LSTM with projections (proj_size) cannot be imported.")
        if (match := _RECURRENT.fullmatch(name)) is None:
            others[name] = tensor
            continue
        prefixes.add(match["prefix"])
        recurrent[int(match["layer"] or 0), match["part"]] = tensor
    if not recurrent:
        raise InputError(
            f"There are no recurrent layers (weight_ih_l0, weight_hh_l0) among {_listed(others)}; only nn.RNN, nn.GRU "
            "and nn.LSTM can be imported."
        )
    if len(prefixes) > 1:
        found = ", ".join(sorted(shown(prefix) or "no name" for prefix in prefixes))
        raise InputError(
            f"There are several recurrent modules ({found}); only one, of any number of layers, is allowed."
        )
    return recurrent, others


def _layers(recurrent: Mapping[tuple[int, str], Tensor], notes: list[str]) -> dict[str, Tensor]:
    """Checks the shapes of all layers; missing biases are zeros."""
    weights: dict[str, Tensor] = {}
    count = 1 + max(layer for layer, _ in recurrent)
    hidden, rows = 0, 0
    without_bias = False
    for layer in range(count):
        for part in ("weight_ih", "weight_hh"):
            if (layer, part) not in recurrent:
                raise InputError(f"{part}_l{layer} is missing, but there are {count} layers; save the whole model.")
        if layer == 0:
            first = recurrent[0, "weight_hh"]
            hidden, rows = (first.shape[1], first.shape[0]) if first.dim() == 2 else (0, 0)
            if not hidden or rows % hidden or rows // hidden not in CELLS:
                raise InputError(
                    f"weight_hh_l0 is {_shape(first)}; that of an nn.RNN has as many rows as columns, of an nn.GRU 3 "
                    "times, of an nn.LSTM 4 times as many."
                )
        inputs = hidden if layer else None
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            tensor = recurrent.get((layer, part))
            if tensor is None:
                without_bias, tensor = True, torch.zeros(rows)
            wanted: Sequence[int | None] = (rows,) if part.startswith("bias") else (rows, hidden)
            if part == "weight_ih":
                wanted = (rows, inputs)
            if len(wanted) != tensor.dim() or any(
                w not in (None, s) for w, s in zip(wanted, tensor.shape, strict=True)
            ):
                needed = "×".join("any" if one is None else f"{one}" for one in wanted)
                raise InputError(f"{part}_l{layer} is {_shape(tensor)}, but weight_hh_l0 asks for {needed}.")
            weights[f"rnn.{part}_l{layer}"] = tensor
    if without_bias:
        notes.append("no biases of the recurrent layers: zeros")
    return weights


def _outer(
    others: Mapping[str, Tensor], named: Mapping[str, str], size: int, hidden: int
) -> tuple[str | None, str | None, str | None]:
    """The names of embedding, output weight and output bias; None for those that are missing."""
    tables = {name: tensor for name, tensor in others.items() if tensor.dim() == 2}
    output = named.get("output.weight") or _best(
        [name for name in tables if tables[name].shape[1] == hidden and name != named.get("embedding.weight")], _OUTPUT
    )
    embedding = named.get("embedding.weight") or _best(
        [name for name in tables if tables[name].shape[1] == size and name != output], _EMBEDDING
    )
    # One table for both; a square one of another name may be the output of a model that reads one-hot vectors.
    if (
        (embedding is None and output is not None and len(tables) == 1 and size == hidden)
        and (len(tables[output]) != size or any(word in output.lower() for word in _EMBEDDING))
    ):  # fmt: skip
        embedding, output = output, None
    if embedding is None and output is not None and len(tables[output]) != size:
        raise InputError(
            f"There is no embedding of {size:,} numbers a token among {_listed(others)}; name it: "
            "--tensor embedding.weight=NAME"
        )
    table = tables.get(embedding or "")
    if output is None and (table is None or size != hidden):
        raise InputError(
            f"There is no output of {hidden:,} numbers a token among {_listed(others)}; name it: "
            "--tensor output.weight=NAME"
        )
    vocabulary = size if table is None else len(table)
    if output is not None and len(tables[output]) != vocabulary:
        raise InputError(
            f"The embedding has {vocabulary:,} tokens and the output ({shown(output)}) {len(tables[output]):,}; both "
            "need a row for each."
        )
    biases = [name for name, tensor in others.items() if tensor.dim() == 1 and len(tensor) == vocabulary]
    bias = named.get("output.bias") or (biases[0] if len(biases) == 1 else _best(biases, _OUTPUT))
    if bias is not None and tuple(others[bias].shape) != (vocabulary,):
        raise InputError(f"{shown(bias)} is {_shape(others[bias])}, but the output's bias has {vocabulary:,} numbers.")
    return embedding, output, bias


def _best(names: Sequence[str], words: Sequence[str]) -> str | None:
    """The name that has one of the words, the first of them; any if there is but one; None without."""
    for word in words:
        for name in names:
            if word in name.lower():
                return name
    return names[0] if len(names) == 1 else None


def _listed(tensors: Mapping[str, Tensor]) -> str:
    listed = ", ".join(f"{shown(name)} ({_shape(tensor)})" for name, tensor in list(tensors.items())[:6])
    return listed + (" and more" if len(tensors) > 6 else "") if listed else "the tensors"


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"
