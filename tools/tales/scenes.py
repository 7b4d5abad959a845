"""How tales begin and end, and what may happen in any of them."""

from __future__ import annotations

import re

from tools.tales.casting import hero
from tools.tales.story import Story

ONCE = (
    "Once upon a time there {h.was} {h.intro} who lived {h.home}.",
    "Once upon a time {h.intro} lived {h.home}.",
    "Once upon a time, {h.home}, there lived {h.intro}.",
    "Once there {h.was} {h.intro} who lived {h.home}.",
    "Once, in a year of many <berry>, there lived {h.intro} {h.home}.",
    "Once upon a time there {h.was} {h.intro} who lived {h.home} and knew every <tree> for miles around.",
)
ANY = (
    "{h.home} lived {h.intro}.",
    "There {h.was} {h.intro} who lived {h.home}.",
    "Long ago, {h.home}, lived {h.intro}.",
    "Not so very long ago, {h.intro} lived {h.home}.",
    "There once {h.was} {h.intro} whose home was {h.home}.",
    "{h.home}, where the <flower> grew, lived {h.intro}.",
    "This is the story of {h.intro}, who lived {h.home}.",
    "Far away, {h.home}, there {h.was} {h.intro}.",
)


def cast_hero(story: Story) -> None:
    """Casts the hero as role h."""
    person = hero(story)
    story.cast(h=person)
    story.kept["season"] = story.season
    # On the second mention it is the cottage, no longer a cottage.
    story.kept["home"] = re.sub(r"\ban? ", "the ", person.home, count=1)


def opening(story: Story) -> None:
    """Writes the first sentence, and perhaps one about what the hero likes to eat (which may come back in the last)."""
    story.say(*(ANY + ONCE[:2] if story.title else ONCE))
    if story.draw.chance(0.45):
        story.say(
            "{h} loved <food#loves> more than anything else in the world.",
            "Nothing tasted better to {h.obj} than <food#loves>.",
            "{h} could smell <food#loves> from three houses away.",
            "There was no better day for {h.obj} than a day with <food#loves>.",
        )


def weather(story: Story) -> None:
    """Writes a sentence about the weather."""
    story.say("<sky>.", "<sky>, and somewhere a <bird> sang.")


def closing(story: Story) -> None:
    """Writes a last sentence, about what the tale began with if possible."""
    if story.draw.chance(story.leisure / 2):
        delight(story)
    endings = [
        "That night {h} slept soundly <#home>.",
        "{h} went to bed <happy>, and outside the <bird> sang until the moon rose.",
        "And if you pass by on a <weather> evening, you can still hear {h.obj} laugh.",
        "From that day on {h.name} and {f.name} were the best of friends." if "f" in story.roles else "",
        "It was the best day that {h} could remember.",
        "When {h} lay in bed at last, the moon was shining <#home>.",
        "{h} smiled about it for a whole week.",
        "So everything turned out well, as it should in a story.",
        "There was laughter <#home> that night, and the candles burned late.",
        "And the <bird> in the <tree>, who had seen it all, sang it to everyone.",
        "The next morning {h} woke up early and {h.was} <happy> straight away.",
        "And {h.name} told the story again and again, <#home>.",
    ]
    if "loves" in story.kept:
        again = [
            "And for supper {h} had <#loves>, as much as {h.he} could eat.",
            "At home, <#home>, a big plate of <#loves> was waiting for {h.obj}.",
            "That evening {h} had two helpings of <#loves>.",
        ]
        if story.draw.chance(0.75):
            endings = again
    story.say(*(ending for ending in endings if ending))


def grumble(story: Story) -> None:
    """Writes about feelings during the tale."""
    story.say(
        "{h} felt very <sad>.",
        "{h} sighed with a heavy heart.",
        "{h} sat down on a stone and sighed.",
        "{h} {h.was} so <sad> that even the <bird> in the <tree> fell silent.",
    )


def delight(story: Story) -> None:
    """Writes about feelings near the end."""
    story.say(
        "{h} jumped for joy.",
        "{h} {h.was} so <happy> that {h.he} danced round the <tree>.",
        "Nobody in the whole valley was as <happy> as {h.name}.",
        "{h} laughed until the <bird> in the <tree> laughed too.",
    )


def meal(story: Story) -> None:
    """Writes about a meal during the tale."""
    story.say(
        "At noon {h} sat down under a <tree> and ate <bread>.",
        "{h} rested for a while and drank <drink> from a flask.",
        "On the way {h} picked <berry> and hummed a tune.",
    )
