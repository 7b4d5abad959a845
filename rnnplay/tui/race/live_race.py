"""A race under way in the interface: an engine for each variant, one race after the other if seeds are repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec

from rnnplay.config import with_values
from rnnplay.engine import messages
from rnnplay.errors import ConfigError, RnnplayError
from rnnplay.experiments.race import Entry, Race
from rnnplay.experiments.race_names import race_number, reserve_names
from rnnplay.experiments.race_plan import RacePlan
from rnnplay.experiments.sharing import Measure
from rnnplay.experiments.standings import Standings, rank
from rnnplay.experiments.variants import MOST, Variant
from rnnplay.runs.naming import give_back
from rnnplay.tui.keymap import key_name
from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from rnnplay.tui.run_state import RESUMABLE, Phase


class LiveRace:
    """The variants that race, and what the user does with them. Hand each message of an engine to `take`."""

    def __init__(self, plan: RacePlan, controllers: RunControllers) -> None:
        self.plan = plan
        self.own = controllers.front
        """The run that was in front before, which the race does not concern."""
        self.entrants: list[Entrant] = []
        self.dropped: list[Entrant] = []
        self.races: list[Race] = []
        """One a seed; the last is the present one."""
        self.stopped = False
        """Whether the user has stopped it, so that no further seed follows."""
        self.version = 0
        """Grows with everything that may change what is shown."""
        self.prompt = ""
        self._controllers = controllers
        self._names: dict[Entrant, list[str]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        races = plan.races()
        self._seeds = [race[0].config.seed for race in races]
        names = reserve_names(races, controllers.workspace)
        for at, variant in enumerate(plan.variants):
            self._join(variant, [of_seed[at] for of_seed in names])
        self._begin_race()

    @property
    def race(self) -> Race:
        """The race with the present seed."""
        return self.races[-1]

    @property
    def over(self) -> bool:
        """Whether nothing trains any more, and no further seed follows."""
        return self.race.over and (self.stopped or len(self.races) == self.plan.repeats)

    @property
    def paused(self) -> bool:
        """Whether all that are not over are paused."""
        phases = [one.entry.phase for one in self.entrants if not one.entry.over]
        return bool(phases) and all(phase == "paused" for phase in phases)

    @property
    def training(self) -> bool:
        """Whether any variant trains or is about to."""
        return not self.over and not self.paused

    # --- its course -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts the engines; each begins as soon as it is ready."""
        await asyncio.gather(*(one.controller.start_engine() for one in self.entrants))

    def take(self, message: RunController.EngineMessage) -> None:
        """Follows what an engine has said or that it ended; sends what the race needs next."""
        entrant = self._of(message.controller)
        if entrant is None:
            return
        entry = entrant.entry
        match message:
            case RunController.EventReceived() if entrant.present or isinstance(message.event, messages.Ready):
                event = message.event
                if isinstance(event, messages.Progress):
                    entrant.take_curves(event)
                self.race.heard(entry, event)
                entrant.take_answer(event)
            case RunController.EngineEnded():
                entry.ready = False
                self.race.failed(entry, f"Its engine has ended: {message.ended.cause}.")
            case RunController.EngineStartFailed():
                self.race.failed(entry, message.why)
            case _:
                pass
        self._go_on()

    def _go_on(self) -> None:
        self.version += 1
        for entry, command in self.race.commands():
            self._send(self._of_entry(entry), command)
        for one in (*self.entrants, *self.dropped):
            if one.entry.over and one.entry.told not in (None, messages.Allow()):
                one.controller.send(messages.Allow())  # the limit would hold for whatever it trains later
                one.entry.told = messages.Allow()
        if self.race.over and not self.over:
            self._begin_race()
            self._go_on()
        self._forget_dropped()

    def _send(self, entrant: Entrant, command: messages.Command) -> None:
        if not isinstance(command, messages.Train):
            entrant.controller.send(command)
            return
        try:
            entrant.controller.train(command.config, branch=command.branch, name=command.run)
        except RnnplayError as error:
            self.race.failed(entrant.entry, str(error))

    def _begin_race(self) -> None:
        """Begins the race with the next seed."""
        at = len(self.races)
        variants = [_with_seed(one.variant, self._seeds[at]) for one in self.entrants]
        race = Race(self.plan, variants, [self._names[one][at] for one in self.entrants])
        self.races.append(race)
        for one, entry in zip(self.entrants, race.entries, strict=True):
            one.begin(entry, self.plan.quality)
            entry.ready = one.controller.engine_ready
            if not entry.ready and at:  # it died in the race before
                self._in_background(one.controller.start_engine())

    # --- what the user does ---------------------------------------------------------------------------------

    def pause(self, entrant: Entrant) -> None:
        """Pauses a variant, or lets it go on; the others do not wait for it. Wakes an engine that does not answer."""
        if entrant.controller.engine_silent:
            entrant.controller.wake()
            return
        command = self.race.pause(entrant.entry)
        if command is not None and entrant.present:
            entrant.controller.send(command)

    def pause_all(self) -> None:
        """Pauses all variants, or lets all go on."""
        paused = self.paused
        for one in self.entrants:
            if paused == (one.entry.phase == "paused"):
                self.pause(one)

    def stop(self) -> None:
        """Ends all runs with a checkpoint, and the race with the present seed; kills engines that do not answer."""
        self.stopped = True
        for one in self.entrants:
            self._end(one)
        self._go_on()

    def drop(self, entrant: Entrant) -> None:
        """Takes a variant out of the race, and ends its run with a checkpoint; kills an engine that does not answer."""
        if entrant in self.entrants:
            self.entrants.remove(entrant)
            self.dropped.append(entrant)
            self._end(entrant)
            entrant.entry.dropped = True
            self._go_on()

    def _end(self, entrant: Entrant) -> None:
        if entrant.entry.phase == "starts":
            self.race.failed(entrant.entry, "It was stopped before it began.")
        elif not entrant.entry.over and entrant.controller.engine_silent:
            entrant.controller.end_engine()
        elif not entrant.entry.over and entrant.present:
            entrant.controller.stop()

    def add(self, variant: Variant) -> Entrant:
        """Adds a variant; its engine is still to be started. Raises ConfigError if there are too many or it is there.

        By turns it trains first, until it has caught up with the others.
        """
        if len(self.entrants) >= MOST:
            raise ConfigError("", f"A race has at most {MOST} variants; drop one ({key_name('race.drop')}) first.")
        twin = next((one for one in self.entrants if same_training(one.variant, variant)), None)
        if twin is not None:
            raise ConfigError("", f"That is the variant {twin.title}, which races already; change another value.")
        labels = [one.label for one in self.entrants]
        if variant.label in labels:
            variant = msgspec.structs.replace(variant, label=f"{variant.label} ({len(labels) + 1})")
        variants = [[_with_seed(variant, seed)] for seed in self._seeds]
        number = race_number(next(iter(self._names.values()))[0])
        names = reserve_names(variants, self._controllers.workspace, number, self._taken())
        entrant = self._join(variant, [of_seed[0] for of_seed in names])
        at = len(self.races) - 1
        entry = self.race.add(_with_seed(variant, self._seeds[at]), self._names[entrant][at])
        entrant.begin(entry, self.plan.quality)
        self._go_on()
        return entrant

    async def resume(self, entrant: Entrant) -> None:
        """Resumes a run that has ended; one that had reached its length goes on for as long again."""
        entry, controller = entrant.entry, entrant.controller
        if not entry.over or not entrant.present or not await controller.start_engine():
            return
        state = controller.state
        if entry.progress.started is not None and state.phase not in RESUMABLE:
            return
        allow = self.race.resume(entry)
        if allow is not None:
            controller.send(allow)
            controller.resume()
        self._go_on()

    async def close(self) -> None:
        """Ends the engines, except that of a run that is in front."""
        for one in self.entrants:
            self._end(one)
        behind = self._behind
        await asyncio.gather(*(self._controllers.remove(one) for one in behind))
        await asyncio.to_thread(give_back, self._taken(), self._controllers.workspace)

    @property
    def _behind(self) -> list[RunController]:
        return [one.controller for one in self.entrants if one.controller is not self._controllers.front]

    @property
    def engines_to_end(self) -> int:
        """The number of engines that `close` would end."""
        return sum(one.engine is not None and one.engine.alive for one in self._behind)

    def renamed(self, run: str, name: str) -> None:
        """Takes note that a run has been renamed."""
        for entry in (entry for one in (*self.entrants, *self.dropped) for entry in one.entries if entry.run == run):
            entry.run = name
        self.version += 1

    # --- what is shown --------------------------------------------------------------------------------------

    def standings(self, at: int = -1, measure: Measure | None = None) -> Standings:
        """The table of the race with one of the seeds, without variants that were dropped."""
        race = self.races[at]
        shown = [one for one in self.entrants if any(entry in race.entries for entry in one.entries)]
        entries = [next(entry for entry in one.entries if entry in race.entries) for one in shown]
        rows = [(one.label, entry.progress) for one, entry in zip(shown, entries, strict=True)]
        states = [entry.state for entry in entries]
        return rank(rows, measure or self.plan.measure, self.plan.by, self.plan.quality, states)

    def ask(self) -> None:
        """Asks every variant for what follows the prompt."""
        for one in self.entrants:
            one.ask_prompt(self.prompt)

    # --- the rest -------------------------------------------------------------------------------------------

    def _join(self, variant: Variant, names: list[str]) -> Entrant:
        used = {one.number for one in self.entrants}
        number = next(at for at in range(MOST + 1) if at not in used)
        entrant = Entrant(number, variant, self._controllers.add(variant.config))
        self.entrants.append(entrant)
        self._names[entrant] = names
        return entrant

    def _forget_dropped(self) -> None:
        """Ends the engines of dropped variants once their runs have ended, unless they are in front."""
        for one in [one for one in self.dropped if one.entry.over]:
            self.dropped.remove(one)
            if one.controller is not self._controllers.front and one.controller.state.phase is not Phase.STOPPING:
                self._in_background(self._controllers.remove(one.controller))

    def _in_background(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _taken(self) -> list[str]:
        return [name for names in self._names.values() for name in names]

    def _of(self, controller: RunController) -> Entrant | None:
        return next((one for one in (*self.entrants, *self.dropped) if one.controller is controller), None)

    def _of_entry(self, entry: Entry) -> Entrant:
        return next(one for one in (*self.entrants, *self.dropped) if one.entry is entry)


def _with_seed(variant: Variant, seed: int) -> Variant:
    """Returns `variant` with `seed`, unless the seed is what is varied."""
    if "seed" in variant.changed:
        return variant
    return msgspec.structs.replace(variant, config=with_values(variant.config, {"seed": seed}))


def same_training(one: Variant, other: Variant) -> bool:
    """Whether two variants would train the same model, whatever number of threads they use."""
    return msgspec.structs.replace(one.config, threads=other.config.threads) == other.config
