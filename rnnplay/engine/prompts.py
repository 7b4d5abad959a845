"""Answers prompts while a run trains, from the current weights.

The work is done in slices, so that a long sample and training do not hold each other up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from rnnplay.engine import messages
from rnnplay.errors import CheckpointError, InputError, RnnplayError
from rnnplay.inspection.loaded_model import LoadedModel
from rnnplay.inspection.results import Completed, Forced, WordCandidate
from rnnplay.inspection.what_if import check_forced, completed, forcing_hook
from rnnplay.model.generation.completion import Completer, complete
from rnnplay.model.generation.sampling import generate

SLICE_SECONDS = 0.03
"""Longest time that a sample may take between two training steps."""


class Prompts:
    """The newest requested completion, and the current sample."""

    def __init__(
        self,
        post: Callable[[messages.Event], None],
        loaded: Callable[[], LoadedModel | None],
        another: Callable[[], int | None],
        still: Callable[[], bool] = lambda: True,
    ) -> None:
        """`another` returns the step of a checkpoint to use instead if the loaded model turns out to be unusable.

        `still` tells whether the weights stay as they are; a prompt is then read exactly (see PromptState).
        """
        self._post = post
        self._loaded = loaded
        self._another = another
        self._still = still
        self._completer: Completer | None = None
        self._completion: messages.Complete | None = None
        self._sample: tuple[int, Iterator[str]] | None = None
        self._forced: list[Forced] = []
        self.prompt = ""
        """The prompt of the last completion asked for."""

    @property
    def busy(self) -> bool:
        """Whether a request is waiting or in progress."""
        return self._completion is not None or self._sample is not None

    def ask(self, command: messages.Complete | messages.Sample) -> None:
        """Accepts a request; it replaces an older one of its kind."""
        if isinstance(command, messages.Complete):
            self._completion = self._whole(command)
            return
        self.end_sample()
        loaded = self._loaded()
        if loaded is None:
            self._post(messages.Failed(message="There is no model yet; train one or open a run.", command="sample"))
            self._post(messages.SampleText(request=command.request, text="", done=True))
            return
        pieces = generate(loaded.model, loaded.tokenizer, command.prompt, command.sampling)
        self._sample = (command.request, pieces)

    def _whole(self, command: messages.Complete) -> messages.Complete:
        """The command with the whole prompt as its text; raises InputError if its beginning is not known."""
        if command.kept > len(self.prompt) or command.kept < 0:
            self._completion = None
            raise InputError("The beginning of this prompt is not known; send the whole prompt.")
        self.prompt = self.prompt[: command.kept] + command.text
        return msgspec.structs.replace(command, text=self.prompt, kept=0)

    def what_if(self, command: messages.WhatIf) -> None:
        """Also completes prompts with quantities forced from now on; raises InputError for any that the model lacks."""
        self._forced = []
        if (loaded := self._loaded()) is not None:
            for forced in command.forced:
                check_forced(loaded.config, forced)
        self._forced = command.forced

    def cancel(self) -> None:
        """Ends the current sample and drops the waiting completion."""
        self._completion = None
        self.end_sample()

    def end_sample(self) -> None:
        """Ends the current sample and reports its end."""
        if self._sample is not None:
            request, _ = self._sample
            self._sample = None
            self._post(messages.SampleText(request=request, text="", done=True))

    def work(self, seconds: float = SLICE_SECONDS) -> None:
        """Answers the waiting completion, then continues the sample for at most `seconds`."""
        self.complete()
        if self._sample is not None:
            self._write_on(seconds)

    def complete(self) -> None:
        """Answers the waiting completion, if any."""
        command, self._completion = self._completion, None
        loaded = self._loaded()
        if command is None or loaded is None:
            return
        if self._completer is None or self._completer.model is not loaded.model:
            self._completer = Completer(loaded.model, loaded.tokenizer)
        found = self._completer.complete(
            command.text, command.bars, command.completion, exact=self._still(), seconds=SLICE_SECONDS
        )
        if found is None:  # it is long, and read on with the next call unless a newer one has come
            self._completion = command
            return
        self._post(
            messages.Completion(
                request=command.request,
                suggestion=found.suggestion,
                words=[
                    WordCandidate(text=one.text, probability=one.probability, phrase=one.phrase) for one in found.words
                ],
                phrase=found.phrase,
                next=completed(found).next,
                unknown=found.unknown,
                step=loaded.step,
                forced=self._forced_completion(loaded, command),
            )
        )

    def _forced_completion(self, loaded: LoadedModel, command: messages.Complete) -> Completed | None:
        hook = None
        with suppress(InputError):  # it was requested for another model, and this one lacks the quantity
            hook = forcing_hook(loaded.config, self._forced)
        if hook is None:
            return None
        found = complete(loaded.model, loaded.tokenizer, command.text, command.bars, hook)
        return completed(found)

    def _write_on(self, seconds: float) -> None:
        assert self._sample is not None
        request, pieces = self._sample
        until = time.perf_counter() + seconds
        text, done = "", False
        try:
            while time.perf_counter() < until:
                piece = next(pieces, None)
                if piece is None:
                    done = True
                    break
                text += piece
        except RnnplayError as error:
            instead = self._another() if isinstance(error, CheckpointError) else None
            self._post(messages.Failed(message=str(error), command="sample", instead=instead))
            done = True
        if done:
            self._sample = None
        if text or done:
            self._post(messages.SampleText(request=request, text=text, done=done))
