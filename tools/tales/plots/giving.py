"""Plots about promises, presents and kindness that comes back."""

from __future__ import annotations

from tools.tales import casting, scenes
from tools.tales.lexicon.places import RESCUES, TROUBLES
from tools.tales.lexicon.things import TASKS
from tools.tales.story import Story


def promise(s: Story) -> None:
    """A tool is borrowed with a promise, and brought back when it is hardest to do."""
    scenes.cast_hero(s)
    tool, task, work = s.draw.common(TASKS)
    s.cast(g=casting.grownup(s), f=casting.friend(s))
    s.keep("tool", tool)
    s.keep("task", task)
    s.keep("work", work)
    s.keep("when", "<season_sign>")
    s.returning = [tool.split()[-1], s.kept["when"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The promise", "{h} keeps a promise", "The borrowed <#tool>", "A promise to the {g.noun}")
    scenes.opening(s)
    s.say(
        "One <weather> <time> {h.name} wanted to <#task>, but for that one needs a <#tool>.",
        "{h} had to <#task>, but there was no <#tool> in the house.",
    )
    s.say("So {h} <went> to {g.intro}, who was {g.work}.", "{g.home} {h} found {g.intro}, {g.work} as always.")
    s.say(
        '"May {h.I} borrow your <#tool>?" {h} asked <kindly>.',
        '"Would you lend {h.me} your <#tool>?" asked {h.name}.',
    )
    s.say(
        '"Gladly," said {g.name}. "But bring it back before <#when>, because then I need it myself."',
        '"If you bring it back before <#when>," said {g.name}. "Not a day later!"',
    )
    s.extra('"{h.I} promise," said {h.name}.', '"You have {h.my} word," said {h.name}.')
    s.paragraph()
    s.say("At home {h} began to work and <#work>.", "Then {h} <#work>.")
    s.extra("It was hard work, but {h} sang <song> all the while.", "In the evening {h.names} arms were tired.")
    s.extra(
        "After that the <#tool> stood <spot>, and {h} thought of other things.",
        "When it was done, the <#tool> was put away <indoor> and soon forgotten.",
    )
    s.say(
        "The days went by, and {f.intro} came to play <game>.",
        "Days passed, full of <flower> and <berry>, and {f.intro} came on a visit.",
    )
    s.extra("Then came a <weather> evening.", "One evening the wind turned.", "Then, one <time>, it grew <weather>.")
    s.say(
        '"Tomorrow <#when>," {f.name} said one evening.',
        '"Have you heard that tomorrow <#when>?" asked {f.name}.',
    )
    s.paragraph()
    s.say(
        '"The <#tool>!" cried {h.name} and jumped up. "{h.I} gave {h.my} word!"',
        "{h} turned pale, because now {h.he} remembered the promise.",
    )
    s.extra(
        "Outside a <storm> was howling, and the way was long.",
        "It was late, and rain was beating on the roof.",
        "It was already dark, and the bed was so warm.",
    )
    s.extra(
        '"Can it not wait?" asked {f.name}. "A promise cannot wait," said {h.name}.',
        '"Stay here," said {f.name}. "No," said {h.name}. "{h.I} promised."',
    )
    s.say(
        "So {h} took the <#tool> and <went> through wind and weather.",
        "{h} picked up the <#tool> and <went> out into the night.",
    )
    s.say(
        "When {g.name} opened the door, there stood {h.name}, <shiver>, with the <#tool>.",
        "{h} {h.was} <shiver> when {g.name} opened the door and saw the <#tool>.",
    )
    s.say(
        '"Tomorrow <#when>, and you kept your word," said {g.name}.',
        '"Before <#when>, you said," panted {h.name}, and {g.name} nodded and smiled.',
    )
    s.extra(
        "For that {h} {h.was} given a {g.goods} and some <drink>.",
        '"Someone who keeps a promise may borrow anything from me," said {g.name}.',
        '"<saying>," said {g.name} and gave {h.obj} a {g.goods}.',
    )
    scenes.closing(s)


def helper_repaid(s: Story) -> None:
    """A small creature is freed and says that it will help one day, and so it does."""
    scenes.cast_hero(s)
    species, how, trouble = s.draw.pick([row for row in RESCUES if row[0] != s.roles["h"].fixed("noun")])
    c = casting.animal(s, species)
    t = casting.thing(s, only_one=True)
    s.cast(c=c, t=t)
    casting.place(s)
    s.keep("how", how)
    s.returning = [c.name, t.noun]
    if s.draw.chance(0.6):
        s.entitle("The grateful {c.noun}", "{h.name} and the {c.noun}", "One good turn", "A friend in need")
    scenes.opening(s)
    s.say(
        "Wherever {h} went, {t.a} went too, and {h} {t.used}.",
        "{h} owned {t.a} and {t.used} whenever the sun was shining.",
    )
    s.say(
        "One <weather> <time>, on the way <#placeto>, {h.name} found {c.intro} <#how>.",
        "<#placeat> {h.name} came upon {c.intro}, who sat there <#how>.",
    )
    s.extra('"Please help me!" cried {c.name}.', '"Would you be so good and help me?" {c.name} asked in a thin voice.')
    s.say(
        "{h} put {t} down in the grass and freed {c.name}, <slowly>, so that nothing hurt.",
        "{h} knelt down and worked <slowly>, until {c.name} was free.",
    )
    s.keep(
        "vow",
        "[One day I will help you in return|When you need me, call me three times|I will not forget it, you will see]",
    )
    s.say('"<thanks>," said {c.name}. "<#vow>."', '"<#vow>," said {c.name} and bowed.')
    s.extra(
        "{h} smiled, because what could so small a {c.noun} do?" if species != "swan" else "{h} only smiled.",
        '"<welcome>," said {h.name}, and {c.name} was gone.',
    )
    s.paragraph()
    s.extra("Weeks went by.", "The <flower> faded and the <berry> grew ripe.", "Time passed.")
    s.say("One day {h.name} {h.was} <#placeat> again.", "On a <weather> day {h.name} <went> <#placeto> once more.")
    s.keep("loss", TROUBLES[trouble][0])
    s.say("<#loss>.")
    s.extra(
        "{h} tried a stick, a rope and a long pole, but it was no use.",
        "{h} tried everything, but {t} could not be reached.",
        "{h} called for help, but nobody was there.",
    )
    if s.draw.chance(s.leisure):
        scenes.grumble(s)
    s.say('"<oh>," somebody said. It was {c.name}!', "Then something moved in the grass, and out came {c.name}.")
    s.say('"Did I not tell you?" said {c.name}. "<#vow>."', '"You helped me once," said {c.name}. "Now it is my turn."')
    s.paragraph()
    s.keep("rescue", TROUBLES[trouble][1])
    s.say("<#rescue>.")
    s.extra(
        '"<hurrah>!" cried {h.name}. "You are a wonder!"',
        '"<thanks>," said {h.name}. "<welcome>," said {c.name}.',
    )
    s.say(
        "From then on {c.name} came to tea every <time>, and they shared <bread>.",
        "They shared <bread>, and {c.name} was allowed to hold {t}.",
        '"<saying>," {h.names} <relative> used to say, and now {h} knew what that meant.',
    )
    scenes.closing(s)


def secret(s: Story) -> None:
    """Somebody admires a thing; it is bought, hidden and given on the birthday."""
    scenes.cast_hero(s)
    t = casting.thing(s)
    s.cast(t=t, f=casting.friend(s), g=casting.grownup(s))
    s.keep("spot", "<hide>")
    s.keep("day", "[Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday]")
    s.returning = [t.noun, s.kept["spot"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The secret", "A secret for {f.name}", "The birthday present", "{h} can keep a secret")
    scenes.opening(s)
    s.say(
        "One day {h.name} and {f.intro} stood at the window of {g.intro} and saw {t.a}.",
        "At the fair {h.name} and {f.intro} came to the stall of {g.intro}, and there lay {t.a}.",
    )
    s.say(
        '"I have never seen such <fine> {t.noun}," sighed {f.name}.'
        if t.plural
        else '"I have never seen such a <fine> {t.noun}," sighed {f.name}.',
        '"If only I had {t.a} like that!" said {f.name}.'
        if not t.plural
        else '"If only {t.sub} {t.was} mine!" said {f.name}.',
    )
    s.extra("{h} said nothing, but {h.he} remembered it well.", "{h} heard it and thought of {f.names} birthday.")
    s.paragraph()
    s.say(
        "All week {h} helped {g.name} to <chore>, and {h.was} paid with {t}.",
        "{h} offered to <chore> for {g.name}, and at the end of the week {t} {t.was} {h.his} wages.",
    )
    s.say(
        "{h} wrapped {t.it} in <wrap> and hid {t.it} <#spot>.",
        "Then {h} hid {t} <#spot>, where nobody ever looks.",
    )
    s.say(
        '"Not a word to {f.name} before <#day>," said {h.name} to {g.name}. {g.name} put a finger to {g.his} lips.',
        '"It is a secret until <#day>," {h.name} told {g.name}.',
    )
    s.say(
        'The next morning {f.name} asked, "What were you doing <#spot>?"',
        'But {f.name} had seen something. "What is <#spot>?" {f.he} asked.',
    )
    s.say(
        '"<trifle>," said {h.name} and looked up at the sky.',
        '"{h.I} {h.Iwas} looking for <trifle>," said {h.name}.',
        '"Oh, nothing at all," said {h.name} and whistled.',
    )
    s.extra(
        '"I know nothing about any {t.noun}," said {g.name} much too fast when {f.name} asked {g.obj}.',
        '{f.name} even asked {g.name}. "Somebody bought {t.the}," said {g.name} and turned away quickly.',
    )
    s.extra("{f} looked so <sad> that it was hard to be silent.", "Poor {f.name} went home with a long face.")
    s.paragraph()
    s.say("At last it was <#day>.", "<#day> came, and with it the birthday of {f.name}.")
    s.extra("They ate <food>, and everybody sang <song>.", "The table was laid with <food> and <drink>.")
    s.say(
        '"Come outside and look <#spot>," said {h.name}.',
        '{h} led {f.name} outside. "Now look <#spot>," {h.he} said.',
        '"Something is waiting for you <#spot>," said {h.name}.',
    )
    s.say(
        "{f.name} unwrapped it, and it was {t.the}."
        if not t.plural
        else "{f.name} unwrapped them, and they were {t.the}.",
        "There lay {t.the}, and {f.name} could not speak for joy.",
    )
    s.extra(
        '"So that is why you were always <#spot>!" cried {f.name}.',
        '"You remembered!" cried {f.name}. "<thanks>!"',
    )
    scenes.closing(s)


def garden(s: Story) -> None:
    """Seeds are given, sown, watered and waited for; the harvest is shared with the giver."""
    s.season = "spring"
    scenes.cast_hero(s)
    s.cast(g=casting.grownup(s), f=casting.friend(s))
    s.keep("crop", "<vegetable>")
    s.keep("dish", "<dish>")
    s.keep("spot", "<bed>")
    s.keep("count", "<number>")
    s.keep("say", "<saying>")
    s.returning = [s.kept["crop"].split()[0], s.kept["count"]]
    if s.draw.chance(0.6):
        s.entitle("{h.poss} garden", "The <#count> seeds", "<#count> little seeds", "Wait and see")
    scenes.opening(s)
    s.say(
        "One spring day {g.intro} gave {h.obj} <#count> seeds.",
        "In spring {h} got a paper bag with <#count> seeds from {g.intro}.",
    )
    s.say(
        '"They will be <#crop>," said {g.name}. "You only need water and patience."',
        '"What will they be?" asked {h.name}. "<#crop>," said {g.name}. "If you can wait."',
    )
    s.say('Then {g.name} added: "<#say>."', 'And {g} said one thing more: "<#say>."')
    s.paragraph()
    s.say(
        "{h} dug a bed <#spot> and put the <#count> seeds into the earth.", "<#spot> {h} sowed the seeds, one by one."
    )
    s.extra(
        "The next morning {h} looked, but there was only brown soil.",
        "A day went by, and a week went by, and nothing was to be seen.",
    )
    s.say(
        '"Nothing is growing," {h.name} told {f.intro}. "Perhaps they are asleep."',
        'Then {f.intro} came by. "You have planted mud," {f.he} laughed.',
    )
    s.say(
        "Every day {h.name} carried water and thought of the words of {g.name}.",
        '"<#say>," {h.name} said to {h.self} and fetched more water.',
    )
    s.say(
        "In the summer heat the well ran dry, and {f.name} helped to carry water from the stream.",
        "Once a <insect> came to eat the leaves, and {f.name} carried it <kindly> to the nettles.",
        "When a late frost came, {f.name} lent {h.obj} an old blanket to cover the bed.",
    )
    s.extra("<sky>.", "The <bird> in the <tree> watched them.")
    s.paragraph()
    s.say("And then, one <weather> <time>, there was a bit of green.", "One morning small green points stood in a row.")
    s.say(
        'They grew and grew. "<#count>!" {h.name} counted. "Not one is missing."',
        "{h} counted them: there were <#count>, not one more and not one less.",
    )
    s.extra(
        "In autumn the finest <#crop> in the village stood <#spot>.",
        "When the leaves turned red, the <#crop> were ripe.",
    )
    s.extra(
        "{h} cooked a <#dish> from them, and {f.name} stirred the pot.",
        "Together {h.name} and {f.name} made a <#dish>, and the whole street smelled of it.",
    )
    s.say(
        "The first <#crop> went to {g.name}, who had given the seeds.",
        "Then {h} carried a big basket of <#crop> to {g.name}, who was {g.work}.",
    )
    s.say(
        '"Did I not tell you?" said {g.name}. "<#say>."',
        '{g} looked at them for a long time. "And I gave you only <#count> seeds," {g.he} said.',
    )
    scenes.closing(s)


PLOTS = (promise, helper_repaid, secret, garden)
