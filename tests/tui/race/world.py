"""A race with scripted engines, without a screen."""

from __future__ import annotations

from textual.message import Message

from rnnplay.config import RunConfig
from rnnplay.engine import messages
from rnnplay.experiments.race_plan import plan_race
from rnnplay.experiments.sharing import Share
from rnnplay.experiments.variants import Variant, ready
from rnnplay.runs.metrics.records import Finished, Record
from rnnplay.tui.race.entrant import Entrant
from rnnplay.tui.race.live_race import LiveRace
from rnnplay.tui.run_controller import RunController
from rnnplay.tui.run_controllers import RunControllers
from tests.tui.stage import FakeEngine, Stage, started, step_at, validation

SETUP = RunConfig(hidden=8, embedding=8, steps=100)
READY = messages.Ready(pid=1, torch="2", device="cpu")


class RaceWorld:
    """The race of a test, and what its engines say."""

    def __init__(
        self, stage: Stage, variants: list[Variant] | None = None, share: Share | None = None, repeats: int = 1
    ):
        self.posted: list[Message] = []
        self.controllers = RunControllers(stage.workspace, self._post)
        chosen = variants if variants is not None else ready("cells", SETUP)
        plan = plan_race(SETUP, chosen, cores=2, share=share, repeats=repeats)
        self.live = LiveRace(plan, self.controllers)

    def _post(self, message: Message) -> None:
        self.posted.append(message)
        if isinstance(message, RunController.EngineMessage):
            self.live.take(message)

    @property
    def entrants(self) -> list[Entrant]:
        return self.live.entrants

    def engine(self, one: Entrant) -> FakeEngine:
        engine = one.controller.engine
        assert isinstance(engine, FakeEngine)
        return engine

    def say(self, one: Entrant, *events: messages.Event) -> None:
        """Lets the engine of a variant say `events`."""
        self.engine(one).say(*events)

    def tell(self, one: Entrant, seconds: float, *records: Record) -> None:
        """Lets it report records, the last of them after `seconds` of training."""
        self.say(one, messages.Progress(records=list(records), seconds=seconds))

    async def begin(self, *late: Entrant) -> None:
        """Starts all engines and runs; those of `late` do not begin."""
        await self.live.start()
        for one in self.entrants:
            self.say(one, READY)
        for one in self.entrants:
            if one not in late:
                self.begin_run(one)

    def begin_run(self, one: Entrant, step: int = 0) -> None:
        self.tell(one, 0.0, started(one.entry.run, step))
        self.say(one, messages.Waiting(step=step, tokens=0, seconds=0.0))

    def train(self, one: Entrant, steps: int, loss: float, seconds: float = 10.0) -> None:
        """Lets it train to step `steps` and validate there."""
        self.tell(one, seconds, *(step_at(step, loss) for step in range(1, steps + 1)), validation(steps, loss))

    def finish(self, one: Entrant, reason: str = "length") -> None:
        step = one.controller.state.step
        self.tell(one, one.entry.progress.reached.seconds, Finished(step=step, reason=reason))

    def allowed(self, one: Entrant) -> messages.Allow:
        """What the engine of a variant was last allowed."""
        return self.engine(one).of(messages.Allow)[-1]
