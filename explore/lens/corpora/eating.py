"""Food, drink and what they are made and served with. The format is that of `lexicon`."""

EATING = """
# fruit
category: food
nouns: apple=red/green, banana=yellow/green, orange=orange, lemon=yellow, lime=green, pear=green/yellow,
    peach=orange/pink, plum=purple, cherry=red, strawberry=red, grape=green/purple, pineapple=yellow,
    watermelon=green, mango=orange/green, kiwi=green, blueberry=blue, raspberry=red, apricot=orange, fig=purple,
    coconut=brown, grapefruit=pink
sizes: small, large, whole
looks: ripe, fresh, juicy, sliced, peeled, rotten, sweet
at: in a bowl, on a plate, on a tree, at a market stall, on a cutting board, in a basket, on a kitchen table, in a
    crate
with: a green leaf, a bite taken out of it, a sticker on it
parts: skin, stem, flesh, seed
beside: knife, glass of juice, fruit bowl, jar of honey
handled: eating, peeling, slicing, washing, picking

# vegetables
category: food
nouns: carrot=orange, tomato=red, potato=brown, onion=white/purple, cucumber=green, pepper=red/yellow/green,
    ~broccoli=green, ~lettuce=green, cabbage=green/purple, eggplant=purple, pumpkin=orange, mushroom=white/brown,
    radish=red, ~corn=yellow, ~garlic=white, zucchini=green, ~spinach=green, ~celery=green, bean=green, pea=green,
    beet=purple
sizes: small, large
looks: fresh, chopped, raw, cooked, roasted, dirty
at: on a cutting board, in a basket, in a salad, in a garden bed, on a market stall, in a pan, on a white plate, in
    a paper bag
parts: skin, stem, leaf, root
beside: sharp knife, bunch of herbs, bottle of oil, wooden spoon
handled: chopping, washing, peeling, cooking, slicing

# dishes
category: food
nouns: sandwich, pizza, hamburger, hot dog, salad, ~soup, omelet, steak, taco, burrito, ~pasta, ~rice, ~sushi,
    ~spaghetti, ~curry, lasagna, stew, kebab, dumpling
sizes: large, small
looks: hot, tasty, homemade, half-eaten, spicy, greasy, steaming
at: on a plate, on a wooden table, in a takeout box, on a tray, in a restaurant, on a paper napkin, at a picnic
with: melted cheese, a little sauce, fresh herbs, a side of fries, extra onions, grilled chicken
parts: crust, filling, edge, surface
beside: glass of water, fork, bowl of sauce, soda can, folded napkin
handled: eating, serving, cooking, ordering, sharing

# eggs, meat, cheese
category: food
nouns: egg=white/brown, sausage, ~bacon, ~ham, ~cheese=yellow, fried egg, meatball, ~salmon=pink, shrimp=pink,
    ~butter=yellow, ~tofu=white
sizes: small, thick
looks: fried, boiled, fresh, smoked, sliced, crispy
at: in a pan, on a plate, on toast, on a grill, in the refrigerator, on a breakfast tray
parts: edge, surface
beside: slice of bread, cup of tea, pepper mill, fork
handled: frying, eating, slicing, cooking

# baked goods and sweets
category: food
nouns: cake, cookie, pancake, waffle, pie, donut, muffin, croissant, ~bread, bagel, cupcake, ~chocolate, candy,
    lollipop, ~ice cream, brownie, pretzel, tart, ~pudding, ~popcorn, birthday cake, roll, gingerbread house,
    cheesecake
sizes: small, large
looks: sweet, fresh, frosted, crumbly, golden, homemade, sticky, warm
colours: brown, pink, white, yellow
at: on a plate, in a bakery window, on a cooling rack, in a paper bag, on a cake stand, on a table, in a glass case
with: pink icing, powdered sugar, sprinkles, strawberries on top, whipped cream, nuts
parts: crust, frosting, edge, filling
beside: cup of coffee, candle, glass of milk, napkin
handled: eating, baking, decorating, sharing

# drinks
category: food
nouns: ~coffee=black, ~tea=green, ~milk=white, ~orange juice=orange, ~wine=red/white, ~beer, ~water,
    ~lemonade=yellow, ~soda, smoothie=pink/green, milkshake=pink, cocktail=orange/blue, ~hot chocolate=brown,
    espresso
looks: cold, hot, fresh, iced, sparkling, spilled
at: in a glass, in a paper cup, on a bar, on a small table, in a tall bottle, in a plastic cup, by the pool, in a
    clear jug
with: ice cubes, a slice of lemon, a straw, foam on top
beside: newspaper, slice of cake, bowl of nuts, laptop
handled: drinking, pouring, ordering, serving, spilling

# dry goods and spices
category: food
nouns: ~flour=white, ~sugar=white/brown, ~salt=white, ~honey=golden, ~jam=red, ~cereal, ~oatmeal, nut=brown,
    almond=brown, raisin=dark, ~cinnamon=brown, ~olive oil=golden, ~ketchup=red, ~mustard=yellow, ~basil=green,
    ~parsley=green
looks: fine, dry, fresh, spilled
at: in a jar, in a bowl, on a spoon, on a shelf, in a small bag, on the counter
beside: measuring cup, wooden spoon, recipe book, scale
handled: adding, tasting, buying

# tableware
category: kitchen
nouns: plate, bowl, cup, mug, saucer, tray, pitcher, teacup, dish
sizes: small, large, round
looks: empty, clean, dirty, broken, cracked, full, stacked
colours: white, blue, red, green, brown, yellow
made: ceramic, plastic, glass, wooden, porcelain
at: on a table, in the sink, on a shelf, in a cupboard, on a tablecloth, on the counter, in a dishwasher
with: a blue rim, flowers painted on it, a chip in the edge
parts: rim, edge, bottom
beside: folded napkin, pitcher of water, silver fork, sugar bowl
handled: washing, holding, filling, drying, dropping

# glasses and bottles
category: kitchen
nouns: glass, wine glass, bottle, jar, jug, vial, decanter, thermos, can
sizes: tall, small, large
looks: empty, full, half full, broken, open, dusty
colours: green, brown, clear, blue
at: on a bar, on a table, in a row, on a windowsill, in a crate, on a shelf, in a refrigerator
with: a label, drops of water on it, a cork, a straw in it
parts: neck, bottom, lid, label
beside: plate of cheese, corkscrew, ice bucket, bowl of olives
handled: filling, holding, opening, breaking

# cutlery and kitchen tools
category: kitchen
nouns: fork, knife, spoon, ladle, whisk, spatula, corkscrew, peeler, grater, rolling pin, can opener, chopstick,
    cutting board, measuring cup, colander, +tongs
sizes: small, large, long
looks: clean, dirty, shiny, sharp, old, bent
colours: silver, black, red
made: wooden, metal, plastic
at: in a drawer, on a napkin, next to a plate, on the counter, in the sink, hanging on a hook
parts: handle, tip, edge
beside: mixing bowl, loaf of bread, pot of soup, white plate
handled: holding, washing, using, drying

# cookware
category: kitchen
nouns: pot, pan, kettle, teapot, wok, casserole, saucepan, baking tray, coffee pot, pressure cooker, lid
sizes: large, small, heavy
looks: hot, steaming, empty, old, shiny, burnt
colours: black, silver, red, blue
made: metal, copper, iron, steel
at: on the stove, on a burner, in a cupboard, on a wooden trivet, in the sink, over a fire
with: a long handle, a glass lid, boiling water in it
parts: handle, lid, bottom, spout
beside: cutting board, stack of plates, dish towel, bottle of oil
handled: holding, heating, washing, stirring

# kitchen appliances
category: kitchen
nouns: refrigerator, oven, microwave, toaster, blender, dishwasher, stove, coffee maker, mixer, freezer, washing
    machine, vacuum cleaner, electric fan, heater, dryer
sizes: large, small
looks: new, old, modern, broken, shiny, dirty, open
colours: white, silver, black, red
at: in a kitchen, on a counter, against a wall, in a small apartment, beneath a window, in a store
with: a glass door, magnets on it, a digital display, a missing knob
parts: door, handle, plug, button, cord
beside: sink, cabinet, trash can, roll of paper towels
handled: opening, cleaning, repairing, using
"""
