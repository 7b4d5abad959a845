"""What single plots need: races, guests' presents, dishes, what a snowman wears, what breaks, what is built."""

CONTESTS = {
    # what takes part: where, how it moves, how it goes wrong in two ways
    "boat": (
        "[on the duck pond|on the canal|at the harbour]",
        "sailed",
        "ran into the reeds",
        "got stuck on a sandbank",
    ),
    "kite": (
        "[in the meadow|on the beach|on the hill]",
        "rose",
        "was caught in a <tree>",
        "came down among <vegetable>",
    ),
    "cart": ("[in Mill Street|on the village green|on the long hill]", "rolled", "lost a wheel", "stopped in a puddle"),
    "snail": (
        "[on the garden wall|behind the school|on the doorstep]",
        "crept",
        "fell asleep",
        "turned and crept back",
    ),
    "sledge": ("[on the hill|behind the mill]", "slid", "ended in a snowdrift", "turned over in the soft snow"),
    "hoop": ("[on the market square|down the lane]", "ran", "rolled into the ditch", "fell over after three turns"),
    "balloon": ("[in the park|at the fairground]", "floated", "sank into a hedge", "drifted off towards the church"),
    "paper plane": ("[in the schoolyard|from the tower]", "flew", "landed on a cow", "flew in a circle"),
}

GUEST_GIFTS = [
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

KITCHENS = [
    (
        ["plum cake", "apple pie", "rice pudding", "gingerbread", "lemon cake", "hazelnut cake", "cherry tart",
         "custard", "raspberry cake", "walnut biscuits", "pear crumble", "semolina pudding", "carrot cake",
         "cinnamon buns"],
        ["butter", "sugar", "honey", "flour", "milk", "cream", "cinnamon", "vanilla", "syrup", "cocoa", "nutmeg",
         "cloves", "ginger", "yeast", "almonds", "raisins", "oats", "aniseed", "lemon peel", "buttermilk"],
    ),
    (
        ["carrot soup", "onion soup", "mushroom stew", "pea soup", "vegetable stew", "potato soup", "lentil soup",
         "barley broth", "tomato soup", "dumpling soup", "pumpkin soup", "noodle soup", "bean stew", "leek pie"],
        ["salt", "parsley", "garlic", "pepper", "thyme", "barley", "rice", "cream", "mustard", "rosemary", "oil",
         "cheese", "vinegar", "dill", "chives", "paprika", "marjoram", "saffron", "sage", "caraway", "celery"],
    ),
]  # fmt: skip
"""Dishes and what may go into them: nobody should cook a cake with garlic."""

CLOTHES = [
    "<colour> scarf", "top hat", "<colour> cap", "wooden pipe", "carrot nose", "broom", "<colour> shawl", "straw hat",
    "pair of spectacles", "necklace of acorns", "<colour> bow tie", "tin bucket", "walking stick",
    "coat with brass buttons", "<colour> belt", "pair of mittens", "feather fan", "paper crown", "woollen blanket",
    "pair of earmuffs",
]  # fmt: skip

BREAKABLE = [
    "jug", "vase", "teapot", "lantern", "clock", "flowerpot", "bowl", "mirror", "plate", "fiddle", "chair", "birdcage",
    "picture frame", "cup", "weathervane", "globe", "umbrella", "lamp", "stool", "mandolin", "drum", "barometer",
    "chessboard", "thermometer",
]  # fmt: skip

BUILDINGS = {
    "tree house": "up in the <tree>",
    "raft": "on the pond",
    "bridge": "over the brook",
    "hut": "behind the hedge",
    "dam": "in the stream",
    "stage": "in the barn",
    "seesaw": "on the green",
    "lookout": "on the hill",
    "boathouse": "by the lake",
    "tower": "beside the orchard",
}

MATERIALS = [
    "four planks", "a bag of nails", "an old door", "two barrels", "a cartwheel", "a ladder", "six poles",
    "a roll of canvas", "an armful of reeds", "a bundle of sticks", "a long beam", "a wooden crate",
    "three fence posts", "a garden table", "a coil of wire", "some window frames", "a pile of shingles",
]  # fmt: skip
