"""Objects with the adjectives that suit them and what one does with them; and tasks with their tools."""

# noun | measure (for plurals) | adjectives (* = any colour) | what someone did with it
_THINGS = """
kite || * * * paper silk | flew {it} high above the rooftops
ball || * * * leather rubber | bounced {it} along the lane
whistle || tin silver wooden brass | blew {it} until the sparrows answered
hat || * * straw felt woollen | wore {it} on every walk
drum || * tin wooden little | beat {it} until the windows shook
scarf || * * woollen silk striped | wore {it} in all weathers
boat || * * wooden paper little | sailed {it} on the pond
top || * * wooden tin | let {it} spin on the doorstep
marbles | bag of | * * glass stone | rolled {it} across the yard
boots | pair of | * * leather rubber | splashed through puddles in {it}
bell || brass silver copper little | rang {it} to greet the morning
basket || willow round * little | filled {it} with <berry>
ribbon || * * * silk velvet | tied {it} into a bow
book || picture * leather little | read {it} under the apple tree
flute || wooden silver bamboo tin | played {it} by the stream
lantern || * tin copper paper | hung {it} in the window at night
spoon || wooden silver pewter tin | ate porridge with {it}
mittens | pair of | * * woollen knitted | made snowballs in {it}
cup || * tin clay porcelain | drank milk from {it}
doll || rag wooden * cloth | told {it} every secret
wagon || * * wooden little | pulled {it} up and down the street
coin || gold silver copper old | polished {it} with a sleeve
umbrella || * * striped silk | twirled {it} in the rain
feather || * * white silver | tickled everyone with {it}
beads | string of | * * glass amber | counted {it} like stars
key || iron brass golden little | wore {it} on a string
button || * brass silver pearl | polished {it} until it shone
shell || * pink spiral white | listened to the sea in {it}
compass || brass silver old little | checked the way with {it}
skates | pair of | * steel old shiny | crossed the frozen pond on {it}
puppet || * wooden cloth paper | made {it} bow and dance
music box || * wooden silver painted | wound {it} up before bed
telescope || brass wooden little old | watched the moon through {it}
paintbrush || * wooden long fine | painted clouds with {it}
teapot || * clay porcelain tin | poured tea from {it}
cushion || * velvet silk round | sat on {it} by the window
slippers | pair of | * felt velvet silk | padded through the house in {it}
jug || * clay glass porcelain | fetched milk in {it}
trumpet || brass silver tin golden | played {it} from the balcony
blanket || * woollen striped checked | lay on {it} in the grass
pencils | box of | coloured soft new wooden | drew castles with {it}
hoop || * wooden iron striped | rolled {it} down the hill
thimble || silver brass copper porcelain | wore {it} as a tiny hat
mirror || round silver little oval | caught sunbeams in {it}
rocking horse || * wooden dappled little | rode {it} to far countries
medal || gold silver copper shiny | wore {it} on Sundays
magnifying glass || brass round little strong | looked at beetles through {it}
walking stick || oak carved birch crooked | leaned on {it} uphill
pocket watch || silver gold brass old | listened to {it} tick
harmonica || silver tin little * | played {it} on the garden wall
snow globe || glass little round pretty | shook {it} to make a blizzard
sailor cap || * white blue woollen | wore {it} at every launch
toy train || * wooden tin little | drove {it} round the table legs
paper crown || golden * shiny silver | wore {it} to breakfast
pinwheel || * paper striped silver | held {it} out in the wind
satchel || leather * canvas old | carried {it} everywhere
playing cards | pack of | old * new painted | built towers with {it}
apron || * striped linen checked | wore {it} in the kitchen
yo-yo || * wooden tin painted | made {it} climb and fall
locket || silver gold oval little | opened {it} every night
"""


def _parsed() -> list[tuple[str, str, list[str], str]]:
    rows = []
    for line in _THINGS.strip().splitlines():
        noun, measure, adjectives, use = (part.strip() for part in line.split("|"))
        rows.append((noun, measure, adjectives.split(), use))
    return rows


THINGS = _parsed()

# tool | what it is needed for | how the work was done
TASKS = [
    tuple(part.strip() for part in line.split("|"))
    for line in """
ladder | pick the last pears | climbed up and down all day, until three baskets were full
wheelbarrow | bring in the firewood | pushed load after load into the shed
spade | dig a bed for the <vegetable> | dug from one end of the garden to the other
needle | mend the torn curtain | sewed until there was no hole left
hammer | nail down the loose boards | hammered until nothing rattled any more
rake | gather the fallen leaves | raked them into a heap as high as the fence
bucket | water the thirsty <vegetable> | carried water from the well until the soil was dark
saw | cut the dead branch from the <tree> | sawed until the branch came down with a crash
broom | sweep the dusty attic | swept until even the spiders sneezed
kettle | cook <berry> into jam | stirred until twelve jars stood on the shelf
fishing net | lift the leaves out of the pond | drew the net through the water until the pond was clear
paintbrush | paint the garden gate | painted the gate as green as a frog
sewing basket | make a coat for winter | stitched sleeves and pockets by lamplight
lantern | find the way to the attic | looked into every corner of the attic
sickle | cut the tall grass | cut a path right to the brook
rolling pin | bake a cake with <berry> | rolled out the dough until it was as thin as a leaf
big pot | cook <food> for the whole family | peeled and stirred from noon till evening
pair of scissors | trim the hedge | snipped until the hedge was as round as a ball
long rope | pull the <vehicle> out of the mud | pulled until it came loose with a plop
cart | take the <vegetable> to market | made the trip to the market and back twice
watering can | keep the <flower> alive | watered them every morning and every evening
iron | smooth the crumpled tablecloth | ironed every fold away
sieve | clean the <berry> | shook out every leaf and stalk
chisel | carve a name into the bench | carved letter after letter
screwdriver | mend the wobbly chair | turned the screws until the chair stood firm
pump | blow up the flat tyre | pumped until the tyre was hard
dictionary | read a letter in a strange language | looked up one word after another
tent | sleep one night beside the lake | slept under canvas while the <bird> sang
sledge | bring home a fir tree | drew the tree home over the snow
butter churn | make butter for the feast | turned the handle until the butter came
""".strip().splitlines()
]
