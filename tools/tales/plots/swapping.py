"""Plots in which things change hands, and one must remember who has what."""

from __future__ import annotations

from tools.tales import casting, scenes
from tools.tales.lexicon.props import CONTESTS
from tools.tales.referents import definite
from tools.tales.story import Story


def trade(s: Story) -> None:
    """One thing is traded for another, and that for another, until it is the one that was wished for."""
    scenes.cast_hero(s)
    t, w = casting.thing(s, only_one=True), casting.thing(s, only_one=True)
    s.cast(t=t, w=w, a=casting.grownup(s), b=casting.grownup(s), c=casting.friend(s))
    s.keep("who", "<relative>")
    s.returning = [t.noun, w.noun]
    if s.draw.chance(0.6):
        s.entitle("A good trade", "{h} goes trading", "The {t.full} and the {w.full}", "From hand to hand")
    scenes.opening(s)
    s.say(
        "{h.poss} <#who> had always wished for {w.a}.",
        "Soon it would be the birthday of {h.his} <#who>, who wished for {w.a} more than anything.",
    )
    s.say(
        "But {h} had no money at all, only {t.a}.",
        "There was not a penny in the purse, and all that {h} owned was {t.a}.",
    )
    s.extra(
        '"Then {h.I} will go and trade," said {h.name}.', "So {h} took {t} and <went> out to see what could be done."
    )
    s.paragraph()
    s.say("{a.home} {h.name} met {a.intro}, who was {a.work}.", "First {h.name} came to {a.intro}, who was {a.work}.")
    s.say(
        '"What a <fine> {t.noun}!" said {a.name}. "I would give you a {a.goods} for it."',
        '"My <relative> would love that {t.noun}," said {a.name}. "Will you take a {a.goods} for it?"',
    )
    s.extra("{h} thought for a moment and held out {t}.", '"It is a bargain," said {h.name}, and they shook hands.')
    if s.draw.chance(s.leisure / 2):
        scenes.meal(s)
    s.extra("<sky>.", "{h} <went> on and whistled <song>.")
    s.say(
        "Next {h.name} came to {b.intro}, who was {b.work} and looked <sad>.",
        "{b.home} {b.intro} was {b.work} and sighing.",
    )
    s.say(
        '"If only I had a {a.goods}," said {b.name}. "All I have is a {b.goods}."',
        '"I need a {a.goods}, but nobody wants my {b.goods}," said {b.name}.',
    )
    s.say(
        '"Here is one," said {h.name}, and {b.name} beamed.',
        "{h} gave {b.obj} the {a.goods} and got the {b.goods} for it.",
    )
    s.paragraph()
    s.say(
        "At the crossroads sat {c.intro}, with {w.a} in {c.his} lap.",
        "Then {h} met {c.intro}, and what was that under {c.his} arm? It was {w.a}!",
    )
    s.say(
        '"I am tired of carrying it," said {c.name}. "But a {b.goods} I could use."',
        '"Would you trade?" {h.name} asked. "For a {b.goods}? At once!" said {c.name}.',
    )
    s.extra("And so {w} changed hands.", "They traded, and each of them thought it was the best trade in the world.")
    s.say(
        "Now {a.name} had {t.the}, {b.name} had the {a.goods}, {c.name} had the {b.goods}, and {h.name} had {w.the}.",
        "{h} counted it up: {a.name} had {t.the}, {b.name} the {a.goods}, and {c.name} the {b.goods}.",
    )
    s.say(
        "In the evening {h.his} <#who> unwrapped {w} and could hardly believe it.",
        '"How did you get {w.this} {w.noun}?" asked the <#who>. "With {t.a} and good luck," said {h.name}.',
    )
    s.extra(
        '"And do you not miss your {t.noun}?" asked the <#who>. "{h.I} know where it is," said {h.name}.',
        "Sometimes {h.name} {h:visit} {a.name} to see {t.the}.",
    )
    scenes.closing(s)


