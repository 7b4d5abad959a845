"""The studies of a workspace or a database: creates, opens and lists them."""

from __future__ import annotations

import contextlib
from pathlib import Path

from rnnplay.errors import InputError
from rnnplay.experiments.sweep.claims import alone
from rnnplay.experiments.sweep.drawing import pruner, sampler
from rnnplay.experiments.sweep.plan import Plan, check_study_name, decode_plan, encode_plan, study_name
from rnnplay.experiments.sweep.storage import JOURNAL, check_extra, database_in_words, open_storage
from rnnplay.experiments.sweep.study import Study
from rnnplay.workspace import Workspace


def studies_folder(workspace: Workspace) -> Path:
    """The folder of the studies that are kept in the workspace."""
    return workspace.root / "studies"


def study_names(workspace: Workspace, newest_first: bool = False) -> list[str]:
    """Names of the studies in the workspace, sorted, or by their last change. Needs no Optuna."""
    with contextlib.suppress(OSError):
        journals = studies_folder(workspace).glob(f"*/{JOURNAL}")
        found = [path for path in journals if path.stat().st_size]  # an empty one was never begun
        if newest_first:
            found.sort(key=lambda path: -path.stat().st_mtime)
            return [path.parent.name for path in found]
        return sorted(path.parent.name for path in found)
    return []


def reserve_study(corpus: str, workspace: Workspace) -> str:
    """Returns a free name for a study of that text, and creates its folder, so that no other sweep gets it."""
    taken = set(study_names(workspace))
    while True:
        name = study_name(corpus, taken)
        try:
            (studies_folder(workspace) / name).mkdir(parents=True)
        except FileExistsError:
            taken.add(name)
            continue
        except OSError:
            pass  # reported when the study is created
        return name


def create_study(name: str, plan: Plan, workspace: Workspace, storage: str | None = None) -> Study:
    """Creates a study, or opens the one of that name if its plan is the same, perhaps with fewer trials.

    Raises InputError if it is another, or if the workspace has runs with the names of its trials.
    """
    check_study_name(name)
    check_extra(storage)
    import optuna

    with database_in_words(storage):
        kept, claims = open_storage(name, studies_folder(workspace) / name, storage)
        with alone(claims):
            made = optuna.create_study(
                storage=kept, study_name=name, sampler=sampler(plan), pruner=pruner(), load_if_exists=True
            )
            if "plan" not in made.user_attrs:
                _check_names_free(name, workspace)
                made.set_user_attr("plan", encode_plan(plan))
        study = Study(made, name, kept, claims)
        study.extend(plan)
        study.fill()
        return study


def open_study(name: str, workspace: Workspace, storage: str | None = None) -> Study:
    """Opens a study; raises InputError if there is none of that name."""
    check_study_name(name)
    check_extra(storage)
    if storage is None and name not in study_names(workspace):
        raise InputError(_no_study(name, workspace, storage))
    import optuna

    with database_in_words(storage):
        kept, claims = open_storage(name, studies_folder(workspace) / name, storage)
        try:
            found = optuna.load_study(study_name=name, storage=kept, sampler=optuna.samplers.RandomSampler())
        except KeyError:
            raise InputError(_no_study(name, workspace, storage)) from None
        plan = decode_plan(found.user_attrs.get("plan"), name)
        found = optuna.load_study(study_name=name, storage=kept, sampler=sampler(plan), pruner=pruner())
        return Study(found, name, kept, claims)


def _no_study(name: str, workspace: Workspace, storage: str | None) -> str:
    if storage is not None:
        return f"There is no study {name!r} in the database; begin one with --vary."
    names = study_names(workspace)
    if not names:
        return f"There is no study {name!r}, nor any other in {studies_folder(workspace)}; begin one with --vary."
    return f"There is no study {name!r}; the studies are {', '.join(names[-20:])}."


def _check_names_free(name: str, workspace: Workspace) -> None:
    from rnnplay.runs.folder import names_in

    for run in names_in(workspace.checkpoints):
        stem, _, number = run.rpartition("-")
        if stem == name and number.isdigit():
            raise InputError(
                f"There is a run {run!r} already, as a trial of {name!r} would be called; choose another --study."
            )
