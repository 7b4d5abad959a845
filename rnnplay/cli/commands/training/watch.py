"""`rnnplay watch`: follows a run that another process trains, in the interface or line by line."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from rnnplay.cli.support.console import corpus_name, model_name, note
from rnnplay.cli.support.reporters import Reporter, choose_reporter
from rnnplay.cli.support.session import Session, find_run, json_option, onward, pass_session, workspace_option
from rnnplay.common.formatting import count_text
from rnnplay.common.signals import StopSignals
from rnnplay.errors import InputError, RnnplayError

if TYPE_CHECKING:
    from rnnplay.runs.folder import RunFolder
    from rnnplay.runs.follow import Follower, News
    from rnnplay.runs.metrics.records import Step

LOOK_SECONDS = 0.2
WAITING_SECONDS = 1.0
"""Between two looks for a run that is not there yet, or that nobody trains yet."""
MOST_TRIES = 60
"""Looks at files that cannot be read, such as of a server that does not answer, until the run is given up."""


@click.command("watch", short_help="Follow a run that another process trains.")
@click.argument("run")
@click.option("--plain", is_flag=True, help="Print what happens, line by line, instead of opening the interface.")
@click.option("--all", "from_start", is_flag=True, help="With --plain or --json: print what happened before, too.")
@click.option("--wait", is_flag=True, help="Wait until there is a run of that name, and until it is being trained.")
@workspace_option
@json_option
@pass_session
def command(session: Session, /, run: str, plain: bool, from_start: bool, wait: bool, as_json: bool) -> int:
    """Follow RUN, a name or a run folder, while another process trains it. Nothing of the run is changed.

    Opens the interface: charts, events and settings move as the run does, and the prompt is answered by its newest
    checkpoint. With --plain, or where there is no terminal, what happens is printed instead until the run ends; with
    --json, one record per line on stdout, as by `rnnplay train --json`. Exit code 1 if the run diverged, was killed or
    its folder was removed.
    """
    lines = plain or as_json or not _is_terminal()
    if from_start and not lines:
        raise InputError("--all is for lines; give --plain, too.")
    folder = _wait_for(session, run) if wait else find_run(session, run)
    if lines:
        return _print(session, folder, from_start, wait, as_json)
    if folder.path.parent != session.workspace.checkpoints:
        from rnnplay.common.commands import shell_command

        there = shell_command("watch", folder.name, workspace=str(folder.path.parent.parent))
        raise InputError(f"{folder.path} is in another workspace; print it with --plain, or open it there: {there}")
    from rnnplay.cli.commands.interface.play import play

    return play(session, corpus=None, preset=None, run=folder.name)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def _wait_for(session: Session, run: str) -> RunFolder:
    """Waits until there is a run of that name; raises InputError for a name that no run can have."""
    from rnnplay.runs.folder import RunFolder, check_run_name

    if "/" in run:
        return find_run(session, run)
    folder = RunFolder(session.workspace.checkpoints / check_run_name(run))
    if not (folder.path / "run.json").exists():
        note(f"Waiting for a run {run} in {session.workspace.checkpoints}; ctrl-C ends the waiting.")
    while not (folder.path / "run.json").exists():
        time.sleep(WAITING_SECONDS)
    return folder


def _print(session: Session, folder: RunFolder, from_start: bool, wait: bool, as_json: bool) -> int:
    info = folder.info()
    title = f"{folder.name} · {corpus_name(info.config.corpus)} · {model_name(info.config)}"
    reporter = choose_reporter(as_json, title, info.config.steps)
    printed = PrintedRun(session, folder, reporter, from_start, wait)
    try:
        with StopSignals() as stop:
            while not (stop.asked or reporter.closed):
                if (ended := printed.look()) is not None:
                    reporter.close()
                    if not as_json:
                        note(ended)
                    return 0
                time.sleep(printed.pause)
    finally:
        reporter.close()
    return 0


class PrintedRun:
    """A followed run whose news go to a reporter."""

    def __init__(self, session: Session, folder: RunFolder, reporter: Reporter, from_start: bool, wait: bool) -> None:
        """`from_start`: reports what is in the file already, too; `wait`: also follows a run that nobody trains yet."""
        self._session, self._reporter, self._wait = session, reporter, wait
        self._reason = ""
        """Why the run ended, by its last record."""
        self._seen = False
        """Whether it was ever seen being trained."""
        self._steps = 0
        """The run's length; 0 if it is not counted in steps."""
        self._last: Step | None = None
        self.pause = LOOK_SECONDS
        """Seconds until the next look."""
        self._follower = self._begin(folder, from_start)
        self._told = False
        self._trouble = ""
        """Why the files could not be read at the last look."""
        self._tries = 0
        """Looks in a row at which they could not, while nobody was seen training the run."""

    def _begin(self, folder: RunFolder, from_start: bool) -> Follower:
        from rnnplay.runs.follow import Follower
        from rnnplay.runs.metrics.thinned import ThinnedLog

        info = folder.info()
        self._steps = info.config.steps
        if from_start:
            return Follower(folder, info.created, every_step=True)
        log = ThinnedLog(folder.log, self._session.workspace.cache)
        for record in log.read():
            self._note(record)
        return Follower(folder, info.created, log.end, every_step=True)

    def _note(self, record: object) -> None:
        from rnnplay.runs.metrics.records import Finished, Step
        from rnnplay.runs.metrics.step_columns import StepColumns

        if isinstance(record, StepColumns) and record.last:
            self._last, self._reason = record.last[-1], ""
        elif isinstance(record, Step):
            self._last, self._reason = record, ""
        elif isinstance(record, Finished):
            self._reason = record.reason

    def look(self) -> str | None:
        """Reports what is new; returns how the run has ended, None while it goes on.

        Raises RnnplayError if it diverged, was killed or its folder was removed.
        """
        from rnnplay.runs.follow import Standing

        news = self._follower.look()
        folder = self._follower.folder
        if news.another:
            self._reporter.say(f"The files of {folder.name} were written anew; what is new is printed from here on.")
            self._follower = self._begin(folder, from_start=False)
            return None
        self._report(news)
        live = news.standing in (Standing.TRAINED, Standing.WRITTEN)
        self.pause = 0.0 if news.more else LOOK_SECONDS if live else WAITING_SECONDS
        self._seen |= live
        self._tries = self._tries + 1 if news.standing is Standing.UNREADABLE and news.holder is None else 0
        if self._tries and (self._tries >= MOST_TRIES or not (self._seen or self._wait)):
            raise RnnplayError(news.trouble)
        if news.trouble != self._trouble:
            self._trouble = news.trouble
            if news.trouble:
                self._reporter.say(news.trouble)
        if live or news.standing is Standing.UNREADABLE or news.more:
            return None
        if self._wait and not self._seen:
            return None
        return self._ended(news.standing)

    def _report(self, news: News) -> None:
        from rnnplay.runs.metrics.step_columns import StepColumns

        if news.renamed is not None:
            self._reporter.say(f"The run has been renamed to {news.renamed.name}.")
        if news.info is not None:
            self._steps = news.info.config.steps
            if not self._told:
                self._told = True
                by = f"trained by {news.holder}" if news.holder is not None else "trained by nobody now"
                at = f"step {self._last.step:,}" if self._last is not None else "no step yet"
                parameters = f"{count_text(news.info.parameters)} parameters"
                config = news.info.config
                model = f"{corpus_name(config.corpus)} · {model_name(config)} · {parameters}"
                self._reporter.say(f"{news.info.run} · {model} · {by} · {at}")
        if news.cut is not None:
            self._reporter.say(f"The run went back to a checkpoint; what follows comes after step {news.cut:,}.")
        for record in news.records:
            self._note(record)
            if not isinstance(record, StepColumns):  # there are none: every step was asked for
                self._reporter.record(record)
        if self._last is not None:
            done = self._last.step / self._steps if self._steps else 0.0
            self._reporter.tick(min(done, 1.0), None)

    def _ended(self, standing: object) -> str:
        from rnnplay.runs.follow import Standing

        folder, workspace = self._follower.folder, self._session.workspace
        step = self._last.step if self._last is not None else self._saved_step()
        at = f"at step {step:,}" if step else "before its first step"
        if standing is Standing.GONE:
            raise RnnplayError(f"The folder of {folder.name} was removed or moved; it was {at}.")
        if standing is Standing.LEFT:
            if self._seen:
                raise RnnplayError(
                    f"The process that trained {folder.name} has ended without stopping it ({at}): it was killed. "
                    + onward(workspace, folder, resume=True)
                )
            waiting = workspace.command("watch", folder.name, wait=True)
            raise InputError(f"Nobody trains {folder.name} now ({at}). Wait for it with: {waiting}")
        if self._reason == "diverged":
            raise RnnplayError(f"{folder.name} diverged and ended {at}.")
        if self._reason == "stopped":
            return f"{folder.name} was stopped {at}. {onward(workspace, folder, resume=True)}"
        return f"{folder.name} has finished {at}. {onward(workspace, folder)}"

    def _saved_step(self) -> int:
        """The step of the latest checkpoint, where the records are lost; 0 if there is none."""
        return max((one.step for one in self._follower.folder.checkpoints()), default=0)
