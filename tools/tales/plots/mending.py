"""Plots in which something goes wrong, or seems too hard, and is put right."""

from __future__ import annotations

from tools.tales import casting, scenes
from tools.tales.lexicon.props import BREAKABLE
from tools.tales.lexicon.sayings import RIDDLES
from tools.tales.referents import definite
from tools.tales.story import Story


def mistake(s: Story) -> None:
    """Something is broken and hidden; the truth is told, and it is mended together."""
    scenes.cast_hero(s)
    s.cast(g=casting.grownup(s), f=casting.friend(s))
    s.keep("item", "<colour> " + s.draw.common(BREAKABLE))
    s.keep("spot", "<hide>")
    s.keep("mend", "<mend>")
    s.keep("say", "<saying>")
    s.returning = [s.kept["item"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The broken <#item>", "{h} tells the truth", "An honest word", "The <#item>")
    scenes.opening(s)
    s.say(
        "Next door was the home of {g.intro}, who owned a <#item>.",
        "{h} often visited {g.intro}, and on the shelf there stood a <#item>.",
    )
    s.extra(
        '"It belonged to my <relative>," {g} liked to say. "I would not give it away for gold."',
        "{g} dusted it every day, because it was older than the house.",
    )
    s.say(
        "One <weather> <time> {h.name} played <game> there with {f.intro}.",
        "On a <weather> <time> {h.name} and {f.intro} came to help, because {g.name} had gone out.",
    )
    s.say(
        "{h} turned round too fast, and crash, the <#item> lay on the floor in <number> pieces.",
        "A sleeve caught on the shelf, and down came the <#item> with a crash.",
    )
    s.extra('"<oh>!" whispered {f.name}.', "For a moment nobody breathed.")
    s.say(
        "Quickly {h.name} gathered the pieces and hid them <#spot>.",
        "{h} swept up the pieces and put them <#spot>, where nobody would look.",
    )
    s.paragraph()
    s.extra(
        '"Has anyone seen my <#item>?" {g.name} asked the next day. Nobody answered.',
        "When {g.name} came home, {g.he} looked for the <#item> everywhere.",
    )
    s.extra("{h} looked at the ground and said nothing.", "{h} said nothing, but {h.he} felt very <sad>.")
    s.extra(
        "Even <#loves> had no taste any more." if "loves" in s.kept else "Not even <food> tasted good that evening.",
        "At night {h.name} could not sleep and thought of the pieces <#spot>.",
    )
    s.extra(
        '"The truth is like a cork," said {f.name}. "It always comes up."',
        '"You must tell {g.obj}," said {f.name}. "I will come with you."',
    )
    s.paragraph()
    s.say(
        "So in the morning {h.name} took the pieces from their place <#spot> and <went> to {g.name}.",
        "The next morning they <went> to {g.name}, who was {g.work}.",
    )
    s.say(
        '"{h.I} broke your <#item> and hid it <#spot>," said {h.name}. "{h.I} {h.am} so sorry."',
        '"It was {h.me}," said {h.name} softly and laid the pieces on the table.',
    )
    s.extra("{g.name} was silent for a long time.", "{g.name} looked at the pieces, and then at {h.name}.")
    s.say(
        '"That was not easy to say," said {g.name} at last. "<#say>."',
        '"<#say>," said {g.name}. "A <#item> can be mended."',
    )
    s.say(
        "They took <#mend> and put it together, piece by piece.",
        "With <#mend> and much patience they mended it, and {f.name} held the lamp.",
    )
    s.say(
        "A thin line can still be seen on the <#item>, and {g.name} says that it is the best part of it.",
        "Now the <#item> has a crack that looks like a <bird>, and {g.name} likes it more than before.",
    )
    s.say(
        'Whenever {h.name} {h:see} it, {h.he} {h:think}: "<#say>."',
        '"<#say>," {h.name} {h:say} whenever {f.name} is afraid to speak.',
    )
    if s.draw.chance(0.5):
        scenes.closing(s)


def riddle(s: Story) -> None:
    """A riddle is asked; many guess wrong; its answer is seen by chance on the way."""
    scenes.cast_hero(s)
    question, answer, sight = s.draw.common(RIDDLES)
    s.cast(g=casting.grownup(s), a=casting.friend(s), b=casting.friend(s))
    s.kept.update(question=question, answer=answer, sight=sight)
    s.keep("prize", "<prize>")
    s.kept["theprize"] = definite(s.kept["prize"])
    s.returning = [question.split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The riddle", "A hard riddle", "The riddle of the {g.noun}", "{h.name} and the riddle")
    scenes.opening(s)
    s.say(
        "One <weather> <time> {g.intro} promised <#prize> to anyone who could solve a riddle.",
        "One day {g.intro} nailed a riddle to a post, {g.home}, and the prize was <#prize>.",
    )
    s.say('"<#question>?" it went.', 'The riddle was this: "<#question>?"')
    s.paragraph()
    s.say(
        '"<guess>," said {a.intro}, but {g.name} shook {g.his} head.',
        '"<guess>," said {a.intro}, but that was wrong.',
    )
    s.say(
        '"<guess>?" asked {b.intro}, but that was wrong too.',
        "{b.intro} thought for three days and guessed <guess>, which made everybody laugh.",
    )
    s.extra("{h} wanted <#theprize> very much, but had no idea.", "{h} turned the riddle round and round.")
    s.say(
        '"<#question>?" {h} said at breakfast. "<#question>?" {h.he} said at supper.',
        'In bed {h} still murmured, "<#question>?"',
    )
    s.extra('"Do not think so hard," said {a.name}. "Look about you."', '"<saying>," said {h.his} <relative>.')
    s.extra(
        "{h} helped to <chore>, and still the riddle would not go away.",
        "{h} asked the <bird> and the <insect>, but they only sang.",
    )
    s.paragraph()
    s.say("Then, on a <weather> <time>, {h.name} <#sight>.", "A week later {h.name} <#sight>.")
    s.say(
        '{h} stood quite still. "<#question>?" {h.he} whispered.',
        '"Wait," said {h.name}. "<#question>? But of course!"',
    )
    s.say("And {h} ran all the way to {g.name}, who was {g.work}.", "{h} <went> to {g.name} without stopping once.")
    s.say(
        '"<#answer>!" cried {h.name}. "The answer is <#answer>!"',
        '"It is <#answer>," said {h.name}, quite out of breath.',
    )
    s.extra(
        '"Right!" said {g.name}. "And how did you find it?" "{h.I} kept {h.my} eyes open," said {h.name}.',
        "{g} nodded slowly, and then {g.he} began to clap.",
    )
    s.say(
        "So {h} won <#theprize>, and {a.name} and {b.name} came to admire it.",
        "<#theprize> went to {h.name}, who let {a.name} and {b.name} have a share in the fun.",
    )
    s.say(
        '"<#question>?" {a.name} {a:ask} to this day, and {b.name} {b:call}: "<#answer>!"',
        'Now {h.name} {h:ask} everyone: "<#question>?"',
    )
    if s.draw.chance(0.6):
        scenes.closing(s)


PLOTS = (mistake, riddle)
