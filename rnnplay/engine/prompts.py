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
from rnnplay.generation_config import AdaptationConfig
from rnnplay.inspection.adapting import Adapting, keep_adapted
from rnnplay.inspection.loaded_model import LoadedModel
from rnnplay.inspection.results import Completed, Forced, WordCandidate
from rnnplay.inspection.what_if import check_forced, completed, forcing_hook
from rnnplay.model.generation.adaptation.adapted_prompt import AdaptedPrompt
from rnnplay.model.generation.completion import Completer, Suggestion, complete
from rnnplay.model.generation.sampling import generate
from rnnplay.model.generation.stepper import stepper_of
from rnnplay.model.hardware import one_thread
from rnnplay.workspace import Workspace

SLICE_SECONDS = 0.03
"""Longest time that a sample may take between two training steps."""


FIRST_SECONDS = 0.005
"""Time for a prompt's reading before it is answered by its end alone."""

AGAIN_SECONDS = 0.5
"""Time between two reports of how far a long prompt was read, or the model has adapted to it."""

LONG = 1000
"""Characters from which on a prompt is read in slices before it is continued by a sample."""

FORCED = 1000
"""Most characters of a prompt's end that are read with quantities forced, which is done step by step."""


class Adaptive:
    """A model that adapts to a prompt, prepared in slices."""

    def __init__(self, loaded: LoadedModel, version: int, settings: AdaptationConfig) -> None:
        """`version`: that of the weights (Stepper.version)."""
        self._loaded, self._version, self.settings = loaded, version, settings
        self._completer: Completer | None = None
        self._adapting: Adapting | None = None
        self._trouble = ""
        try:
            self._adapting = Adapting(loaded, settings)
        except RnnplayError as error:
            self._trouble = f"The model does not adapt: {error}"

    @property
    def prompt(self) -> AdaptedPrompt | None:
        """The adapted prompt, once it is prepared."""
        return self._adapting.prompt if self._adapting is not None else None

    def fits(self, loaded: LoadedModel, version: int, settings: AdaptationConfig) -> bool:
        """Whether it was prepared for this model, these weights and these settings."""
        same = self._loaded is loaded or self._loaded.model is loaded.model
        return same and (self._version, self.settings) == (version, settings)

    def complete(self, command: messages.Complete) -> tuple[Suggestion | None, messages.Adapted]:
        """Returns the answer, None while there is more to read, and how far the model has adapted."""
        if self._adapting is None:
            return None, messages.Adapted(trouble=self._trouble)
        prompt = self._adapting.prepare(SLICE_SECONDS)
        if prompt is None:
            return None, messages.Adapted(prepared=self._adapting.fraction)
        if self._completer is None:
            loaded = self._loaded
            self._completer = Completer(loaded.model, loaded.tokenizer, adapted=prompt, words=loaded.words)
        found = self._completer.complete(command.text, command.bars, command.completion, seconds=SLICE_SECONDS)
        now = found.learned if found is not None and found.learned is not None else prompt.learned
        return found, messages.Adapted(tokens=now.tokens, of=now.of, before=now.before, after=now.after)


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
        self._adaptive: Adaptive | None = None
        self._completion: messages.Complete | None = None
        self._plain: tuple[int, float, Suggestion | None] = -1, 0.0, None
        """The request that was last answered by the weights as trained, when, and the answer."""
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
        self._sample = (command.request, self._pieces(loaded, command))

    def _pieces(self, loaded: LoadedModel, command: messages.Sample) -> Iterator[str]:
        """The pieces of a sample; "" while its prompt is being read."""
        after = None
        if len(command.prompt) > LONG:
            reader = self._completer_of(loaded)
            while (after := reader.read(command.prompt, self._still(), SLICE_SECONDS)) is None:
                yield ""
        yield from generate(loaded.model, loaded.tokenizer, command.prompt, command.sampling, after)

    def _completer_of(self, loaded: LoadedModel) -> Completer:
        if self._completer is None or self._completer.model is not loaded.model:
            self._completer = Completer(loaded.model, loaded.tokenizer, words=loaded.words)
        return self._completer

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

    @one_thread()
    def work(self, seconds: float = SLICE_SECONDS) -> None:
        """Answers the waiting completion, then continues the sample for at most `seconds`."""
        self.complete()
        if self._sample is not None:
            self._write_on(seconds)

    @one_thread()
    def complete(self) -> None:
        """Answers the waiting completion, if any."""
        command, self._completion = self._completion, None
        loaded = self._loaded()
        if command is None or loaded is None:
            return
        found, adapted = self._adapt(loaded, command) if command.adaptation.adapts else (None, None)
        if found is None:
            going_on = adapted is not None and not adapted.trouble
            found = self._as_trained(loaded, command, going_on)
            if (
                going_on or found is None or found.read < 1
            ):  # it is gone on with at the next call, unless a newer one has come
                self._completion = command
            if found is None:
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
                adapted=adapted,
                read=found.read,
                forced=self._forced_completion(loaded, command),
            )
        )

    def _as_trained(self, loaded: LoadedModel, command: messages.Complete, going_on: bool) -> Suggestion | None:
        """The answer by the weights as trained; None if there is nothing new to be said.

        While a long prompt is read, its end is answered at once and then every AGAIN_SECONDS. `going_on`: while the
        model adapts to it, the same answer is given again every AGAIN_SECONDS.
        """
        now = time.perf_counter()
        request, given, answer = self._plain
        due = request != command.request or now - given >= AGAIN_SECONDS
        if going_on and request == command.request and answer is not None and answer.read == 1:
            if not due:
                return None
            self._plain = request, now, answer
            return answer
        found = self._completer_of(loaded).complete(
            command.text,
            command.bars,
            command.completion,
            exact=self._still(),
            seconds=FIRST_SECONDS if due else SLICE_SECONDS,
            meanwhile=due,
        )
        if found is not None:
            self._plain = command.request, now, found
        return found

    def _adapt(self, loaded: LoadedModel, command: messages.Complete) -> tuple[Suggestion | None, messages.Adapted]:
        """The answer by the model as it adapts to the prompt, None until it has read all of it; and how far it is."""
        if not self._still():
            self._adaptive = None
            return None, messages.Adapted(trouble="The model adapts once training pauses.")
        version = stepper_of(loaded.model).version
        if self._adaptive is None or not self._adaptive.fits(loaded, version, command.adaptation):
            self._adaptive = Adaptive(loaded, version, command.adaptation)
        return self._adaptive.complete(command)

    def keep(self, command: messages.KeepAdapted, training: bool, workspace: Workspace) -> None:
        """Saves the weights as adapted to the last prompt as a new run; raises InputError if that is impossible."""
        loaded, adaptive = self._loaded(), self._adaptive
        if training:
            raise InputError("A run is being trained, and the model adapts only after it; stop it first.")
        if loaded is None or adaptive is None or adaptive.prompt is None:
            raise InputError("The model has not adapted to a text yet; turn on dynamic evaluation and write one.")
        folder, loss = keep_adapted(loaded, adaptive.prompt, command.run, workspace)
        self._post(messages.Kept(run=folder.name, loss=loss))

    def _forced_completion(self, loaded: LoadedModel, command: messages.Complete) -> Completed | None:
        hook = None
        with suppress(InputError):  # it was requested for another model, and this one lacks the quantity
            hook = forcing_hook(loaded.config, self._forced)
        if hook is None:
            return None
        found = complete(loaded.model, loaded.tokenizer, command.text[-FORCED:], command.bars, hook)
        return completed(found)

    def _write_on(self, seconds: float) -> None:
        assert self._sample is not None
        request, pieces = self._sample
        until = time.perf_counter() + seconds
        text, done = "", False
        try:
            while True:  # at least one, also where the machine is so busy that the time is over at once
                piece = next(pieces, None)
                if piece is None:
                    done = True
                    break
                text += piece
                if time.perf_counter() >= until:
                    break
        except RnnplayError as error:
            instead = self._another() if isinstance(error, CheckpointError) else None
            self._post(messages.Failed(message=str(error), command="sample", instead=instead))
            done = True
        if done:
            self._sample = None
        if text or done:
            self._post(messages.SampleText(request=request, text=text, done=done))
