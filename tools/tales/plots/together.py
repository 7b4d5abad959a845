"""Plots in which each brings something, and it takes all of them."""

from __future__ import annotations

from tools.tales import casting, scenes
from tools.tales.lexicon.props import BUILDINGS, CLOTHES, GUEST_GIFTS, MATERIALS
from tools.tales.referents import definite
from tools.tales.story import Story


def storm_guests(s: Story) -> None:
    """One after another they ask for shelter, and each brings what another needs."""
    scenes.cast_hero(s)
    s.cast(a=casting.friend(s), b=casting.animal(s), c=casting.animal(s))
    s.keep("storm", "<storm>")
    for key, item in zip("abc", s.draw.several(GUEST_GIFTS, 3), strict=True):
        s.kept.update({f"i{key}": item[0], f"the{key}": definite(item[0])})
        s.keep(f"u{key}", item[1])
    s.returning = [s.kept["ia"].split()[-1], s.kept["storm"]]
    if s.draw.chance(0.6):
        s.entitle("The <#storm>", "Room for one more", "Guests in the <#storm>", "A <weather> night")
    scenes.opening(s)
    s.say(
        "One evening a <#storm> came over the hill, and everything rattled and creaked.",
        "It was <#season> when the great <#storm> came.",
        "The clouds grew dark, and then the <#storm> broke loose.",
    )
    s.extra("{h} shut the windows and lit a candle.", "{h} {h.was} glad of the fire and the warm blanket.")
    s.paragraph()
    s.say(
        'Then somebody knocked. "May I come in?" asked {a.intro}.',
        "There was a knock, and outside stood {a.intro}, <shiver>.",
    )
    s.say(
        '"Come in, come in!" said {h.name}. {a.name} had brought <#ia>.', "{a.name} came in and put <#ia> on the table."
    )
    s.say("Hardly had they sat down when {b.intro} knocked.", 'Again there was a knock. "Is there room for {b.intro}?"')
    s.extra('"There is always room for one more," said {h.name}.', "They moved a little closer together.")
    s.say("{b.name} had nothing but <#ib>.", "All that {b.name} had saved from the <#storm> was <#ib>.")
    s.say("The third to come was {c.intro}, with <#ic>.", "And at last came {c.intro}, dripping, with <#ic>.")
    s.extra(
        '"Now we are complete," said {h.name} and bolted the door.', "It was so full now that nobody could fall over."
    )
    s.paragraph()
    s.extra(
        "In the night the <#storm> grew so loud that nobody could sleep.",
        "Outside the <#storm> howled, and inside it was crowded and warm.",
    )
    s.keep("la", "{a.name} took <#thea>, and <#ua>")
    s.keep("lb", "{b.name} took <#theb>, and <#ub>")
    s.keep("lc", "{c.name} took <#thec>, and <#uc>")
    s.say("Then <#la>.", "<#la>.")
    s.say("<#lb>.")
    s.say("<#lc>.")
    s.extra(
        '"What luck that you all came," said {h.name}.',
        '"Alone I should have been afraid," {b.name} whispered.',
        "So the hours went by.",
    )
    s.paragraph()
    s.say(
        "When morning came, the <#storm> was over, and a <bird> was singing.",
        "In the morning the sky was as clean as a plate.",
    )
    s.say(
        "First {c.name} said goodbye to {h.name}, then {b.name}, and last of all {a.name}.",
        "One by one they thanked {h.name} and went home: {c.name}, then {b.name}, then {a.name}.",
    )
    s.say(
        "But {a.name} left <#thea> behind, {b.name} left <#theb>, and {c.name} left <#thec>.",
        "On the table lay <#thea>, <#theb> and <#thec>, as presents for {h.name}.",
    )
    s.say('"For the next <#storm>," they had said.', "And whenever a <#storm> comes, they all meet there again.")
    if s.draw.chance(0.5):
        scenes.closing(s)


