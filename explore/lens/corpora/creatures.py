"""Animals and people: what the default corpus may say of them. The format is that of `lexicon`."""

CREATURES = """
# pets
category: animal
nouns: dog, cat, puppy, kitten
sizes: small, large, tiny
looks: fluffy, sleepy, playful, young, old, wet
colours: brown, black, white, gray, tan, spotted
does: sleeping, sitting, running, lying down, playing with a ball, looking up, yawning, waiting
at: on a sofa, on the carpet, in a basket, on the grass, under a chair, by the door, in a garden, on a doorstep, in
    the back of a car, on a bed
with: a red collar, floppy ears, green eyes, its tongue out, a bushy tail, muddy paws
parts: tail, nose, ear, paw, eye, head, whiskers
beside: food bowl, slipper, child, tennis ball, cardboard box, potted plant
handled: petting, carrying, feeding, holding, washing

# small pets
category: animal
nouns: rabbit, hamster, guinea pig, mouse, parakeet
sizes: small, tiny
looks: fluffy, shy, curious, tame
colours: white, brown, gray
does: eating a carrot, hiding, sitting still, sniffing the air
at: in a cage, on the straw, in a box, on a lap, behind the bars
parts: ear, nose, foot, eye, back
with: bright eyes, soft fur, a pink nose
beside: water bottle, bowl of seeds, wooden hut
handled: holding, feeding, petting

# farm animals
category: animal
nouns: cow, horse, sheep, goat, pig, donkey, pony, lamb, calf, bull
sizes: large, small
looks: muddy, young, old, calm, shaggy, healthy
colours: brown, black, white, spotted, gray
does: grazing, standing still, lying down, walking, eating hay, drinking water, looking at the camera
at: in a green field, on a farm, behind a fence, near a barn, on a hill, in a stable, in the mud, at the edge of a
    meadow
with: a bell around its neck, a long tail, a tag in its ear, a dusty back
parts: head, tail, leg, ear, eye, nose, back
beside: farmer, hay bale, water trough, wooden gate, red tractor
handled: feeding, brushing, leading, washing

# poultry
category: animal
nouns: chicken, rooster, hen, turkey, goose, chick
sizes: small, plump
looks: noisy, proud, young, ruffled
colours: white, brown, black, speckled
does: pecking at the ground, walking, flapping its wings, eating corn, standing on one leg
at: in a farmyard, in front of a coop, on the straw, beside a fence, on a dirt path
with: a red comb, ruffled feathers, spread wings
parts: wing, beak, foot, feather, neck
beside: basket of eggs, bucket, wooden fence, feeding tray
handled: feeding, holding, chasing

# animals of the savanna
category: animal
nouns: elephant=gray, giraffe=spotted, zebra=striped, lion=golden, rhinoceros=gray, hippopotamus=gray,
    ostrich=black, antelope=brown, leopard=spotted, cheetah=spotted, buffalo=black
sizes: large, huge, young
looks: dusty, old, strong, wild, tired
does: walking, standing in the shade, drinking, resting, running, looking back, crossing a river
at: in tall grass, at a waterhole, on a dry plain, in a zoo, behind a fence, under a tree, on a dirt road
with: its head raised, a young one at its side, mud on its back
parts: head, tail, leg, eye, ear, neck, back
beside: fallen tree, muddy pond, large rock, safari jeep
handled: photographing, watching, feeding

# animals of forest and mountain
category: animal
nouns: bear=brown/black, wolf=gray/white, fox=red, deer=brown, moose=brown, squirrel=red/gray, raccoon=gray,
    hedgehog=brown, badger=gray, tiger=striped, panda=black and white, monkey=brown, gorilla=black, koala=gray,
    kangaroo=brown, beaver=brown
sizes: large, small, young
looks: furry, wild, alert, shy, sleepy
does: sitting, climbing, eating, walking, looking around, resting, standing on its hind legs
at: in a forest, on a rock, between the trees, on a fallen log, in the snow, near a stream, in a zoo
with: thick fur, dark eyes, its mouth open, leaves on its back
parts: head, paw, ear, tail, eye, fur, nose
beside: tree trunk, mossy rock, bush, stream
handled: photographing, watching

# birds
category: animal
nouns: bird, sparrow=brown, robin=red, pigeon=gray/white, crow=black, parrot=green/red/blue, owl=brown/white,
    eagle=brown, hawk=brown, woodpecker=black, hummingbird=green, peacock=blue, raven=black, blackbird=black
sizes: small, large, little
looks: colorful, wild, young, singing, proud
colours: blue, yellow, red, brown
does: flying, singing, spreading its wings, landing, building a nest, eating seeds, looking down
at: on a branch, on a wire, in the sky, on a fence post, at a feeder, on a rooftop, in a tree, on a windowsill
with: long feathers, a worm in its beak, a sharp beak, open wings
parts: wing, beak, tail, feather, eye, head
beside: nest, bird feeder, ripe cherry, broken branch
handled: watching, feeding, photographing

# water birds
category: animal
nouns: duck=brown/white, swan=white/black, seagull=white, pelican=white, heron=gray, flamingo=pink, penguin=black
    and white, stork=white
sizes: large, small, elegant
looks: wet, wild, graceful, hungry
does: swimming, standing in the water, diving, cleaning its feathers, flying low, walking along the shore
at: on a lake, on the beach, at the edge of a pond, on a rock, on a pier, in shallow water, on the ice
with: a fish in its beak, wet feathers, long legs, folded wings
parts: wing, beak, neck, foot, tail, feather
beside: wooden post, patch of reeds, rowing boat, group of rocks
handled: feeding, watching, photographing

# animals of the sea
category: animal
nouns: fish=orange/silver/blue, shark=gray, dolphin=gray, whale=blue/gray, sea turtle=green, octopus=red/orange,
    jellyfish=pink/blue, crab=red/orange, starfish=orange, seal=gray, lobster=red, seahorse=yellow, stingray=gray
sizes: large, small, giant
looks: wet, shiny, strange, beautiful
does: swimming, resting, moving slowly, hiding in the sand, drifting
at: in the sea, in an aquarium, near a coral reef, on the ocean floor, in clear water, above the seaweed
with: shiny skin, small eyes, a spotted back
parts: eye, mouth, back, tail
beside: coral, diver, sunken anchor, shell
handled: watching, photographing

# insects and other small animals
category: animal
nouns: bee=yellow, butterfly=orange/blue/white, ladybug=red, spider=black, ant=black, dragonfly=blue,
    beetle=green/black, caterpillar=green, snail=brown, moth=gray, grasshopper=green, fly=black, wasp=yellow,
    worm=pink
sizes: tiny, small, large
looks: delicate, shiny, hairy, slow
does: crawling, resting, sitting on a petal, eating a leaf, moving slowly
at: on a leaf, on a flower, on a stem, on a window, in the grass, on a white wall, on a finger
with: black spots, thin legs, tiny hairs
parts: leg, head, back, eye
beside: drop of water, yellow flower, blade of grass
handled: photographing, watching

# reptiles and frogs
category: animal
nouns: lizard=green/brown, snake=green/black/brown, frog=green, crocodile=green, tortoise=brown, chameleon=green,
    toad=brown, iguana=green, salamander=black, gecko=green
sizes: small, large, long
looks: scaly, slow, camouflaged, wet
does: basking in the sun, resting on a stone, crawling, hiding under leaves, staring
at: on a rock, in a terrarium, on a branch, in the sand, near a pond, on a muddy bank, under a leaf
with: rough skin, yellow eyes, a patterned back
parts: head, eye, skin, mouth, back
beside: dry leaf, water dish, heat lamp, cactus
handled: holding, photographing

# people
category: person
nouns: man, woman, person, old man, old woman, young man, young woman, lady
sizes: tall
looks: smiling, tired, happy, serious, laughing, elegant
does: walking, sitting, reading a book, drinking coffee, talking on a phone, waving, waiting, running, looking at a
    map, eating ice cream, taking a picture, carrying a bag, sleeping, pointing at the sky
at: on a bench, in a park, at a table, on the street, at a bus stop, on the beach, in a kitchen, near a window, in a
    crowd, on a staircase
with: long hair, a backpack, a red scarf, an umbrella, glasses, a big smile, a straw hat, gray hair
parts: hand, face, arm, shoulder, foot, back
beside: bicycle, dog, suitcase, tree, street lamp, shop window
wears: blue shirt, black coat, yellow raincoat, gray suit, green sweater, striped shirt, brown hat, white jacket
handled: helping, hugging, photographing

# children
category: person
nouns: boy, girl, child, teenager, little boy, little girl, schoolboy, schoolgirl
sizes: tall
looks: smiling, tired, happy, laughing, barefoot, excited
does: walking, sitting, playing, waving, jumping, running, eating ice cream, holding a balloon, sleeping, pointing
    at the sky, climbing a tree, doing homework, drinking milk
at: on a swing, in a park, at a table, on the street, in a classroom, on the beach, in a kitchen, near a window, in
    a playground, in the snow
with: curly hair, a backpack, a red scarf, an umbrella, glasses, a big smile, a straw hat, a toy
parts: hand, face, arm, foot, shoe, back
beside: bicycle, dog, sandcastle, tree, slide, teacher
wears: blue shirt, red coat, yellow raincoat, green sweater, striped shirt, pink hat, white T-shirt
handled: helping, hugging, photographing

# babies and families
category: person
nouns: baby, toddler, bride, groom, grandmother, grandfather, twin, tourist, student, passenger
sizes: young, little
looks: happy, smiling, excited, quiet
does: sitting, smiling, waiting, looking at the camera, laughing
at: in a garden, on a blanket, in a chair, at a party, on a train, in front of a fountain
with: rosy cheeks, curly hair, a flower, a big smile
parts: hand, face, smile, foot
beside: birthday cake, suitcase, balloon, stroller
wears: white hat, warm coat, blue sweater, long scarf
handled: hugging, helping, photographing

# people at work
category: person
nouns: chef, firefighter, police officer, nurse, doctor, farmer, waiter, mechanic, painter, construction worker,
    teacher, pilot, soldier, mail carrier, baker, fisherman, carpenter, street vendor, bus driver, musician
sizes: tall, young
looks: busy, friendly, tired, serious, smiling
does: working, talking to a customer, standing outside, taking a break, carrying a box, looking at a clock, giving
    orders
at: in front of a building, at work, in the street, near a truck, behind a counter, next to a door
with: rolled up sleeves, a clipboard, a radio, gray hair
parts: hand, uniform, face, arm
beside: delivery van, ladder, stack of boxes, cart
wears: white apron, blue uniform, hard hat, orange vest, rubber boots
handled: helping, photographing

# people at sports
category: person
nouns: skier, surfer, skateboarder, cyclist, tennis player, soccer player, baseball player, golfer, swimmer, runner,
    snowboarder, basketball player, hiker, dancer, gymnast, rock climber
sizes: young, tall
looks: fast, focused, tired, strong
does: training, celebrating, jumping, warming up, falling, winning, resting
at: at a competition, in front of a crowd, in the evening sun, on a sunny day, in the rain
with: strong arms, a sweatband, a number on the back
parts: leg, arm, shoulder, face
beside: coach, group of fans, water bottle, photographer
wears: red jersey, white shorts, black helmet, blue jacket
handled: watching, photographing

# parts of the body
category: body
nouns: hand, foot, ear, nose, finger, knee, elbow, shoulder, thumb, chin, wrist, ankle, neck, forehead, cheek
sizes: small, large
looks: wrinkled, dirty, sunburned, smooth, wet, bandaged
at: of a child, of an old man, of a young woman, in the light, against a dark background, in close view
with: freckles, a small scar, a bandage, soft skin
handled: touching, showing

# face and hair
category: body
nouns: eye=blue/brown/green, face, mouth, beard=gray/brown/black, mustache=black/gray, ~hair=blond/brown/red/gray,
    eyebrow=dark, ponytail=blond/brown, tooth=white, lip=red/pink
sizes: small, large
looks: shiny, clean, painted, wet
at: of a smiling woman, of a bearded man, in a mirror, of a teenager, of a clown, of an actor
handled: touching, showing
"""
