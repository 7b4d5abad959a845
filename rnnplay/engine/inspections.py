"""Answers inspections between training steps, from the current weights.

Only the newest request of each purpose is kept. They are answered one at a time, so that training is not held up for
long.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Protocol

from rnnplay.common.working_time import working_time
from rnnplay.engine import messages
from rnnplay.errors import InputError
from rnnplay.inspection.answer import Cache, answer
from rnnplay.inspection.forward_pass import finite_weights
from rnnplay.inspection.loaded_model import LoadedModel
from rnnplay.model.hardware import one_thread
from rnnplay.workspace import Workspace


class Guarded(Protocol):
    """Runs an action and reports its errors as Failed with this tag and request."""

    def __call__(self, tag: str, action: Callable[[], object], request: int) -> None: ...


class Inspections:
    """The newest request of each purpose, and a cache that makes the answers cheap."""

    def __init__(
        self,
        post: Callable[[messages.Event], None],
        loaded: Callable[[], LoadedModel | None],
        workspace: Workspace,
        guarded: Guarded,
        stepping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`stepping` tells whether a run is being trained here, with a number of threads that fits the free cores."""
        self._post = post
        self._loaded = loaded
        self._workspace = workspace
        self._guarded = guarded
        self._stepping = stepping
        self._waiting: dict[str, messages.Inspect] = {}
        self._working = False
        self._cache = Cache()

    @property
    def busy(self) -> bool:
        """Whether a request is waiting."""
        return bool(self._waiting)

    def ask(self, command: messages.Inspect) -> None:
        """Queues a request; it replaces an older one with the same purpose."""
        self._waiting.pop(command.purpose, None)  # the newest goes to the end, so that every purpose gets its turn
        self._waiting[command.purpose] = command

    def work(self) -> None:
        """Answers the request that has waited longest, if any. Does nothing when called again while answering."""
        if self._working or not self._waiting:
            return
        command = self._waiting.pop(next(iter(self._waiting)))
        self._working = True
        try:
            # Nobody watches the cores for an opened run, and another one may be trained on them beside it.
            with nullcontext() if self._stepping() else one_thread():
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
