"""Where tales happen, and what lies along a road."""

# noun, preposition
PLACES = [
    ("meadow", "in"),
    ("orchard", "in"),
    ("village green", "on"),
    ("duck pond", "at"),
    ("old mill", "at"),
    ("market square", "on"),
    ("birch wood", "in"),
    ("river bank", "on"),
    ("school garden", "in"),
    ("beach", "on"),
    ("playground", "on"),
    ("vineyard", "in"),
    ("harbour", "at"),
    ("ruined castle", "at"),
    ("railway station", "at"),
    ("bandstand", "at"),
    ("water meadows", "in"),
    ("botanical garden", "in"),
    ("fairground", "on"),
    ("boathouse", "at"),
    ("churchyard wall", "by"),
    ("stone circle", "at"),
    ("waterfall", "by"),
    ("canal", "by"),
]

# how one passes it, the landmark, something to see there
WAYPOINTS = [
    ("crossed", "the stone bridge", "trout darted in the shadow"),
    ("went through", "the birch wood", "the light was green and gold"),
    ("passed", "the windmill", "four white sails turned slowly"),
    ("went round", "the lake", "two swans slept on the water"),
    ("climbed", "the long hill", "one could see seven villages"),
    ("passed", "the chapel", "somebody was practising the organ"),
    ("crossed", "the wide field", "larks rose out of the barley"),
    ("followed", "the canal", "a barge with washing on deck drifted by"),
    ("passed", "the charcoal hut", "blue smoke curled over the trees"),
    ("went through", "the sleepy village", "an old dog yawned on every doorstep"),
    ("passed", "the scarecrow", "a robin was sitting on its hat"),
    ("crossed", "the railway line", "the rails hummed in the sun"),
    ("went through", "the vineyard", "the grapes were still small and hard"),
    ("passed", "the crooked signpost", "one arm pointed straight up to the sky"),
    ("went past", "the sawmill", "it smelled of fresh resin"),
    ("crossed", "the stepping stones", "the water gurgled between them"),
    ("passed", "the ruined tower", "jackdaws chattered in the windows"),
    ("went through", "the tunnel of hazels", "nuts crunched underfoot"),
    ("passed", "the brickworks", "a tall chimney puffed"),
    ("followed", "the cliff path", "the sea sparkled far below"),
    ("went through", "the heather", "bees were busy everywhere"),
    ("passed", "the three tall poplars", "they whispered to one another"),
    ("crossed", "the marsh", "planks wobbled over the black mud"),
    ("passed", "the toll house", "a kettle whistled behind the window"),
    ("went through", "the iron gate", "it squeaked like a mouse"),
    ("passed", "the beekeeper's hut", "honey jars glowed on the sill"),
    ("went round", "the quarry", "every step had an echo"),
    ("passed", "the hollow lime tree", "somebody had carved a heart in it"),
]

# the one who is stuck: species, how; then the hero's trouble that only this one can mend, and how it does it
RESCUES = [
    ("sparrow", "with one wing caught in the brambles", "branch"),
    ("mouse", "at the bottom of an empty jar", "hole"),
    ("frog", "in a dry ditch far from the water", "pond"),
    ("squirrel", "with a tail full of sticky burrs", "branch"),
    ("mole", "under a flowerpot that had tipped over", "hole"),
    ("otter", "with one paw tangled in a piece of net", "pond"),
    ("crow", "with a bent feather and no breath left", "branch"),
    ("duck", "with both feet wound up in string", "pond"),
    ("weasel", "behind a gate that had slammed shut", "hole"),
    ("monkey", "with one arm stuck in a biscuit tin", "branch"),
    ("beaver", "under a log that was too heavy to lift", "pond"),
    ("lizard", "upside down in a slippery bowl", "hole"),
    ("pigeon", "with a thread wrapped round one leg", "branch"),
    ("swan", "in a rope that hung from the jetty", "pond"),
    ("dormouse", "fast asleep in a sack that was about to be tied", "hole"),
]

TROUBLES = {
    "branch": (
        "A gust of wind seized {t} and carried {t.it} up into the top of the tallest <tree> of all, far out of reach",
        "In two blinks {c} was at the top, and in two more {t} came sailing down",
    ),
    "hole": (
        "{t.the} slipped away and fell into a deep, narrow crack between the stones, where no arm could reach",
        "{c} slipped into the crack without a sound, and a moment later {t} came up into the light",
    ),
    "pond": (
        "{t.the} rolled down the bank and splashed into the pond, far from the shore",
        "With one smooth dive {c} was gone, and when the ripples cleared, {t} came up dripping",
    ),
}
