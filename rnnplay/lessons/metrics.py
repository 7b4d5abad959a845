"""Every number that a lesson may refer to: its name, its source and how it is computed."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Literal, NamedTuple, get_args

from rnnplay.inspection.results import QUANTITY_NAMES as ENGLISH_NAMES
from rnnplay.inspection.results import GateMap, GradientCurve, Quantity, Timestep
from rnnplay.lessons.languages import Language
from rnnplay.lessons.observations import Observations, total_variation

Source = Literal[
    "records", "gradients", "initial gradients", "clipping", "gates", "predictions", "distances", "what if", "timestep"
]
"""Where a number comes from: the run's records, or one of the inspections."""


QUANTITY_NAMES: dict[Language, dict[str, str]] = {
    "en": ENGLISH_NAMES,
    "zh": {
        "input_gate": "输入门",
        "forget_gate": "遗忘门",
        "output_gate": "输出门",
        "new_cell": "新的细胞内容",
        "cell": "细胞状态",
        "hidden": "隐藏状态",
        "reset": "重置门",
        "update": "更新门",
        "new_hidden": "新的隐藏内容",
    },
}


class Measured(NamedTuple):
    """A number, and the step of the weights that it was measured on."""

    value: float
    step: int


Measure = Callable[[Observations, str], Measured | None]
"""Computes the metric from a variant's observations and the metric's parameter; None if not known yet."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A kind of number that can be measured."""

    source: Source
    labels: dict[Language, str]
    """The metric's name in each language; {} stands for the parameter."""
    measure: Measure
    parameter: Literal["", "distance", "quantity"] = ""

    def label(self, language: Language, parameter: str) -> str:
        """Returns the metric's name with its parameter filled in."""
        shown = QUANTITY_NAMES[language].get(parameter, parameter)
        return self.labels[language].replace("{}", shown)


def split_metric(name: str) -> tuple[Metric, str]:
    """Splits "accuracy@40" into the metric and its parameter; raises ValueError for an unknown metric or parameter."""
    base, _, parameter = name.partition("@")
    if base not in METRICS:
        raise ValueError(f"there is no metric {base!r}")
    metric = METRICS[base]
    fits = {
        "": parameter == "",
        "distance": parameter.isascii() and parameter.isdigit(),
        "quantity": parameter in get_args(Quantity),
    }[metric.parameter]
    if not fits:
        raise ValueError(f"the metric {base!r} takes {'another' if metric.parameter else 'no'} parameter after @")
    return metric, parameter


def metric_label(name: str, language: Language) -> str:
    """Returns the name of a metric given with its parameter, as in "accuracy@40"."""
    metric, parameter = split_metric(name)
    return metric.label(language, parameter)


# --- from the records -----------------------------------------------------------------------------------------


def _record(compute: Callable[[Observations], float | None]) -> Measure:
    """Measures a number that is known once the run has begun."""

    def measure(observed: Observations, _parameter: str) -> Measured | None:
        value = compute(observed)
        return None if value is None else Measured(value, observed.steps)

    return measure


def _loss(observed: Observations) -> float | None:
    return fmean(step.loss for step in observed.recent) if observed.recent else None


def _first_loss_ratio(observed: Observations) -> float | None:
    if observed.first_loss is None or not observed.vocabulary or observed.vocabulary < 2:
        return None
    return observed.first_loss / math.log(observed.vocabulary)


def _clipped_fraction(observed: Observations) -> float | None:
    return fmean(step.clipped for step in observed.recent) if observed.recent else None


def _diverged(observed: Observations) -> float | None:
    return float(observed.diverged_step is not None) if observed.steps or observed.diverged_step else None


def _validation(field: str) -> Measure:
    def measure(observed: Observations, _parameter: str) -> Measured | None:
        found = observed.validation
        return None if found is None else Measured(float(getattr(found, field)), found.step)

    return measure


# --- from inspections -----------------------------------------------------------------------------------------


def _gradient_ratio(pick: Callable[[Observations], GradientCurve | None], state: Literal["hidden", "cell"]) -> Measure:
    """Measures the gradient norm at distance K divided by the norm at distance 0, in the top layer."""

    def measure(observed: Observations, parameter: str) -> Measured | None:
        curve = pick(observed)
        norms = getattr(curve, state)[-1] if curve is not None and getattr(curve, state) else []
        if curve is None or int(parameter) not in curve.distances:
            return None
        place = curve.distances.index(int(parameter))
        if len(norms) <= place:
            return None
        return Measured(_ratio_of(norms[place], norms[0]), curve.step)

    return measure


