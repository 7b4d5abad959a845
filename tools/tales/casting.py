"""Draws the characters, things and places of a tale from the lexicon."""

from __future__ import annotations

from tools.tales.lexicon.people import ANIMALS, BOYS, GIRLS, HOMES, MEN, PET_NAMES, TRADES, WOMEN, names
from tools.tales.lexicon.places import PLACES
from tools.tales.lexicon.things import THINGS
from tools.tales.referents import Gender, Person, Thing
from tools.tales.story import Story

_GIRLS, _BOYS, _PET_NAMES = names(GIRLS), names(BOYS), names(PET_NAMES)
_HOMES = [" ".join(home.split()) for home in HOMES.split(";")]
_SPECIES = list(ANIMALS)
_PLURALS = {"fox": "foxes", "rabbit": "rabbits", "hedgehog": "hedgehogs", "duck": "ducks", "otter": "otters"}
_PLURALS |= {"squirrel": "squirrels", "badger": "badgers", "frog": "frogs", "beaver": "beavers", "bear": "bears"}


def hero(story: Story) -> Person:
    """Draws a child, an animal, or sometimes two that always go together."""
    chance = story.draw.below(100)
    return child(story) if chance < 48 else animal(story) if chance < 94 else siblings(story)


def friend(story: Story) -> Person:
    """Draws a child or an animal, mostly of the other gender than the hero, so that pronouns can tell them apart."""
    gender = story.people[0].gender if story.people else "p"
    other: Gender = "m" if gender == "f" else "f"
    wanted = other if gender != "p" and story.draw.chance(0.7) else None
    return child(story, wanted) if story.draw.chance(0.4) else animal(story, gender=wanted)


def child(story: Story, gender: Gender | None = None) -> Person:
    """Draws a girl or a boy."""
    gender = gender or _either(story)
    name = _fresh(story, _GIRLS if gender == "f" else _BOYS)
    noun = "girl" if gender == "f" else "boy"
    return Person(name, noun, gender, _intro(story, noun, name), _fresh(story, _HOMES))


def animal(story: Story, species: str = "", gender: Gender | None = None) -> Person:
    """Draws an animal with a name, of any species or of the one given."""
    gender = gender or _either(story)
    species = species or _fresh(story, _SPECIES)
    name = _fresh(story, _PET_NAMES)
    return Person(name, species, gender, _intro(story, species, name), ANIMALS[species])


def siblings(story: Story) -> Person:
    """Draws twins, or two animals of a species."""
    if story.draw.chance(0.5):
        pair = f"{_fresh(story, _GIRLS)} and {_fresh(story, _BOYS)}"
        return Person("the twins", "twins", "p", f"twins called {pair}", _fresh(story, _HOMES))
    species = story.draw.common(list(_PLURALS))
    pair = f"{_fresh(story, _PET_NAMES)} and {_fresh(story, _PET_NAMES)}"
    plural = _PLURALS[species]
    return Person(f"the {plural}", plural, "p", f"two young {plural} called {pair}", ANIMALS[species])


def grownup(story: Story) -> Person:
    """Draws a grown-up with a trade."""
    trades = [
        trade for trade in TRADES if f"({trade.place})" not in story.taken and f"({trade.noun})" not in story.taken
    ]
    trade = story.draw.common(trades)
    story.taken |= {f"({trade.place})", f"({trade.noun})"}
    gender = _either(story)
    if trade.noun in WOMEN | MEN:
        gender = "f" if trade.noun in WOMEN else "m"
    name = _fresh(story, _GIRLS if gender == "f" else _BOYS)
    adjective = f"{story.draw.pick(['old', 'young', 'tall', story.word('kind')])} " if story.draw.chance(0.4) else ""
    intro = f"{name} the {trade.noun}" if not adjective else f"a {adjective}{trade.noun} called {name}"
    return Person(name, trade.noun, gender, intro, trade.place, trade)


def thing(story: Story, *, only_one: bool = False) -> Thing:
    """Draws an object whose noun the tale has not used yet; `only_one`: no pair or bag of them."""
    rows = [
        row
        for row in THINGS
        if not {f"({row[0]})", f"({row[0].capitalize()})"} & story.taken  # no button for a mouse called Button
        and not (only_one and row[1])
    ]
    noun, measure, adjectives, use = story.draw.common(rows)
    story.taken.add(f"({noun})")
    adjective = story.draw.pick(adjectives)
    if adjective == "*":
        adjective = story.word("colour")
    return Thing(noun, adjective, measure, story.expand(use))


def place(story: Story, key: str = "place") -> None:
    """Keeps a place under `key`: <#place> "the meadow", <#placeat> "in the meadow", <#placeto> "to the meadow"."""
    free = [row for row in PLACES if f"({row[0]})" not in story.taken]
    noun, preposition = story.draw.common(free)
    story.taken.add(f"({noun})")
    story.kept[key] = f"the {noun}"
    story.kept[key + "at"] = f"{preposition} the {noun}"
    story.kept[key + "to"] = f"to the {noun}"


def _either(story: Story) -> Gender:
    return "f" if story.draw.chance(0.5) else "m"


def _intro(story: Story, noun: str, name: str) -> str:
    chance = story.draw.below(10)
    adjective = ""
    if chance < 4:
        adjective = story.word("kind") + " "
    elif chance < 7:
        adjective = story.word("size") + " "
    return f"a {adjective}{noun} {'named' if story.draw.chance(0.25) else 'called'} {name}"


def _fresh(story: Story, choices: list[str]) -> str:
    free = [choice for choice in choices if f"({choice})" not in story.taken]
    one = story.draw.common(free)
    story.taken.add(f"({one})")
    return one
