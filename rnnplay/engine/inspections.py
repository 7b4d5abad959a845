"""Inspections answered between training steps, from the weights as they are at that moment.

Of each purpose only the newest is kept. One is answered at a time, so that a training step is never far off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rnnplay.common.working_time import working_time
from rnnplay.engine import messages
from rnnplay.errors import InputError
from rnnplay.inspection.answer import Cache, answer
from rnnplay.inspection.forward_pass import finite_weights
from rnnplay.inspection.loaded_model import LoadedModel
from rnnplay.workspace import Workspace


class Guarded(Protocol):
    """Runs an action; what goes wrong is told as Failed with this tag and request."""

    def __call__(self, tag: str, action: Callable[[], object], request: int) -> None: ...


class Inspections:
    """The newest request of each purpose, and what makes answering them cheap."""

    def __init__(
        self,
        post: Callable[[messages.Event], None],
        loaded: Callable[[], LoadedModel | None],
        workspace: Workspace,
        guarded: Guarded,
    ) -> None:
        self._post = post
        self._loaded = loaded
        self._workspace = workspace
        self._guarded = guarded
        self._waiting: dict[str, messages.Inspect] = {}
        self._working = False
        self._cache = Cache()

    @property
    def busy(self) -> bool:
        """Whether there is something to do."""
        return bool(self._waiting)

    def ask(self, command: messages.Inspect) -> None:
        """Take a request; a newer one makes an older one of its purpose out of date."""
        self._waiting.pop(command.purpose, None)  # the newest goes to the end, that none waits for ever
        self._waiting[command.purpose] = command

    def work(self) -> None:
        """Answer the request that has waited longest, if there is one. Does nothing while it is at it already."""
        if self._working or not self._waiting:
            return
        command = self._waiting.pop(next(iter(self._waiting)))
        self._working = True
        try:
            self._guarded("inspect", lambda: self._answer(command), command.request)
        finally:
            self._working = False

    def _answer(self, command: messages.Inspect) -> None:
        loaded = self._loaded()
        if loaded is None:
            raise InputError("There is no model yet; train one or open a run.")
        began = working_time()
        result = answer(loaded, command.question, self._workspace, self._cache)
        finite, seconds = finite_weights(loaded.model), working_time() - began
        self._post(messages.Inspected(request=command.request, result=result, seconds=seconds, finite=finite))
