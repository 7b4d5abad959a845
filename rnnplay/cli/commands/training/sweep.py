"""`rnnplay sweep`: trains runs with varied settings, on one machine or many, and compares them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnplay.cli.support.console import note, note_idle, write_json
from rnnplay.cli.support.options import KnobCommand, WholeNumber, given, knob_options, setting_options
from rnnplay.cli.support.session import Session, json_option, pass_session, workspace_option
from rnnplay.cli.support.settings import lasting_corpus, new_settings, settings_in, with_lasting_corpus
from rnnplay.cli.support.training.sweep_display import choose_display, print_study, study_json
from rnnplay.common.processors import physical_cores
from rnnplay.common.signals import StopSignals
from rnnplay.config import RunConfig
from rnnplay.errors import InputError
from rnnplay.experiments.sweep.plan import (
    DEFAULT_METRIC,
    DEFAULT_TRIALS,
    METRICS,
    MOST_SEEDS,
    MOST_TRIALS,
    SAMPLERS,
    Plan,
    make_plan,
    study_name,
)
from rnnplay.experiments.sweep.space import Dimension, examples, parse_dimensions

if TYPE_CHECKING:
    from rnnplay.experiments.sweep.study import Study
    from rnnplay.experiments.sweep.table import Table

MOST_JOBS = 256
DEFAULT_JOBS = 4
"""At most, unless more are asked for."""

STORAGE_VARIABLE = "RNNPLAY_STORAGE"


@click.command("sweep", cls=KnobCommand, short_help="Train runs with varied settings and compare them.")
@click.option(
    "--vary",
    metavar="KNOB=VALUES",
    multiple=True,
    help="A knob and its values: cell=rnn,gru,lstm; lr=1e-4..1e-1:log draws from a range; lr=1e-4..1e-1:log:4 are four "
    "points of it. Once for each knob.",
)
@click.option("--study", "name", metavar="NAME", help="The study's name; an existing one goes on.")
@click.option("--show", metavar="NAME", help="Print what a study has found, and train nothing.")
@click.option(
    "--sampler",
    type=click.Choice(SAMPLERS),
    help="grid: every combination. random: --trials of them, the same ones each time. tpe: each is chosen by the "
    "results of the others (Bergstra et al. 2011).  [default: grid if all values are listed, else random]",
)
@click.option(
    "--trials",
    metavar="N",
    type=WholeNumber(1, MOST_TRIALS),
    help=f"Combinations to try with random or tpe; more of them continue a study.  [default: {DEFAULT_TRIALS}]",
)
@click.option(
    "--repeat",
    metavar="SEEDS",
    type=WholeNumber(1, MOST_SEEDS),
    help="Seeds with which each combination is trained, from --seed on.  [default: 1]",
)
@click.option(
    "--metric",
    type=click.Choice(list(METRICS)),
    help="; ".join(f"{name}: {text}" for name, text in METRICS.items()) + f".  [default: {DEFAULT_METRIC}]",
)
@click.option(
    "--prune", is_flag=True, help="End runs early whose validation loss is above the median of others at that step."
)
@click.option(
    "--jobs",
    metavar="N",
    type=WholeNumber(1, MOST_JOBS),
    help="Runs trained at the same time; the cores are divided among them.  [default: one a core, at most "
    f"{DEFAULT_JOBS}; on a GPU one]",
)
@click.option(
    "--storage",
    metavar="URL",
    envvar=STORAGE_VARIABLE,
    help="A database that several machines share, as postgresql+psycopg://USER@HOST/DATABASE; else the study is kept "
    f"in the workspace. Also ${STORAGE_VARIABLE}, which keeps a password out of the list of processes.",
)
@click.option("--worker", is_flag=True, hidden=True)
@setting_options
@workspace_option
@json_option
@knob_options(RunConfig)
@pass_session
def command(
    session: Session,
    /,
    vary: tuple[str, ...],
    name: str | None,
    show: str | None,
    sampler: str | None,
    trials: int | None,
    repeat: int | None,
    metric: str | None,
    prune: bool,
    jobs: int | None,
    storage: str | None,
    worker: bool,
    config_file: Path | None,
    preset: str | None,
    as_json: bool,
    **values: Any,
) -> int:
    """Train a run for each of several settings, and compare them by a metric.

    Each trial is an ordinary run, named after the study. Ctrl-C stops with checkpoints; the same command, or
    `rnnplay sweep --study NAME`, goes on where it was. So do others at the same time, in the same workspace or with the
    same --storage; the trials of a process that was killed are taken up again. A run that diverges ends there, unless
    --divergence says otherwise, and does not count as a failure of the study.

    With --json, one record per line on stdout: trial (when one ends) and study (at the end, or with --show).
    """
    from rnnplay.experiments.sweep.storage import check_extra

    check_extra(storage)
    options: dict[str, Any] = {
        "vary": vary,
        "sampler": sampler,
        "trials": trials,
        "repeat": repeat,
        "metric": metric,
        "prune": prune,
    }
    options |= {"preset": preset, "config": config_file, **given({**values, "threads": None})}
    asked = {option: value for option, value in options.items() if value not in (None, (), False)}
    if show is not None:
        return _show(session, show, storage, as_json, {**asked, **({"study": name} if name else {})})
    if worker:
        return _work(session, name or "", storage, values["threads"] or 1)
    session.workspace.create()
    study = _opened(session, name, storage, asked, given(values), config_file, preset)
    return _supervise(session, study, storage, jobs, values["threads"], as_json)


def _opened(
    session: Session,
    name: str | None,
    storage: str | None,
    asked: dict[str, Any],
    values: dict[str, Any],
    config_file: Path | None,
    preset: str | None,
) -> Study:
    from rnnplay.experiments.sweep.studies import create_study, open_study, reserve_study, study_names

    workspace = session.workspace
    if "vary" not in asked:
        if name is None:
            raise InputError(
                "A sweep varies something; give --vary once for each knob, as in: "
                + workspace.command("sweep", vary="lr=0.001,0.003,0.01")
            )
        if set(asked) - {"trials"}:
            options = " and ".join("--" + option.replace("_", "-") for option in asked if option != "trials")
            raise InputError(f"{options} need --vary; a study that goes on by its name alone keeps its settings.")
        study = open_study(name, workspace, storage)
        if "trials" in asked:
            import msgspec

            if study.plan.sampler == "grid":
                raise InputError(
                    f"The study {name!r} is a grid, which has {study.plan.trials:,} combinations and no more."
                )
            study.extend(msgspec.structs.replace(study.plan, trials=asked["trials"]))
        study.fill()
        return study
    plan = _plan(session, asked, values, config_file, preset)
    if name is None:
        corpus = plan.config.corpus
        name = reserve_study(corpus, workspace) if storage is None else study_name(corpus, study_names(workspace))
    return create_study(name, plan, workspace, storage)


def _plan(
    session: Session, asked: dict[str, Any], values: dict[str, Any], config_file: Path | None, preset: str | None
) -> Plan:
    dimensions = [_with_lasting_corpora(one, session) for one in parse_dimensions(asked["vary"])]
    # A rollback would train on with another learning rate than the trial's.
    settings = {"divergence": "stop", **{name: value for name, value in values.items() if name != "threads"}}
    config = with_lasting_corpus(new_settings(preset, config_file, settings, session.workspace), session.workspace)
    varied = [dimension.knob for dimension in dimensions if dimension.knob in values]
    if varied:
        raise InputError(f"{varied[0]} is both varied and set; leave out --{varied[0].replace('_', '-')}.")
    names = [*settings_in(config_file), *values, *(dimension.knob for dimension in dimensions)]
    note_idle(names, examples(config, dimensions))
    return make_plan(
        config,
        dimensions,
        asked.get("sampler"),
        asked.get("trials"),
        asked.get("repeat", 1),
        asked.get("metric", DEFAULT_METRIC),
        asked.get("prune", False),
    )


def _with_lasting_corpora(dimension: Dimension, session: Session) -> Dimension:
    """Returns `dimension` with texts named so that another folder finds them; raises InputError for one that is not."""
    if dimension.knob != "corpus":
        return dimension
    import msgspec

    found = [lasting_corpus(str(value), session.workspace) for value in dimension.values]
    return msgspec.structs.replace(dimension, values=found)


def _show(session: Session, name: str, storage: str | None, as_json: bool, asked: dict[str, Any]) -> int:
    from rnnplay.experiments.sweep.studies import open_study

    if asked:
        option = "--" + next(iter(asked)).replace("_", "-")
        raise InputError(f"--show prints a study and changes nothing; leave out {option}.")
    study = open_study(name, session.workspace.check_there(), storage)
    table = study.table()
    study.close()
    if as_json:
        write_json(study_json(table))
    else:
        print_study(table)
        if not table.over and not table.count("training"):
            note(f"Go on with: {_going_on(session, name, storage)}")
    return 0


def _work(session: Session, name: str, storage: str | None, threads: int) -> int:
    """Trains trials in this process, a child of the one that the user started; writes its progress on stdout."""
    from rnnplay.common.jsonl import encode_line
    from rnnplay.experiments.sweep.storage import database_in_words
    from rnnplay.experiments.sweep.studies import open_study
    from rnnplay.experiments.sweep.worker import Progress, Worker

    study = open_study(name, session.workspace, storage)
    alone = False

    def report(progress: Progress) -> None:
        nonlocal alone
        try:
            sys.stdout.buffer.write(encode_line(progress))
            sys.stdout.buffer.flush()
        except OSError:  # the parent is gone
            alone = True

    with StopSignals() as stop, database_in_words(storage):
        try:
            Worker(study, session.workspace, threads, report, lambda: stop.asked or alone).run()
        finally:
            study.close()
    return 0


def _supervise(
    session: Session, study: Study, storage: str | None, jobs: int | None, threads: int | None, as_json: bool
) -> int:
    from rnnplay.experiments.sweep.storage import database_in_words
    from rnnplay.experiments.sweep.supervisor import Supervisor

    workspace = session.workspace
    jobs = jobs or _default_jobs(study.plan)
    threads = threads or max(1, physical_cores() // jobs)
    command = [sys.executable, "-m", "rnnplay", "sweep", "--worker", "--study", study.name, "--threads", str(threads)]
    command += ["--workspace", str(workspace.root)]
    environment = {} if storage is None else {STORAGE_VARIABLE: storage}
    display = choose_display(as_json)
    with StopSignals() as stop, database_in_words(storage):
        try:
            table = Supervisor(study, command, environment, jobs, display.show, display.say).run(lambda: stop.asked)
        finally:
            display.close()
            study.close()
    _report(session, table, storage, as_json)
    return 0


def _report(session: Session, table: Table, storage: str | None, as_json: bool) -> None:
    if as_json:
        write_json(study_json(table))
    else:
        print_study(table)
    if not table.over:
        note(f"Stopped; go on with: {_going_on(session, table.study, storage)}")


def _going_on(session: Session, name: str, storage: str | None) -> str:
    # A database's URL may hold a password; the user has it.
    where = {} if storage is None else {"storage": "URL"}
    return session.workspace.command("sweep", study=name, **where)


def _default_jobs(plan: Plan) -> int:
    from shutil import which

    on_gpu = plan.config.device == "cuda" or (plan.config.device == "auto" and which("nvidia-smi") is not None)
    return 1 if on_gpu else max(1, min(DEFAULT_JOBS, physical_cores(), plan.runs))
