"""Plots on the road."""

from __future__ import annotations

from tools.tales import casting, scenes
from tools.tales.lexicon.places import WAYPOINTS
from tools.tales.lexicon.props import KITCHENS
from tools.tales.story import Story


def journey(s: Story) -> None:
    """Out past three landmarks and back past them in the opposite order; what was left on the way is found again."""
    s.season = "summer"
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
        s.entitle("The long way", "A journey to the {g.noun}", "{h} goes on a journey", "There and back")
    scenes.opening(s)
    s.say(
        "One <weather> <time> {h.names} <#who> had {t.a} to be taken to {g.intro}, {g.home}.",
        '"Who will carry {t.this} {t.noun} to {g.intro}?" asked the <#who>. "{h.I} will!" said {h.name}.',
    )
    s.extra(
        '"<blessing>," said the <#who> and packed some <#bag>.',
        'The <#who> put <#bag> into the basket. "<blessing>!"',
    )
    s.paragraph()
    s.say("First {h.name} <#v1> <#w1>, where <#s1>.", "{h} <went> along and <#v1> <#w1>, where <#s1>.")
    s.say(
        "It grew warm, and so {h} took off the <#cap> and left it there for the way back.",
        "The sun was hot, so the <#cap> was left behind there, on a branch.",
    )
    if s.draw.chance(s.leisure / 2):
        scenes.meal(s)
    s.say("Then {h} <#v2> <#w2>, where <#s2>.", "After an hour {h} <#v2> <#w2>.")
    s.say(
        "There sat {f.intro}, who was <weary>.",
        "In the grass beside it lay {f.intro}, who was too hungry to go on.",
    )
    s.say(
        "{h} shared {h.his} <#bag> with {f.name}, and they went on together.",
        '"Here, take half of {h.my} <#bag>," said {h.name}. "And come along!"',
    )
    s.say(
        "Last of all they <#v3> <#w3>, where <#s3>.",
        "Then they <#v3> <#w3> and could already see where {g.name} lived.",
    )
    s.paragraph()
    s.say("{g.name} was {g.work} when they came.", "There was {g.name}, {g.work}.")
    s.say(
        '"{t.a}!" cried {g.name}. "I have waited for {t.it} all year."',
        "{g.name} took {t} and was so <happy> that {g.he} could not speak at first.",
    )
    s.extra(
        "For the way back {g.name} gave them a {g.goods}.",
        'As thanks they got a {g.goods}. "For the <#who>," said {g.name}.',
    )
    s.paragraph()
    s.say(
        "On the way home they came to <#w3> first, then to <#w2>, and last to <#w1>.",
        "Back they went: to <#w3>, to <#w2>, and in the evening to <#w1>.",
    )
    s.say(
        "There hung the <#cap>, just where it had been left in the morning.",
        "And at <#w1> the <#cap> was still waiting, which was good, because it had grown cold.",
    )
    s.extra("{h} lent it to {f.name}, who was shivering.", "{f.name} tried on the <#cap>, and it fitted.")
    s.say(
        'At home {h} told of <#w1>, <#w2> and <#w3>. "And you kept your feet dry?" asked the <#who>.',
        '"Was it far?" asked the <#who>. "Only past <#w1>, <#w2> and <#w3>," said {h.name}.',
    )
    scenes.closing(s)


def recipe(s: Story) -> None:
    """Three things are needed for a dish; on the way the third is forgotten, until the words come back."""
    scenes.cast_hero(s)
    s.cast(a=casting.grownup(s), b=casting.grownup(s), c=casting.friend(s))
    s.keep("who", "<relative>")
    dishes, ingredients = s.draw.pick(KITCHENS)
    s.kept["dish"] = s.draw.common(dishes)
    first, second, third = s.draw.several(ingredients, 3)
    s.kept.update(x=first, y=second, z=third)
    s.returning = [first.split()[-1], third.split()[-1]]
    if s.draw.chance(0.6):
        s.entitle("The secret of <#dish>", "<#dish> for {h.his} <#who>", "What was the third thing?", "The recipe")
    scenes.opening(s)
    s.say(
        "One <weather> <time> {h.names} <#who> lay in bed with a cold and could eat nothing but <#dish>.",
        "{h.poss} <#who> made the best <#dish> in the country, but one day the <#who> had a bad cold.",
    )
    s.extra(
        '"{h.I} will cook for you," said {h.name}. "What do {h.I} need?"',
        '"Tell {h.me} what goes into it," said {h.name}.',
    )
    s.say(
        '"<#x>, <#y> and <#z>," said the <#who> in a hoarse voice. "Without them it is no <#dish>."',
        '"You need <#x> and <#y>," coughed the <#who>. "And do not forget <#z>."',
    )
    s.extra(
        '"<#x>, <#y> and <#z>," {h} said over and over on the way.',
        "{h} said it aloud at every step: <#x>, <#y>, <#z>.",
    )
    s.paragraph()
    s.say("{a.home} {h.name} met {a.intro}, who was {a.work}.", "First {h.name} asked {a.intro}.")
    s.say('"I have more <#x> than I need," said {a.name}.', "{a} gave {h.obj} <#x> and wished the <#who> well.")
    s.say("Then {h} came to {b.intro}.", "The next door was that of {b.intro}, who was {b.work}.")
    s.say("{b.name} was glad to give away some <#y>.", "{b} had <#y> and would take no money for it.")
    s.extra("<sky>.", "{h} <went> on and sang <song>.")
    s.say(
        "But on the bridge a <vehicle> rattled by, so close that {h} forgot everything.",
        "But then {h.name} saw a <insect> on a leaf, and when it flew off, the third word was gone too.",
    )
    s.say(
        '"<#x> and <#y>," said {h.name}. "But what was the third?"',
        "{h} looked into the basket: there were <#x> and <#y>, but what was missing?",
    )
    s.paragraph()
    s.say(
        "On the bridge sat {c.intro}, with both feet in the water.", "{c.intro} came along and saw {h.names} long face."
    )
    s.extra(
        '"Say it from the beginning," said {c.name}. "Words like to walk in a row."',
        '"Go back to where you still knew it," {c.name} advised.',
    )
    s.say(
        '{h} shut {h.his} eyes. "<#x>, <#y>," {h.he} said slowly. "And <#z>!"',
        'So they walked back over the bridge. "<#x>, <#y>," said {h.name}. "<#z>! It was <#z>!"',
    )
    s.say(
        '"We have that at home," said {c.name} and ran to fetch it.',
        "{c.name} laughed, for <#z> was just what {c.he} had in {c.his} bag.",
    )
    s.extra("Soon <#x>, <#y> and <#z> were in the pot.", "At home {h} put in <#x>, then <#y>, then <#z>, and stirred.")
    s.say(
        'The <#who> tasted the <#dish> and nodded. "Nothing is missing."',
        '"This is even better than mine," said the <#who> after the first spoonful.',
    )
    s.extra("The next day the cold was gone.", "And {c.name} got the second plate of <#dish>.")
    scenes.closing(s)