def _ratio_of(one: float, other: float) -> float:
    if other == 0:
        return math.nan if one == 0 else math.inf
    return one / other


def _accuracy(observed: Observations, parameter: str) -> Measured | None:
    found = observed.distances
    if found is None:
        return None
    bin_ = bisect.bisect_right(found.distances, int(parameter)) - 1
    if bin_ < 0 or not found.count[bin_]:
        return None
    return Measured(found.accuracy[bin_], found.step)


def _gate(compute: Callable[[GateMap], float]) -> Measure:
    def measure(observed: Observations, parameter: str) -> Measured | None:
        found = observed.gates.get(parameter)
        return None if found is None or not found.values else Measured(compute(found), found.step)

    return measure


def _gate_variation(found: GateMap) -> float:
    return fmean(pstdev(unit) for unit in found.values)


def _smallest(found: GateMap) -> float:
    return min(min(unit) for unit in found.values)


def _largest(found: GateMap) -> float:
    return max(max(unit) for unit in found.values)


def _mean(found: GateMap) -> float:
    return fmean(fmean(unit) for unit in found.values)


def _clipping(field: str) -> Measure:
    def measure(observed: Observations, _parameter: str) -> Measured | None:
        found = observed.clipping
        return None if found is None else Measured(float(getattr(found, field)), found.step)

    return measure


def _excess(observed: Observations, _parameter: str) -> Measured | None:
    found = observed.clipping
    return None if found is None else Measured(found.after - found.threshold, found.step)


def _prediction(field: str) -> Measure:
    def measure(observed: Observations, _parameter: str) -> Measured | None:
        found = observed.predictions
        return None if found is None else Measured(float(getattr(found, field)), found.step)

    return measure


def _what_if(observed: Observations, _parameter: str) -> Measured | None:
    found = observed.forced_completion
    return None if found is None else Measured(total_variation(found.untouched.next, found.forced.next), found.step)


def _timestep(compute: Callable[[Timestep], float]) -> Measure:
    def measure(observed: Observations, _parameter: str) -> Measured | None:
        found = observed.timestep
        return None if found is None else Measured(compute(found), found.step)

    return measure


def _kept(found: Timestep) -> float:
    return _ratio_of(math.hypot(*found.gradients.cell_before), math.hypot(*found.gradients.cell))


