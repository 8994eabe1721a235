"""Vehicles, buildings, streets, landscapes and weather. The format is that of `lexicon`."""

OUTDOORS = """
# cars and trucks
category: vehicle
nouns: car, taxi=yellow/black, van, truck, bus, police car, ambulance=white, fire truck=red, tractor, pickup truck,
    school bus=yellow, jeep, garbage truck, delivery van, sports car, limousine, bulldozer=yellow, camper, minivan,
    convertible, tow truck
sizes: small, large
looks: old, new, shiny, dirty, rusty, parked, fast, damaged
colours: red, blue, white, black, silver, green, gray
does: driving, turning left, waiting at a light, stopping, driving through the rain, leaving a garage
at: on the street, in a parking lot, in front of a house, on a highway, on a bridge, at a gas station, on a dirt
    road, in the snow
with: a flat tire, tinted windows, its lights on, an open door, a broken mirror
parts: wheel, door, window, headlight, bumper, tire, windshield, license plate, roof
beside: traffic cone, parking meter, tree, brick building
handled: driving, washing, repairing, parking, buying

# bicycles and motorcycles
category: vehicle
nouns: bicycle, motorcycle, scooter, moped, tricycle, mountain bike, unicycle, shopping cart, stroller, tandem
sizes: small, large
looks: old, new, rusty, parked, broken, expensive
colours: red, blue, black, green, pink, white
does: leaning against a wall, standing in the rain, waiting outside
at: on the sidewalk, in a bike rack, in front of a shop, on a path, by a fence, in an alley
with: a basket, thin wheels, a child seat, a bell
parts: wheel, seat, handlebar, pedal, tire
beside: street lamp, mailbox, cafe table, wall
handled: riding, pushing, repairing, locking

# trains
category: vehicle
nouns: train, tram, subway train, locomotive, freight train, steam train, monorail, railway car
sizes: long, old
looks: fast, modern, rusty, crowded, arriving, empty
colours: red, green, blue, yellow, black
does: arriving, leaving the station, crossing a bridge, passing through a tunnel, coming around a bend
at: at a station, on the tracks, in the mountains, next to a platform, in a city
with: many windows, smoke above it, graffiti on the side
parts: door, window, front, wheel
beside: platform, signal light, group of passengers, fence
handled: boarding, watching, driving, photographing

# boats
category: vehicle
nouns: boat, sailboat, ship, canoe, kayak, ferry, rowing boat, yacht, raft, gondola, cruise ship, fishing boat,
    submarine, tugboat
sizes: small, large
looks: old, wooden, empty, anchored, fast, abandoned
colours: white, red, blue, yellow
does: floating, leaving the harbor, crossing the lake, sinking, rocking in the waves
at: on a lake, in the harbor, on the open sea, at a dock, near the shore, on a river
with: white sails, a flag, two people in it, a painted name
parts: deck, side, front, anchor
beside: wooden dock, buoy, lighthouse, pile of nets
handled: sailing, painting, boarding, tying up

# aircraft
category: vehicle
nouns: airplane, helicopter, jet, hot air balloon, glider, drone, rocket, seaplane, biplane, airship
sizes: small, large
looks: fast, distant, modern, old, colorful
colours: white, red, blue, gray
does: flying, landing, taking off, hovering, circling above
at: in the sky, above the clouds, on a runway, over the sea, at an airport, in a hangar, above a field
with: a striped tail, smoke behind it, bright lights
parts: wing, tail, window, engine, propeller
beside: control tower, fuel truck, line of passengers
handled: boarding, flying, watching, photographing

# parts of vehicles
category: vehicle
nouns: wheel, tire, headlight, steering wheel, windshield, bumper, seat belt, propeller, anchor, sail, engine,
    exhaust pipe, car seat, rearview mirror, gas pump, handlebar
sizes: large, small
looks: dirty, shiny, broken, old, new, rusty
colours: black, silver, gray
at: in a workshop, on the ground, in close view, in a garage, at a junkyard
with: mud on it, scratches, a crack in it
parts: edge, surface, side
handled: repairing, cleaning, replacing

# buildings
category: building
nouns: house, church, skyscraper, barn, castle, hotel, school, factory, cottage, apartment building, museum,
    hospital, temple, mosque, warehouse, cabin, hut, palace, office building, shop, supermarket, train station,
    stadium, theater, gas station, farmhouse, mansion, shed, pyramid
sizes: small, large, tall, huge
looks: old, modern, abandoned, beautiful, empty, ruined, famous
colours: white, red, yellow, gray, pink, blue
made: brick, stone, wooden, concrete
at: on a hill, in a city, by the sea, on a street corner, behind the trees, in a village, at the end of a road,
    across the street
with: large windows, a red roof, a flag on top, a white door, ivy on the walls, a garden in front
parts: roof, window, door, wall, entrance, corner, front
beside: parking lot, tree, tower, crowded street
handled: entering, painting, photographing, leaving

# structures
category: building
nouns: bridge, tower, lighthouse, windmill, fountain, monument, horse statue, gate, arch, dam, pier, well, wind
    turbine, clock tower, water tower, stone wall, ferris wheel, roller coaster, crane, scaffold, antenna, tunnel,
    totem pole
sizes: small, tall, large
looks: old, famous, tall, ruined, rusty, modern
colours: white, gray, red, green
at: in a city square, by the river, in the distance, on the coast, against the sky, in a park
with: a stone base, lights on it, a long shadow, a plaque
parts: top, base, side, foot
beside: row of trees, river, group of tourists, road
handled: photographing, painting, visiting

# parts of buildings
category: building
nouns: roof, chimney, balcony, brick wall, column, porch, garage door, shutter, dome, steeple, stained glass window,
    facade, awning, doorstep, fire escape, courtyard, gutter
sizes: small, large
looks: old, damaged, modern, painted, beautiful
colours: red, white, green, gray, blue
at: of an old house, of a church, on a street corner, in an old town, under a blue sky
with: peeling paint, green plants, a pigeon on it
parts: edge, corner, top
beside: tree, lamp post, window, staircase
handled: painting, repairing, photographing

# things of the street
category: street
nouns: traffic light, street lamp, fire hydrant, mailbox, parking meter, fence, trash bin, bus stop, phone booth,
    manhole cover, traffic cone, bollard, newsstand, park bench, flag, utility pole, hot dog stand, vending machine,
    crosswalk, curb, street clock, bike rack, road barrier
sizes: small, tall, large
looks: old, rusty, broken, new, painted
colours: red, yellow, green, blue, white, gray
at: on a street corner, on the sidewalk, in front of a shop, at an intersection, next to the road, in a quiet street
with: a sticker on it, graffiti, snow on top, a number on it
parts: top, base, side, pole
beside: parked car, pedestrian, tree, puddle
handled: passing, painting, photographing

# streets and places
category: place
nouns: street, road, park, parking lot, market, airport, playground, garden, alley, town square, harbor, farm,
    vineyard, cemetery, zoo, tennis court, baseball field, golf course, ski slope, beach, campsite, construction
    site, amusement park, highway, railway track, bus station, hotel pool, sidewalk, backyard, runway
sizes: wide, small, large, narrow
looks: busy, quiet, empty, crowded, sunny, dark
does: covered in snow, seen from above
at: in the evening, at night, in the rain, in the early morning, in the fog, at sunset, in a small town
with: many people, tall trees on both sides, parked cars, colorful lights, market stalls
parts: edge, entrance, middle
handled: crossing, leaving, photographing

# trees and bushes
category: plant
nouns: tree, oak tree, pine tree, palm tree, apple tree, willow, birch, maple tree, bush, hedge, cherry tree, fir
    tree, olive tree, bonsai, cypress
sizes: tall, small, old, large
looks: bare, green, leafy, dead, crooked, blooming, snow-covered
colours: green, yellow, red
does: swaying in the wind, losing its leaves, casting a shadow
at: in a park, on a hill, along a road, in front of a house, by a lake, in a field, near a fence
with: a thick trunk, yellow leaves, a bird's nest in it, long branches
parts: trunk, branch, leaf, shadow, root, bark
beside: bench, cabin, stone wall, path
handled: planting, cutting, climbing, watering

# flowers
category: plant
nouns: flower, rose=red/white/pink/yellow, tulip=red/yellow/purple, sunflower=yellow, daisy=white,
    lily=white/orange, orchid=purple/white, poppy=red, lavender bush=purple, carnation=pink/red, dandelion=yellow,
    daffodil=yellow, violet=purple, iris=blue/purple, hydrangea=blue/pink, bouquet, lotus=pink, geranium=red, water
    lily=white/pink
sizes: small, large, single
looks: fresh, wilted, blooming, beautiful, wild, delicate
colours: red, yellow, white, pink, purple
at: in a vase, in a garden, in a field, on a grave, in a window box, on a table, along a path, in a green meadow
with: a long stem, drops of dew, a bee on it, open petals
parts: petal, stem, leaf, center
beside: watering can, candle, garden fence, stone
handled: picking, smelling, planting, holding, watering

# other plants
category: plant
nouns: cactus=green, fern=green, ~grass=green/dry, ~moss=green, ~ivy=green, ~bamboo=green, potted plant=green,
    ~wheat=golden, ~seaweed=green, clover=green, weed=green, vine=green, ~hay=yellow, houseplant=green,
    toadstool=red, acorn=brown, pine cone=brown, chestnut=brown
sizes: small, tall
looks: fresh, wild, thick, wet, tangled
at: in a pot, on a windowsill, in the forest, by a wall, on the ground, near a stream, in the sun
with: drops of water on it, small white flowers nearby
parts: leaf, root, stem, tip
beside: stone, garden path, flower pot, log
handled: planting, watering, cutting

# small things of nature
category: nature
nouns: rock, leaf=green/yellow/red/brown, branch, log, stick, pebble, seashell, feather, stone, tree stump, bird
    nest, puddle, crystal, bone, spider web, footprint, icicle, snowflake, snowman, sandcastle, twig, ~driftwood,
    fossil
sizes: small, large, tiny
looks: wet, smooth, broken, dry, old, beautiful
colours: gray, white, brown
at: on the ground, on the beach, in the forest, on a path, in the grass, in the snow, near a river
with: frost on it, a strange shape, white lines
parts: edge, surface, side, tip
beside: flower, puddle of mud, pile of sand, boot
handled: picking up, holding, photographing, finding

# landscapes
category: landscape
nouns: mountain, hill, lake, river, waterfall, forest, field, valley, island, desert, cliff, pond, stream, volcano,
    glacier, canyon, meadow, cave, swamp, coast, jungle, sand dune, ocean, bay, coral reef, peak, iceberg, rice
    field
sizes: small, large, wide, steep
looks: quiet, beautiful, misty, rocky, snowy, green, remote
does: covered in fog, surrounded by trees, shining in the sun, seen from an airplane
at: at sunrise, in autumn, under a cloudy sky, in the distance, in winter, on a clear day, at the horizon
with: tall trees around it, snow on it, a small house in the distance, a path leading to it
parts: edge, shore, middle, surface
beside: village, winding road, cabin, grassy slope
handled: painting, photographing, crossing, exploring

# sky and weather
category: weather
nouns: cloud=white/gray/dark, rainbow=colorful, full moon=pale/yellow, sunset=orange/pink, sunrise=golden/pink,
    ~lightning=bright, ~fog=thick/gray, ~snow=white/deep, ~rain=heavy/light, ~ice=thin/clear, shooting star,
    storm=dark, tornado=gray, ~smoke=black/white, wave=blue/huge, ~sunlight=bright/golden, shadow=long/dark,
    ~mist=gray, ~frost=white, comet, ~hail
looks: beautiful, distant
does: moving slowly, slowly fading, coming closer
at: over the sea, above the mountains, over the city, behind the trees, on a winter morning, over a field, above the
    rooftops, on the horizon
parts: edge, color, middle
handled: watching, photographing, painting

# fire, containers, odds and ends
category: household
nouns: ~fire=orange, match, lighter, ashtray, cigarette, flower basket, gift box, shopping list, doormat, bell,
    ~money, banknote, ~yarn, piggy bank, ball of wool, bird cage, fish tank, ~wrapping paper, ~string, fan, music
    box
sizes: small, large
looks: old, new, colorful, used, pretty
colours: red, blue, white, green, brown
at: on a table, on the floor, in a drawer, in a shop, near a window, on a chair
with: a dent in it, a bright color, a red bow
parts: edge, side, end
beside: cup, box, lamp, newspaper
handled: holding, buying, using, photographing
"""
