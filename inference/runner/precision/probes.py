"""What candidates are judged by. None of these texts is ever used to tune one.

Of many kinds, because a model in lower precision fails first where its inputs are unusual: single
words, code, numbers, lists, other scripts, the same again and again, and texts that fill a window.
"""

# A question and the passage that answers it; the passages are the documents for each question.
QUESTIONS = (
    (
        "how do bees tell each other where flowers are",
        "A forager that comes home with nectar dances on the comb: the angle of her run shows the "
        "direction by the sun, and the length of the waggling shows how far away the field is.",
    ),
    (
        "undo the last commit but keep the changes",
        "Use git reset --soft HEAD~1. The branch moves back by one commit, while the files and "
        "the index stay as they are, so that everything can be committed again in another way.",
    ),
    (
        "What causes tides?",
        "The pull of the moon is stronger on the near side of the earth than on the far side. The "
        "difference stretches the oceans into two bulges, and the coast turns through both each "
        "day; the sun adds to them at new and full moon.",
    ),
    (
        "treatment for a sprained ankle",
        "Rest the joint, cool it with ice wrapped in a towel, bandage it firmly and keep the foot "
        "raised. See a doctor if you cannot put weight on it after two days.",
    ),
    (
        "capital gains tax on selling a house",
        "Profit from the sale of the home you live in is usually exempt. For a second property "
        "the gain, less the costs of buying, improving and selling it, is added to your income.",
    ),
    (
        "TypeError: 'NoneType' object is not iterable",
        "The function returned nothing, and the caller loops over its result. Make every path "
        "return a list, be it an empty one, or check for None before the loop starts.",
    ),
    (
        "who painted the ceiling of the Sistine Chapel",
        "Between 1508 and 1512 Michelangelo covered the vault with scenes from Genesis, standing "
        "on a scaffold of his own design with his head bent back.",
    ),
    (
        "best soil for growing tomatoes",
        "Tomatoes want deep, loose earth with plenty of compost, slightly acid, that holds water "
        "but never stays wet. Move the bed each year, so that diseases do not build up.",
    ),
    (
        "difference between a virus and a bacterium",
        "Bacteria are living cells that multiply by themselves and can be killed by antibiotics. "
        "Viruses are far smaller, have no metabolism, and copy themselves only inside a host's "
        "cells, so that antibiotics do nothing against them.",
    ),
    (
        "Wie lange muss man ein Ei kochen?",
        "Ein weiches Ei braucht vier bis fünf Minuten in sprudelndem Wasser, ein hartes etwa "
        "neun; große Eier und solche aus dem Kühlschrank brauchen eine Minute länger.",
    ),
    (
        "speed of light in km/s",
        "In a vacuum light travels 299,792.458 kilometres in a second, about 7.5 times around the "
        "equator. In glass it is slower by a third.",
    ),
    (
        "refund for a cancelled train",
        "If your train does not run or is more than an hour late, you may return the unused "
        "ticket at any counter and get the full fare back within fourteen days.",
    ),
    (
        "sort a dictionary by value",
        "sorted(counts.items(), key=lambda item: item[1], reverse=True) gives the pairs with the "
        "largest value first; dict() of it keeps that order.",
    ),
    (
        "why did the Roman Empire fall",
        "Historians name civil wars, plagues, debased coins, the cost of long frontiers and the "
        "pressure of peoples driven west by the Huns; the eastern half lived on for a thousand "
        "years, which no single cause explains.",
    ),
    (
        "how to get red wine out of a carpet",
        "Blot, do not rub. Pour a little cold sparkling water on the spot, cover it with salt or "
        "baking soda until it has dried, then vacuum; repeat with a drop of washing-up liquid.",
    ),
    (
        "minimum requirements for running a marathon",
        "Most plans take sixteen weeks and expect that you can already run ten kilometres without "
        "a break. The longest training run is about thirty-two kilometres, three weeks before the "
        "day.",
    ),
    (
        "What is a black hole?",
        "Where enough mass is pressed into a small enough space, gravity lets nothing out again, "
        "not even light. The border is called the event horizon; around it gas heats up and "
        "shines.",
    ),
    (
        "noise-cancelling headphones battery life",
        "With noise cancelling switched on they last up to 30 hours, without it up to 40. Ten "
        "minutes on the USB-C cable give another 4.5 hours of music.",
    ),
    (
        "inflation",
        "Prices for goods and services rise over time when there is more money to spend than "
        "things to buy. Central banks answer by raising interest rates, which makes borrowing "
        "dearer.",
    ),
    (
        "comment faire du pain sans gluten",
        "Mélangez de la farine de riz et de sarrasin avec du psyllium, de la levure et de l'eau "
        "tiède, laissez lever une heure et faites cuire dans un moule à 220 degrés.",
    ),
)

