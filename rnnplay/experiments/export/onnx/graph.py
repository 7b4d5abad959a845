"""The model as an ONNX graph, built from its weights: one graph for a step and for whole sequences.

    inputs    ids      (batch, time) int64
              hidden   (layers, batch, H) float32; zeros at the beginning of a text
              cell     the same, of an LSTM only
    outputs   logits   (batch, time, V) float32; of an adaptive softmax log p, which softmax takes as logits
              hidden_out, cell_out   the state after the last timestep, to pass in with what follows

batch and time may differ from call to call; a step is a sequence of one. ONNX stacks the gates' blocks in another order
than torch (i o f c̃ and z r h̃), and its GRU applies the reset gate as torch's does with linear_before_reset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from rnnplay.config import RunConfig
from rnnplay.model.parameter_count import adaptive_cutoffs

OPSET = 17
IR_VERSION = 8
"""The oldest that have what is used, so that older runtimes read the file too (onnxruntime from 1.12 on)."""

_BLOCKS = {"rnn": (0,), "gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}
"""Positions of ONNX's blocks in torch's order: r z h̃ of a GRU, i f c̃ o of an LSTM."""

Weights = Mapping[str, NDArray[Any]]


class _Graph:
    """Collects nodes and constants; a node's outputs are named as they are asked for."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return next(name for name in outputs if name)


def onnx_model(config: RunConfig, weights: Weights, metadata: Mapping[str, str]) -> onnx.ModelProto:
    """Builds the model of `weights`, float32 and named as torch.nn names them; `metadata` becomes its properties."""
    graph = _Graph()
    vocabulary = len(weights["embedding.weight"])
    x = graph.node("Gather", ["embedding.weight", "ids"], "embedded")  # (B, T, E)
    graph.constant("embedding.weight", weights["embedding.weight"])
    x = graph.node("Transpose", [x], "embedded_by_time", perm=[1, 0, 2])  # (T, B, E)
    states = ["hidden", "cell"] if config.cell == "lstm" else ["hidden"]
    last: dict[str, list[str]] = {state: [] for state in states}
    for layer in range(config.layers):
        x = _layer(graph, config, weights, layer, x, last)
    for state in states:
        graph.node("Concat", last[state], f"{state}_out", axis=0)
    x = graph.node("Transpose", [x], "hiddens", perm=[1, 0, 2])  # (B, T, H)
    if config.softmax == "adaptive":
        _adaptive_output(graph, weights, vocabulary, x)
    else:
        if config.tie:  # transposed once, when a runtime loads the file, which then has the weights once
            output = graph.node("Transpose", ["embedding.weight"], "output.weight.T", perm=[1, 0])
        else:
            output = graph.constant("output.weight.T", weights["output.weight"].T)
        product = graph.node("MatMul", [x, output], "product")
        graph.node("Add", [product, graph.constant("output.bias", weights["output.bias"])], "logits")

    float32 = TensorProto.FLOAT
    state_shape: list[str | int | None] = [config.layers, "batch", config.hidden]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "rnnplay",
            [
                helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "time"]),
                *(helper.make_tensor_value_info(state, float32, state_shape) for state in states),
            ],
            [
                helper.make_tensor_value_info("logits", float32, ["batch", "time", vocabulary]),
                *(helper.make_tensor_value_info(f"{state}_out", float32, state_shape) for state in states),
            ],
            list(graph.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="rnnplay",
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    return model


def _layer(graph: _Graph, config: RunConfig, weights: Weights, layer: int, x: str, last: dict[str, list[str]]) -> str:
    """Adds a recurrent layer over x (T, B, X) and its state's part of the inputs; returns its hiddens (T, B, H)."""
    prefix = f"layer{layer}"
    parts = {name: weights[f"rnn.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    parts = {name: _reordered(value, config) for name, value in parts.items()}
    inputs = [
        x,
        graph.constant(f"{prefix}.W", parts["weight_ih"][None]),
        graph.constant(f"{prefix}.R", parts["weight_hh"][None]),
        graph.constant(f"{prefix}.B", np.concatenate([parts["bias_ih"], parts["bias_hh"]])[None]),
        "",  # no lengths: all sequences of a batch are as long
    ]
    for state in last:
        if config.layers == 1:
            inputs.append(state)
            continue
        first = graph.constant(f"from{layer}", np.array([layer], dtype=np.int64))
        end = graph.constant(f"to{layer}", np.array([layer + 1], dtype=np.int64))
        axis = graph.constant("axis0", np.array([0], dtype=np.int64))
        inputs.append(graph.node("Slice", [state, first, end, axis], f"{prefix}.{state}"))
    attributes: dict[str, Any] = {"hidden_size": config.hidden}
    if config.cell == "gru":
        attributes["linear_before_reset"] = 1
    if config.cell == "rnn":
        attributes["activations"] = ["Relu" if config.nonlinearity == "relu" else "Tanh"]
    after = [f"{prefix}.{state}_out" for state in last]
    graph.node(config.cell.upper(), inputs, f"{prefix}.Y", *after, **attributes)
    for state, name in zip(last, after, strict=True):
        last[state].append(name)
    direction = graph.constant("axis1", np.array([1], dtype=np.int64))
    return graph.node("Squeeze", [f"{prefix}.Y", direction], f"{prefix}.hiddens")  # (T, 1, B, H) without the 1


def _adaptive_output(graph: _Graph, weights: Weights, vocabulary: int, x: str) -> None:
    """Adds the log-probabilities of an adaptive softmax: log p of the head, and of cluster and word of the rest."""
    cutoffs = [*adaptive_cutoffs(vocabulary), vocabulary]
    clusters = len(cutoffs) - 1
    head = graph.node("MatMul", [x, graph.constant("head.T", weights["output.head.weight"].T)], "head")
    head = graph.node("LogSoftmax", [head], "log_head", axis=-1)
    sizes = graph.constant("head_sizes", np.array([cutoffs[0], *[1] * clusters], dtype=np.int64))
    names = [f"log_cluster{cluster}" for cluster in range(clusters)]
    graph.node("Split", [head, sizes], "log_frequent", *names, axis=-1)
    parts = ["log_frequent"]
    for cluster, _ in enumerate(pairwise(cutoffs)):
        tail = x
        for place in (0, 1):
            matrix = graph.constant(f"tail{cluster}.{place}.T", weights[f"output.tail.{cluster}.{place}.weight"].T)
            tail = graph.node("MatMul", [tail, matrix], f"tail{cluster}.{place}")
        tail = graph.node("LogSoftmax", [tail], f"log_tail{cluster}", axis=-1)
        parts.append(graph.node("Add", [tail, names[cluster]], f"log_words{cluster}"))
    graph.node("Concat", parts, "logits", axis=-1)


def _reordered(value: NDArray[Any], config: RunConfig) -> NDArray[Any]:
    """The gates' blocks of H rows in ONNX's order."""
    blocks = value.reshape(len(_BLOCKS[config.cell]), config.hidden, *value.shape[1:])
    return blocks[list(_BLOCKS[config.cell])].reshape(value.shape)
