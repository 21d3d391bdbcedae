"""What the weights of candidates are fitted to. None of these texts is ever asked by the gate.

Of many kinds, because a layer in bytes is best at what it has seen: prose, code, numbers, names,
lists, shouting, other scripts, very short texts and long ones.
"""

TUNING = (
    "The ferry leaves at six in the morning and again at noon. In winter the second crossing is "
    "cancelled when the wind blows from the north, and nobody is told until the harbour master "
    "has raised the red flag, so most islanders keep a bag packed and a friend with a spare bed.",
    "def merge(left, right):\n    out = []\n    while left and right:\n        "
    "out.append(left.pop(0) if left[0] <= right[0] else right.pop(0))\n    return out + left + "
    "right",
    "Add the flour a spoonful at a time, stirring until no lumps are left. Let the batter rest "
    "for twenty minutes, then fry thin pancakes in butter over a medium heat; the first one "
    "always sticks and belongs to the cook.",
    "Patients who took the tablets twice daily for eight weeks reported fewer headaches than the "
    "control group (mean difference 2.1 days a month, 95% confidence interval 1.3 to 2.9), but "
    "dizziness and dry mouth were more common and eleven people left the trial because of them.",
    "ERROR 2024-03-11T08:15:42Z worker-7 connection refused: dial tcp 10.0.3.18:5432 after 3 tries",
    "The tenant shall keep the premises in good repair, shall not sublet any part of them without "
    "the landlord's written consent, and shall give two months' notice before the end of the "
    "term. Failing such notice, the lease is renewed for one year on the same conditions.",
    "She had never liked the portrait in the hall. Its eyes were painted a little too large, and "
    "on stormy evenings, when the lamps were turned low, they seemed to follow her up the stairs "
    "with an expression she could only call patient.",
    "SELECT city, COUNT(*) AS people FROM visits WHERE year >= 2019 GROUP BY city ORDER BY people",
    "Quarterly revenue rose 7% to $4.82 billion, helped by strong demand for cloud storage, while "
    "operating costs fell for the third time in a row. The company raised its forecast for the "
    "year and said that it would buy back shares worth $600 million before next summer.",
    "A glacier moves because ice under great pressure behaves like a very slow liquid. The base "
    "melts and slides over the rock, the surface cracks into crevasses, and stones frozen into "
    "the ice scratch long parallel grooves that are still there when the ice has been gone for "
    "ages.",
    "URGENT!!! Your parcel could NOT be delivered. Confirm your address within 24 hours...",
    "Der Zug nach Hamburg hat heute zwanzig Minuten Verspätung, weil bei Uelzen eine Weiche "
    "klemmt. Reisende nach Kiel steigen bitte schon in Hannover um.",
    "Le conseil municipal a voté la rénovation de la bibliothèque, qui rouvrira au printemps avec "
    "une salle de lecture pour les enfants et un jardin.",
    "El agua hierve a menor temperatura en la montaña porque la presión del aire es más baja.",
    "東京の夏は蒸し暑く、夕方になると激しい雨が降ることが多い。",
    "Москва расположена на берегах реки, по которой летом ходят прогулочные корабли.",  # noqa: RUF001 - Russian
    "blue",
    "why is the sky blue",
    "cheap flights lisbon to oslo december",
    "To reset the router, hold the small button on its back for ten seconds until all the lights "
    "go out. Wait two minutes. Then open the settings page in a browser, enter the password "
    "printed on the label and choose a new name for the wireless network; every device must be "
    "joined again.",
    "The violin is tuned in fifths: G, D, A and E. Its body is made of spruce and maple, glued "
    "with hide glue so that a repairer can open it again, and the sound post inside, which the "
    "French call the soul, carries the vibration from the top to the back.",
    "https://example.org/shop/items?id=48213&colour=dark-green&size=XL#reviews",
    "In 1453 the city fell after a siege of fifty-three days. Its walls, which had held for a "
    "thousand years, were broken by bronze cannon so heavy that sixty oxen were needed to draw "
    "each of them; many scholars fled west with their books, and old texts found new readers "
    "there.",
    "Goalkeeper saves penalty in the last minute as the visitors hold on for a draw",
    "A queue gives back first what was put in first, a stack what was put in last. With two "
    "stacks one can build a queue: push onto the first, and whenever the second is empty, pour "
    "the first into it. Each element is moved at most twice, so that the cost of an operation "
    "stays constant on average although a single one may take long.",
    "The heron stood in the shallows without moving for most of an hour. Then its neck shot out, "
    "the water closed again, and a small silver tail vanished down its throat.",
    "We need more volunteers for Saturday's clean-up: gloves, bags and sandwiches are provided. "
    "Meet at the bridge at nine, children welcome, dogs on a lead please :-)",
    "Interest is calculated daily on the outstanding balance and charged on the last day of the "
    "month. If the minimum payment is late, a fee of 12 euros is added and the rate goes up to "
    "21.9 percent until three payments in a row have come on time.",
    "Photosynthesis turns carbon dioxide and water into sugar and oxygen, driven by light that is "
    "caught by chlorophyll. The first steps happen in the membranes of the thylakoids, where "
    "water is split; the later ones, which need no light, fix the carbon in the stroma.",
    '{"name": "sensor-12", "type": "temperature", "readings": [21.4, 21.6, 22.0], "ok": true}',
    "I bought these boots for a walking holiday and they leaked on the first day. The shop took "
    "them back without a word, sent a new pair within a week, and those have now done three "
    "hundred miles through bogs and scree. Five stars for the service, three for the glue.",
    "The theorem says that every bounded sequence of real numbers has a convergent subsequence. "
    "To prove it, halve the interval that holds the sequence, keep a half that holds infinitely "
    "many of its members, and repeat; the nested intervals close in on the limit.",
    "Mix one part cement, two parts sand and three parts gravel, then add water slowly.",
    "The election was held on a Sunday in heavy rain. Turnout was lower than four years before, "
    "the two large parties lost seats to three small ones, and it took five months of talks until "
    "a coalition was found that nobody had wanted and everybody could live with.",
    "Octopuses have three hearts and blue blood, taste with their suckers, and can change the "
    "colour and texture of their skin within a second to vanish against coral or sand.",
    "Dear Dr. Okafor, thank you for your letter of 3 May. I am glad to confirm your appointment "
    "on Thursday at 14:30 in room B207; please bring the earlier scans and a list of your "
    "medicines.",
    "kubectl get pods --namespace staging | grep -v Running",
    "The novel follows three generations of a family of clockmakers from a village in the Jura to "
    "the factories of the New World. It is at its best where it stays close to the workbench, "
    "with its files and loupes and tiny screws, and loses its way in the long chapters about "
    "politics.",
    "The heart has four chambers. Blood from the body comes to the right atrium, goes through the "
    "right ventricle to the lungs, returns to the left atrium full of oxygen, and is driven by "
    "the thick left ventricle into the aorta.",
    "(a) 3x + 5 = 20, (b) x^2 - 4x + 4 = 0, (c) 2^x = 64; solve each equation for x.",
    "The first trains on the line were pulled by horses. When steam came, the farmers complained "
    "that their cows gave less milk, the innkeepers that nobody stopped for the night any more, "
    "and the vicar that young people went to the coast on Sundays. Twenty years later none of "
    "them could imagine the valley without it.",
    "A good password is long rather than strange. Four or five unrelated words are easier to "
    "remember and harder to guess than eight characters with a digit and an exclamation mark, and "
    "a password manager can keep a different one for every site so that a leak in one place does "
    "no harm in another.",
    "Mean sea level has risen by about twenty centimetres since 1900, partly because warmer water "
    "takes more room and partly because ice on land has melted. The rate has doubled since the "
    "satellites began to measure it, and low islands lose their fresh water to salt long before "
    "they are flooded.",
    "for attempt in range(retries):\n    try:\n        return client.get(url, timeout=5)\n    "
    "except TimeoutError:\n        time.sleep(2 ** attempt)\nraise RuntimeError('gave up')",
    "The defendant admits that he was driving at 74 kilometres an hour where 50 were allowed, but "
    "says that the sign was hidden by a hedge. The court has seen the photographs and finds that "
    "the sign can be read from a distance of forty metres. The fine of 180 euros stands.",
    "My grandmother kept her recipes in a biscuit tin, written on the backs of envelopes. Most of "
    "them give no amounts: butter the size of an egg, flour until it feels right, bake till done. "
    "I have tried for ten years to make her plum cake and it has never once tasted as it did in "
    "her kitchen.",
    "Enzymes lower the energy that a reaction needs to start. Each has a pocket into which one "
    "kind of molecule fits, bends slightly, and is held until a bond breaks or forms. Heat and "
    "acid change the shape of the pocket, which is why a boiled egg does not hatch and lemon "
    "juice turns raw fish white.",
    "The union and the employers agreed on a rise of 4.2 percent from March and a single payment "
    "of 900 euros in July. Night shifts will be paid at one and a half times the normal rate; the "
    "question of shorter weeks was put off until the autumn, when both sides will meet again.",
    "Install the package with your system's package manager, copy the sample configuration to "
    "/etc, and change the two lines marked with a comment. Then start the service and look at its "
    "log: it prints the address on which it listens, and a warning for each setting that it does "
    "not know.",
    "Two teams of eleven try to get the ball into the other's goal without using their hands. A "
    "match has two halves of forty-five minutes; when nobody has won by then in a cup game, half "
    "an hour is added, and after that five players of each side shoot from eleven metres.",
    "The museum is open from Tuesday to Sunday, ten to five, late on Thursdays until eight. "
    "Tickets cost 12 pounds, 6 for students and pensioners; children under ten come in free. The "
    "café on the first floor has a view over the river and closes half an hour before the "
    "galleries.",
    "Stir the onions slowly in olive oil until they are soft and golden, add garlic, cumin and a "
    "pinch of cinnamon, then the lentils and a litre of stock. Simmer for half an hour. Blend "
    "half of the soup, return it to the pot, and finish with lemon juice, coriander and black "
    "pepper.",
    "An index makes reading quicker and writing slower. For a table that is written a thousand "
    "times for each time it is read, drop it; for one that is searched on every page view, look "
    "at the query plan and add a composite index whose first column is the one with the fewest "
    "rows per value.",
    "Whales descend from four-legged animals that walked on land some fifty million years ago. "
    "Their closest living relatives are hippopotamuses. Inside the flipper of a humpback are the "
    "same bones as in a human arm, and now and then a whale is born with small stumps where its "
    "hind legs would be.",
    "The prime minister resigned on Friday after losing the support of her party in a dispute "
    "about pensions. She will stay in office until a successor is chosen by the members in "
    "September. Markets hardly moved; the currency lost a third of a percent against the dollar "
    "and won it back by the evening.",
    "If the light blinks red three times, the battery must be charged; if it blinks five times, "
    "the filter is full. Rinse the filter under cold water, let it dry for a day, and never put "
    "it in the dishwasher. A steady red light means a fault: unplug the machine and call the "
    "number below.",
    "We propose a method that learns to align images with the captions found beside them on web "
    "pages. Unlike earlier work it needs no labels, scales to hundreds of millions of pairs, and "
    "transfers to thirty data sets without fine-tuning; on twelve of them it beats a supervised "
    "baseline.",
    "The old man and the boy went down to the boat while it was still dark, carrying the oars "
    "between them. Neither spoke. The harbour smelled of tar and weed, a dog barked once on the "
    "far side, and above the lighthouse the last stars were going out one after the other.",
    "Type 2 diabetes often begins without symptoms. Thirst, tiredness, blurred sight and wounds "
    "that heal slowly are signs to take to a doctor. Losing weight, walking for half an hour a "
    "day and eating more fibre bring the blood sugar down; where they are not enough, metformin "
    "is usually the first drug.",
    "The shares of a company are worth what its future profits are worth today, discounted by an "
    "interest rate that grows with the risk. Since nobody knows those profits, the price swings "
    "with hopes and fears, and a patient buyer does better than most by holding a little of "
    "everything for decades.",
    "Public transport in the city is free on the first Saturday of each month. Dogs and bicycles "
    "need a ticket of their own, except folded ones. Inspectors carry a badge with a number; "
    "whoever travels without a ticket pays sixty francs on the spot or a hundred later.",
    "How do I stop my cat from scratching the sofa? Ours has ruined two armchairs already and "
    "ignores the post we bought. It helped us to put the post right beside the sofa, rub it with "
    "catnip, and cover the corner with double-sided tape until she had changed her habits.",
    "Concrete is strong when pressed and weak when pulled, steel is strong in both ways. Rods of "
    "steel laid where a beam is stretched therefore carry what the concrete cannot; both expand "
    "alike when they get warm, and the alkaline cement keeps the rods from rusting as long as no "
    "crack lets in water.",
    "A sonnet has fourteen lines. The Italian kind is divided into eight and six, with a turn of "
    "thought between them; the English kind has three quatrains and a couplet that sums up, "
    "contradicts or makes fun of what went before.",
    "Release notes 4.2.1: fixed a crash when the window was closed during an export; the search "
    "now ignores accents; faster start on machines with many fonts; removed the option to disable "
    "updates. Known problem: on some tablets the toolbar covers the first line of the document.",
    "The volcano had been quiet for two hundred years. In April the wells ran warm, in May the "
    "sheep refused to graze on the upper slopes, and on the second of June a column of ash rose "
    "eleven kilometres into the air and closed every airport between the coast and the capital.",
    "Dear neighbours, our daughter turns eighteen on Saturday and there will be music in the "
    "garden until midnight. If it gets too loud, please ring us before you ring the police. "
    "Better still, come over: there is cake, there is a grill, and nobody will ask you to dance.",
    "Vitamin D is made in the skin when sunlight falls on it. In northern winters the sun stands "
    "too low, and the stores of the summer last only a few weeks, so that many people run short "
    "by February. Oily fish, egg yolk and fortified milk help a little; a daily supplement of ten "
    "micrograms is safe.",
    "Given a graph with weighted edges, keep a set of settled nodes whose distance from the "
    "source is final. Repeatedly take the nearest node that is not settled, settle it, and relax "
    "its outgoing edges. With a heap this takes time proportional to the edges times the "
    "logarithm of the nodes; negative weights break it.",
    "In the eighteenth century tulip bulbs, tea and indigo came up the canal on flat boats, and "
    "cloth, glass and clocks went down. The tall houses on the quay were stores: the beams with "
    "the hooks under their gables still turn, and once a year, for the visitors, a barrel is "
    "hoisted to the loft.",
    "Average temperature in January: -3.5 °C; in July: 18.9 °C. Annual rainfall: 640 mm. "
    "Population (2021 census): 48,312. Elevation: 412 m. Postal codes: 90210-90214. Twin towns: "
    "Arles, Jena, Sunderland.",
    "The camera weighs 480 grams, takes 24-megapixel pictures at up to eleven a second and films "
    "in 4K without a limit of time. The screen tilts but does not turn, the menus are a maze, and "
    "the battery is empty after 310 shots. For the price there is nothing better for birds in "
    "flight.",
    # Texts of so few or so odd tokens that their states are unlike all others.
    "",
    ".",
    "!!!",
    "yes",
    "hm",
    "the",
    "Paris",
    "7",
    "1999",
    "x",
    "ab",
    "help",
    "€",
    "No.",
    "why?",
    "pizza",
    "thanks",
    "Monday",
    "USB",
    "NaN",
    "login",
    "Zürich",
    "red shoes",
    "to do",
    "good morning",
    "Q3 2021",
    "10:45",
    "-12.5 %",
    "0xFF",
    "(555) 010-4477",
    "room 12b",
    "ISBN 978-3-16-148410-0",
    "2.7 1.6 0.5 12 1024 65536",
    "ha ha ha ha ha ha ha ha",
    "test test test test test test test test test test test test test test test test",
    "and and and and and and and and and and and and and and and and and and and and and and",
    "= = = = = = = = = = = = = = = =",
    "qwfpgjluy zxcvbkm",
    "Rindfleischetikettierung",
    "antidisestablishmentarianism",
    "😀 😂 👍",
    "brb, omw :)",
    "sunny \u2600\ufe0f and 25°C today!",
    "今天天气很好。",
    "你叫什么名字?",
    "駅はどこですか。",
    "ありがとうございます",
    "안녕하세요, 반갑습니다.",
    "مرحبا، كيف حالك؟",
    "שלום, מה שלומך?",
    "आप कैसे हैं?",
    "สวัสดีครับ",
    "Спасибо, всё хорошо.",
    "Καλημέρα σας",
    "Дякую за допомогу",
    "Teşekkür ederim",
    "Xin chào các bạn",
    "Dzień dobry, poproszę kawę.",
    "Où est la gare ?",
    "¿Cuánto cuesta?",
    "Guten Abend",
    "Tack så mycket",
    "<p>Hello</p>",
    "if (x > 0) { y = x; }",
    "ls -la /tmp",
    "{}",
    "foo_bar_baz(1, 2)",
    "H2O CO2 O2",
    "a, b, c, d, e, f, g",
    "N/A",
)
