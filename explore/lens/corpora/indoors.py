"""Furniture, rooms and the things of a household. The format is that of `lexicon`."""

INDOORS = """
# seats
category: furniture
nouns: chair, armchair, sofa, stool, rocking chair, bench, recliner, high chair, deck chair, swivel chair, bar stool
sizes: small, large, low
looks: comfortable, old, empty, broken, elegant, worn
colours: red, brown, white, black, green, blue, gray
made: wooden, leather, plastic, metal, wicker
at: in a living room, at a table, on a porch, in a corner, by the window, in a waiting room, on a balcony, in an
    office
with: soft cushions, wooden arms, thin legs, a torn seat, a blanket over it
parts: leg, seat, back, armrest
beside: floor lamp, small table, fireplace, potted plant
handled: painting, moving, repairing, buying

# tables
category: furniture
nouns: table, desk, coffee table, nightstand, dining table, workbench, picnic table, counter, side table, dressing
    table
sizes: large, small, long, round
looks: empty, messy, old, polished, scratched, sturdy
colours: brown, white, black
made: wooden, glass, metal, marble
at: in a dining room, in the middle of the room, near a window, on a terrace, under a lamp, in an office
with: papers on it, a drawer, a white tablecloth, flowers on it, four chairs around it
parts: leg, top, edge, drawer
beside: bookshelf, sofa, chair, window
handled: setting, cleaning, moving, polishing

# storage furniture
category: furniture
nouns: bookshelf, cabinet, wardrobe, dresser, cupboard, shelf, chest, drawer, filing cabinet, coat rack, locker,
    wine rack
sizes: tall, large, small, narrow
looks: full, empty, old, open, locked, dusty
colours: white, brown, gray, black
made: wooden, metal, steel
at: against a wall, in a bedroom, in a hallway, behind a door, in an office, in a basement
with: glass doors, brass handles, many books, folded clothes inside
parts: door, handle, side, top
beside: mirror, bed, ladder, rug
handled: opening, moving, cleaning, painting

# beds and bedding
category: furniture
nouns: bed, crib, bunk bed, mattress, pillow, blanket, quilt, hammock, cushion, sleeping bag
sizes: large, small
looks: soft, unmade, warm, clean, wrinkled, folded, cozy
colours: white, blue, pink, gray, striped, red
at: in a bedroom, in a hotel room, on the floor, in a store, near a window
with: a flower pattern, white lace, blue stripes
parts: corner, edge, side
beside: nightstand, teddy bear, reading lamp, slippers
handled: making, washing, folding, carrying

# decoration
category: household
nouns: vase, candle, picture frame, painting, mirror, statue, wreath, flower pot, curtain, rug, carpet, tablecloth,
    tapestry, Christmas tree, ornament, wall clock, poster, photograph
sizes: large, small, tall
looks: old, beautiful, dusty, colorful, elegant, antique, framed
colours: blue, red, green, golden, white
at: on a wall, on a mantel, in a hallway, by the window, in a museum, on a shelf, in a living room
with: a gold frame, a floral pattern, a crack in it, dried flowers
parts: edge, frame, base, corner
beside: fireplace, sofa, stack of books, lamp
handled: dusting, hanging, admiring, buying

# lamps and lights
category: household
nouns: lamp, ceiling lamp, floor lamp, chandelier, light bulb, lantern, flashlight, desk lamp, Christmas light,
    candlestick
sizes: small, large, tall
looks: bright, dim, broken, glowing, old, modern
colours: white, yellow, red, black, golden
made: brass, glass, paper, metal
does: hanging, glowing in the dark, lighting a corner, casting a shadow
at: on a table, above a bed, in a dark room, next to a sofa, on a porch, in a hallway
with: a paper shade, a long cord, a warm glow
parts: shade, base, switch, cord
beside: book, armchair, alarm clock, framed photo
handled: lighting, switching on, holding

# bathroom
category: household
nouns: sink, bathtub, toilet, shower, faucet, towel, toothbrush, ~soap, ~shampoo, hairbrush, comb, razor, hair
    dryer, ~toilet paper, bath mat, ~toothpaste, shower curtain, medicine cabinet, soap dish, sponge
sizes: small, large
looks: clean, wet, new, old, dirty
colours: white, blue, green, pink
at: in a bathroom, beside the bathtub, on a tiled floor, in a hotel, on the edge of the sink, under a mirror
parts: edge, handle, side
beside: mirror, folded towel, glass of water, laundry basket
handled: cleaning, using, holding

# cleaning and laundry
category: household
nouns: broom, mop, bucket, dustpan, laundry basket, clothesline, iron, ironing board, trash can, hanger, feather
    duster, spray bottle, clothespin, rubber glove, garbage bag
sizes: small, large, long
looks: wet, dirty, full, empty, new
colours: blue, yellow, green, red, gray
made: plastic, metal, wooden
at: in a closet, in a corner, on the balcony, behind a door, on the floor, in a laundry room
parts: handle, lid, edge, bottom
beside: washing machine, pile of clothes, doormat, cardboard box
handled: carrying, using, emptying, holding

# electronics
category: electronics
nouns: laptop, keyboard, computer mouse, monitor, phone, camera, television, speaker, remote control, printer,
    tablet, radio, microphone, game controller, +headphones, projector, charger, router, calculator, alarm clock,
    record player, typewriter, telephone, computer, smartwatch
sizes: small, large, tiny
looks: new, old, broken, modern, dusty, expensive
colours: black, white, silver, gray, red
does: charging, playing music, lying face down
at: on a desk, on a bed, in a store window, on a couch, in an office, on a bedside table, in a backpack
with: a cracked screen, many buttons, a tangled cable, a sticker on it
parts: screen, button, cable, back, corner
beside: cup of coffee, notebook, pair of glasses, potted plant
handled: using, repairing, holding, buying, cleaning

# things to read
category: office
nouns: book, notebook, newspaper, magazine, postcard, letter, map, dictionary, calendar, sticky note, comic book,
    cookbook, diary, catalog, photo album
sizes: small, large, thick, thin
looks: open, old, new, torn, colorful, closed
colours: red, blue, yellow, green, black, white
at: on a desk, in a drawer, on a shelf, in a school bag, under a lamp, on a pile of papers, in a classroom, on a bed
with: a bent corner, a blue cover, handwriting on it, a price tag, a picture of a horse
parts: edge, corner, cover, back
beside: laptop, coffee mug, eyeglass case, reading lamp
handled: holding, reading, buying, closing, opening

# desk and school
category: office
nouns: pencil, pen, +scissors, envelope, folder, stapler, eraser, ruler, marker, paper clip, crayon, globe, ink
    bottle, rubber band, briefcase, chalkboard, pencil case, stamp, glue stick, pushpin
sizes: small, large, long
looks: old, new, used, colorful, broken
colours: red, blue, yellow, green, black, white
at: on a desk, in a drawer, on a shelf, in a school bag, under a lamp, on a pile of papers, in a classroom
with: a blue stripe, a name on it, a price tag
parts: edge, tip, side
beside: laptop, coffee mug, notebook, wall calendar
handled: holding, using, buying, dropping

# toys and games
category: toy
nouns: teddy bear, doll, ball, kite, balloon, puzzle, toy car, building block, chess board, yo-yo, toy train, rubber
    duck, dice, playing card, dollhouse, robot, spinning top, marble, stuffed rabbit, slingshot, jump rope, toy
    soldier
sizes: small, large, little
looks: colorful, old, new, broken, soft, bright
colours: red, blue, yellow, green, pink, purple
made: wooden, plastic, rubber
at: on the floor, in a toy box, on a bed, on the carpet, on a shelf, in the sandbox, in a child's room
with: a missing piece, a red ribbon, bright colors, a smiling face
parts: side, bottom, edge, top
beside: picture book, shoe, little girl, crib
handled: holding, throwing, playing with, hugging, losing

# music
category: music
nouns: guitar, piano, violin, drum, trumpet, flute, saxophone, cello, accordion, harp, clarinet, banjo, xylophone,
    tuba, harmonica, tambourine, electric guitar, music stand
sizes: small, large
looks: old, shiny, antique, expensive, new
colours: brown, black, red, golden
at: on a stage, in a music shop, on a stand, in a case, in a concert hall, against a wall, on a chair
with: a strap, a shiny surface, scratches
parts: neck, body, edge, side
beside: amplifier, sheet of music, microphone, stool
handled: playing, holding, tuning, carrying

# rooms
category: room
nouns: kitchen, bathroom, bedroom, living room, dining room, office, classroom, restaurant, library, garage,
    hallway, attic, basement, hotel room, gym, waiting room, laundry room, workshop, cafe, hospital room, nursery,
    closet
sizes: large, small, narrow, spacious
looks: clean, messy, bright, dark, empty, modern, old-fashioned, crowded, cozy
with: white walls, a large window, wooden floors, bright lights, old furniture, a tiled floor, plants by the window,
    a high ceiling, blue curtains
parts: ceiling, floor, wall, door, window, corner
handled: cleaning, painting, leaving, entering

# parts of a room
category: room
nouns: window, door, wall, ceiling, floor, fireplace, staircase, radiator, doorknob, windowsill, light switch, power
    outlet, banister, skylight, doorbell, keyhole, air vent
sizes: large, small, wide
looks: old, clean, dirty, modern, cracked, painted
colours: white, brown, blue, gray, green
at: in an old house, of a hotel, in a bedroom, of an apartment, in a hallway
parts: edge, corner, frame
beside: mirror, coat rack, armchair, bookshelf
handled: painting, cleaning, repairing, touching
"""