def parcels(s: Story) -> None:
    """Three parcels go to the wrong doors, and have to be changed back."""
    scenes.cast_hero(s)
    x, y, z = (casting.thing(s, only_one=True) for _ in range(3))
    s.cast(x=x, y=y, z=z, a=casting.grownup(s), b=casting.grownup(s), c=casting.grownup(s))
    colours = s.draw.several(["red", "blue", "green", "yellow", "white", "brown"], 3)
    for key, colour in zip("xyz", colours, strict=True):
        s.kept[key] = f"{colour} parcel"
    s.returning = [x.noun, y.noun, z.noun]
    if s.draw.chance(0.6):
        s.entitle("Three parcels", "The wrong door", "{h} brings the post", "A mixed-up morning")
    scenes.opening(s)
    s.say(
        "One <weather> <time> {h.name} {h.was} allowed to carry the parcels through the village.",
        "One <weather> <time> the postman had a cold, and {h.name} took the parcels round.",
    )
    s.say("There were three: the <#x>, the <#y> and the <#z>.", "In the bag lay a <#x>, a <#y> and a <#z>.")
    s.say(
        '"The <#x> is for the {a.noun}, the <#y> for the {b.noun} and the <#z> for the {c.noun}," said the postman.',
        '"<#x> to the {a.noun}, <#y> to the {b.noun}, <#z> to the {c.noun}," said the postman. "Is that clear?"',
    )
    s.extra("{h} nodded and <went> off.", '"That is easy," said {h.name}.')
    s.say(
        "But on the bridge a <bird> sang such a song that {h} forgot the half of it.",
        "But then a puppy ran by, and {h.name} played with it and forgot the order.",
    )
    s.paragraph()
    s.say("So {a.name} the {a.noun} got the <#y>.", "The <#y> went to {a.name} the {a.noun}.")
    s.say("{b.name} the {b.noun} got the <#z>.", "The <#z> went to {b.name} the {b.noun}.")
    s.say("And {c.name} the {c.noun} got the <#x>.", "And the <#x> went to {c.name} the {c.noun}.")
    s.extra("{h} {h.was} [pleased|happy|quite content] with the work and ate <bread>.")
    s.say(
        'In the afternoon {a.name} came. "I ordered {x.a}," {a} said. "And in my parcel was {y.a}!"',
        '"{y.a}!" called {a.name} from the window. "I wanted {x.a}!"',
    )
    s.say('"And I have {z.a}," called {b.name}.', "{b.name} was holding {z.a} and looked puzzled.")
    s.say('"This is not for me," said {c.name} and showed {x.a}.', "And {c.name}, who was {c.work}, had found {x.a}.")
    s.extra('"<oh>," said {h.name} and turned red. "{h.I} mixed them up."', "{h} felt very <sad>.")
    s.paragraph()
    s.extra('"{h.I} will put it right," {h} said.', "{h} thought hard and said the words of the postman over again.")
    s.say(
        "{h} took {x} from {c.name} and carried it to {a.name}.",
        "{x.the} was taken to {a.name}, who had ordered it.",
    )
    s.say("{h} took {y} from {a.name} and carried it to {b.name}.", "{y.the} came to {b.name}.")
    s.say("{h} took {z} from {b.name} and carried it to {c.name}.", "And {z.the} came to {c.name} at last.")
    s.say(
        "Now {a.name} had {x.the}, {b.name} had {y.the}, {c.name} had {z.the}, and everyone laughed.",
        "So {a.name} got {x.the} after all, {b.name} got {y.the}, and {c.name} got {z.the}.",
    )
    s.extra(
        '"That happens to the best of us," said {b.name} and gave {h.obj} a {b.goods}.',
        '"Next time {h.I} will write it down," said {h.name}.',
    )
    scenes.closing(s)


