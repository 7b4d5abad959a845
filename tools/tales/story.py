"""Writes one tale: fills templates, chooses between names and pronouns, keeps what must come back.

Templates are plain text with
  [a|b|c]       one of the alternatives, which may nest and may be empty
  <flower>      a word of that list of the lexicon, another each time
  <flower#x>    the same, and kept: <#x> is the same word again
  {h} {h.obj} {h.poss}   the person in role h: name or pronoun, whichever reads well and cannot be misunderstood
  {h.name} {h.names}     the name (and the name's possessive), whatever was said before
  {h.he} {h.him} {h.his} {h.self}   the pronoun, whatever was said before
  {h.I} {h.my} {h.was} {h.has} {h:know}   agreement with the person's number: "know" or "knows"
  {t} {t.a} {t.it} {t.full} …   the thing in role t, as in referents.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rnnplay.text.corpora.dependencies import Draw
from tools.tales.lexicon.words import WORDS
from tools.tales.referents import Gender, Person, Thing, possessive, third_person

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_WORD = re.compile(r"<([a-z_]*)(?:#([a-z0-9_]+))?>")
_REFERENT = re.compile(r"\{([a-z][a-z0-9]*)(?:([.:])([A-Za-z]+))?\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=([A-Za-z]+))")
_SENTENCE_START = re.compile(r'((?:^|[.!?] |\." )"?|[!?]" "|(?<=[,:] )")([a-z])')
_SOUNDS_LIKE_CONSONANT = re.compile(r"(one|once|uni|use|usu|eu)", re.IGNORECASE)
_SOUNDS_LIKE_VOWEL = re.compile(r"(hour|honest|heir)", re.IGNORECASE)
_SMALL_IN_TITLES = {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "the", "to", "under", "with"}


@dataclass(frozen=True, slots=True)
class Mention:
    """A person named by the text."""

    sentence: int
    person: Person
    pronoun: bool
    chosen: bool
    """The story chose between name and pronoun (the template left it open)."""


def _bystanders() -> dict[str, list[Person]]:
    women, men = (
        ["mother", "grandmother", "aunt", "godmother", "sister", "great-aunt"],
        ["father", "grandfather", "uncle", "godfather"],
    )
    genders: dict[str, list[Gender]] = {word: ["f"] for word in women}
    genders |= {word: ["m"] for word in [*men, "brother", "postman"]}
    genders |= {"cousin": ["f", "m"]}
    return {word: [Person(word, word, gender, "", "") for gender in one] for word, one in genders.items()}


BYSTANDERS = _bystanders()
"""People whom templates name by a plain word: a pronoun after them could mean them, so it is avoided."""

_BYSTANDER = re.compile(rf"\b({'|'.join(BYSTANDERS)})\b")


class Story:
    """The state of one tale."""

    def __init__(self, draw: Draw, plot: str) -> None:
        self.draw = draw
        self.plot = plot
        self.title = ""
        self.leisure = draw.pick((0.1, 0.25, 0.4, 0.55))
        self.season = draw.common(("summer", "spring", "autumn"))
        """Weather, sky and fruit are drawn to suit it."""
        self.paragraphs: list[list[str]] = [[]]
        self.roles: dict[str, Person | Thing] = {}
        self.kept: dict[str, str] = {}
        self.mentions: list[Mention] = []
        self.returning: list[str] = []
        """Words that occur early and must come back near the end, which the tests check."""
        self.taken: set[str] = set()
        """Names, nouns, trades and places that are in use, so that no two in a tale are the same."""
        self._sentence = 0
        self._used: set[str] = set()

    @property
    def text(self) -> str:
        """The tale: a title line if it has one, then one line per paragraph."""
        lines = [" ".join(sentences) for sentences in self.paragraphs if sentences]
        return "\n".join([self.title, *lines] if self.title else lines)

    @property
    def people(self) -> list[Person]:
        return [one for one in self.roles.values() if isinstance(one, Person)]

    def cast(self, **roles: Person | Thing) -> None:
        """Sets the characters and things that roles in templates stand for from now on."""
        self.roles.update(roles)

    def keep(self, key: str, template: str) -> str:
        """Fills `template` now; <#key> stands for exactly these words from now on."""
        self.kept[key] = self.expand(template)
        return self.kept[key]

    def entitle(self, *templates: str) -> None:
        """Gives the tale a title; about half of the tales have one."""
        words = self._fill(self.draw.pick(templates)).split(" ")
        self.mentions.clear()  # being named in the title is no mention
        self.title = " ".join(
            word if i and word in _SMALL_IN_TITLES else word[:1].upper() + word[1:] for i, word in enumerate(words)
        )

    def say(self, *templates: str) -> None:
        """Adds one of the templates, preferably one that this tale has not used yet."""
        fresh = [template for template in templates if template not in self._used] or templates
        template = self.draw.pick(fresh)
        self._used.add(template)
        self._sentence += 1
        text = _finished(self._fill(template))
        self.paragraphs[-1].append(text)
        for word in _BYSTANDER.findall(text):
            for other in BYSTANDERS[word]:
                self._mention(other, pronoun=False, chosen=False)

    def extra(self, *templates: str) -> None:
        """Sometimes adds one of the templates, more often in a tale that takes its time."""
        if self.draw.chance(self.leisure):
            self.say(*templates)

    def paragraph(self) -> None:
        """Begins a new paragraph (unless this one has a single sentence yet); pronouns do not reach across."""
        if len(self.paragraphs[-1]) > 1:
            self.paragraphs.append([])
            self._sentence += 2

    def word(self, list_name: str) -> str:
        """Draws a word of that list which this tale has not used yet."""
        words = WORDS.get(f"{list_name}_{self.season}") or WORDS[list_name]
        for _ in range(20):
            word = self.draw.common(words)
            if f"<{word}>" not in self._used:
                break
        self._used.add(f"<{word}>")
        return word

    def _fill(self, template: str) -> str:
        return _REFERENT.sub(self._referent, self.expand(template))

    def expand(self, template: str) -> str:
        """Draws the alternatives and words of `template`; its referents stay."""
        while "[" in template:
            template = _CHOICE.sub(lambda match: self.draw.pick(match[1].split("|")), template)
        return _WORD.sub(self._lexical, template)

    def _lexical(self, match: re.Match[str]) -> str:
        list_name, key = match[1], match[2]
        if not list_name:
            return self.kept[key]
        word = self.word(list_name)
        if key:
            self.kept[key] = word
        return word

    def _referent(self, match: re.Match[str]) -> str:
        one = self.roles[match[1]]
        kind, form = match[2], match[3]
        if kind == ":":
            return third_person(form, one.plural)
        fixed = one.fixed(form) if form else None
        if isinstance(one, Thing):
            if not form:
                return one.fixed("the") or "" if self.draw.chance(0.35) else f"the {one.noun}"
            if fixed is None:
                raise KeyError(match[0])
            return fixed
        if fixed is not None:
            if form in ("he", "him", "his", "self"):
                self._mention(one, pronoun=True, chosen=False)
            elif form == "intro":
                self._mention(one, pronoun=False, chosen=False)
            return fixed
        return self._named(one, form or "sub")

    def _named(self, person: Person, form: str) -> str:
        """Name or pronoun as "sub"ject, "obj"ect or "poss"essive; or surely the "name" or "names", its possessive."""
        if form not in ("sub", "obj", "poss", "name", "names"):
            raise KeyError(form)
        here = any(mention.sentence == self._sentence and mention.person is person for mention in self.mentions)
        use_pronoun = form in ("sub", "obj", "poss") and self._clear(person) and (here or self.draw.chance(0.9))
        described = (
            not use_pronoun
            and any(mention.sentence >= self._sentence - 3 for mention in self.mentions if mention.person is person)
            and self.draw.chance(0.15 if person.trade is None else 0.4)
            and sum(other.noun == person.noun for other in self.people) == 1
        )
        self._mention(person, pronoun=use_pronoun, chosen=form in ("sub", "obj", "poss"))
        if use_pronoun:
            return person.fixed({"sub": "he", "obj": "him", "poss": "his"}[form]) or ""
        name = person.description if described else person.name
        return possessive(name) if form in ("poss", "names") else name

    def _clear(self, person: Person) -> bool:
        """Whether a pronoun could only mean `person`: named in this sentence or the last, and nobody else like it."""
        near = [mention.person for mention in self.mentions if mention.sentence >= self._sentence - 1]
        return person in near and all(other is person for other in near if other.gender == person.gender)

    def _mention(self, person: Person, *, pronoun: bool, chosen: bool) -> None:
        self.mentions.append(Mention(self._sentence, person, pronoun, chosen))


def _finished(text: str) -> str:
    """A sentence as it is printed: a or an, capitals at the start of sentences and of speech."""
    text = _ARTICLE.sub(_article, text)
    return _SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)


def _article(match: re.Match[str]) -> str:
    word = match[2]
    vowel = word[0] in "aeiouAEIOU" and not _SOUNDS_LIKE_CONSONANT.match(word)
    return match[1] + ("n " if vowel or _SOUNDS_LIKE_VOWEL.match(word) else " ")
