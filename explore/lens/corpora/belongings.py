"""Clothes, bags, tools, sports gear, and shapes and words on things. The format is that of `lexicon`."""

BELONGINGS = """
# clothes
category: clothing
nouns: shirt, jacket, coat, sweater, hoodie, vest, blouse, dress, skirt, suit, raincoat, apron, uniform, bathrobe,
    kimono, cardigan, T-shirt, jersey, tuxedo, wedding dress, swimsuit
sizes: long, short, oversized
looks: striped, plain, wrinkled, elegant, warm, dirty, new, checkered, knitted
colours: red, blue, white, black, green, gray, pink, yellow
made: cotton, wool, silk, leather
at: on a hanger, in a closet, on a mannequin, on the bed, in a shop window, on a clothesline, over a chair
with: long sleeves, gold buttons, a hood, a pocket, polka dots, a stain
parts: sleeve, collar, pocket, button, hem
beside: pair of shoes, leather belt, straw hat, suitcase
handled: wearing, ironing, folding, buying, washing

# trousers and glasses
category: clothing
nouns: +jeans, +trousers, +shorts, +glasses, +sunglasses, +pajamas, +tights, +goggles, +overalls, +leggings
looks: old, new, dirty, stylish, torn
colours: blue, black, gray, brown, red
at: on a chair, on a bed, in a drawer, on a shelf, in a shop
beside: belt, folded shirt, wristwatch, hat
handled: wearing, buying, folding, cleaning

# hats
category: clothing
nouns: hat, cap, helmet, beanie, straw hat, cowboy hat, crown, bow tie, headband, baseball cap, top hat, turban,
    veil, wig, mask
sizes: large, small
looks: old, new, funny, elegant, dusty
colours: red, black, white, blue, brown, green
at: on a hook, on a table, on the head of a child, on a shelf, in a shop window
with: a wide brim, a feather, a white ribbon, a logo on the front
parts: edge, top, side
beside: scarf, pair of gloves, coat, walking stick
handled: wearing, holding, trying on, buying

# shoes
category: clothing
nouns: shoe, boot, sneaker, sandal, sock, slipper, high heel, glove, mitten, flip-flop, ballet shoe, rubber boot
sizes: small, large
looks: old, muddy, new, worn, wet, polished, lost
colours: red, black, brown, white, blue, pink
made: leather, rubber, cotton
at: on the floor, by the door, on a doormat, in a box, on the sidewalk, under the bed, in the snow
with: white laces, a hole in it, a thick sole, a silver buckle
parts: sole, heel, toe, side
beside: umbrella, puddle, schoolbag, coat
handled: wearing, cleaning, tying, losing, buying

# accessories
category: clothing
nouns: tie, scarf, belt, necklace, ring, watch, bracelet, earring, brooch, handkerchief, ribbon, zipper, button,
    badge, wallet, coin=golden/silver, key, cuff link, hairpin, pocket watch, bandana
sizes: small, thin, large
looks: shiny, old, expensive, simple, elegant, lost
colours: golden, silver, red, blue, green
at: on a table, in a jewelry box, in a drawer, on a velvet cushion, in a glass case, on a wooden surface
with: a pattern of stars, an engraved name
parts: edge, clasp, surface, end
beside: perfume bottle, folded letter, mirror, handbag
handled: wearing, holding, losing, buying

# bags and umbrellas
category: clothing
nouns: backpack, handbag, suitcase, umbrella, purse, shopping bag, basket, duffel bag, tote bag, parasol, trunk,
    paper bag, cardboard box, cooler, lunch box, crate, barrel
sizes: large, small, heavy
looks: full, empty, open, closed, old, worn
colours: red, black, brown, blue, yellow, striped
made: leather, plastic, canvas
at: on the floor, on a bench, at an airport, in the back of a car, on a luggage cart, near a door, on a beach
with: a broken handle, many pockets, a name tag, stickers on it
parts: handle, strap, side, bottom, corner
beside: pair of boots, sleeping dog, bench, ticket machine
handled: carrying, opening, packing, holding, dragging

# hand tools
category: tool
nouns: hammer, screwdriver, saw, wrench, drill, ladder, shovel, rake, rope, nail, paintbrush, axe, chisel, tape
    measure, +pliers, toolbox, wheelbarrow, watering can, garden hose, lawn mower, crowbar, paint roller, sewing
    machine, needle, magnifying glass, anvil, chain, padlock, screw, ~sandpaper
sizes: small, large, heavy, long
looks: rusty, old, new, dirty, broken, useful
colours: red, yellow, gray, green, black
made: metal, steel
at: on a workbench, in a shed, in a garage, on the ground, against a wall, in a toolbox, on a wooden board
with: a wooden handle, paint on it, a sharp edge, a worn grip
parts: handle, tip, end, edge
beside: pile of wood, bucket of paint, pair of gloves, box of screws
handled: holding, using, carrying, cleaning, borrowing

# instruments of science and medicine
category: tool
nouns: telescope, microscope, thermometer, syringe, stethoscope, test tube, compass, scale, +binoculars, pill,
    bandage, wheelchair, crutch, hourglass, magnet, battery, stopwatch, beaker
sizes: small, large
looks: modern, old, precise, clean, broken
colours: white, black, silver, blue
at: in a laboratory, on a table, in a hospital, in a museum, on a shelf, in a classroom
with: a scratch on it, a small label, a metal case
parts: edge, end, side, case
beside: notebook, bottle, computer, white coat
handled: using, holding, carrying

# sports gear
category: sport
nouns: skateboard, surfboard, snowboard, tennis racket, baseball bat, frisbee, baseball glove, +skis, soccer ball,
    basketball, tennis ball, golf club, hockey stick, volleyball, dumbbell, boxing glove, bowling ball, yoga mat,
    trampoline, medal, trophy, whistle, archery target, life jacket, fishing rod, football, paddle, goal net
sizes: small, large, heavy
looks: new, old, worn, dirty, professional
colours: red, blue, white, yellow, orange, black
at: on the grass, in a gym, on the beach, on a court, in a locker, against a wall, in a sports shop
with: a white stripe, a logo on it, scratches, sand on it
parts: edge, handle, surface, end
beside: pair of sneakers, water bottle, towel, player
handled: holding, carrying, using, buying, swinging

# camping and garden
category: outdoor gear
nouns: tent, campfire=orange, bird house, swing, slide, seesaw, sandbox, barbecue, garden gnome, picnic basket,
    parachute, torch, beach umbrella, swimming pool, mailbox post, bird bath, greenhouse, dog house, treehouse
sizes: small, large
looks: old, new, empty, colorful, abandoned
colours: green, red, blue, white
at: in a garden, in a backyard, near a lake, in a park, under the trees, at a campsite
with: a pointed top, dry leaves on it, a sign in front
parts: top, edge, side
beside: tree, folding chair, pile of firewood, hedge
handled: building, repairing, photographing

# signs and printed things
category: text
nouns: sign, stop sign=red, street sign, license plate, label, banner, menu, billboard, sticker, ticket, receipt,
    logo, price tag, name tag, book cover, neon sign, road sign, shop sign, bumper sticker, warning sign,
    scoreboard, whiteboard
sizes: small, large
looks: old, bright, faded, torn, handwritten, printed
colours: red, white, yellow, blue, green, black
at: on a wall, above a door, on a pole, in a shop window, on the side of a truck, at the entrance, on a wooden post
with: white letters, black text, an arrow, a red border, a phone number, large print
says: STOP, OPEN, EXIT, SALE, TAXI, HOTEL, CAFE, PARKING, WELCOME, NO SMOKING, FREE, COFFEE, POLICE, SCHOOL, MARKET,
    BAKERY, THANK YOU
parts: edge, corner, top, text
beside: parked car, entrance, traffic light, lamp post
handled: reading, painting, holding, pointing at

# letters and numbers
category: text
nouns: !letter A, !letter B, !letter M, !letter S, !letter X, !number 3, !number 7, !number 10, !number 25, date,
    word, question mark, arrow, barcode, signature, headline
sizes: big, small
looks: bold, printed, handwritten, faded, glowing
colours: red, black, white, blue
at: on a jersey, on a white page, at the top of a poster, on a chalkboard, on a screen, on the back of a shirt, on a
    license plate
parts: edge, end
handled: reading, drawing, writing

# shapes and patterns
category: shape
nouns: circle, triangle, square, star, heart, line, stripe, dot, spiral, cross, rectangle, zigzag, ring of light,
    checkerboard, curve
sizes: small, large, thin, tiny
looks: bright, blurry, faint, painted, perfect
colours: red, blue, white, black, yellow, green, pink
at: on a white background, on a blue flag, on a wall, in the corner of the picture, on a piece of fabric, on a sheet
    of paper
parts: edge, center, outline
handled: drawing, painting

# stuff and surfaces
category: material
nouns: ~wood=brown/light/dark, ~metal=gray/silver, ~glass, ~brick=red, ~concrete=gray, ~fabric=blue/red/white,
    ~leather=brown/black, ~plastic=white/blue, ~paper=white, ~cardboard=brown, ~marble=white/gray,
    ~paint=red/white/green, ~fur=white/brown, ~tile=white/blue
looks: smooth, rough, shiny, wet, old, worn
at: of a wall, on the ground, in close view, under bright light, at the edge of the picture, in the background
parts: surface, edge, texture, color
handled: touching, cutting, painting
"""