def sharing(s: Story) -> None:
    """Two quarrel over one thing, are bored apart, and find a rule."""
    scenes.cast_hero(s)
    t = casting.thing(s, only_one=True)
    s.cast(t=t, f=casting.friend(s), g=casting.grownup(s))
    casting.place(s)
    s.keep("one", "[in the morning|on Mondays|when the sun shines|in spring and summer]")
    pairs = {
        "in the morning": "in the afternoon",
        "on Mondays": "on Tuesdays",
        "when the sun shines": "when it rains",
        "in spring and summer": "in autumn and winter",
    }
    s.keep("other", pairs[s.kept["one"]])
    s.keep("spot", "<spot>")
    s.returning = [t.noun, s.kept["place"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("Yours and mine", "One {t.noun} for two", "The quarrel", "The {t.full}")
    scenes.opening(s)
    s.say("{h.poss} best friend was {f.intro}.", "Every day {h} played with {f.intro}.")
    s.say(
        "One <weather> <time> they found {t.a} <#placeat>.",
        "<#placeat>, <#spot>, they found {t.a} that belonged to nobody.",
    )
    s.say(
        '"{h.I} saw it first!" cried {h.name}. "But I picked it up!" cried {f.name}.',
        '"It is {h.mine}," said {h.name}. "No, mine," said {f.name}.',
    )
    s.extra(
        "{h} pulled on one side, and {f.name} pulled on the other.",
        "They tugged and shouted until the <bird> flew away.",
    )
    s.say(
        "Then {g.intro} came along and took {t} away.",
        '"Give it to me," said {g.intro}, who had heard the noise.',
    )
    s.say(
        '"You may have it back when you both want the same," said {g.name} and hung {t} up high, {g.home}.',
        '"I will keep it {g.home} until you know what to do," said {g.name}.',
    )
    s.paragraph()
    s.extra(
        "{h} went home alone, and {f.name} went home alone.",
        "They did not say a word to each other on the way home.",
    )
    s.extra(
        "{h} tried to play <game>, but alone it was no fun.",
        "The next day {h.name} went <#placeto>, but nobody was there.",
    )
    s.say("At the same time {f.name} sat {f.home} and counted raindrops.", "{f.name} drew in the sand and sighed.")
    s.extra(
        '"What use is {t.a} without {f.name}?" thought {h.name}.', "Even <food> did not taste of anything to {h.obj}."
    )
    s.extra("<sky>, but {h.name} did not notice.", "{h} looked out of the window all day.")
    s.paragraph()
    s.say(
        "On the third day they met <#placeat>, just where they had found {t}.",
        "Then they met by chance, <#placeat>.",
    )
    s.extra(
        '"I am sorry," said {f.name}. "So {h.am} {h.I}," said {h.name}.',
        '"You may have it," said {h.name}. "No, you," said {f.name}.',
    )
    s.say(
        '"You take it <#one>," said {f.name}. "And I take it <#other>."',
        '"Let us share," said {f.name}. "It is yours <#one> and mine <#other>."',
    )
    s.extra("Then they <went> to {g.name} and told {g.obj}.", "{g} was {g.work} when they came in together.")
    s.say(
        '"Now you both want the same," said {g.name} and took {t} down.',
        "Without a word {g} gave them {t}, and winked.",
    )
    s.say(
        "Since then {h.name} {h.has} {t} <#one>, and {f.name} {f.has} it <#other>.",
        "And that is how it is to this day: {h.name} {h:get} {t} <#one>, and {f.name} {f:get} it <#other>.",
    )
    scenes.closing(s)


def contest(s: Story) -> None:
    """Three enter a race with one thing each; somebody stops to help, and all is well."""
    scenes.cast_hero(s)
    s.cast(f=casting.friend(s), k=casting.friend(s), g=casting.grownup(s))
    what = s.draw.common(list(CONTESTS))
    where, verb, bad, worse = CONTESTS[what]
    if what == "sledge":
        s.season = "winter"
    colours = s.draw.several(["red", "blue", "green", "yellow", "white", "brown", "purple", "orange"], 3)
    s.kept.update(what=what, verb=verb, h=colours[0], f=colours[1], k=colours[2])
    s.keep("where", where)
    s.keep("bad", bad)
    s.keep("worse", worse)
    s.keep("prize", "<prize>")
    s.kept["theprize"] = definite(s.kept["prize"])
    s.returning = [colours[0], s.kept["prize"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The great race", "The <#h> <#what>", "Three <#what>s", "Who will win <#prize>?")
    scenes.opening(s)
    s.say(
        "One <weather> <time> there was a race <#where>, and the prize was <#prize>.",
        "Every year there was a race <#where>, and the winner was given <#prize>.",
    )
    s.say(
        "{h} had a <#h> <#what>.",
        "{h.poss} <#what> was <#h> and had taken a week to paint."
        if what != "snail"
        else "{h.names} snail had a <#h> spot on its shell.",
    )
    s.say("{f.intro} came with a <#f> one.", "The <#f> one belonged to {f.intro}.")
    s.say("The third one was <#k> and belonged to {k.intro}.", "And {k.intro} had a <#k> one.")
    s.extra("{k.name} had won the year before and the year before that.")
    s.paragraph()
    s.say('"Ready, steady, go!" cried {g.intro}.', "{g.intro} rang a bell, and off they went.")
    s.say("At first the <#k> <#what> was in front.", "The <#k> <#what> <#verb> ahead, and the crowd cheered.")
    s.extra("Then the <#f> one caught up.", "Close behind it <#verb> the <#f> one, and the <#h> one was last.")
    s.say("But suddenly the <#k> <#what> <#bad>.", "Then something happened: the <#k> <#what> <#bad>.")
    s.extra('"<oh>!" cried {k.name}.', "{k.name} covered {k.his} eyes.", "A long sigh went through the crowd.")
    s.say("A moment later the <#f> <#what> <#worse>.", "And before anyone could laugh, the <#f> one <#worse>.")
    s.extra(
        "Only the <#h> <#what> was left, and {h.name} could have won.",
        "Now {h.name} {h.was} in front with the <#h> <#what>.",
    )
    s.paragraph()
    s.say(
        "But {h} turned round and helped {k.name} with the <#k> <#what>.",
        'But {h} stopped. "Wait, {h.I} will help you!" {h} called to {k.name}.',
    )
    s.extra("Then they helped {f.name} with the <#f> one.", "Together they fetched the <#f> <#what> for {f.name}.")
    s.say(
        "And all three, the <#h>, the <#f> and the <#k> one, crossed the line side by side.",
        "So the <#h>, the <#f> and the <#k> <#what> reached the end at the very same moment.",
    )
    s.extra(
        '"Who is the winner now?" asked the people. {g.name} scratched {g.his} head.',
        "{g.name}, who was the judge, had to think for a long time.",
    )
    s.say(
        '"The prize goes to the one who stopped," said {g.name} and gave {h.obj} <#theprize>.',
        '"<saying>," said {g.name}. "<#theprize> goes to {h.name}!"',
    )
    s.extra(
        "{h} shared <#theprize> with {f.name} and {k.name}."
        if "basket" in s.kept["prize"] or "jar" in s.kept["prize"] or "cheese" in s.kept["prize"]
        else "{h} let {f.name} and {k.name} take <#theprize> home for a week each.",
        "Nobody clapped louder than {k.name}.",
    )
    scenes.closing(s)


PLOTS = (trade, parcels, sharing, contest)
