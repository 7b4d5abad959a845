"""What is suggested to a user who writes: the ghost text after the cursor, and the words to choose from. No widgets."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from time import monotonic

import msgspec

from rnnplay.common.formatting import fixed
from rnnplay.engine.messages import Adapted, Completion
from rnnplay.inspection.results import WordCandidate

_PIECE = re.compile(r"\n|[^\S\n]+(?!\w)|[^\S\n]*\w[\w'’-]*|[^\w\s]+")


class Suggestions:
    """The continuations of one text, and which of them is shown.

    They are stored with the text that they continue: what is typed on either agrees with one, and shortens it without
    a new request, or excludes it.

    What is shown stays as it is while it agrees with what is typed, so that who reaches for Tab gets what they see.
    After a typed character a longer phrase may extend it; a new answer to the same text, as training has changed the
    weights or more of a long text was read, changes only the words. With `follow_after` the ghost follows such
    answers, too, once the user has left it alone for so many seconds and the words no longer have it.
    """

    def __init__(self, follow_after: float = math.inf, clock: Callable[[], float] = monotonic) -> None:
        """`clock` gives the time in seconds."""
        self._follow_after, self._clock = follow_after, clock
        self._touched = clock()
        """When the user last did something here."""
        self._typed = ""
        self._asked = ""
        """The text that the model answered."""
        self._words: list[WordCandidate] = []
        self._first = ""
        """What the model suggests after `_asked`; "" if nothing is worth suggesting."""
        self._whole = ""
        """The text with the suggestion that is shown; "" if none is."""
        self._suggested_at = 0
        """The length of the text for which that was suggested."""
        self._walked = False
        """Whether the user chose what is shown."""

    @property
    def ghost(self) -> str:
        """The rest of what is suggested; "" for nothing."""
        return self._whole[len(self._typed) :]

    @property
    def words(self) -> list[WordCandidate]:
        """The words that agree with what was typed, the most probable first, without what was typed of them."""
        since = self._typed[len(self._asked) :]
        if not self._typed.startswith(self._asked):
            return []
        return [
            msgspec.structs.replace(word, text=word.text[len(since) :], phrase=word.phrase[len(since) :])
            for word in self._words
            if word.text.startswith(since) and len(word.text) > len(since)
        ]

    @property
    def shown(self) -> int | None:
        """The index in `words` of the word that is shown; None if it is none of them."""
        ghost = self.ghost
        fits = [at for at, word in enumerate(self.words) if ghost.startswith(word.text)]
        return max(fits, key=lambda at: len(self.words[at].text), default=None)

    def touch(self) -> None:
        """Notes that the user is at it: for a while the ghost stays as they see it."""
        self._touched = self._clock()

    def type(self, text: str) -> None:
        """Fits the suggestions to `text`, which the user has typed."""
        self._typed = text
        self.touch()
        # Of a text cut shorter than it was suggested for, it would begin with what the user has just deleted.
        cut = len(text) < self._suggested_at
        if cut or not (len(self._whole) > len(text) and self._whole.startswith(text)):
            self._whole = ""
            self._walked = False

    def answer(self, asked: str, completion: Completion) -> None:
        """Takes the model's answer to `asked`; ignores it if something else was typed since."""
        typed, ghost = self._typed, self.ghost
        if not typed.startswith(asked):
            return
        again = asked == self._asked == typed
        self._asked, self._words = asked, list(completion.words)
        self._first = completion.phrase or completion.suggestion
        best = asked + self._first
        extends = not again and best.startswith(typed + ghost)
        follows = again and self.shown is None and self._clock() - self._touched >= self._follow_after
        if not ghost or (not self._walked and (extends or follows)):
            self._suggested_at, self._walked = len(asked), False
            self._whole = best if len(best) > len(typed) and best.startswith(typed) else ""

    def forget(self) -> None:
        """Removes all suggestions."""
        self._words, self._first, self._whole, self._walked = [], "", "", False

    def walk(self, direction: int) -> bool:
        """Shows the next word (1) or the one before (-1); returns False if there is none."""
        words, at = self.words, self.shown
        to = (0 if direction > 0 else -1) if at is None else at + direction
        return self.choose(to) if 0 <= to < len(words) else False

    def choose(self, number: int) -> bool:
        """Shows the word of index `number`; returns False if there is none."""
        words = self.words
        if number >= len(words):
            return False
        self.touch()
        best, self._suggested_at = self._asked + self._first, len(self._typed)
        whole = self._typed + words[number].text
        on = words[number].phrase  # what the word leads on to
        self._whole = best if best.startswith(whole) else self._typed + on if on else whole
        self._walked = True
        return True

    def piece(self) -> str:
        """The next word of the ghost with what stands before it, or a newline."""
        found = _PIECE.match(self.ghost)
        return found.group() if found else self.ghost[:1]


def reading_text(adapted: Adapted | None, read: float) -> str:
    """How far a model has read the text, or adapted to it, in a few words; "" where it has read it all."""
    parts = (f"reading the text: {read:.0%}" if read < 1 else "", adapted_text(adapted))
    return " · ".join(filter(None, parts))


def adapted_text(adapted: Adapted | None) -> str:
    """How far a model has adapted to the text, in a few words; "" where it does not."""
    if adapted is None:
        return ""
    if adapted.trouble:
        return adapted.trouble
    if adapted.prepared < 1:
        return f"adapting: {adapted.prepared:.0%} prepared"
    if not adapted.done:
        return f"adapting: {adapted.tokens:,} of {adapted.of:,} tokens"
    if not adapted.of:
        return "adapts from the first whole segment on"
    return f"adapted: {fixed(adapted.before, 3)} → {fixed(adapted.after, 3)} nats over {adapted.of:,} tokens"