# Texts of the kinds that lose most.
VARIED = (
    "?",
    "ok",
    "Istanbul",
    "return policy",
    "RTX 4070 vs 7800 XT",
    "0",
    "42",
    "+49 30 901820",
    "3.1415926535 2.7182818284 1.4142135623",
    "2023-07-04 18:30 UTC",
    "IBAN CH93 0076 2011 6238 5295 7",
    "SN74HC595N",
    "acute myocardial infarction ICD-10 I21.9",
    "is it safe to eat raw cookie dough",
    "near me open now",
    "GPU out of memory when batch size 64",
    "Lazarus OR Phoenix NOT comics",
    "🎉🎉 so happy for you two!!! ❤️",
    "lol idk tbh, gonna check l8r",
    "a a a a a a a a a a a a a a a a",
    "no no no no no, never, never, never, never",
    "-----BEGIN CERTIFICATE-----",
    "xkcdqwzrtplmv",
    "Donaudampfschifffahrtsgesellschaftskapitän",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "NEVER OPEN THIS DOOR WHILE THE MACHINE IS RUNNING",
    '<div class="menu"><a href="/home">Home</a> <a href="/about">About us</a></div>',
    "git rebase --onto main feature~3 feature",
    '#include <stdio.h>\nint main(void) { printf("%d\\n", 6 * 7); return 0; }',
    "const total = items.filter(i => i.inStock).reduce((sum, i) => sum + i.price, 0);",
    "UPDATE accounts SET balance = balance - 25.00 WHERE id = 7 AND balance >= 25.00;",
    "fn area(shape: &Shape) -> f64 { match shape { Shape::Circle(r) => PI * r * r, _ => 0.0 } }",
    "[Unit]\nDescription=Nightly backup\n[Timer]\nOnCalendar=*-*-* 02:30:00\nPersistent=true",
    "Traceback (most recent call last): File 'run.py', line 12, in <module> KeyError: 'port'",
    "E = mc^2, F = ma, PV = nRT, a^2 + b^2 = c^2",
    "CCO benzene C6H6 NaCl H2SO4 CH3COOH",
    "ATGGCCATTGTAATGGGCCGCTGAAAGGGTGCCCGATAG",
    "Quel temps fera-t-il demain à Strasbourg ?",
    "La cigüeña volvió al campanario el primer domingo de febrero.",
    "Il treno per Bologna parte dal binario sette tra dieci minuti.",
    "Hvor kan jeg kjøpe billetter til fergen?",
    "Gdzie jest najbliższa apteka?",
    "Kahvaltıda zeytin, peynir ve taze ekmek yedik.",  # noqa: RUF001 - Turkish
    "Thư viện mở cửa từ tám giờ sáng đến năm giờ chiều.",
    "Πού βρίσκεται ο σταθμός των λεωφορείων;",  # noqa: RUF001 - Greek
    "Кошка спит на подоконнике и не слышит дождя.",
    "昨日、駅前の本屋で古い地図を買いました。",
    "请问去火车站坐几路公共汽车?",
    "오늘 저녁에 비가 올까요?",
    "كيف أصل إلى المكتبة القديمة؟",
    "מתי נפתח השוק ביום שישי?",
    "कल सुबह की पहली बस कितने बजे है?",
    "ขอกาแฟเย็นหนึ่งแก้วครับ",
    "Milk\nEggs (12)\nRye bread\n2 kg potatoes\nWashing powder\nCat food!!\nStamps",
    "name;department;salary\nWeber;Sales;48200\nOduya;Research;61750\nLindqvist;Legal;57300",
    "| day | rain mm | wind |\n|---|---|---|\n| Mon | 3.2 | NW 4 |\n| Tue | 0.0 | W 2 |",
    "Re: Re: Fwd: invoice 2209-B -- see below. Thx, M. > On Tue, Ada wrote: > > can you resend it?",
    "THE PARTIES AGREE AS FOLLOWS: 1. Term. 2. Fees. 2.1 Fees are due net 30. 3. Liability (cap).",
    "Goal! 2-1. Yellow card (78'). Substitution: 10 off, 17 on. Corner. Offside. Full time.",
    "To whom it may concern: I worked with Rosalind for six years at the observatory, and in that "
    "time I never once saw her lose her temper with a student, a telescope or the weather. She "
    "rebuilt our archive of photographic plates almost alone, found two asteroids that everybody "
    "else had overlooked, and wrote the handbook that every newcomer is given on the first day. "
    "She is exact without being narrow and proud of the work without being vain about it. When "
    "the roof leaked, she was the one on the ladder; when the grant ran out, she was the one who "
    "knew whom to call. I have no doubt that she will run your institute well, that she will "
    "argue with you about money, and that she will usually be right. I am sorry to lose her, and "
    "I would give her the key to any instrument I own. If you want to know more, call me in the "
    "afternoon, when the dome is closed and I am more or less awake.",
    "Step 1: unplug the machine and let it cool for an hour. Step 2: take off the back panel (four "
    "screws, type T15). Step 3: hold the drum with one hand and pull the belt towards you. Step 4: "
    "clean the sensor (part 33-180-2) with a dry cloth. Step 5: fit the new belt, ribs inwards, "
    "over the motor wheel first and then over the drum; turn the drum twice by hand to see that "
    "the belt runs straight. Step 6: put the panel back, plug in, and run an empty cycle at 40 °C. "
    "If error E18 comes up again, check the filter; if E24 comes up, the door switch is worn and "
    "must be replaced (part 33-204-7). Never run the drum without the panel. Torque of the screws: "
    "1.2 Nm. Weight of the machine: 68 kg; move it with two people. Keep this sheet with the "
    "guarantee card. Service: Monday to Friday, 7:30 to 18:00, Saturday until 12:00.",
    "class Ledger:\n    def __init__(self):\n        self.entries = []\n\n    def post(self, "
    "account, amount, when, note=''):\n        if amount == 0:\n            raise "
    "ValueError('nothing to post')\n        self.entries.append((when, account, amount, "
    "note))\n\n    def balance(self, account, until=None):\n        return sum(a for w, acc, "
    "a, _ in self.entries if acc == account and (until is None or w <= until))\n\n    def "
    "accounts(self):\n        return sorted({acc for _, acc, _, _ in self.entries})\n\n    def "
    "transfer(self, source, target, amount, when):\n        self.post(source, -amount, when, "
    "f'to {target}')\n        self.post(target, amount, when, f'from {source}')",
    "winter " * 40,
)
