"""Plots on the road and in all weathers."""

from __future__ import annotations

from rnnplay.text.synthetic import casting, scenes
from rnnplay.text.synthetic.lexicon.places import WAYPOINTS
from rnnplay.text.synthetic.story import Story


def journey(s: Story) -> None:
    """Out past three landmarks and back past them in the opposite order; what was left on the way is found again."""
    scenes.cast_hero(s)
    t = casting.thing(s, only_one=True)
    s.cast(t=t, f=casting.friend(s), g=casting.grownup(s))
    for key, (verb, landmark, sight) in zip("123", s.draw.several(WAYPOINTS, 3), strict=True):
        s.kept.update({f"v{key}": verb, f"w{key}": landmark, f"s{key}": sight})
    s.keep("cap", "[<colour> cap|<colour> scarf|woollen coat|<colour> jacket|straw hat]")
    s.keep("bag", "<bread>")
    s.keep("who", "<relative>")
    s.returning = [s.kept["w1"].split()[-1], s.kept["cap"].split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The long way", "A journey to the {g.noun}", "{h.name} goes on a journey", "There and back")
    scenes.opening(s)
    s.say(
        "One <weather> <time> {h.names} <#who> had {t.a} to be taken to {g.intro}, {g.home}.",
        '"Who will carry {t.this} {t.noun} to {g.intro}?" asked the <#who>. "{h.I} will!" said {h.name}.',
    )
    s.say(
        '"<blessing>," said the <#who> and packed some <#bag>.',
        "The <#who> put <#bag> into the basket. \"<blessing>!\"",
    )
    s.paragraph()
    s.say("First {h.name} <#v1> <#w1>, where <#s1>.", "{h.name} <went> along and <#v1> <#w1>, where <#s1>.")
    s.say(
        "It grew warm, and so {h} took off the <#cap> and left it there for the way back.",
        "The sun was hot, so the <#cap> was left behind there, on a branch.",
    )
    s.say("Then {h} <#v2> <#w2>, where <#s2>.", "After an hour {h} <#v2> <#w2>.")
    s.say(
        "There sat {f.intro}, who was <shiver>.",
        "In the grass beside it lay {f.intro}, who was too hungry to go on.",
    )
    s.say("{h.name} shared the <#bag> with {f.name}, and they went on together.", '"Here, take half of the <#bag>," said {h.name}. "And come along!"')
    s.say("Last of all they <#v3> <#w3>, where <#s3>.", "Then they <#v3> <#w3> and could already see where {g.name} lived.")
    s.paragraph()
    s.say("{g.name} was {g.work} when they came.", "There was {g.name}, {g.work}.")
    s.say(
        '"{t.a}!" cried {g.name}. "I have waited for {t.it} all year."',
        "{g.name} took {t} and was so <happy> that {g.he} could not speak at first.",
    )
    s.say("For the way back {g.name} gave them a {g.goods}.", 'As thanks they got a {g.goods}. "For the <#who>," said {g.name}.')
    s.paragraph()
    s.say(
        "On the way home they came to <#w3> first, then to <#w2>, and last to <#w1>.",
        "Back they went: to <#w3>, to <#w2>, and in the evening to <#w1>.",
    )
    s.say(
        "There hung the <#cap>, just where it had been left in the morning.",
        "And at <#w1> the <#cap> was still waiting, which was good, because it had grown cold.",
    )
    s.maybe(0.5, "{h} put it round {f.names} shoulders.", "{f.name} tried on the <#cap>, and it fitted.")
    s.say(
        'At home {h} told of <#w1>, <#w2> and <#w3>. "And you kept your feet dry?" asked the <#who>.',
        '"Was it far?" asked the <#who>. "Only past <#w1>, <#w2> and <#w3>," said {h.name}.',
    )
    scenes.closing(s)


def storm_guests(s: Story) -> None:
    """One after another they ask for shelter, and each brings what another needs."""
    scenes.cast_hero(s)
    s.cast(a=casting.friend(s), b=casting.animal(s), c=casting.animal(s))
    s.keep("storm", "<storm>")
    for key, item in zip("abc", s.draw.several(_GUEST_GIFTS, 3), strict=True):
        s.kept.update({f"i{key}": item[0], f"the{key}": item[0].replace("a ", "the ", 1)})
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
    s.say("{h} shut the windows and lit a candle.", "{h} was glad of the fire and the warm blanket.")
    s.paragraph()
    s.say('Then somebody knocked. "May I come in?" asked {a.intro}.', "There was a knock, and outside stood {a.intro}, <shiver>.")
    s.say('"Come in, come in!" said {h.name}. {a.name} had brought <#ia>.', "{a.name} came in and put <#ia> on the table.")
    s.say("Hardly had they sat down when {b.intro} knocked.", 'Again there was a knock. "Is there room for {b.intro}?"')
    s.say('"There is always room for one more," said {h.name}.', "They moved a little closer together.")
    s.say("{b.name} had nothing but <#ib>.", "All that {b.name} had saved from the <#storm> was <#ib>.")
    s.say("The third to come was {c.intro}, with <#ic>.", "And at last came {c.intro}, dripping, with <#ic>.")
    s.say('"Now we are complete," said {h.name} and bolted the door.', "It was so full now that nobody could fall over.")
    s.paragraph()
    s.say(
        "In the night the <#storm> grew so loud that nobody could sleep.",
        "Outside the <#storm> howled, and inside it was crowded and warm.",
    )
    s.keep("la", "{a.name} took <#thea>, and <#ua>")
    s.keep("lb", "{b.name} took <#theb>, and <#ub>")
    s.keep("lc", "{c.name} took <#thec>, and <#uc>")
    s.say("Then <#la>.", "<#la>.")
    s.say("<#lb>.")
    s.say("<#lc>.")
    s.say('"What luck that you all came," said {h.name}.', '"Alone I should have been afraid," {b.name} whispered.', "So the hours went by.")
    s.paragraph()
    s.say("When morning came, the <#storm> was over, and a <bird> was singing.", "In the morning the sky was as clean as a plate.")
    s.say(
        "First {c.name} said goodbye, then {b.name}, and last of all {a.name}.",
        "One by one they went home: {c.name}, then {b.name}, then {a.name}.",
    )
    s.say(
        "But {a.name} left <#thea> behind, {b.name} left <#theb>, and {c.name} left <#thec>.",
        "On the table lay <#thea>, <#theb> and <#thec>, as presents for {h.name}.",
    )
    s.say('"For the next <#storm>," they had said.', "And whenever a <#storm> comes, they all meet there again.")
    if s.draw.chance(0.5):
        scenes.closing(s)


_GUEST_GIFTS = [
    ("a loaf of bread", "everyone got a slice"),
    ("a fiddle", "soon they were all humming along"),
    ("a warm blanket", "it was just wide enough for everyone"),
    ("a bag of walnuts", "they cracked them by the fire"),
    ("a book of fairy tales", "each of them read a page aloud"),
    ("a big umbrella", "the drip from the ceiling bothered nobody any more"),
    ("a pack of cards", "they played until their eyes fell shut"),
    ("a pot of jam", "they all licked the spoon"),
    ("a bucket", "the water from the leaking roof went plop, plop into it"),
    ("a bundle of firewood", "the stove began to crackle"),
    ("a jar of honey", "the tea tasted twice as good"),
    ("a box of dominoes", "they laid a snake right round the room"),
    ("a ball of wool", "by midnight there was a stocking for everyone"),
    ("a paper lantern", "the walls turned <colour>"),
    ("a tin of cocoa", "seven cups were filled and emptied"),
    ("a hammer", "the banging shutter was nailed fast"),
    ("a basket of apples", "they baked them in the oven"),
    ("a mouth organ", "they sang <song> in three voices"),
    ("a feather pillow", "they took turns to rest on it"),
    ("a lump of clay", "they made small <bird>s and cups of it"),
]


def recipe(s: Story) -> None:
    """Three things are needed for a dish; on the way the third is forgotten, until the words come back."""
    scenes.cast_hero(s)
    s.cast(a=casting.grownup(s), b=casting.grownup(s), c=casting.friend(s))
    s.keep("who", "<relative>")
    s.keep("dish", "<food>")
    first, second, third = s.draw.several(_INGREDIENTS, 3)
    s.kept.update(x=first, y=second, z=third)
    s.returning = [first.split()[-1], third.split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The secret of <#dish>", "<#dish> for {h.his} <#who>", "What was the third thing?", "The recipe")
    scenes.opening(s)
    s.say(
        "One <weather> <time> {h.names} <#who> lay in bed with a cold and could eat nothing but <#dish>.",
        "{h.names} <#who> made the best <#dish> in the country, but one day the <#who> had a bad cold.",
    )
    s.say('"{h.I} will cook for you," said {h.name}. "What do {h.I} need?"', '"Tell {h.me} what goes into it," said {h.name}.')
    s.say(
        '"<#x>, <#y> and <#z>," said the <#who> in a hoarse voice. "Those three. Without them it is no <#dish>."',
        '"You need <#x>," coughed the <#who>. "And <#y>. And do not forget <#z>."',
    )
    s.say('"<#x>, <#y> and <#z>," {h} said over and over on the way.', "{h} said it aloud at every step: <#x>, <#y>, <#z>.")
    s.paragraph()
    s.say("{a.home} {h.name} met {a.intro}, who was {a.work}.", "First {h.name} asked {a.intro}.")
    s.say('"<#x>?" said {a.name}. "I have more than I need."', "{a} gave {h.obj} <#x> and wished the <#who> well.")
    s.say("Then {h.name} came to {b.intro}.", "The next door was that of {b.intro}, who was {b.work}.")
    s.say('"May {h.I} have <#y>?" asked {h.name}. "Of course," said {b.name}.', "{b} had <#y> and would take no money for it.")
    s.maybe(0.4, "<sky>.", "{h} <went> on and sang <song>.")
    s.say(
        "But on the bridge a <vehicle> rattled by, so close that {h.name} forgot everything.",
        "But then {h.name} saw a <insect> on a leaf, and when it flew off, the third word was gone too.",
    )
    s.say(
        '"<#x>, <#y> and ..." said {h.name}. "What was the third?"'.replace(" ...", ""),
        "{h} looked into the basket: there were <#x> and <#y>, but what was missing?",
    )
    s.paragraph()
    s.say("On the bridge sat {c.intro}, with a fishing rod and no fish.".replace("a fishing rod and no fish", "both feet in the water"), "{c.intro} came along and saw {h.names} long face.")
    s.say('"Say it from the beginning," said {c.name}. "Words like to walk in a row."', '"Go back to where you still knew it," {c.name} advised.')
    s.say(
        '{h.name} shut {h.his} eyes. "<#x>, <#y>," {h.he} said slowly. "And <#z>!"',
        'So they walked back over the bridge. "<#x>, <#y>," said {h.name}. "<#z>! It was <#z>!"',
    )
    s.say('"We have that at home," said {c.name} and ran to fetch it.', "{c.name} laughed, for <#z> was just what {c.he} had in {c.his} bag.")
    s.say("Soon <#x>, <#y> and <#z> were in the pot.", "At home {h} put in <#x>, then <#y>, then <#z>, and stirred.")
    s.say(
        'The <#who> tasted the <#dish>. "Nothing is missing," said the <#who>.',
        '"This is even better than mine," said the <#who> after the first spoonful.',
    )
    s.say("The next day the cold was gone.", "And {c.name} got the second plate of <#dish>.")
    scenes.closing(s)


_INGREDIENTS = [
    "butter", "honey", "salt", "flour", "milk", "cream", "cinnamon", "garlic", "thyme", "vinegar", "sugar", "pepper",
    "parsley", "mustard", "nutmeg", "rice", "barley", "ginger", "oil", "saffron", "yeast", "cheese", "rosemary",
    "vanilla", "oats", "dill", "chives", "cloves", "buttermilk", "syrup", "aniseed", "paprika", "marjoram", "cocoa",
]  # fmt: skip


def snow_day(s: Story) -> None:
    """A figure of snow wears borrowed things, which all come back when it melts."""
    s.season = "winter"
    scenes.cast_hero(s)
    s.cast(a=casting.friend(s), b=casting.friend(s))
    s.keep("figure", "[snowman|snow bear|snow king|snow queen|snow horse|snow owl]")
    first, second, third = s.draw.several(_CLOTHES, 3)
    s.kept.update(x=first, y=second, z=third)
    s.keep("spot", "<spot>")
    s.returning = [s.kept["figure"].split()[-1], first.split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The <#figure>", "A friend of snow", "{h.name} and the <#figure>", "When the snow came")
    scenes.opening(s)
    s.say("One morning everything was white.", "It had snowed all night, and the world was quiet.", "Then the snow came, soft and deep.")
    s.say('"Let us build a <#figure>!" {h} called to {a.intro} and {b.intro}.', "{h} met {a.intro} and {b.intro}, and they began to build a <#figure>.")
    s.say("They rolled and patted until their fingers were red.", "It grew and grew, until it was taller than the fence.")
    s.paragraph()
    s.say('"It is cold," said {h.name} and gave it a <#x>.', "{h.name} put a <#x> on it.")
    s.say("{a.name} brought a <#y>.", '"It may have my <#y>," said {a.name}.')
    s.say("{b.name} thought for a while and fetched a <#z>.", "And {b.name} added a <#z>, which looked very <fine>.")
    s.say(
        'Now the <#figure> had a <#x>, a <#y> and a <#z>. "Good day," it seemed to say.',
        "With <#x>, <#y> and <#z> the <#figure> looked like somebody from a <fine> family.",
    )
    s.say("All winter it stood there, and the <bird> sat on its shoulder.", "Everyone who went by greeted it, even the postman.")
    s.say("Every day {h.name} told it what had happened.", "On Sundays they brought it <drink>, which it never drank.")
    s.paragraph()
    s.say("But the days grew longer, and the wind grew mild.", "Then the first <flower> came up, and water dripped from the roofs.")
    s.say('"It is getting thinner," said {a.name}.', "The <#figure> grew smaller from day to day.")
    s.say("{h.name} was <sad> and wished for frost.", '"Stay a little," {h.name} begged.')
    s.say("One morning the <#figure> was gone.", "And then, one mild morning, there was only a puddle.")
    s.say("In the grass lay the <#x>, the <#y> and the <#z>.", "There lay a <#x>, a <#y> and a <#z>, wet and lonely.")
    s.paragraph()
    s.say("{h.name} took the <#x>, {a.name} took the <#y>, and {b.name} took the <#z>.", "Each of them took home what was theirs: {h.name} the <#x>, {a.name} the <#y>, {b.name} the <#z>.")
    s.say('"It gave everything back," said {b.name}.', '"Where is it now?" asked {b.name}. "In the brook," said {a.name}. "On its way to the sea."')
    s.say(
        "Where the <#figure> had stood, the <flower> came up twice as thick that spring.",
        "And the next winter it came back, and the <#x> still fitted.",
    )
    scenes.closing(s)


_CLOTHES = [
    "<colour> scarf", "top hat", "<colour> cap", "wooden pipe", "carrot nose", "broom", "<colour> shawl", "straw hat",
    "pair of spectacles", "necklace of acorns", "<colour> bow tie", "tin bucket", "walking stick", "coat with brass buttons",
    "<colour> belt", "pair of mittens", "feather fan", "paper crown", "woollen blanket", "pair of earmuffs",
]  # fmt: skip

PLOTS = (journey, storm_guests, recipe, snow_day)
