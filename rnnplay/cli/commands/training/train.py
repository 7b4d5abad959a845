"""`rnnplay train`: trains in the foreground."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnplay.cli.support.console import corpus_name, model_name, note, note_idle, printable
from rnnplay.cli.support.options import KnobCommand, WholeNumber, given, knob_options, setting_options
from rnnplay.cli.support.session import Session, json_option, new_folder, pass_session, workspace_option
from rnnplay.cli.support.settings import layered, new_settings, settings_in, with_lasting_corpus
from rnnplay.cli.support.text_input import corpus_from_stdin
from rnnplay.cli.support.training.branch import branch_options, branch_setup, branch_start, check_origin, naming_from
from rnnplay.common.formatting import fixed, unknown_text
from rnnplay.common.limits import limit_met, limit_sentence, reason, way_out
from rnnplay.config import RunConfig, with_values
from rnnplay.errors import InputError, LostProcessError, RnnplayError, is_out_of_memory
from rnnplay.runs.launch import BY_ITSELF, Launch, check_divisible, launched

if TYPE_CHECKING:
    from rnnplay.runs.branching import BranchStart
    from rnnplay.runs.folder import RunFolder
    from rnnplay.runs.metrics.records import Finished, Validation
    from rnnplay.training.trainer import Trainer
    from rnnplay.workspace import Workspace


@click.command("train", cls=KnobCommand, short_help="Train a model in the foreground.")
@setting_options
@click.option("--run", "run_name", metavar="NAME", help="The name of the run.  [default: derived from its settings]")
@click.option(
    "--resume",
    is_flag=True,
    help="Continue the run named by --run (else the newest) from its latest checkpoint. Only the length and what "
    "may change while training can be changed.",
)
@click.option(
    "--checkpoint",
    metavar="latest|best|STEP",
    help="With --resume: the checkpoint to continue from; later ones are removed.  [default: latest]",
)
@click.option(
    "--tensorboard",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write event files for TensorBoard, too, into a folder named after the run in DIR.",
)
@click.option(
    "--from",
    "origin",
    metavar="RUN[@STEP]",
    help="Branch: a new run that begins with the weights of that checkpoint (@STEP, @best; else the latest) and with "
    "that run's settings and vocabulary.",
)
@click.option(
    "--torchrun",
    "processes",
    metavar="N",
    type=WholeNumber(1),
    default=1,
    help="Train in N processes on this machine, started by torchrun, each on its rows of every batch.",
)
@branch_options
@workspace_option
@json_option
@knob_options(RunConfig)
@pass_session
def command(
    session: Session,
    /,
    config_file: Path | None,
    preset: str | None,
    run_name: str | None,
    resume: bool,
    checkpoint: str | None,
    tensorboard: Path | None,
    origin: str | None,
    processes: int,
    with_optimizer: bool,
    extend_vocabulary: bool,
    shrink: float,
    as_json: bool,
    **values: Any,
) -> int:
    """Train a model on a text. A knob's value comes from the command line, else --config, else the preset (or the run
    that --from names).

    Ctrl-C stops after the step under way and writes a checkpoint; a second one ends at once. With --json, one record
    per line on stdout: started, step, threads, validation, checkpoint, tuned, skipped, rollback, notice, finished. Exit
    code 1 if the run diverged and ended at its last good state.
    """
    from rnnplay.cli.support.training.torchrun import code_of_ended, exec_torchrun, join_in

    launch = launched() or BY_ITSELF
    if launch.rank:
        return join_in(session, launch, values["corpus"])
    if resume and preset is not None:
        raise InputError("--preset cannot be given with --resume: a run keeps the settings it has.")
    if tensorboard is not None:
        from rnnplay.experiments.export.formats import require

        require(("tensorboard",), "--tensorboard")
    if checkpoint is not None and not resume:
        raise InputError("--checkpoint is where a run continues; give --resume, too.")
    check_origin(origin, resume, preset, with_optimizer, extend_vocabulary, shrink)
    workspace = session.workspace
    if values["corpus"] == "-":
        if launch.size > 1 or processes > 1:
            add = workspace.command("corpora", "add", "-", name="mine")
            raise InputError(
                f"Several processes cannot read one standard input; give --corpus mine after adding the text: {add}"
            )
        values["corpus"] = corpus_from_stdin(workspace)
    launch.check_name(run_name)
    start = None
    folder = launch.begun(workspace, run_name)
    if folder is not None:
        if (code := code_of_ended(launch, folder)) is not None:
            return code
        resume, checkpoint, config = True, None, folder.info().config
    elif resume:
        from rnnplay.runs.folder import find_run

        workspace.check_there()
        folder = find_run(run_name, workspace) if run_name is not None else newest_run(workspace)
        changed = layered(settings_in(config_file), given(values))
        config = with_values(folder.info().config, changed)
        if "corpus" in changed:
            config = with_lasting_corpus(config, workspace)
    elif origin is not None:
        start = branch_start(session, origin, with_optimizer, extend_vocabulary, shrink)
        config = branch_setup(start, config_file, given(values), workspace)
    else:
        config = with_lasting_corpus(new_settings(preset, config_file, given(values), workspace), workspace)
    if processes > 1 and launch is BY_ITSELF:
        exec_torchrun(session, processes, config)
    check_divisible(config, launch.size)
    note_idle({**settings_in(config_file), **given(values)}, [config])
    workspace.create()
    folder = folder or new_folder(run_name, config, workspace)
    at = (checkpoint or "latest") if resume else None
    return _train(session, launch, config, folder, at, as_json, tensorboard, start)


def newest_run(workspace: Workspace) -> RunFolder:
    """Returns the run with the newest checkpoint; raises InputError if there is none."""
    from rnnplay.runs.index import list_quickly

    newest = [(run.checkpoints[-1].created, run.folder) for run in list_quickly(workspace) if run.checkpoints]
    if not newest:
        raise InputError(f"There is no run to resume in {workspace.checkpoints}; start one without --resume.")
    return max(newest, key=lambda pair: pair[0])[1]


def _train(
    session: Session,
    launch: Launch,
    config: RunConfig,
    folder: RunFolder,
    resume: str | None,
    as_json: bool,
    events: Path | None,
    start: BranchStart | None = None,
) -> int:
    from rnnplay.cli.support.reporters import choose_reporter
    from rnnplay.cli.support.training.foreground import Foreground

    title = f"{folder.name} · {corpus_name(config.corpus)} · {model_name(config)}"
    reporter = choose_reporter(as_json, title, config.steps)
    foreground = Foreground(reporter, events, launch)
    try:
        with naming_from(session, start.parent.folder.name) if start is not None else nullcontext():
            trainer = foreground.prepare(config, folder, resume, session.workspace, start)
        finished = foreground.run(trainer)
    except LostProcessError as error:
        again = launch.restarts < launch.most_restarts
        onward = "torchrun starts all of them again" if again else _how_to_continue(session, folder)
        raise RnnplayError(f"{error}; {onward}") from error
    except OSError as error:
        if limit := limit_met(error):
            raise RnnplayError(limit_sentence(limit)) from error
        place = f" ({error.filename})" if error.filename else ""
        raise RnnplayError(
            f"{error.strerror or error}{place}; {way_out(error)}, then {_how_to_continue(session, folder)}"
        ) from error
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            # A resumed run cannot change its size.
            smaller = "close other programs" if resume else "make --hidden, --batch-size or --bptt smaller"
            raise RnnplayError(f"There is not enough memory; {smaller}.") from error
        raise
    finally:
        reporter.close()
        foreground.close()
        with suppress(OSError):
            folder.path.rmdir()  # empty if the run did not begin
    if not trainer.saved:
        raise RnnplayError(
            f"The run ended at step {finished.step:,}, but its last steps could not be written to {folder.path}, and "
            f"are lost; mend that, then {_how_to_continue(session, folder)}"
        )
    if reporter.failure is not None:
        raise RnnplayError(
            f"The records cannot be written to standard output ({reason(reporter.failure)}), so the run has stopped "
            f"at step {finished.step:,}; {way_out(reporter.failure)}, then {_how_to_continue(session, folder)}"
        )
    if finished.reason == "diverged":
        ways = _other_ways(trainer.config)
        options = ", ".join("--" + way.replace("_", "-") for way in ways)
        raise RnnplayError(
            f"The run diverged and ended at its last good step, {finished.step:,}. Change something "
            f"({options}); for example, {_how_to_continue(session, folder, **dict(list(ways.items())[:1]))}"
        )
    if finished.reason == "stopped":
        note(f"Stopped at step {finished.step:,}; {_how_to_continue(session, folder)}")
    if not as_json:
        click.echo(printable(_result(session.workspace, folder, trainer, finished, foreground.validation)))
        from rnnplay.runs.health import health_of

        with suppress(InputError, OSError):
            if (verdict := health_of(folder)) is not None:
                click.echo(verdict.text)
    return 0


def _how_to_continue(session: Session, folder: RunFolder, **changes: str | float) -> str:
    """Returns how to continue the run, or how to start anew if nothing of it is left."""
    if folder.holds_run() and folder.checkpoints():
        together = launched() or BY_ITSELF
        if together.size > 1 and together.one_host:
            changes = {"torchrun": together.size, **changes}
        return "go on with: " + session.workspace.command("train", resume=True, run=folder.name, **changes)
    if "--resume" in session.words:
        return "start a new run: nothing is left of this one."
    return f"start it again with: {session.again()}"


def _result(
    workspace: Workspace, folder: RunFolder, trainer: Trainer, finished: Finished, reached: Validation | None
) -> str:
    """Returns how the run ended and the command that writes with it; for non-finite weights, what to do about them."""
    quality = f", validation {_quality(reached)}" if reached else ""
    ended = f"{folder.name}: {finished.step:,} steps{quality}."
    name = workspace.run_argument(folder.path)
    if trainer.finite:
        return f"{ended} Write with it: {workspace.command('generate', name)}"
    good = folder.another(finished.step)
    if good is None:
        return f"{ended} Its weights are not finite; train again with a smaller --lr or with --clip norm."
    write = workspace.command("generate", name, checkpoint=good)
    undone = workspace.command("train", resume=True, run=folder.name, checkpoint=good, divergence="rollback")
    return (
        f"{ended} Its weights are not finite.\nWrite with those of step {good:,}: {write}\n"
        f"Train on from there and undo steps that diverge: {undone}"
    )


def _quality(record: Validation) -> str:
    unknown = unknown_text(record.unknown_fraction)
    return f"loss {fixed(record.loss, 4)} (perplexity {fixed(record.perplexity, 2)}{unknown and ', '}{unknown})"


def _other_ways(config: RunConfig) -> dict[str, str | float]:
    """Returns knobs that may help a run that diverged with `config`, each with a value to try."""
    ways: dict[str, str | float] = {"lr": float(f"{config.lr / 4:.2g}")}
    if config.clip == "norm":
        ways["clip_threshold"] = config.clip_threshold / 4
    else:
        ways["clip"] = "norm"
    return ways if config.divergence == "rollback" else {**ways, "divergence": "rollback"}
