"""All runs of the interface, of which the playground shows one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from textual.message import Message

from rnnplay.config import AdaptationConfig, CompletionConfig, RunConfig
from rnnplay.runs.shipped import SHIPPED, last_model
from rnnplay.tui.run_controller import Post, RunController
from rnnplay.workspace import Workspace


class RunControllers:
    """All runs of the interface, each with its engine. The playground shows the one in front."""

    class Switched(Message, bubble=False):
        """Another run is in front."""

    class Lending(Message, bubble=False):
        """A model is being loaded for prompts while there is no run, or could not be."""

    @dataclass
    class Renamed(Message, bubble=False):
        """The user has renamed a run."""

        run: str
        name: str

    def __init__(
        self,
        workspace: Workspace,
        post: Post,
        config: RunConfig | None = None,
        lends: bool = False,
    ) -> None:
        """Begins with one controller, whose first run would have `config`; `lends`: see `lend`."""
        self.workspace = workspace
        self._lends = lends
        self._post = post
        self._completion, self._adaptation = CompletionConfig(), AdaptationConfig()
        self.all: list[RunController] = []
        self.front = self.add(config)
        self.of_playground = [self.front]
        """Those of runs that were begun or opened in the playground, in the order of their creation."""

    def add(self, config: RunConfig | None = None) -> RunController:
        """Adds a controller behind the others; its engine is started when needed."""
        controller = RunController(self.workspace, self._post, config, self.all)
        controller.completion, controller.adaptation = self._completion, self._adaptation
        self.all.append(controller)
        return controller

    def set_completion(self, completion: CompletionConfig, adaptation: AdaptationConfig) -> None:
        """Sets what all models suggest to a user who writes, and how they adapt to that."""
        self._completion, self._adaptation = completion, adaptation
        for controller in self.all:
            controller.completion, controller.adaptation = completion, adaptation

    async def start_engine(self) -> None:
        """Starts the engine of the run in front, to which a model is lent."""
        if not await self.lend(self.front):
            await self.front.start_engine()

    async def lend(self, controller: RunController) -> bool:
        """Where `controller` has no run, loads a model for prompts; returns whether it needed one.

        It is the one that the next run is to be branched from, else that of the workspace's last run, else the shipped
        one, which also takes the place of one that cannot be loaded.
        """
        state = controller.state
        if not self._lends or not state.idle or state.has_model or controller.lending == SHIPPED:
            return False
        state.opening = True
        self._post(self.Lending())
        if state.branch is not None:
            run, _, checkpoint = state.branch.checkpoint.partition("@")
        else:
            run, checkpoint = await asyncio.to_thread(last_model, self.workspace)
        if run == controller.lending:  # it was refused, or the engine ended
            run, checkpoint = SHIPPED, "latest"
        if not await controller.start_engine():
            state.opening = False
            self._post(self.Lending())
        elif controller.state is state and state.run is None and state.opening:
            controller.lend(run, checkpoint)
        return True

    async def remove(self, controller: RunController) -> None:
        """Lets the engine of `controller`, which is not in front, write a checkpoint and exit, and forgets it."""
        await controller.close()
        if controller in self.all:
            self.all.remove(controller)

    def bring_to_front(self, controller: RunController) -> None:
        """Shows the run of `controller`; the others continue."""
        self.front = controller
        self._post(self.Switched())

    def renamed(self, run: str, name: str) -> None:
        """Takes note that the user has renamed a run; a follower finds that out by itself."""
        for one in self.all:
            if one.state.run == run and one.followed is None:
                one.state.run = name
        self._post(self.Renamed(run, name))

    def spare(self) -> RunController:
        """Returns a controller for another run: one behind that the playground has used and that trains none.

        An engine takes some 300 MB, so a new controller is added only if there is none.
        """
        for one in self.of_playground:
            if one is not self.front and not one.running:
                return one
        spare = self.add(self.front.state.wanted)
        self.of_playground.append(spare)
        return spare

    @property
    def others(self) -> list[RunController]:
        """The playground's controllers behind the one in front that have a run."""
        return [one for one in self.of_playground if one is not self.front and one.state.run is not None]

    @property
    def next(self) -> RunController | None:
        """Of `others` the one after the one in front, in the order of their creation, and then the first again."""
        runs = self.of_playground
        at = runs.index(self.front) if self.front in runs else -1
        return next((one for one in (*runs[at + 1 :], *runs) if one in self.others), None)

    @property
    def running(self) -> list[RunController]:
        """The controllers whose run is under way."""
        return [one for one in self.all if one.running]

    @property
    def busy(self) -> list[str]:
        """The names of the runs that are under way."""
        return [one.state.run for one in self.running if one.state.run is not None]

    def listen(self) -> None:
        """Checks whether the engines still answer; to be called once a second."""
        for controller in self.all:
            controller.listen()

    def hurry(self) -> None:
        """Ends the waiting of `close`."""
        for controller in self.all:
            controller.hurry()

    async def close(self) -> None:
        """Lets every engine write a checkpoint and exit."""
        await asyncio.gather(*(controller.close() for controller in self.all))
