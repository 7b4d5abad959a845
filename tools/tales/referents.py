"""The characters and things of a tale, and the forms in which English refers to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Gender = Literal["f", "m", "p"]
"""f: she, m: he, p: several, they."""

PRONOUNS: dict[Gender, dict[str, str]] = {
    "f": {"he": "she", "him": "her", "his": "her", "self": "herself"},
    "m": {"he": "he", "him": "him", "his": "his", "self": "himself"},
    "p": {"he": "they", "him": "them", "his": "their", "self": "themselves"},
}

SPEAKER = {
    "I": ("I", "we"),
    "me": ("me", "us"),
    "my": ("my", "our"),
    "mine": ("mine", "ours"),
    "am": ("am", "are"),
    "Iwas": ("was", "were"),
}
"""Forms of the first person, singular and plural."""

VERBS = {"was": ("was", "were"), "is": ("is", "are"), "has": ("has", "have"), "does": ("does", "do")}
"""Forms of the third person, singular and plural."""


def third_person(verb: str, plural: bool) -> str:
    """Returns a regular verb in the third person: know → knows, carry → carries, fetch → fetches; plural: unchanged."""
    if plural:
        return verb
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "x", "ch", "sh", "o")) else "s")


def possessive(name: str) -> str:
    """Returns the possessive: Nora's, the twins'."""
    return name + ("'" if name.endswith("s") else "'s")


def definite(phrase: str) -> str:
    """Makes a noun phrase definite: "a jar of honey" becomes "the jar of honey", "four planks" "the four planks"."""
    return "the " + phrase.removeprefix("a ").removeprefix("an ").removeprefix("some ")


@dataclass(eq=False, slots=True)
class Person:
    """Someone in a tale, two- or four-legged; or several who always go together."""

    name: str
    """As the text says it: "Nora", or "the twins"."""
    noun: str
    gender: Gender
    intro: str
    """On the first mention: "a young fox called Rusty"."""
    home: str
    """ "in a den under the oak"."""
    trade: Trade | None = None

    @property
    def plural(self) -> bool:
        return self.gender == "p"

    @property
    def description(self) -> str:
        """Another name for them: "the fox"."""
        return self.name if self.plural else f"the {self.noun}"

    def fixed(self, form: str) -> str | None:
        """Returns a form that does not depend on the text before; None for other forms."""
        if form in PRONOUNS["f"]:
            return PRONOUNS[self.gender][form]
        for table in (SPEAKER, VERBS):
            if form in table:
                return table[form][self.plural]
        return {
            "intro": self.intro,
            "noun": self.noun,
            "home": self.home,
            "call": "my dears" if self.plural else self.name,
            "goods": self.trade.goods if self.trade else "",
            "work": self.trade.work if self.trade else "",
        }.get(form)


@dataclass(frozen=True, slots=True)
class Trade:
    """A grown-up's work."""

    noun: str
    place: str
    """ "at the mill"."""
    goods: str
    """One of what they make or sell: "sack of flour"."""
    work: str
    """What they are doing when met: "sweeping the steps"."""


@dataclass(eq=False, slots=True)
class Thing:
    """An object that is given, lost, hidden, traded."""

    noun: str
    adjective: str
    measure: str = ""
    """For plurals what stands before them: "pair of", "bag of" ("a pair of red boots"); empty for one thing."""
    use: str = ""
    """What someone did with it, with {it} for it or them."""
    forms: dict[str, str] = field(default_factory=dict)

    @property
    def plural(self) -> bool:
        return bool(self.measure)

    @property
    def full(self) -> str:
        return f"{self.adjective} {self.noun}" if self.adjective else self.noun

    def fixed(self, form: str) -> str | None:
        """Returns the form; None if things have no such form."""
        if form in VERBS:
            return VERBS[form][self.plural]
        it = "them" if self.plural else "it"
        return {
            "a": f"a {self.measure} {self.full}" if self.plural else f"a {self.full}",
            "the": f"the {self.full}",
            "full": self.full,
            "noun": self.noun,
            "it": it,
            "sub": "they" if self.plural else "it",
            "its": "their" if self.plural else "its",
            "this": "these" if self.plural else "this",
            "that": "those" if self.plural else "that",
            "used": self.use.replace("{it}", it),
        }.get(form)
