"""The course of a race, in terms of what the engines say and what they are to be told. No processes.

A front end starts an engine for each entry, hands what it says to `Race.heard`, and sends what `Race.commands` returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.experiments.race_plan import RacePlan, with_threads
from rnnplay.experiments.sharing import TURN_SECONDS, Reached, Sharing, Turns, choose_sharing
from rnnplay.experiments.standings import Progress, Standings, rank
from rnnplay.experiments.variants import TEXT_KNOBS, Variant
from rnnplay.runs.metrics.records import Started

Phase = Literal["starts", "prepares", "waits", "trains", "paused", "ended", "failed"]


class Entry:
    """One variant in a race: its run, its progress, and what its engine was told last."""

    def __init__(self, variant: Variant, run: str) -> None:
        self.variant = variant
        self.run = run
        self.resume = False
        """Whether its run exists already and goes on."""
        self.progress = Progress()
        self.fraction = 0.0
        """Fraction of its length that is done; 0 if it has none."""
        self.phase: Phase = "starts"
        self.why = ""
        """Why it failed, in a sentence."""
        self.ready = False
        """Whether its engine takes commands."""
        self.told: messages.Allow | None = None
        self.dropped = False

    @property
    def over(self) -> bool:
        """Whether it trains no more."""
        return self.phase in ("ended", "failed")

    @property
    def racing(self) -> bool:
        """Whether it takes part in the turns."""
        return self.phase in ("waits", "trains")

    @property
    def state(self) -> str:
        """What it is doing or how it ended, for the table."""
        return self.progress.ended or self.phase


class Race:
    """The course of one race, with an engine for each entry."""

    def __init__(
        self, plan: RacePlan, variants: Sequence[Variant], runs: Sequence[str], turn_seconds: float = TURN_SECONDS
    ) -> None:
        """`variants`: those of one of `plan.races()`; `runs`: the names of their new runs."""
        self.plan = plan
        self.entries = [Entry(variant, run) for variant, run in zip(variants, runs, strict=True)]
        self._turns: Turns[Entry] = Turns(plan.sharing, turn_seconds)
        self._turn_seconds = turn_seconds
        self._open = False
        """Whether all have begun, and so train."""

    def take_up(self, entry: Entry, progress: Progress) -> None:
        """Lets an entry begin with a run of before, which has done `progress`; one that has ended stays as it is."""
        entry.resume, entry.progress = True, progress
        entry.phase = "ended" if progress.ended else "starts"

    @property
    def sharing(self) -> Sharing:
        return self._turns.sharing

    @property
    def over(self) -> bool:
        """Whether no entry trains any more."""
        return all(entry.over for entry in self.entries)

    def standings(self) -> Standings:
        """The table as it is now, compared as planned."""
        rows = [(entry.variant.label, entry.progress) for entry in self.entries]
        states = [entry.state for entry in self.entries]
        return rank(rows, self.plan.measure, self.plan.by, self.plan.quality, states)

    # --- what the engines say -----------------------------------------------------------------------------------

    def heard(self, entry: Entry, event: messages.Event) -> None:
        """Takes an event of the engine of `entry`; `commands` may then have something to send."""
        if isinstance(event, messages.Ready):
            entry.ready = True
            self._see_device(event.device)
        elif isinstance(event, messages.Progress):
            self._take_records(entry, event)
        elif isinstance(event, messages.Waiting):
            reached = Reached(event.step, event.tokens, event.seconds)
            entry.progress.reached = reached
            if entry.phase in ("prepares", "trains"):
                entry.phase = "waits"
        elif isinstance(event, messages.Paused):
            entry.phase = "paused" if not entry.over else entry.phase
        elif isinstance(event, messages.Continued):
            entry.phase = "trains" if not entry.over else entry.phase
        elif isinstance(event, messages.Failed) and not event.training and event.command in ("train", "step"):
            self.failed(entry, event.message)

    def failed(self, entry: Entry, why: str) -> None:
        """Notes that an entry cannot go on, as its engine says or because that is gone; `why` is a sentence."""
        if not entry.over:
            entry.phase, entry.why, entry.progress.ended = "failed", why, "failed"

    def _take_records(self, entry: Entry, event: messages.Progress) -> None:
        """Takes records with the training time of each, of which only that of the last is known."""
        entry.fraction = event.fraction
        before, count = entry.progress.reached.seconds, len(event.records)
        passed = max(0.0, event.seconds - before)
        for number, record in enumerate(event.records, 1):
            entry.progress.take(record, before + passed * number / count)
            if isinstance(record, Started):
                entry.phase = "waits"
            elif entry.phase == "waits" and self._open:
                entry.phase = "trains"
            if entry.progress.ended and not entry.over:
                entry.phase = "ended"

    def _see_device(self, device: str) -> None:
        """Lets one train at a time if the engines use a GPU."""
        if device != "cpu" and self.plan.setup.device != "cpu" and self.sharing.at_once > 1:
            asked = self.plan.sharing.share
            share = None if asked == "threads" else asked
            sharing = choose_sharing(share, len(self.entries), self.sharing.cores, device)
            self._turns = Turns(sharing, self._turn_seconds)

    # --- what they are told -------------------------------------------------------------------------------------

    def commands(self) -> list[tuple[Entry, messages.Command]]:
        """What to send now, and to which entry's engine; each command is returned once.

        Every engine is told to wait at its start, so that all begin together. Of entries with the same text one
        prepares it first; the others then find it prepared.
        """
        told: list[tuple[Entry, messages.Command]] = []
        for entry in self.entries:
            if entry.phase == "starts" and entry.ready and not self._prepared_by_another(entry):
                entry.phase = "prepares"
                entry.told = messages.Allow(steps=0)
                told.append((entry, entry.told))
                branch = None if entry.resume else self.plan.branch
                train = messages.Train(config=entry.variant.config, run=entry.run, resume=entry.resume, branch=branch)
                told.append((entry, train))
        self._open |= all(entry.phase not in ("starts", "prepares") for entry in self.entries)
        if not self._open:
            return told
        reached = {entry: entry.progress.reached for entry in self.entries if entry.racing}
        for entry, limit in self._turns.limits(reached).items():
            allow = _allow(self.sharing, limit)
            if allow != entry.told:
                entry.told = allow
                told.append((entry, allow))
        return told

    def pause(self, entry: Entry) -> messages.Command | None:
        """Returns what pauses an entry or lets it go on; the others do not wait for it meanwhile."""
        if entry.phase == "paused":
            return messages.Continue()
        return messages.Pause() if entry.racing else None

    def drop(self, entry: Entry) -> messages.Command | None:
        """Returns what ends an entry with a checkpoint, so that its cores are free for the others."""
        if entry.over:
            return None
        entry.dropped = True
        if entry.phase == "starts":
            self.failed(entry, "It was dropped before it began.")
            return None
        return messages.Stop()

    def resume(self, entry: Entry) -> messages.Allow | None:
        """Takes back an entry that has ended or failed; by turns it trains first, until it has caught up.

        Returns what its engine is told before it resumes the run; None if the run has not begun: `commands` then starts
        it.
        """
        entry.why, entry.dropped, entry.progress.ended = "", False, ""
        if entry.progress.started is None:
            entry.phase = "starts"
            return None
        entry.phase, entry.told = "prepares", messages.Allow(steps=0)
        return entry.told

    def add(self, variant: Variant, run: str) -> Entry:
        """Adds a variant to a race under way; by turns it trains first, until it has caught up with the others."""
        entry = Entry(with_threads(variant, self.sharing.threads), run)
        self.entries.append(entry)
        return entry

    def _prepared_by_another(self, entry: Entry) -> bool:
        return any(
            other.phase == "prepares" and _text(other.variant.config) == _text(entry.variant.config)
            for other in self.entries
        )


def _allow(sharing: Sharing, limit: float | None) -> messages.Allow:
    if limit is None:
        return messages.Allow()
    if sharing.share == "seconds":
        return messages.Allow(seconds=limit)
    return messages.Allow(steps=int(limit)) if sharing.share == "steps" else messages.Allow(tokens=int(limit))


def _text(config: RunConfig) -> tuple[object, ...]:
    return tuple(getattr(config, name) for name in (*TEXT_KNOBS, "feed"))