def little_one(s: Story) -> None:
    """A small animal that has lost its way remembers three things about its home."""
    scenes.cast_hero(s)
    little = casting.animal(s)
    s.cast(f=little, g=casting.grownup(s))
    s.keep("sign", "<tree>")
    s.keep("colour", "<colour>")
    s.keep("flowers", "<flower>")
    s.keep("what", "[door|gate|roof|fence|window]")
    s.returning = [s.kept["sign"].split()[-1], s.kept["what"]]
    if s.draw.chance(0.6):
        s.entitle("The way home", "The lost {f.noun}", "{h} finds a {f.noun}", "The {f.noun} who was lost")
    scenes.opening(s)
    s.say(
        "On a <weather> <time> {h.name} heard a small voice <bed>.",
        "One <weather> <time> something was sniffling <bed>.",
    )
    s.say(
        "It was {f.intro}, who could not find the way home.",
        "There sat {f.intro}, who had followed a <insect> too far.",
    )
    s.say(
        '"What does your home look like?" {h.name} asked.',
        '"Do not worry," said {h.name}. "What do you remember of your home?"',
    )
    s.say(
        '"There is a <#sign>," said {f.name}. "There is a <#colour> <#what>. And there are <#flowers> everywhere."',
        '"I remember a <#sign> and a <#colour> <#what>," said {f.name}. "And it smells of <#flowers>."',
    )
    s.paragraph()
    s.extra("{h} took the lead, and they <went> down the lane.", "So they set out together.")
    s.extra("{h} gave {f.name} some of {h.his} <bread>.", "To pass the time, they sang <song>.")
    s.say(
        "At the first house there was a <#colour> <#what>, but no <#sign> far and wide.",
        "Soon they saw a <#sign>, but the <#what> beside it was <colour>.",
    )
    s.extra(
        '"No," said {f.name} and shook {f.his} head.',
        '"That is not it," {f.name} sighed.',
        '"It is nice," said {f.name}. "But it is not mine."',
    )
    s.say(
        "Next they asked {g.intro}, who was {g.work}.",
        "{g.home} they met {g.intro}, who was {g.work}.",
    )
    s.say(
        '"A <#sign> and a <#colour> <#what>?" said {g.name}. "Go over the hill and follow the smell of <#flowers>."',
        '"<#flowers>, you say?" {g.name} asked. "They grow behind the hill, next to a <#sign>."',
    )
    s.extra('"Thank you," said {h.name}, and they <went> on.', "They thanked {g.obj} and <went> on.")
    s.paragraph()
    s.say(
        "Behind the hill {f.name} suddenly stood still and sniffed.",
        "When they came over the hill, {f.name} began to run.",
    )
    s.say(
        "There stood the <#sign>, there were the <#flowers>, and there was the <#colour> <#what>.",
        "It smelled of <#flowers>, and under the <#sign> shone a <#colour> <#what>.",
    )
    s.say(
        'The mother of {f.name} came running out. "There you are!" she cried.',
        "In front of the <#what> stood the mother of {f.name}, who had been looking out all day.",
    )
    s.say(
        'She hugged them and gave {h.obj} a bag of <berry>. "<thanks>," she said.',
        '"Whoever brings my little one home is always welcome here," said the mother to {h.obj}.',
        "She made <drink> for everyone, and {h.name} had to tell the whole story.",
    )
    s.extra(
        "On the way back {h.name} waved to {g.name}, who was still {g.work}.",
        "And on many a <time> {h.name} {h:visit} the house with the <#colour> <#what>.",
    )
    scenes.closing(s)


PLOTS = (journey, recipe, little_one)
