"""Plots in which something goes wrong, or seems too hard, and is put right."""

from __future__ import annotations

from rnnplay.text.synthetic import casting, scenes
from rnnplay.text.synthetic.lexicon.sayings import RIDDLES
from rnnplay.text.synthetic.story import Story

_BREAKABLE = [
    "jug", "vase", "teapot", "lantern", "clock", "flowerpot", "bowl", "mirror", "plate", "fiddle", "chair", "birdcage",
    "picture frame", "cup", "weathervane", "globe", "umbrella", "lamp", "stool", "mandolin", "drum", "barometer",
    "chessboard", "thermometer",
]  # fmt: skip


def mistake(s: Story) -> None:
    """Something is broken and hidden; the truth is told, and it is mended together."""
    scenes.cast_hero(s)
    s.cast(g=casting.grownup(s), f=casting.friend(s))
    s.keep("item", "<colour> " + s.draw.common(_BREAKABLE))
    s.keep("spot", "<spot>")
    s.keep("mend", "<mend>")
    s.keep("say", "<saying>")
    s.returning = [s.kept["item"].split()[-1], s.kept["spot"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The broken <#item>", "{h.name} tells the truth", "An honest word", "The <#item>")
    scenes.opening(s)
    s.say("Next door was the home of {g.intro}, who owned a <#item>.", "{h} often visited {g.intro}, and on the shelf there stood a <#item>.")
    s.say('"It belonged to my <relative>," {g} liked to say. "I would not give it away for gold."', "{g} dusted it every day, because it was older than the house.")
    s.say("One <weather> <time> {h.name} played <game> there with {f.intro}.", "On a <weather> <time> {h.name} and {f.intro} came to help, because {g.name} had gone out.")
    s.say(
        "{h.name} turned round too fast, and crash, the <#item> lay on the floor in <number> pieces.",
        "A sleeve caught on the shelf, and down came the <#item> with a crash.",
    )
    s.maybe(0.7, '"<oh>!" whispered {f.name}.', "For a moment nobody breathed.")
    s.say("Quickly {h.name} gathered the pieces and hid them <#spot>.", "{h.name} swept up the pieces and put them <#spot>, where nobody would look.")
    s.paragraph()
    s.say('"Has anyone seen my <#item>?" {g.name} asked the next day. Nobody answered.', "When {g.name} came home, {g.he} looked for the <#item> everywhere.")
    s.say("{h} looked at {h.his} shoes and said nothing.", "{h} said nothing, but it felt like a stone in the stomach.") if not s.roles["h"].fixed("home") else s.say(
        "{h.name} looked at the ground and said nothing.", "{h.name} said nothing, but {h.he} felt very <sad>."
    )
    s.say(
        "Even <#loves> had no taste any more." if "loves" in s.kept else "Not even <food> tasted good that evening.",
        "At night {h.name} could not sleep and thought of the pieces <#spot>.",
    )
    s.say('"The truth is like a cork," said {f.name}. "It always comes up."', '"You must tell {g.obj}," said {f.name}. "I will come with you."')
    s.paragraph()
    s.say("So in the morning {h.name} took the pieces from their place <#spot> and <went> to {g.name}.", "The next morning they <went> to {g.name}, who was {g.work}.")
    s.say('"{h.I} broke your <#item>," said {h.name}. "{h.I} hid it <#spot>. {h.I} {h.am} so sorry."', '"It was {h.me}," said {h.name} softly and laid the pieces on the table.')
    s.say("{g.name} was silent for a long time.", "{g.name} looked at the pieces, and then at {h.name}.")
    s.say('"That was not easy to say," said {g.name} at last. "<#say>."', '"<#say>," said {g.name}. "A <#item> can be mended."')
    s.say("They took <#mend> and put it together, piece by piece.", "With <#mend> and much patience they mended it, and {f.name} held the lamp.")
    s.say(
        "A thin line can still be seen on the <#item>, and {g.name} says that it is the best part of it.",
        "Now the <#item> has a crack that looks like a <bird>, and {g.name} likes it more than before.",
    )
    s.say('Whenever {h.name} sees it, {h.he} thinks: "<#say>."'.replace("sees", "{h:see}").replace("thinks", "{h:think}"), '"<#say>," {h.name} says whenever {f.name} is afraid to speak.'.replace("says", "{h:say}"))
    if s.draw.chance(0.5):
        scenes.closing(s)


def riddle(s: Story) -> None:
    """A riddle is asked; many guess wrong; its answer is seen by chance on the way."""
    scenes.cast_hero(s)
    question, answer, sight = s.draw.common(RIDDLES)
    s.cast(g=casting.grownup(s), a=casting.friend(s), b=casting.friend(s))
    s.kept.update(question=question, answer=answer, sight=sight)
    s.keep("prize", "<prize>")
    s.returning = [question.split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The riddle", "A hard riddle", "The riddle of the {g.noun}", "{h.name} and the riddle")
    scenes.opening(s)
    s.say(
        "One <weather> <time> {g.intro} promised <#prize> to anyone who could solve a riddle.",
        "One day {g.intro} nailed a riddle to the door, {g.home}, and the prize was <#prize>.",
    )
    s.say('"<#question>?" it went.', 'The riddle was this: "<#question>?"')
    s.paragraph()
    s.say('"<wrong>," said {a.intro}. But {g.name} shook {g.his} head.'.replace("<wrong>", "[A snail|A gate|The moon|A kettle|A ladder|A puppet|The wind]"), '{a.intro} was the first to guess. "[A sack|A cloud|A hill|A bell|A snowman|A wall]!" But that was wrong.')
    s.say('"[A candle|A broom|A cabbage|A stone|A bridge|A button]?" asked {b.intro}. That was wrong too.', "{b.intro} thought for three days and guessed [a goat|a ship|a pancake|a barrel|a mountain|a postman], which made everybody laugh.")
    s.say("{h} wanted <#prize> very much, but had no idea.", "{h.name} turned the riddle round and round.")
    s.say('"<#question>?" {h} said at breakfast. "<#question>?" {h.he} said at supper.', 'In bed {h} still murmured, "<#question>?"')
    s.maybe(0.6, '"Do not think so hard," said {a.name}. "Look about you."', '"<saying>," said {h.his} <relative>.')
    s.say("{h.name} helped to <chore>, and still the riddle would not go away.", "{h.name} asked the <bird> and the <insect>, but they only sang.")
    scenes.weather(s)
    s.paragraph()
    s.say("Then, on a <weather> <time>, {h.name} <#sight>.", "A week later {h.name} <#sight>.")
    s.say('{h} stood quite still. "<#question>?" {h.he} whispered.', '"Wait," said {h.name}. "<#question>? But of course!"')
    s.say("And {h} ran all the way to {g.name}, who was {g.work}.", "{h.name} <went> to {g.name} without stopping once.")
    s.say('"<#answer>!" cried {h.name}. "The answer is <#answer>!"', '"It is <#answer>," said {h.name}, quite out of breath.')
    s.say('"Right!" said {g.name}. "And how did you find it?" "{h.I} kept {h.my} eyes open," said {h.name}.', "{g} nodded slowly, and then {g.he} began to clap.")
    s.say("So {h} won <#prize>, and {a.name} and {b.name} came to admire it.", "<#prize> went to {h.name}, who let {a.name} and {b.name} have a share in the fun.")
    s.say('"<#question>?" {a.name} {a:ask} to this day, and {b.name} {b:call}: "<#answer>!"', 'Now {h.name} {h:ask} everyone: "<#question>?"')
    if s.draw.chance(0.6):
        scenes.closing(s)


_BUILDINGS = {
    "tree house": "up in the <tree>",
    "raft": "on the pond",
    "bridge": "over the brook",
    "hut": "behind the hedge",
    "swing": "under the <tree>",
    "dam": "in the stream",
    "birdhouse": "on the <tree>",
    "windmill": "on the hill",
    "seesaw": "on the green",
    "stage": "in the barn",
}


def building(s: Story) -> None:
    """Each brings something; it falls apart; what seemed useless at first holds it together."""
    scenes.cast_hero(s)
    s.cast(a=casting.friend(s), b=casting.friend(s), c=casting.animal(s))
    what = s.draw.common(list(_BUILDINGS))
    s.kept["what"] = what
    s.keep("where", _BUILDINGS[what])
    items = s.draw.several(["four planks", "a bag of nails", "an old door", "two barrels", "a cartwheel", "a ladder",
                            "six poles", "a pile of bricks", "a roll of canvas", "a box of tiles", "an armful of reeds"], 3)  # fmt: skip
    s.kept.update(x=items[0], y=items[1], z=items[2])
    s.keep("little", "[a piece of string|a lump of wax|a wooden peg|a bit of wire|a leather strap|a hook|a hairpin|a long shoelace]")
    s.returning = [what.split()[-1], s.kept["little"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The <#what>", "Building a <#what>", "Something useful", "{h.name} builds a <#what>")
    scenes.opening(s)
    s.say("{h} wanted to build a <#what> <#where>.", '"This summer {h.I} will build a <#what>," said {h.name}. "<#where>!"')
    s.say("{h} had <#x> already, but that was not enough.", "For that {h} had saved <#x>.")
    s.paragraph()
    s.say("{a.intro} heard of it and brought <#y>.", '"Can you use <#y>?" asked {a.intro}.')
    s.say("Then {b.intro} came with <#z>.", "The next to come was {b.intro}, who gave <#z>.")
    s.say("Last of all came {c.intro}, with nothing but <#little>.", 'And {c.intro} asked shyly, "I have only <#little>. May I help too?"')
    s.say('"What shall we do with <#little>?" laughed {b.name}. But {h.name} put it away <spot>.', '"You never know," said {h.name} and laid it on the windowsill.')
    s.paragraph()
    s.say("They worked all day with <#x>, <#y> and <#z>.", "{a.name} sawed, {b.name} hammered, and {h.name} held everything straight.")
    s.say("In the evening the <#what> stood <#where>, and everyone admired it.", "Before sunset the <#what> was finished.")
    s.say("But in the night came a <storm>.", "But the next day it creaked, it swayed, and crash, it fell down.") 
    s.say("Now it lay there in pieces, and nobody knew why.", '"<oh>!" said {a.name}. "All that work!"')
    s.say("They tried with more nails, but it would not hold.", "{b.name} wanted to give up, and {h.name} felt very <sad>.")
    s.paragraph()
    s.say("Then {c.name} said in a small voice, \"What about <#little>?\"", '"There is a gap in the middle," said {c.name}. "Just as big as what I brought."')
    s.say("{h.name} fetched <#little>, and {c.name} fixed it in the middle.", "They took <#little> after all, and {c.name} climbed up with it.")
    s.say("And the <#what> stood as firm as a rock.", '"<hurrah>!" cried {a.name}. Nothing wobbled any more.')
    s.say('"I am sorry that I laughed," said {b.name}. "<saying>," said {c.name}.', '"The smallest thing was the most important," said {b.name}.')
    s.say("On top they painted four names: {h.name}, {a.name}, {b.name} and {c.name}." if not s.roles["h"].plural else "On top they painted all their names, and {c.names} came first.", "They ate <food> there, <#where>, until the stars came out.")
    scenes.closing(s)


def concert(s: Story) -> None:
    """One of the players forgets the tune, and somebody in the crowd has remembered it from the first day."""
    scenes.cast_hero(s)
    s.cast(a=casting.friend(s), b=casting.friend(s), g=casting.grownup(s))
    m1, m2, m3 = s.draw.several(["fiddle", "drum", "flute", "harp", "accordion", "trumpet", "guitar", "bell", "banjo",
                                 "tambourine", "cello", "clarinet", "triangle", "mandolin"], 3)  # fmt: skip
    s.kept.update(x=m1, y=m2, z=m3)
    s.keep("first", "[O little boat|Come, merry wind|My hat is green|The miller has a cat|Over the hill and home again|Seven geese went walking|The moon is a cheese|Sleep, my garden]")
    s.keep("second", "[sail home to me|dance round the tree|and that is that|and the cat has a hat|sing with me|rain or shine|down to the sea]")
    s.keep("where", "<job_place>")
    s.returning = [m1, s.kept["second"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The concert", "The forgotten song", "Three players", "{h.name} and the <#x>")
    scenes.opening(s)
    s.say("{h} played the <#x>, {a.intro} the <#y>, and {b.intro} the <#z>.", "With {a.intro} and {b.intro} {h} had a band: {h.he} played the <#x>, {a.name} the <#y>, and {b.name} the <#z>.")
    s.say("They wanted to play at the <#where> on <time#day>.".replace("<time#day>", "Sunday"), "In <#season> they were asked to play at the <#where>.")
    s.say('They made up a song, and it began: "<#first>, <#second>."', 'Every day they practised a new song: "<#first>, <#second>," it went.')
    s.say("{g.intro} listened while {g.he} was {g.work}.", "Nobody listened but {g.intro}, who was {g.work} beside them.")
    s.paragraph()
    s.say("Then the great day came, and the <#where> was full of people.", "On the day of the concert there was not a free seat at the <#where>.")
    s.maybe(0.5, "<sky>.", "Paper <flower> hung from every <tree>.")
    s.say("{b.name} began on the <#z>, and {a.name} joined in on the <#y>.", "First the <#z> was heard, then the <#y>.")
    s.say("{h.name} lifted the <#x>, but what came next?", "{h.name} opened {h.his} mouth and could not think of a single word.")
    s.say('"<#first>," {h} sang, and then there was nothing but silence.', '"<#first>," sang {h.name}, and stopped.')
    s.say("{a.name} looked at {b.name}, but they had forgotten it too.", '"What comes now?" whispered {a.name}. {b.name} did not know.')
    s.say("Somebody coughed.", "The people waited, and a <insect> could be heard flying by.", "{h.name} felt very <sad>.")
    s.paragraph()
    s.say('Then a voice in the last row sang: "<#second>!" It was {g.name}.', 'And who stood up in the last row? It was {g.name}. "<#second>!" {g.he} sang.')
    s.say('"<#first>, <#second>!" sang {h.name}, and the <#x> came in at the right moment.', "Now {h.name} remembered it all, and the <#x>, the <#y> and the <#z> played as never before.")
    s.say("At the end the whole <#where> was singing along.", "Even the <bird> on the roof joined in.")
    s.say('"How did you know the words?" asked {h.name}. "You practised under my window," said {g.name}.', '"I heard it every day while I was {g.work}," said {g.name}.')
    s.say('And if you walk past there today, you can hear someone humming: "<#first>, <#second>."', "For that {g.name} was allowed to strike the <#y> at the next concert." if m2 in ("drum", "bell", "triangle", "tambourine") else "For that {g.name} got a seat in the first row at every concert.")
    if s.draw.chance(0.6):
        scenes.closing(s)


PLOTS = (mistake, riddle, building, concert)
