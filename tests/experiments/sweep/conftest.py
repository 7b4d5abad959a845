"""A workspace with a text to sweep on, and plans of tiny runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rnnplay.config import RunConfig
from rnnplay.experiments.sweep.plan import Plan, make_plan
from rnnplay.experiments.sweep.space import parse_dimensions
from rnnplay.workspace import Workspace

pytest.importorskip("optuna")

TINY: dict[str, Any] = {
    "corpus": "small",
    "embedding": 6,
    "hidden": 8,
    "batch_size": 4,
    "bptt": 12,
    "steps": 12,
    "eval_every": 4,
    "eval_tokens": 200,
    "checkpoint_every": 4,
    "checkpoint_seconds": 0.0,
    "divergence": "stop",
    "device": "cpu",
    "precision": "float32",
}

MakePlan = Callable[..., Plan]


@pytest.fixture
def plan(workspace: Workspace) -> MakePlan:
    """Makes a plan: arguments of --vary, then those of `make_plan`; other names are knobs."""

    def make(*vary: str, sampler: Any = None, trials: int | None = None, **values: Any) -> Plan:
        of_plan = {name: values.pop(name) for name in ("repeat", "metric", "prune") if name in values}
        return make_plan(RunConfig(**{**TINY, **values}), parse_dimensions(vary), sampler, trials, **of_plan)

    return make
