"""Plots in which something or someone is lost, hidden and found again."""

from __future__ import annotations

from tools.tales import casting, scenes
from tools.tales.story import Story


def lost_and_found(s: Story) -> None:
    """A treasure is put somewhere before a game, missed at night, and found where it was put."""
    scenes.cast_hero(s)
    t = casting.thing(s)
    s.cast(t=t, f=casting.friend(s))
    casting.place(s)
    s.keep("spot", "<spot>")
    s.returning = [t.noun, s.kept["spot"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The lost {t.noun}", "{h.name} and the {t.full}", "Where is the {t.noun}?", "The {t.full}")
    scenes.opening(s)
    s.say(
        "{h.poss} dearest treasure was {t.a}, a gift from {h.his} <relative#giver>.",
        "From {h.his} <relative#giver> {h} had {t.a}, and {h.he} {t.used}.",
        "On {h.his} last birthday {h.his} <relative#giver> had given {h.obj} {t.a}.",
    )
    s.paragraph()
    s.say(
        "One <weather> <time> {h.name} took {t} along <#placeto>.",
        "On a <weather> <time> {h.name} <went> <#placeto> with {t}.",
    )
    s.extra("<sky>.", "It smelled of <flower> and fresh grass.")
    s.say(
        "There {h} met {f.intro}, and they played <game>.",
        "{f.intro} was there already and wanted to play <game>.",
    )
    s.say(
        "Before the game {h.name} put {t} <#spot>, so that nothing could happen to {t.it}.",
        "To keep {t} safe, {h.name} laid {t.it} <#spot>.",
        '"{h.I} will put {t} <#spot>," thought {h.name}. "There {t.sub} {t.is} safe."',
    )
    s.extra(
        "They played until <play_end>, and then everyone ran home.",
        "The game was so merry that nobody noticed the time, until <play_end>.",
    )
    s.paragraph()
    s.say(
        "Only at bedtime did {h.name} notice that {t} {t.was} gone.",
        "In the evening {h.name} reached for {t}, but {t.sub} {t.was} not there.",
    )
    s.extra('"<oh>!" {h} cried. "Where {t.is} {h.my} {t.noun}?"')
    s.say(
        "{h} <looked> <indoor>, but there was only <trifle>.",
        "First {h} <looked> <indoor> and found nothing but <trifle>.",
    )
    s.extra("Then {h} <looked> <indoor>, but found only <trifle>.", "There was <trifle> <indoor>, but no {t.noun}.")
    if s.draw.chance(s.leisure):
        scenes.grumble(s)
    s.paragraph()
    s.say(
        "The next day {h.name} told {f.name} about it.",
        "Early in the morning {f.name} came by, and {h.name} told the whole story.",
    )
    s.say(
        '"Think back," said {f.name}. "What did you do before we played?"',
        '"Where did you have {t.it} last?" {f.name} asked.',
        '"Did you not put {t.it} away before the game?" asked {f.name}.',
    )
    s.say(
        'Then {h} remembered. "{h.I} put {t.it} <#spot>!"',
        '"Of course!" cried {h.name}. "{t.sub} must still be <#spot>!"',
    )
    s.say(
        "They <went> <#placeto>, and really, <#spot> lay {t}.",
        "Together they ran <#placeto>, and there, <#spot>, lay {t.the}, just as before.",
    )
    s.say(
        "{h} hugged {f.name} and then {t}.",
        "To thank {f.name}, {h.name} lent {f.him} {t} for a whole week.",
        '"<thanks>," said {h.name}. "You may have {t} until Sunday."',
    )
    s.extra(
        "And when {h.his} <#giver> heard of it, there was only a smile and a long hug.",
        "Since then {h.name} {h.has} never again left anything <#spot>.",
    )
    scenes.closing(s)


def old_letter(s: Story) -> None:
    """Three lines in an old letter lead to something that somebody buried long ago."""
    scenes.cast_hero(s)
    t = casting.thing(s, only_one=True)
    s.cast(t=t, f=casting.friend(s))
    casting.place(s, "one")
    casting.place(s, "two")
    s.keep("spot", "<spot>")
    s.keep("steps", "<number>")
    s.keep("who", "<relative>")
    s.returning = [s.kept["steps"], s.kept["who"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The old letter", "A letter in the attic", "{h.name} and the old letter", "The hidden {t.noun}")
    scenes.opening(s)
    s.say(
        "One <weather> <time> {h.name} found a letter <indoor>.",
        "While {h} helped to <chore>, a yellow letter fell on the floor.",
    )
    s.say(
        'It said: "Begin <#oneat>, walk <#steps> steps to <#two>, and look <#spot>."',
        '"Start <#oneat>," it said. "Go <#steps> steps towards <#two> and look <#spot>."',
    )
    s.say("At the bottom stood the name of {h.his} <#who>.", "It was in the handwriting of {h.his} <#who>.")
    s.paragraph()
    s.say(
        "{h} showed the letter to {f.intro}, and they set off at once.",
        'At the corner {h} met {f.intro}. "Come with {h.me}," said {h.name}. "{h.I} have a secret."',
    )
    s.extra(
        "First they came <#oneto>.", "They began <#oneat>, as the letter said.", "<#oneat> they stopped and read again."
    )
    scenes.weather(s)
    s.say(
        "{f.name} counted aloud, but after a while a <bird> flew up and the number was forgotten.",
        "They counted their steps, until a <insect> landed on the nose of {f.name} and {f.he} laughed.",
        "Halfway there they met a <bird> and forgot to count.",
    )
    s.say(
        '"How many steps was it?" asked {f.name}. "<#steps>," said {h.name}, who knew the letter by heart.',
        "So they went back <#oneto> and counted again, until they came to <#steps>.",
    )
    s.extra(
        "{h} looked <spot> first, but there was only <trifle>.",
        "First they dug in the wrong place and found <trifle>.",
    )
    s.paragraph()
    s.say(
        'Then {f.name} pointed. "The letter says <#spot>!"',
        '"Read the last words once more," said {f.name}. "Look <#spot>," {h.name} read.',
    )
    s.say(
        "And there, <#spot>, was a box, and in the box lay {t.a}, wrapped in <wrap>.",
        "There they found a small tin, and in it, under <wrap>, lay {t.a}.",
    )
    s.say(
        'Beside {t} was a note: "For the one who can count to <#steps>."',
        'A second letter lay beside {t}. "Well counted," it said. "<saying#say>."',
    )
    s.say(
        "In the evening {h.names} <#who> looked at {t} for a long time and smiled.",
        '"{h.I} found your {t.noun}," {h.name} told the <#who>.',
        "{h} ran to the <#who>, who had been waiting for this day for years.",
    )
    s.say(
        '"Keep {t.it}," said the <#who>. "{t.sub} belonged to me when I was small."',
        '"I hid {t.it} when I was as small as you," said the <#who>. "Now {t.sub} {t.is} yours."',
    )
    scenes.closing(s)


def night_noise(s: Story) -> None:
    """A noise in the night has a friendly cause."""
    scenes.cast_hero(s)
    f = casting.animal(s)
    s.cast(f=f, k=casting.friend(s))
    t = casting.thing(s, only_one=True)
    s.cast(t=t)
    s.keep(
        "noise",
        "[tap, tap, tap|scratch, scratch|bump, bump, bump|drip, drop, drip|rustle, rustle|click, clack|ting, ting]",
    )
    s.keep("spot", "<bed>")
    s.keep("light", "[lantern|candle|torch|oil lamp]")
    s.returning = [s.kept["noise"].split()[-1], t.noun]
    if s.draw.chance(0.6):
        s.entitle("The noise in the night", "Who goes there?", "A noise at midnight", "{h} cannot sleep")
    scenes.opening(s)
    s.say(
        "Every evening {h} put {t.a} <#spot>, and every morning {t.sub} lay somewhere else.",
        "One <weather> <time> {h} left {t.a} <#spot> and forgot all about {t.it}.",
    )
    s.paragraph()
    s.say(
        'In the middle of the night there was a noise: "<#noise>."',
        '"<#noise>," it went outside, just before midnight.',
    )
    s.extra("{h} pulled the blanket up to {h.his} nose.", "{h} sat up and listened.", "{h} held {h.his} breath.")
    s.say(
        '"It is only the wind," {h} said. But the wind had gone to sleep long ago.',
        '"Perhaps it is a <tree> in the wind," thought {h.name}. But there was no wind at all.',
    )
    s.extra('There it was again: "<#noise>."', '"<#noise>," it went again, a little louder.')
    s.say(
        "So {h} lit the <#light> and woke {k.intro}, who was staying for the night.",
        "{h} took the <#light> and tiptoed to {k.intro}, who was there on a visit.",
    )
    s.say(
        '"Let us go and see," said {k.name}. "Most noises are smaller than they sound."',
        '"If we look at it, it will be less dark," {k.name} whispered.',
    )
    s.paragraph()
    s.extra("They crept out <slowly>, and the <#light> shook a little.", "Hand in hand they stepped outside.")
    s.extra(
        "The moon made the <trees> silver.",
        "The <flower> had closed for the night, and it smelled of <herb>.",
        "A sleepy <bird> stirred in the <tree>.",
    )
    s.extra('"<#noise>," it went, quite near.', "The noise came from the place <#spot>.")
    s.say(
        "{h} held up the <#light>, and there, <#spot>, sat {f.intro} with {t}.",
        "And what did they see <#spot>? It was {f.intro}, who was playing with {t}.",
    )
    s.say(
        '"I am sorry," said {f.name}. "I cannot sleep by day or by night, and {t.this} {t.noun} {t.is} so beautiful."',
        '"Good evening," said {f.name} and turned red. "I only wanted to borrow {t.the} for a while."',
    )
    s.extra(
        "{h} had to laugh. That was all it had been.",
        '"So you are the noise!" said {h.name} and began to laugh.',
    )
    s.say(
        '"Come in and have some <drink>," said {k.name}. "Then we shall all sleep better."',
        "They sat down together in the light of the <#light> and drank <drink>.",
    )
    s.say(
        "Now {f.name} {f:play} with {t} every night, and when it goes <#noise>, {h.name} only {h:smile}.",
        "And now, when it goes <#noise> in the night, {h.name} only {h:smile} and {h:turn} over.",
    )
    scenes.closing(s)


PLOTS = (lost_and_found, old_letter, night_noise)
