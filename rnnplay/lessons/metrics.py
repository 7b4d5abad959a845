"""Every number that a lesson may ask for: what it is called, what it is taken from, and how it is computed."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Literal, NamedTuple, get_args

from rnnplay.inspection.results import QUANTITY_NAMES as ENGLISH_NAMES
from rnnplay.inspection.results import GateMap, GradientCurve, Quantity
from rnnplay.lessons.languages import Language
from rnnplay.lessons.observations import Observations, total_variation

Source = Literal[
    "records", "gradients", "initial gradients", "clipping", "gates", "predictions", "distances", "what if"
]
"""What has to be looked at: the run's records, or one of the inspections."""


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
    """A number, and how many steps the model had done that it was measured on."""

    value: float
    step: int


Measure = Callable[[Observations, str], Measured | None]
"""From what is known of a variant, and the metric's parameter; None: not known yet."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of number."""

    source: Source
    labels: dict[Language, str]
    """What it is called; {} stands for the parameter."""
    measure: Measure
    parameter: Literal["", "distance", "quantity"] = ""

    def label(self, language: Language, parameter: str) -> str:
        """Its name for people."""
        shown = QUANTITY_NAMES[language].get(parameter, parameter)
        return self.labels[language].replace("{}", shown)


def split_metric(name: str) -> tuple[Metric, str]:
    """ "accuracy@40" as the metric and its parameter; raises ValueError for one that does not exist."""
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
        raise ValueError(f"the metric {base!r} takes {'no ' if not metric.parameter else 'another '}parameter behind @")
    return metric, parameter


def metric_label(name: str, language: Language) -> str:
    """What the metric `name` (with its parameter) is called for people."""
    metric, parameter = split_metric(name)
    return metric.label(language, parameter)


# --- from the records -----------------------------------------------------------------------------------------


def _record(compute: Callable[[Observations], float | None]) -> Measure:
    """A number that is known once the run has begun."""

    def measure(seen: Observations, _parameter: str) -> Measured | None:
        value = compute(seen)
        return None if value is None else Measured(value, seen.steps)

    return measure


def _loss(seen: Observations) -> float | None:
    return fmean(step.loss for step in seen.recent) if seen.recent else None


def _first_loss_ratio(seen: Observations) -> float | None:
    if seen.first_loss is None or not seen.vocabulary or seen.vocabulary < 2:
        return None
    return seen.first_loss / math.log(seen.vocabulary)


def _clipped_fraction(seen: Observations) -> float | None:
    return fmean(step.clipped for step in seen.recent) if seen.recent else None


def _diverged(seen: Observations) -> float | None:
    return float(seen.diverged_step is not None) if seen.steps or seen.diverged_step else None


def _validation(field: str) -> Measure:
    def measure(seen: Observations, _parameter: str) -> Measured | None:
        found = seen.validation
        return None if found is None else Measured(float(getattr(found, field)), found.step)

    return measure


# --- from inspections -----------------------------------------------------------------------------------------


def _ratio(pick: Callable[[Observations], GradientCurve | None], state: Literal["hidden", "cell"]) -> Measure:
    """The norm at distance K over that at 0, in the top layer."""

    def measure(seen: Observations, parameter: str) -> Measured | None:
        curve = pick(seen)
        norms = getattr(curve, state)[-1] if curve is not None and getattr(curve, state) else []
        if curve is None or int(parameter) not in curve.distances:
            return None
        at = curve.distances.index(int(parameter))
        if len(norms) <= at:
            return None
        return Measured(_over(norms[at], norms[0]), curve.step)

    return measure


def _over(one: float, other: float) -> float:
    if other == 0:
        return math.nan if one == 0 else math.inf
    return one / other


def _accuracy(seen: Observations, parameter: str) -> Measured | None:
    found = seen.distances
    if found is None:
        return None
    bin_ = bisect.bisect_right(found.distances, int(parameter)) - 1
    if bin_ < 0 or not found.count[bin_]:
        return None
    return Measured(found.accuracy[bin_], found.step)


def _gate(compute: Callable[[GateMap], float]) -> Measure:
    def measure(seen: Observations, parameter: str) -> Measured | None:
        found = seen.gates.get(parameter)
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
    def measure(seen: Observations, _parameter: str) -> Measured | None:
        found = seen.clipping
        return None if found is None else Measured(float(getattr(found, field)), found.step)

    return measure


def _excess(seen: Observations, _parameter: str) -> Measured | None:
    found = seen.clipping
    return None if found is None else Measured(found.after - found.threshold, found.step)


def _prediction(field: str) -> Measure:
    def measure(seen: Observations, _parameter: str) -> Measured | None:
        found = seen.predictions
        return None if found is None else Measured(float(getattr(found, field)), found.step)

    return measure


def _what_if(seen: Observations, _parameter: str) -> Measured | None:
    found = seen.forced_completion
    return None if found is None else Measured(total_variation(found.untouched.next, found.forced.next), found.step)


METRICS: dict[str, Metric] = {
    "steps": Metric("records", {"en": "steps", "zh": "训练步数"}, _record(lambda e: float(e.steps))),
    "parameters": Metric(
        "records",
        {"en": "parameters", "zh": "参数量"},
        _record(lambda e: None if e.parameters is None else float(e.parameters)),
    ),
    "loss": Metric("records", {"en": "loss (mean of 100 steps)", "zh": "损失（最近 100 步平均）"}, _record(_loss)),
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
        {"en": "step at which it diverged", "zh": "发散时的步数"},
        _record(lambda e: None if e.diverged_step is None else float(e.diverged_step)),
    ),
    "rollbacks": Metric("records", {"en": "rollbacks", "zh": "回退次数"}, _record(lambda e: float(e.rollbacks))),
    "gradient_ratio": Metric(
        "gradients",
        {"en": "‖∂L/∂h‖ {} steps back, over that at 0", "zh": "往回 {} 步的 ‖∂L/∂h‖ 与第 0 步之比"},
        _ratio(lambda e: e.curve, "hidden"),
        "distance",
    ),
    "initial_gradient_ratio": Metric(
        "initial gradients",
        {"en": "‖∂L/∂h‖ {} steps back, over that at 0, untrained", "zh": "训练前，往回 {} 步的 ‖∂L/∂h‖ 与第 0 步之比"},
        _ratio(lambda e: e.initial_curve, "hidden"),
        "distance",
    ),
    "gradient_cell_ratio": Metric(
        "gradients",
        {"en": "‖∂L/∂c‖ {} steps back, over that at 0", "zh": "往回 {} 步的 ‖∂L/∂c‖ 与第 0 步之比"},
        _ratio(lambda e: e.curve, "cell"),
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
        "clipping", {"en": "cosine of the angle between both", "zh": "裁剪前后夹角的余弦"}, _clipping("cosine")
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
    "what_if_change": Metric(
        "what if",
        {"en": "how far the next token's distribution moves", "zh": "下一个字符的概率分布移动了多少"},
        _what_if,
    ),
}
"""All of them by name."""
