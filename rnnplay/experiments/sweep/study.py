"""A study on disk or in a database: Optuna keeps its trials; the claims say who trains them.

Imports Optuna only when a study is opened, as it is an optional extra and takes half a second.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from rnnplay.common.terminal_text import sanitize_line
from rnnplay.config import RENAMED, Value
from rnnplay.errors import InputError
from rnnplay.experiments.sweep.claims import Claims, alone
from rnnplay.experiments.sweep.drawing import combinations, distributions
from rnnplay.experiments.sweep.plan import Plan, decode_plan, encode_plan, longer, run_name
from rnnplay.experiments.sweep.table import State, Table, Trial

if TYPE_CHECKING:
    from optuna import Study as OptunaStudy
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

STARTS = 10
"""Starts of a trial at the same step after which it counts as failed: its process is killed each time."""


class Study:
    """A study that exists: what is planned, what is to be trained next, and what came out."""

    def __init__(self, study: OptunaStudy, name: str, storage: BaseStorage, claims: Claims) -> None:
        self._study = study
        self._storage = storage
        self._id = storage.get_study_id_from_name(name)
        self._claims = claims
        self.name = name
        self.plan = decode_plan(study.user_attrs.get("plan"), name)

    def close(self) -> None:
        """Gives back what this process has claimed."""
        self._claims.close()

    # --- choosing -----------------------------------------------------------------------------------------------

    def next(self) -> Trial | None:
        """Claims the trial to train next; None if all are done, or in training by others.

        Those that another process began and left come first.
        """
        with alone(self._claims):
            self._sync_plan()
            trials = self._trials()
            for frozen in trials:
                if frozen.state.name == "RUNNING" and self._claims.take(frozen.number):
                    if self._given_up(frozen):
                        continue
                    return self._trial(frozen, "training")
            for frozen in trials:
                if frozen.state.name == "WAITING" and self._claims.take(frozen.number):
                    self._begin(frozen)
                    return self._trial(frozen, "training")
            asked = self._ask(trials)
            return self._trial(asked, "training") if asked is not None else None

    def has_next(self) -> bool:
        """Whether `next` would probably return a trial."""
        trials = self._trials()
        points = len({trial.user_attrs["point"] for trial in trials})
        return (
            self.plan.sampler == "tpe" and (points < self.plan.trials or self._unrepeated(trials) is not None)
        ) or any(
            one.state.name == "WAITING" or (one.state.name == "RUNNING" and self._claims.is_free(one.number))
            for one in trials
        )

    def _begin(self, frozen: FrozenTrial) -> None:
        from optuna.trial import TrialState

        self._storage.set_trial_state_values(self._trial_id(frozen.number), TrialState.RUNNING)

    def _ask(self, trials: list[FrozenTrial]) -> FrozenTrial | None:
        if self.plan.sampler != "tpe":
            return None
        if (again := self._unrepeated(trials)) is not None:
            first, seeds = again
            self._add(first.user_attrs["point"], seeds, dict(first.params))
            return self._claimed_new()
        point = len({trial.user_attrs["point"] for trial in trials})
        if point >= self.plan.trials:
            return None
        for left in self._study.get_trials(deepcopy=False):  # by a process that was killed between the next two lines
            if "point" not in left.user_attrs and left.state.name == "RUNNING":
                self._end(left, "FAIL")
        asked = self._study.ask(distributions(self.plan.dimensions))
        asked.set_user_attr("seed", self.plan.seeds[0])
        asked.set_user_attr("point", point)
        self._claims.take(asked.number)
        self._add(point, self.plan.seeds[1:], dict(asked.params))
        return self._frozen(asked.number)

    def _unrepeated(self, trials: list[FrozenTrial]) -> tuple[FrozenTrial, list[int]] | None:
        """Returns a trial of a combination that has not all its seeds, and those that it lacks."""
        seeds: dict[int, list[FrozenTrial]] = {}
        for trial in trials:
            seeds.setdefault(trial.user_attrs["point"], []).append(trial)
        for found in seeds.values():
            lacking = [seed for seed in self.plan.seeds if seed not in {one.user_attrs["seed"] for one in found}]
            if lacking:
                return found[0], lacking
        return None

    def _claimed_new(self) -> FrozenTrial | None:
        for frozen in self._trials():
            if frozen.state.name == "WAITING" and self._claims.take(frozen.number):
                self._begin(frozen)
                return frozen
        return None

    def _add(self, point: int, seeds: list[int], params: dict[str, Value]) -> None:
        from optuna.trial import TrialState, create_trial

        drawn_from = distributions(self.plan.dimensions)
        for seed in seeds:
            self._study.add_trial(
                create_trial(
                    state=TrialState.WAITING,
                    params=params,
                    distributions=drawn_from,
                    user_attrs={"point": point, "seed": seed},
                )
            )

    def fill(self) -> None:
        """Adds the trials that are planned and not there yet, of a grid or a random search."""
        if self.plan.sampler == "tpe":
            return
        with alone(self._claims):
            self._sync_plan()
            there = {(trial.user_attrs["point"], trial.user_attrs["seed"]) for trial in self._trials()}
            for point, params in enumerate(combinations(self.plan)):
                seeds = [seed for seed in self.plan.seeds if (point, seed) not in there]
                self._add(point, seeds, params)

    def extend(self, asked: Plan) -> None:
        """Takes over a larger number of trials; raises InputError if `asked` differs in anything else."""
        plan = longer(self.plan, asked, self.name)
        if plan != self.plan:
            self._study.set_user_attr("plan", encode_plan(plan))
            self.plan = plan

    def _sync_plan(self) -> None:
        self.plan = decode_plan(self._study.user_attrs.get("plan"), self.name)

    # --- one trial ----------------------------------------------------------------------------------------------

    def check_text(self, corpus: str, sha256: str) -> None:
        """Raises InputError if others of the study were trained on another text under the same name."""
        key = f"text {corpus}"
        with alone(self._claims):
            known = self._study.user_attrs.get(key)
            if known is None:
                self._study.set_user_attr(key, sha256)
        if known not in (None, sha256):
            raise InputError(
                f"The text {corpus} here is not the one that the study {self.name!r} was begun with; put that one "
                "there."
            )

    def started(self, trial: Trial, step: int) -> None:
        """Notes that a trial begins, or goes on, at a step."""
        frozen = self._frozen(trial.number)
        starts = [*frozen.user_attrs.get("starts", []), step][-STARTS:]
        self._set(frozen, "starts", starts)

    def report(self, trial: Trial, step: int, loss: float) -> bool:
        """Notes a validation; returns whether the trial is to be pruned. One that is known already changes nothing."""
        if step in self._frozen(trial.number).intermediate_values:
            return False
        self._storage.set_trial_intermediate_value(self._trial_id(trial.number), step, loss)
        return self.plan.prune and self._study.pruner.prune(self._study, self._frozen(trial.number))

    def still_ours(self, trial: Trial) -> bool:
        """Whether no other process has taken the trial over."""
        return not self._claims.lost(trial.number)

    def done(self, trial: Trial, value: float, value_step: int, step: int) -> None:
        """Ends a trial with its value."""
        self._finish(trial, "COMPLETE", value, {"value_step": value_step, "step": step})

    def pruned(self, trial: Trial, step: int) -> None:
        """Ends a trial that was behind the others."""
        reason = f"behind the others at step {step:,}"
        self._finish(trial, "PRUNED", None, {"end": "pruned", "step": step, "reason": reason})

    def diverged(self, trial: Trial, step: int, reason: str) -> None:
        """Ends a trial that diverged, or never had a finite loss."""
        self._finish(trial, "PRUNED", None, {"end": "diverged", "step": step, "reason": reason})

    def failed(self, trial: Trial, reason: str) -> None:
        """Ends a trial that cannot be trained."""
        self._finish(trial, "FAIL", None, {"reason": reason})

    def give_back(self, trial: Trial) -> None:
        """Leaves a trial for another process, or for later."""
        self._claims.release(trial.number)

    def _finish(self, trial: Trial, state: str, value: float | None, attributes: dict[str, Any]) -> None:
        frozen = self._frozen(trial.number)
        if not frozen.state.is_finished() and self.still_ours(trial):
            for name, attribute in attributes.items():
                self._set(frozen, name, attribute)
            self._end(frozen, state, value)
        self._claims.release(trial.number)

    def _end(self, frozen: FrozenTrial, state: str, value: float | None = None) -> None:
        import optuna
        from optuna.trial import TrialState

        with contextlib.suppress(optuna.exceptions.UpdateFinishedTrialError):  # another process was faster
            values = None if value is None else [value]
            self._storage.set_trial_state_values(self._trial_id(frozen.number), TrialState[state], values)

    def _given_up(self, frozen: FrozenTrial) -> bool:
        starts = frozen.user_attrs.get("starts", [])
        if len(starts) < STARTS or len(set(starts)) > 1:
            return False
        reason = f"its process ended {STARTS} times at step {starts[-1]:,}"
        self._finish(self._trial(frozen, "training"), "FAIL", None, {"reason": reason})
        return True

    def _set(self, frozen: FrozenTrial, name: str, value: object) -> None:
        self._storage.set_trial_user_attr(self._trial_id(frozen.number), name, value)

    # --- reading ------------------------------------------------------------------------------------------------

    def table(self) -> Table:
        """Returns the study as it stands."""
        trials = [self._trial(frozen, self._state(frozen)) for frozen in self._trials()]
        return Table(study=self.name, plan=self.plan, trials=trials)

    def _trials(self) -> list[FrozenTrial]:
        return [one for one in self._study.get_trials(deepcopy=False) if {"point", "seed"} <= one.user_attrs.keys()]

    def _frozen(self, number: int) -> FrozenTrial:
        return self._storage.get_trial(self._trial_id(number))

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, number)

    def _state(self, frozen: FrozenTrial) -> State:
        name = frozen.state.name
        if name == "RUNNING":
            return "interrupted" if self._claims.is_free(frozen.number) else "training"
        if name == "PRUNED":
            return "diverged" if frozen.user_attrs.get("end") == "diverged" else "pruned"
        states: dict[str, State] = {"WAITING": "waiting", "COMPLETE": "done", "FAIL": "failed"}
        return states[name]

    def _trial(self, frozen: FrozenTrial, state: State) -> Trial:
        reported = frozen.intermediate_values
        last = max(reported, default=0)
        known = frozen.user_attrs
        value = frozen.value if frozen.state.name == "COMPLETE" else None
        return Trial(
            number=frozen.number,
            run=run_name(self.name, frozen.number),
            state=state,
            point=known["point"],
            seed=known["seed"],
            params={RENAMED.get(name, name): value for name, value in frozen.params.items()},
            value=value,
            value_step=known.get("value_step"),
            step=known.get("step", last),
            loss=reported.get(last),
            reason=sanitize_line(str(known.get("reason", "")))[:300],
        )