METRICS: dict[str, Metric] = {
    "steps": Metric("records", {"en": "steps", "zh": "训练步数"}, _record(lambda e: float(e.steps))),
    "parameters": Metric(
        "records",
        {"en": "parameters", "zh": "参数量"},
        _record(lambda e: None if e.parameters is None else float(e.parameters)),
    ),
    "loss": Metric("records", {"en": "loss (mean of last 100 steps)", "zh": "损失（最近 100 步平均）"}, _record(_loss)),
    "first_loss_ratio": Metric(
        "records", {"en": "first loss / ln V", "zh": "第一步的损失 / ln V"}, _record(_first_loss_ratio)
    ),
    "validation_loss": Metric("records", {"en": "validation loss", "zh": "验证损失"}, _validation("loss")),
    "validation_perplexity": Metric(
        "records", {"en": "validation perplexity", "zh": "验证困惑度"}, _validation("perplexity")
    ),
    "clipped_fraction": Metric(
        "records",
        {"en": "fraction of the last 100 steps clipped", "zh": "被裁剪步数的比例（最近 100 步）"},
        _record(_clipped_fraction),
    ),
    "grad_norm_max": Metric(
        "records", {"en": "largest gradient norm", "zh": "最大的梯度范数"}, _record(lambda e: e.norm_max)
    ),
    "grad_norm_clipped_max": Metric(
        "records",
        {"en": "largest gradient norm after clipping", "zh": "裁剪后最大的梯度范数"},
        _record(lambda e: e.norm_clipped_max),
    ),
    "diverged": Metric("records", {"en": "diverged (1: yes)", "zh": "是否发散（1 为是）"}, _record(_diverged)),
    "diverged_step": Metric(
        "records",
        {"en": "step of divergence", "zh": "发散时的步数"},
        _record(lambda e: None if e.diverged_step is None else float(e.diverged_step)),
    ),
    "rollbacks": Metric("records", {"en": "rollbacks", "zh": "回退次数"}, _record(lambda e: float(e.rollbacks))),
    "gradient_ratio": Metric(
        "gradients",
        {"en": "‖∂L/∂h‖ {} steps back / at 0", "zh": "往回 {} 步的 ‖∂L/∂h‖ 与第 0 步之比"},
        _gradient_ratio(lambda e: e.curve, "hidden"),
        "distance",
    ),
    "initial_gradient_ratio": Metric(
        "initial gradients",
        {"en": "untrained ‖∂L/∂h‖ {} steps back / at 0", "zh": "训练前，往回 {} 步的 ‖∂L/∂h‖ 与第 0 步之比"},
        _gradient_ratio(lambda e: e.initial_curve, "hidden"),
        "distance",
    ),
    "gradient_cell_ratio": Metric(
        "gradients",
        {"en": "‖∂L/∂c‖ {} steps back / at 0", "zh": "往回 {} 步的 ‖∂L/∂c‖ 与第 0 步之比"},
        _gradient_ratio(lambda e: e.curve, "cell"),
        "distance",
    ),
    "accuracy": Metric(
        "distances", {"en": "accuracy at distance {}", "zh": "距离 {} 处的准确率"}, _accuracy, "distance"
    ),
    "clip_before": Metric("clipping", {"en": "norm before clipping", "zh": "裁剪前的范数"}, _clipping("before")),
    "clip_after": Metric("clipping", {"en": "norm after clipping", "zh": "裁剪后的范数"}, _clipping("after")),
    "clip_excess": Metric("clipping", {"en": "norm after clipping − threshold", "zh": "裁剪后的范数 − 阈值"}, _excess),
    "scale": Metric("clipping", {"en": "norm after / before", "zh": "裁剪后与裁剪前范数之比"}, _clipping("scale")),
    "cosine": Metric(
        "clipping", {"en": "cosine between before and after", "zh": "裁剪前后夹角的余弦"}, _clipping("cosine")
    ),
    "smallest": Metric("gates", {"en": "smallest value of the {}", "zh": "{}的最小值"}, _gate(_smallest), "quantity"),
    "largest": Metric("gates", {"en": "largest value of the {}", "zh": "{}的最大值"}, _gate(_largest), "quantity"),
    "mean": Metric("gates", {"en": "mean of the {}", "zh": "{}的平均值"}, _gate(_mean), "quantity"),
    "variation": Metric(
        "gates",
        {"en": "standard deviation of the {} over the text", "zh": "{}在文本上的标准差"},
        _gate(_gate_variation),
        "quantity",
    ),
    "closed_fraction": Metric(
        "gates", {"en": "fraction of the {} below 0.1", "zh": "{}小于 0.1 的比例"}, _gate(lambda g: g.low), "quantity"
    ),
    "open_fraction": Metric(
        "gates", {"en": "fraction of the {} above 0.9", "zh": "{}大于 0.9 的比例"}, _gate(lambda g: g.high), "quantity"
    ),
    "text_perplexity": Metric(
        "predictions", {"en": "perplexity of the text", "zh": "这段文本的困惑度"}, _prediction("perplexity")
    ),
    "timestep_loss": Metric(
        "timestep", {"en": "loss of the timestep", "zh": "这一个时间步的损失"}, _timestep(lambda t: t.loss)
    ),
    "timestep_kept": Metric(
        "timestep", {"en": "‖∂L/∂c⁽ᵗ⁻¹⁾‖ / ‖∂L/∂c⁽ᵗ⁾‖", "zh": "‖∂L/∂c⁽ᵗ⁻¹⁾‖ / ‖∂L/∂c⁽ᵗ⁾‖"}, _timestep(_kept)
    ),
    "timestep_difference": Metric(
        "timestep",
        {"en": "relative difference from autograd", "zh": "与自动求导的相对差"},
        _timestep(lambda t: t.difference),
    ),
    "what_if_change": Metric(
        "what if",
        {"en": "change in the next token's distribution", "zh": "下一个字符的概率分布移动了多少"},
        _what_if,
    ),
}
"""All metrics by name."""
