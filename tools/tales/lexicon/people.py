"""Names, animals with their homes, and trades with their places, goods and work."""

from __future__ import annotations

from tools.tales.referents import Trade

GIRLS = """Nora, Ida, Lily, Anna, Mia, Clara, Rosa, Ella, Lucy, Emma, Greta, Tilda, Marta, Hanna, Alma, Dora, Flora,
    Sofia, Olive, Ivy, Wilma, Helga, Molly, Elsa, Ruth, Lena, Nina, Paula, Sara, Vera, Amina, Leila, Yuki, Priya,
    Carmen, Bella, Freya, Ingrid, Maud, Polly, Tessa, Una, Zelda, Juno, Esther, Fatima, Mei, Odile, Rita, Thea"""
BOYS = """Tom, Ben, Max, Paul, Leo, Sam, Jack, Emil, Otto, Finn, Oscar, Peter, Hugo, Anton, Jonas, Karl, Martin, Felix,
    Oliver, David, Simon, Walter, Adam, Theo, Noah, Henry, Arthur, Edgar, Milo, Ravi, Omar, Kofi, Hiro, Pedro, Bruno,
    Casper, Dmitri, Erik, Gustav, Ivan, Jasper, Lars, Marco, Nils, Quentin, Rufus, Stefan, Tobias, Victor, Yusuf"""
PET_NAMES = """Pip, Rusty, Bramble, Hazel, Tuck, Dot, Moss, Pepper, Button, Clover, Nib, Juniper, Biscuit, Willow,
    Thistle,
    Acorn, Tansy, Fern, Pebble, Mabel, Barley, Sorrel, Twig, Cricket, Ginger, Nutmeg, Waddle, Flint, Dapple, Mallow,
    Bumble, Poppy, Rowan, Sage, Teasel, Whiskers, Yarrow, Bracken, Cobble, Dumpling, Fidget, Gale, Huckle, Inky, Jingle,
    Loam, Marble, Nettle, Oats, Pumpkin"""

# species: home
ANIMALS = {
    "fox": "in a den under the oak roots",
    "rabbit": "in a burrow at the edge of the meadow",
    "mouse": "in a hole behind the pantry",
    "bear": "in a cave on the hill",
    "hedgehog": "under a heap of leaves by the hedge",
    "squirrel": "high up in a hollow beech",
    "duck": "among the reeds of the pond",
    "badger": "in a tidy sett under the bank",
    "frog": "on a broad lily leaf",
    "cat": "in the loft of an old barn",
    "mole": "in a snug tunnel beneath the lawn",
    "goat": "in a shed beside the orchard",
    "otter": "in a cosy holt by the river",
    "dog": "in a kennel beside the gate",
    "owl": "in the tower of the chapel",
    "hare": "in a hollow among the barley",
    "goose": "on a small island in the lake",
    "pony": "in a stable with a green door",
    "hen": "in a henhouse on four legs",
    "lamb": "in a fold on the hillside",
    "beaver": "in a lodge of sticks and mud",
    "donkey": "in a stall behind the mill",
    "tortoise": "beneath a flat stone in the garden",
    "deer": "in a glade of young birches",
    "pig": "in a sty with flowers round it",
    "sparrow": "in a nest under the eaves",
    "raccoon": "in a hollow log by the creek",
    "toad": "under a broken flowerpot",
    "weasel": "in a gap of the stone wall",
    "crow": "at the top of a tall elm",
    "swan": "on the quiet side of the lake",
    "dormouse": "in a ball of moss and grass",
    "pigeon": "on the ledge of the clock tower",
    "calf": "in a cowshed near the stream",
    "seal": "on the rocks below the lighthouse",
    "penguin": "on a beach of smooth pebbles",
    "elephant": "at the edge of the wide plain",
    "monkey": "in the crown of a fig tree",
    "camel": "in a tent beside the well",
    "koala": "in the fork of a gum tree",
    "parrot": "on the balcony of a blue house",
    "lizard": "in a warm crack of the wall",
    "marmot": "in a burrow high in the mountains",
    "reindeer": "in a valley of deep snow",
    "kangaroo": "behind the last house of the village",
    "panda": "in a grove of green bamboo",
    "zebra": "in a paddock with a white fence",
    "giraffe": "in a barn with a very high door",
    "bat": "in the attic of the schoolhouse",
    "walrus": "at the end of the long pier",
}

