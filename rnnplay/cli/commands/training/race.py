"""`rnnplay race`: trains variants of a setup side by side, and ranks them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnplay.cli.support.console import note_idle
from rnnplay.cli.support.options import KnobCommand, WholeNumber, given, knob_options, setting_options
from rnnplay.cli.support.session import Session, json_option, pass_session, workspace_option
from rnnplay.cli.support.settings import lasting_corpus, new_settings, settings_in, with_lasting_corpus
from rnnplay.cli.support.text_input import corpus_from_stdin
from rnnplay.cli.support.training.branch import branch_message, branch_options, branch_setup, branch_start, check_origin
from rnnplay.common.limits import reason, way_out
from rnnplay.common.processors import physical_cores
from rnnplay.common.signals import StopSignals
from rnnplay.config import RunConfig
from rnnplay.errors import ConfigError, InputError, RnnplayError
from rnnplay.experiments.sharing import SHARES, Measure, Share
from rnnplay.experiments.variants import READY, TEXT_KNOBS, Variant, ready, vary
from rnnplay.knobs import Value

if TYPE_CHECKING:
    from rnnplay.cli.support.training.race_reporters import RaceReporter
    from rnnplay.engine import messages
    from rnnplay.experiments.fairness import CountTokens
    from rnnplay.experiments.race import Entry, Race
    from rnnplay.experiments.race_plan import RacePlan
    from rnnplay.experiments.standings import By
    from rnnplay.runs.branching import BranchStart
    from rnnplay.workspace import Workspace

MOST_SEEDS = 20
TICK_SECONDS = 0.1


@click.command("race", cls=KnobCommand, short_help="Train variants of a setup side by side, and rank them.")
@click.option(
    "--vary",
    "variations",
    metavar="KNOB=V1,V2,…",
    multiple=True,
    help="Vary a knob over these values (or LOW..HIGH:log:N); given several times, every combination races, 2 to 6 in "
    "all.",
)
@click.option(
    "--ready",
    "ready_set",
    metavar="|".join(READY),
    help="A ready-made set of variants: " + "; ".join(f"{name}: {one.title}" for name, one in READY.items()) + ".  "
    "[default: cells, without --vary]",
)
@click.option(
    "--share",
    type=click.Choice(SHARES),
    help="How the cores are shared: threads, all train at the same time, each with its part of them; else by turns of "
    "equal steps, tokens or seconds.  [default: threads with a core for each variant, else seconds]",
)
@click.option(
    "--equal",
    "measure",
    type=click.Choice(["steps", "tokens", "seconds"]),
    help="Compare validation losses where the variants have trained equally long, in steps, tokens or seconds.  "
    "[default: as in --share, else as the length]",
)
@click.option(
    "--by",
    type=click.Choice(["best", "last"]),
    default="best",
    help="Rank by the best or by the last validation up to there.  [default: best]",
)
@click.option(
    "--match-parameters",
    is_flag=True,
    help="Choose hidden so that each variant has about as many parameters as the setup.",
)
@click.option(
    "--repeat",
    metavar="N",
    type=WholeNumber(1, MOST_SEEDS),
    default=1,
    help="Race N times, each time with the next seed; the outcome has means and ranges.  [default: 1]",
)
@click.option(
    "--resume",
    metavar="race-NN",
    help="Go on with a race that was stopped. Only the length and what may change while training can be changed.",
)
@setting_options
@click.option(
    "--from",
    "origin",
    metavar="RUN[@STEP]",
    help="Begin all variants with the weights of that checkpoint (@STEP, @best; else the latest), and with that run's "
    "settings and vocabulary.",
)
@branch_options
@workspace_option
@json_option
@knob_options(RunConfig)
@pass_session
def command(
    session: Session,
    /,
    variations: tuple[str, ...],
    ready_set: str | None,
    share: Share | None,
    measure: Measure | None,
    by: By,
    match_parameters: bool,
    repeat: int,
    resume: str | None,
    config_file: Path | None,
    preset: str | None,
    origin: str | None,
    with_optimizer: bool,
    extend_vocabulary: bool,
    shrink: float,
    as_json: bool,
    **values: Any,
) -> int:
    """Train variants of a setup side by side, each in a process of its own, and rank them by validation loss.

    The setup is given as for `rnnplay train`; seed and data are the same for all. Each variant is an ordinary run in
    checkpoints/, called race-NN-VARIANT. Ctrl-C stops all with a checkpoint; a second one ends at once. With --json,
    one object per line on stdout: race (the plan), record (of a variant: all but its steps), standings, failed, result.
    Exit code 1 if no variant could be validated.
    """
    workspace = session.workspace
    if resume is not None:
        given_too = {
            "--vary": bool(variations),
            "--ready": ready_set is not None,
            "--config": config_file is not None,
            "--preset": preset is not None,
            "--match-parameters": match_parameters,
            "--repeat": repeat > 1,
            "--from": origin is not None,
        }
        if wrong := next((name for name, value in given_too.items() if value), None):
            raise InputError(f"{wrong} cannot be given with --resume: a race keeps its variants.")
        from rnnplay.experiments.resumption import held

        with held(resume, workspace.check_there()):
            plan, races = resumed_race(resume, workspace, given(values), share, measure, by)
            note_idle(given(values), [one.config for one in plan.variants])
            return _race(session, plan, races, as_json)
    check_origin(origin, False, preset, with_optimizer, extend_vocabulary, shrink)
    if values["corpus"] == "-":
        values["corpus"] = corpus_from_stdin(workspace)
    start = None
    if origin is not None:
        if match_parameters:
            raise InputError("--match-parameters cannot be given with --from: a branch keeps its parent's sizes.")
        start = branch_start(session, origin, with_optimizer, extend_vocabulary, shrink)
        setup = branch_setup(start, config_file, given(values), workspace)
        if not variations and ready_set is None:
            ready_set = "rates"  # the cells cannot differ
    else:
        setup = with_lasting_corpus(new_settings(preset, config_file, given(values), workspace), workspace)
    from rnnplay.experiments.race import Race
    from rnnplay.experiments.race_names import reserve_names
    from rnnplay.experiments.race_plan import plan_race

    variants = chosen_variants(setup, variations, ready_set, workspace)
    note_idle({**settings_in(config_file), **given(values)}, [one.config for one in variants])
    workspace.create()
    if start is not None:
        check_variants(start, variants, workspace)
    plan = plan_race(
        setup,
        variants,
        cores=physical_cores(),
        share=share,
        match_parameters=_vocabulary_of(workspace) if match_parameters else None,
        repeats=repeat,
        measure=measure,
        by=by,
        branch=branch_message(start) if start is not None else None,
    )
    races = [
        Race(plan, race, runs) for race, runs in zip(plan.races(), reserve_names(plan.races(), workspace), strict=True)
    ]
    return _race(session, plan, races, as_json)


def resumed_race(
    name: str, workspace: Workspace, changes: dict[str, Any], share: Share | None, measure: Measure | None, by: By
) -> tuple[RacePlan, list[Race]]:
    """Returns the races, one a seed, of a race that was stopped; raises InputError if there is none of that name."""
    from rnnplay.experiments.race import Race
    from rnnplay.experiments.race_plan import plan_race
    from rnnplay.experiments.resumption import find_stopped

    found = find_stopped(name, workspace.check_there(), changes)
    workspace.create()
    first = found.variants[0]
    plan = plan_race(
        first[0].config,
        first,
        cores=physical_cores(),
        share=share,
        repeats=len(found.variants),
        measure=measure,
        by=by,
    )
    races = [Race(plan, variants, runs) for variants, runs in zip(found.variants, found.runs, strict=True)]
    for race in races:
        for entry in race.entries:
            race.take_up(entry, found.progress[entry.run])
    return plan, races


def check_variants(start: BranchStart, variants: Sequence[Variant], workspace: Workspace) -> None:
    """Raises InputError for a variant that cannot begin with the weights of `start`, or a text that it cannot read."""
    from rnnplay.runs.branching import check_branch

    for variant in variants:
        try:
            check_branch(variant.config, start.parent)
        except ConfigError as error:
            if error.knob not in variant.changed:
                raise
            raise ConfigError(
                error.knob,
                f"{error.knob} cannot be varied with --from: the variants begin with the weights of "
                f"{start.parent.name}, whose {error.knob} is {getattr(start.parent.config, error.knob)}; "
                "vary another knob, or leave out --from.",
            ) from error
    texts = {tuple(getattr(one.config, name) for name in TEXT_KNOBS): one.config for one in variants}
    for config in texts.values():
        start.encode(config, workspace)  # the engines find it in the cache


def _race(session: Session, plan: RacePlan, races: Sequence[Race], as_json: bool) -> int:
    import asyncio

    from rnnplay.cli.support.training.race_outcome import (
        already_over,
        how_to_go_on,
        no_result,
        tell_onward,
        tell_outcome,
    )
    from rnnplay.cli.support.training.race_reporters import choose_race_reporter
    from rnnplay.experiments.conclusion import conclude
    from rnnplay.runs.naming import give_back

    workspace = session.workspace
    reporter = choose_race_reporter(as_json)
    try:
        reporter.planned(plan)
        if ended := already_over(races):
            reporter.say(ended)
        begun, stopped = asyncio.run(_run(races, workspace, reporter))
        conclusion = conclude(plan, begun)
        reporter.conclude(conclusion)
    finally:
        reporter.close()
        give_back([entry.run for race in races for entry in race.entries], workspace)
    if reporter.failure is not None:
        raise RnnplayError(
            f"The records cannot be written to standard output ({reason(reporter.failure)}), so the race has stopped; "
            f"{way_out(reporter.failure)}, then {how_to_go_on(session, begun)}"
        )
    if not as_json and any(one.parameters for one in conclusion.variants):
        tell_outcome(session, plan, conclusion)
    tell_onward(session, begun)
    if not stopped and conclusion.best_run is None:
        raise RnnplayError(no_result(begun))
    return 0


def chosen_variants(
    setup: RunConfig, variations: Sequence[str], ready_set: str | None, workspace: Workspace
) -> list[Variant]:
    """Returns the variants that --vary or --ready ask for; raises InputError."""
    if variations and ready_set is not None:
        raise InputError("--vary and --ready both say what races; give one of them.")
    if not variations:
        return ready(ready_set or "cells", setup)
    from rnnplay.experiments.sweep.space import parse_dimensions

    values: dict[str, list[Value]] = {}
    for dimension in parse_dimensions(variations):
        if not dimension.values:
            raise InputError(
                f"--vary {dimension.text} is a range, and a race needs its values: list them, or say how many, as in "
                f"{dimension.text}:3."
            )
        corpus = dimension.knob == "corpus"
        values[dimension.knob] = [
            lasting_corpus(str(value), workspace) if corpus else value for value in dimension.values
        ]
    return vary(setup, values)


async def _run(races: Sequence[Race], workspace: Workspace, reporter: RaceReporter) -> tuple[list[Race], bool]:
    """Runs one race after the other; returns those that began, and whether the user stopped them."""
    import asyncio

    from rnnplay.experiments.engines import RaceEngines

    with StopSignals() as stop:
        for number, race in enumerate(races, 1):
            told: set[Entry] = set()

            def tick(race: Race = race, told: set[Entry] = told) -> None:
                for entry in race.entries:
                    if entry.phase == "failed" and entry not in told:
                        told.add(entry)
                        reporter.failed(entry)
                reporter.tick()

            def heard(entry: Entry, event: messages.Event) -> None:
                reporter.event(entry, event)

            reporter.begin(race)
            engines = RaceEngines(race, workspace, heard)
            running = asyncio.create_task(engines.run())
            leaving = False
            try:
                while not running.done():
                    await asyncio.wait({running}, timeout=TICK_SECONDS)
                    tick()
                    if (stop.asked or reporter.closed) and not leaving:
                        leaving = True
                        running.cancel()
                        reporter.say("Stopping with a checkpoint of each; ctrl-C again ends at once, without.")
            except asyncio.CancelledError:
                engines.kill()
                raise
            tick()
            if leaving:
                return list(races[:number]), True
            running.result()
    return list(races), False


def _vocabulary_of(workspace: Workspace) -> CountTokens:
    """Returns what counts the tokens of a config's vocabulary; a large text is encoded for it, as training would."""

    def count(config: RunConfig) -> int:
        from rnnplay.text.corpora.catalogue import find_corpus
        from rnnplay.text.encoding.encoded import encode_corpus
        from rnnplay.text.encoding.vocabulary_size import vocabulary_size

        if (found := vocabulary_size(config, workspace)) is not None:
            return found
        return encode_corpus(find_corpus(config.corpus, workspace), config, workspace.cache).tokenizer.size

    return count