def snow_day(s: Story) -> None:
    """A figure of snow wears borrowed things, which all come back when it melts."""
    s.season = "winter"
    scenes.cast_hero(s)
    s.cast(a=casting.friend(s), b=casting.friend(s))
    s.keep("figure", "[snowman|snow bear|snow king|snow queen|snow horse|snow owl]")
    first, second, third = s.draw.several(CLOTHES, 3)
    s.keep("x", first)
    s.keep("y", second)
    s.keep("z", third)
    s.returning = [s.kept["figure"].split()[-1], first.split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The <#figure>", "A friend of snow", "{h.name} and the <#figure>", "When the snow came")
    scenes.opening(s)
    s.say(
        "One morning everything was white.",
        "It had snowed all night, and the world was quiet.",
        "Then the snow came, soft and deep.",
    )
    s.say(
        '"Let us build a <#figure>!" {h} called to {a.intro} and {b.intro}.',
        "{h} met {a.intro} and {b.intro}, and they began to build a <#figure>.",
    )
    s.extra(
        "They rolled and patted until their fingers were red.", "It grew and grew, until it was taller than the fence."
    )
    s.paragraph()
    s.say('"It is cold," said {h.name} and gave it a <#x>.', "{h} put a <#x> on it.")
    s.say("{a.name} brought a <#y>.", '"It may have my <#y>," said {a.name}.')
    s.say("{b.name} thought for a while and fetched a <#z>.", "And {b.name} added a <#z>, which looked very <fine>.")
    s.extra(
        'Now the <#figure> had a <#x>, a <#y> and a <#z>. "Good day," it seemed to say.',
        "With a <#x>, a <#y> and a <#z> the <#figure> looked like somebody from a <fine> family.",
    )
    s.extra(
        "All winter it stood there, and the <bird> sat on its shoulder.",
        "Everyone who went by greeted it, even the postman.",
    )
    s.extra(
        "Every day {h.name} told it what had happened.", "On Sundays they brought it <drink>, which it never drank."
    )
    s.paragraph()
    s.say(
        "But the days grew longer, and the wind grew mild.",
        "Then the first <flower> came up, and water dripped from the roofs.",
    )
    s.extra('"It is getting thinner," said {a.name}.', "The <#figure> grew smaller from day to day.")
    s.extra("{h} {h.was} <sad> and wished for frost.", '"Stay a little," {h.name} begged.')
    s.say("One morning the <#figure> was gone.", "And then, one mild morning, there was only a puddle.")
    s.say(
        "In the grass lay the <#x>, the <#y> and the <#z>.",
        "There lay the <#x>, the <#y> and the <#z>, wet and lonely.",
    )
    s.paragraph()
    s.say(
        "{h} took the <#x>, {a.name} took the <#y>, and {b.name} took the <#z>.",
        "Each of them took home what was theirs: {h.name} the <#x>, {a.name} the <#y>, {b.name} the <#z>.",
    )
    s.extra(
        '"It gave everything back," said {b.name}.',
        '"Where is it now?" asked {b.name}. "In the brook," said {a.name}. "On its way to the sea."',
    )
    s.say(
        "Where the <#figure> had stood, the <flower> came up twice as thick that spring.",
        "And the next winter the <#figure> came back, and the <#x> was waiting for it.",
    )
    scenes.closing(s)


def building(s: Story) -> None:
    """Each brings something; it falls apart; what seemed useless at first holds it together."""
    scenes.cast_hero(s)
    s.cast(a=casting.friend(s), b=casting.friend(s), c=casting.animal(s))
    what = s.draw.common(list(BUILDINGS))
    s.kept["what"] = what
    s.keep("where", BUILDINGS[what])
    items = s.draw.several(MATERIALS, 3)
    for key, item in zip("xyz", items, strict=True):
        s.kept.update({key: item, f"the{key}": definite(item)})
    s.keep(
        "little",
        "[a piece of string|a lump of wax|a wooden peg|a bit of wire|a leather strap|a hook|a hairpin|a long shoelace]",
    )
    s.kept["bit"] = s.kept["little"].removeprefix("a ")
    s.kept["thelittle"] = definite(s.kept["little"])
    s.returning = [what.split()[-1], s.kept["little"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The <#what>", "Building a <#what>", "Something useful", "{h} builds a <#what>")
    scenes.opening(s)
    s.say(
        "{h} wanted to build a <#what> <#where>.",
        '"This summer {h.I} will build a <#what>," said {h.name}. "<#where>!"',
    )
    s.extra("{h} had <#x> already, but that was not enough.", "For that {h} had saved <#x>.")
    s.paragraph()
    s.say("{a.intro} heard of it and brought <#y>.", '"Can you use <#y>?" asked {a.intro}.')
    s.say("Then {b.intro} came with <#z>.", "The next to come was {b.intro}, who gave <#z>.")
    s.say(
        "Last of all came {c.intro}, with nothing but <#little>.",
        'And {c.intro} asked shyly, "I have only <#little>. May I help too?"',
    )
    s.extra(
        '"What shall we do with <#little>?" laughed {b.name}. But {h} put it away <spot>.',
        '"You never know," said {h.name} and laid it on the windowsill.',
    )
    s.paragraph()
    s.extra(
        "They worked all day with <#thex>, <#they> and <#thez>.",
        "{a.name} sawed, {b.name} hammered, and {h.name} held everything straight.",
    )
    s.say(
        "In the evening the <#what> stood <#where>, and everyone admired it.", "Before sunset the <#what> was finished."
    )
    s.say("But in the night came a <storm>.", "But the next day it creaked, it swayed, and crash, it fell down.")
    s.extra("Now it lay there in pieces, and nobody knew why.", '"<oh>!" said {a.name}. "All that work!"')
    s.extra(
        "They tried with more nails, but it would not hold.",
        "{b.name} wanted to give up, and {h.name} felt very <sad>.",
    )
    s.paragraph()
    s.say(
        'Then {c.name} said in a small voice, "What about my <#bit>?"',
        '"There is a gap in the middle," said {c.name}. "Just as big as what I brought."',
    )
    s.say(
        "{h} fetched <#thelittle>, and {c.name} fixed it in the middle.",
        "They took <#thelittle> after all, and {c.name} climbed up with it.",
    )
    s.say(
        "And the <#what> stood as firm as a rock.",
        '"<hurrah>!" cried {a.name}, for the <#what> did not wobble any more.',
    )
    s.extra(
        '"I am sorry that I laughed," said {b.name}. "<saying>," said {c.name}.',
        '"The smallest thing was the most important," said {b.name}.',
    )
    s.extra(
        "On top they painted four names: {h.call}, {a.call}, {b.call} and {c.call}."
        if not s.roles["h"].plural
        else "On top they painted all their names, and {c.names} came first.",
        "They ate <food> there, <#where>, until the stars came out.",
    )
    scenes.closing(s)


def concert(s: Story) -> None:
    """One of the players forgets the tune, and somebody in the crowd has remembered it from the first day."""
    scenes.cast_hero(s)
    s.cast(a=casting.friend(s), b=casting.friend(s), g=casting.grownup(s))
    m1, m2, m3 = s.draw.several(["fiddle", "drum", "flute", "harp", "accordion", "trumpet", "guitar", "bell", "banjo",
                                 "tambourine", "cello", "clarinet", "triangle", "mandolin"], 3)  # fmt: skip
    s.kept.update(x=m1, y=m2, z=m3)
    s.keep("first", "<verse>")
    s.keep("second", "<refrain>")
    s.keep("where", "<job_place>")
    s.returning = [m1, s.kept["second"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The concert", "The forgotten song", "Three players", "{h.name} and the <#x>")
    scenes.opening(s)
    s.say(
        "{h} played the <#x>, {a.intro} the <#y>, and {b.intro} the <#z>.",
        "{h} had a band with {a.intro} and {b.intro}: {h.he} played the <#x>, {a.name} the <#y>, {b.name} the <#z>.",
    )
    s.say("They wanted to play at the <#where> on Sunday.", "In <#season> they were asked to play at the <#where>.")
    s.say(
        'They made up a song, and it began: "<#first>, <#second>."',
        'Every day they practised a new song: "<#first>, <#second>," it went.',
    )
    s.say(
        "{g.intro} listened while {g.he} was {g.work}.", "Nobody listened but {g.intro}, who was {g.work} beside them."
    )
    s.paragraph()
    s.say(
        "Then the great day came, and the <#where> was full of people.",
        "On the day of the concert there was not a free seat at the <#where>.",
    )
    s.extra("<sky>.", "Paper <flower> hung from every <tree>.")
    s.extra(
        "{b.name} began on the <#z>, and {a.name} joined in on the <#y>.", "First the <#z> was heard, then the <#y>."
    )
    s.say(
        "{h} lifted the <#x>, but what came next?",
        "{h} took a deep breath and could not think of a single word.",
    )
    s.say('"<#first>," {h} sang, and then there was nothing but silence.', '"<#first>," sang {h.name}, and stopped.')
    s.extra(
        "{a.name} looked at {b.name}, but they had forgotten it too.",
        '"What comes now?" whispered {a.name}. {b.name} did not know.',
    )
    s.extra("Somebody coughed.", "The people waited, and a <insect> could be heard flying by.", "{h} felt very <sad>.")
    s.paragraph()
    s.say(
        'Then a voice in the last row sang: "<#second>!" It was {g.name}.',
        'And who stood up in the last row? It was {g.name}. "<#second>!" {g.he} sang.',
    )
    s.say(
        '"<#first>, <#second>!" sang {h.name}, and the <#x> came in at the right moment.',
        "Now {h.name} remembered it all, and the <#x>, the <#y> and the <#z> played as never before.",
    )
    s.extra("At the end the whole <#where> was singing along.", "Even the <bird> on the roof joined in.")
    s.extra(
        '"How did you know the words?" asked {h.name}. "You practised under my window," said {g.name}.',
        '"I heard it every day while I was {g.work}," said {g.name}.',
    )
    s.say(
        'And if you walk past there today, you can hear someone humming: "<#first>, <#second>."',
        "For that {g.name} was allowed to strike the <#y> at the next concert."
        if m2 in ("drum", "bell", "triangle", "tambourine")
        else "For that {g.name} got a seat in the first row at every concert.",
    )
    if s.draw.chance(0.6):
        scenes.closing(s)


PLOTS = (storm_guests, snow_day, building, concert)