HOMES = """in a cottage by the river; in a small house at the edge of the wood; in a village under the mountain;
    above the bakery in Mill Street; in a white house on the hill; in a farmhouse behind the orchard;
    in a narrow house near the harbour; in a town with seven bridges; at the end of a long lane;
    in a house with a red roof; on an island in the lake; in a valley full of apple trees;
    in the old schoolhouse; in a wooden cabin among the pines; beside the village pond;
    in a tall house with a round window; on a barge on the canal; at the foot of the castle wall;
    in a house with a crooked chimney; behind the railway station; in a lighthouse by the sea;
    in a street where the trams ran; in the house beside the library; in a caravan painted with stars;
    under the roof of a clockmaker's shop"""

_TRADES = """
baker; at the bakery; basket of warm rolls; kneading dough
miller; at the mill; sack of flour; sweeping the steps
gardener; in the walled garden; bunch of radishes; tying up the beans
farmer; at the farm; crate of turnips; stacking the hay
shoemaker; at the shoe shop; pair of laces; hammering a heel
carpenter; in the workshop; wooden stool; planing a board
tailor; at the tailor's shop; woollen cap; threading a needle
potter; at the pottery; clay jug; turning a bowl on the wheel
blacksmith; at the forge; iron hook; hammering a horseshoe
weaver; at the weaver's cottage; striped blanket; sorting coloured yarn
shepherd; on the hill; bundle of wool; counting the flock
beekeeper; by the beehives; jar of honey; smoking the hives
clockmaker; at the clock shop; brass bell; oiling a small wheel
painter; in the studio; pot of blue paint; mixing colours
fiddler; at the inn; spare fiddle string; tuning a fiddle
postmaster; at the post office; sheet of stamps; sorting letters
teacher; at the school; box of chalk; wiping the blackboard
librarian; in the library; picture book; climbing a ladder with an armful of books
ferryman; at the landing; coil of rope; bailing out the boat
innkeeper; at the inn; kettle of soup; polishing glasses
grocer; at the corner shop; bag of raisins; weighing sugar
candlemaker; at the candle shop; box of candles; dipping wicks in wax
basket maker; in the willow shed; willow basket; splitting willow twigs
toymaker; at the toy shop; wooden top; painting a row of dolls
cheesemaker; at the dairy; round cheese; stirring the curds
glassblower; at the glassworks; glass bottle; blowing a green bottle
stonemason; in the quarry; smooth slate; chipping at a block
woodcutter; in the clearing; bundle of firewood; sharpening a saw
sailor; at the harbour; brass telescope; coiling ropes
doctor; at the surgery; pot of ointment; rolling bandages
bookbinder; at the bindery; leather notebook; stitching pages
hatter; at the hat shop; straw hat; brushing a tall hat
florist; at the flower shop; bunch of tulips; watering ferns
goldsmith; at the jeweller's; silver button; polishing a ring
lamplighter; by the town gate; oil lamp; trimming a wick
printer; at the print shop; roll of paper; setting letters
saddler; at the saddlery; leather strap; waxing thread
cooper; in the barrel yard; small barrel; bending hoops
thatcher; by the new barn; bundle of straw; combing reeds
tinker; at the crossroads; tin kettle; mending a pan
locksmith; at the lock shop; iron key; filing a key
pharmacist; at the chemist's; bottle of syrup; counting drops
astronomer; in the observatory; map of the stars; cleaning a lens
conductor; at the station; silver whistle; waving a flag
lighthouse keeper; in the lighthouse; strong lantern; polishing the great lamp
seamstress; at the sewing room; spool of thread; hemming a curtain
rope maker; at the long shed; ball of twine; twisting hemp
cook; in the kitchen; pot of mustard; tasting the sauce
wheelwright; by the wagon yard; wooden wheel; fitting a spoke
brewer; at the cider house; jug of cider; rinsing bottles
vet; at the stables; bag of oats; bandaging a hoof
barber; at the barber's; bar of soap; sharpening scissors
knitter; in the wool shop; pair of mittens; counting stitches
chimney sweep; on the green; long brush; shaking out a brush
juggler; on the market square; leather ball; practising with five plums
musician; by the fountain; tin flute; polishing a trumpet
street sweeper; in the square; new broom; sweeping up petals
dairymaid; in the cowshed; pat of butter; churning butter
botanist; in the greenhouse; packet of seeds; labelling cactus pots
inventor; in the tower; copper spring; tightening a tiny screw
"""

WOMEN, MEN = {"dairymaid", "seamstress"}, {"ferryman"}
"""Trades whose names say who follows them."""

TRADES = [Trade(*(part.strip() for part in line.split(";"))) for line in _TRADES.strip().splitlines()]


def names(text: str) -> list[str]:
    """The names in a comma-separated list."""
    return [" ".join(name.split()) for name in text.split(",")]
