"""Texts to speak: WordNet's examples and glosses, lists of words, interface phrases, everyday sentences, numbers, single words and letters.

Deterministic: text number i of seed s is always the same. No test sentence was looked at while these templates were written."""
import itertools
import os
import random
import re
import string

import vocab

KINDS = ["example", "gloss", "list", "interface", "everyday", "number", "single", "rare", "letter", "split", "dense"]
WEIGHTS = [26, 12, 9, 18, 24, 4, 4, 3]
WORDNET = "/usr/share/wordnet"
OK_CHARS = re.compile(r"[A-Za-z0-9 .,;:?!'()-]+")


def clean(t):
    """A text the aligner can use, or None: plain ASCII, no quotes, numbers 0..100 only, 3..140 characters."""
    t = re.sub(r"[\"`_]", "", t).replace(" - ", ", ").replace("--", ", ")
    t = re.sub(r"\s+", " ", t).strip(" ,;:-")
    if not 2 <= len(t) <= 140 or not OK_CHARS.fullmatch(t) or re.search(r"[.,;:?!]{2}|'[A-Za-z]*'|\b[A-Za-z]\.[A-Za-z]|^\W|\( | '", t):
        return None
    if any(len(d) > 1 and d.startswith("0") or int(d) > 100 for d in re.findall(r"\d+", t)) or re.search(r"\d[.,:'-]?\d{3}|\d[A-Za-z.:'-]|[A-Za-z'-]\d|\d,\d", t):
        return None
    return t if t.count("(") == t.count(")") and len(t.split()) <= 22 else None


def wordnet():
    """(examples, glosses, nouns, verbs, adjectives, adverbs): sentences and one-word lemmas."""
    ex, gl, lem = [], [], {}
    for pos in ("noun", "verb", "adj", "adv"):
        words = lem.setdefault(pos, [])
        for line in open(os.path.join(WORDNET, "data." + pos), encoding="latin-1"):
            if line.startswith("  ") or "|" not in line:
                continue
            head, gloss = line.split("|", 1)
            w = head.split()[4]
            if re.fullmatch("[a-z]{3,}", w):
                words.append(w)
            for q in re.findall(r'"([^"]+)"', gloss):
                c = clean(q)
                if c and " " in c:
                    ex.append(c)
            for part in re.split(r'"[^"]*"', gloss)[0].split(";"):
                c = clean(re.sub(r"\([^)]*\)", "", part))
                if c and " " in c:
                    gl.append(c)
    uniq = lambda x: list(dict.fromkeys(x))
    return uniq(ex), uniq(gl), [uniq(lem[p]) for p in ("noun", "verb", "adj", "adv")]


NAMES = """Anna Ben Clara David Emma Frank Grace Henry Irene Jack Karen Laura Mary Nina Oliver Paul Rachel Sarah Tom Victor William Alice
Robert Susan Peter Linda James Maria George Helen Daniel Kate Michael Julia Charles Martin Simon Lucy Sam Max Lisa Eric Jane Steve""".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
CITIES = "London Paris Boston Chicago Berlin Rome Tokyo Dublin Madrid Denver Texas California Canada Sydney Oxford Vienna".split()
KEYS = "enter escape tab space backspace delete home end insert shift control alt up down left right page".split()
APPS = "Mail Calendar Music Settings Files Terminal Photos Notes Clock Firefox Chrome Maps Camera Browser Messages Editor Player Store".split()
S = {
    "n": NAMES, "day": DAYS, "month": MONTHS, "city": CITIES, "app": APPS, "key": KEYS,
    "num": "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty".split(),
    "dig": [str(i) for i in range(2, 60)], "pct": [str(i) for i in range(1, 101)],
    "time": ["at noon", "at midnight", "at {num} o'clock", "at half past {num}", "in the morning", "this afternoon", "tonight", "tomorrow",
             "on {day}", "next week", "in {dig} minutes", "after lunch", "before dinner", "at {dig} past {num}", "right now", "every {day}", "later today"],
    "thing": """file folder message document picture song photo video page report letter book key phone lamp door window table chair coat bag
ticket map box bottle cup plate camera clock bicycle car train bus ball card gift shirt hat shoe umbrella newspaper basket knife pencil
blanket mirror bridge ladder hammer rope bucket garden kitchen bell flag drum guitar piano engine""".split(),
    "food": "bread soup cheese apples rice fish chicken salad tea coffee milk water cake potatoes tomatoes eggs butter oranges honey beans pasta".split(),
    "place": """house garden office school kitchen station park library shop market museum hotel airport hospital beach river forest village
church theater bank cinema bridge lake mountain restaurant corner street square field""".split(),
    "person": "man woman child teacher doctor friend neighbor driver brother sister mother father boy girl nurse farmer guest student cook singer boss pilot".split(),
    "adj": """red blue green old new small large heavy light warm cold quiet loud broken empty full beautiful strange simple difficult clean dirty
young tall short dark bright soft hard slow quick cheap expensive famous friendly angry hungry tired careful dangerous wonderful""".split(),
    "animal": "dog cat horse bird cow sheep fox rabbit mouse bear wolf duck goose lion tiger spider bee frog owl pig".split(),
    "verbed": "opened closed found lost bought sold painted cleaned moved carried repaired dropped hid washed borrowed returned checked noticed photographed".split(),
    "went": "walked ran drove went hurried traveled wandered cycled returned moved".split(),
    "adv": "slowly quickly quietly carefully suddenly again yesterday today often always never sometimes soon finally already together alone".split(),
    "pro": "he she they we I you".split(), "obj": "him her them us me you it".split(), "poss": "my your his her our their".split(),
    "weather": "rain snow wind fog sunshine thunder clouds ice storms showers".split(),
    "dev": "printer keyboard mouse headphones speaker microphone camera screen laptop phone tablet disk battery network server router".split(),
    "state": "connected disconnected ready busy offline online enabled disabled muted unavailable locked unlocked paused low full empty updated".split(),
    "role": "button link menu check box radio button slider text field list item tab heading image table dialog tool bar combo box".split(" "),
    "act": "open close save delete copy paste print send share rename move download upload install remove update cancel search select play pause".split(),
    "lab": """OK Cancel Save Open Close Help Next Back Finish Apply Delete Search Settings Print Share Download Yes No Retry Undo Send Reply
Accept Decline Continue Stop Play Pause Edit View Insert Format Tools Sign in Log out Register Subscribe Menu Home""".split("\n"),
}
S["lab"] = " ".join(S["lab"]).split()

EVERYDAY = """The {thing} is on the {thing}.|{n} {verbed} the {adj} {thing} {time}.|Please put the {thing} next to the {adj} {thing}.
Where did you put {poss} {thing}?|I would like some {food} and a cup of {food}.|The {adj} {animal} {went} to the {place}.
{n} and {n} {went} to the {place} {adv}.|Could you tell me the way to the {place}?|It was a {adj} and {adj} day.
We will meet at the {place} {time}.|There is {weather} over {city} {time}.|{poss} {person} lives near the {adj} {place}.
Do you know why the {person} is so {adj}?|The {person} {verbed} {num} {thing}s and a {thing}.|Nobody {verbed} the {thing} because it was too {adj}.
If you see {n}, give {obj} the {thing}.|I don't think {pro} will come {time}.|She said that the {food} was {adj}.
What time does the train to {city} leave?|My {person} bought a {adj} {thing} in {city}.|The {animal} sleeps under the {thing} all day.
Let's go to the {place} and look for the {animal}.|How many {thing}s are there in the {place}?|{n} can't find {poss} {thing}.
Every {day} we eat {food} with {food}.|Don't forget to bring the {thing} {time}.|It's too {adj} to go to the {place} today.
The {person} with the {adj} {thing} {went} home {adv}.|{n} has been waiting for {num} hours.|You should have {verbed} it {time}.
He never {verbed} the {thing} that {n} gave {obj}.|I've already {verbed} the {thing}, so you can go home.|When {n} came in, the {person} was reading.
The {place} is closed until {month}.|In {month}, the {weather} came early.|Would you rather have {food} or {food}?
Thank you, {n}. That was very {adj} of you.|Good morning, {n}! Did you sleep well?|Who is going to feed the {animal} while we are away?
The old {place} was built many years ago.|They said the {weather} would stop {time}.|This {thing} belongs to my {person}.
We had {food}, {food} and {food} for dinner.|The {person} asked whether the {thing} was {adj} or {adj}.|I'm sorry, but I can't help you {time}.
{n}, please call your {person} back.|Yesterday the {animal} ran into the {place}.|The children are playing {adv} in the {place}.
It takes about {dig} minutes to get there.|{n} will be {dig} years old {time}.|He told {obj} a {adj} story about a {animal} and a {person}.
Turn left at the {place}, then walk straight on.|That {thing} looks {adj}, doesn't it?|She wants to become a {person} like {poss} {person}.
There were {num} {adj} {thing}s on the shelf.|{pro} must leave early, because the {thing} is {adj}.|What a {adj} {thing} that is!
The {person}'s {thing} was found behind the {place}.|I usually get up {adv} and make some {food}.|Can I borrow {poss} {thing} for a moment?
Even the {adj} {person} couldn't open the {thing}.|As soon as {pro} {went} away, the {animal} came back.|Are you sure that {n} {verbed} it?
We haven't seen {n} since {month}.|The {n2} brothers own a {adj} {place} near {city}.|{adv}, the {person} {verbed} the {thing} and left.
I wonder what the {person} is thinking about.|He isn't {adj}, he's just {adj}.|They're going to build a new {place} here.""".replace("\n", "|").split("|")
INTERFACE = """{lab} {role}.|{lab}, {role}|{app} window.|{app}|{app} is running.|New message from {n}.|{n} sent you a {thing}.|{dig} new messages.
You have {dig} unread messages.|Battery at {pct} percent.|Battery low, {pct} percent remaining.|{dev} {state}.|The {dev} is {state}.
{dev} not found.|Press {key} to {act} the {thing}.|Press {key} and {key}.|{key}|{key} key|Could not {act} the {thing}.|Failed to {act} {poss} {thing}.
Do you want to {act} this {thing}?|Are you sure you want to {act} {dig} files?|{dig} of {dig}|Page {dig} of {dig}|Item {dig} of {dig}.
Heading level {num}|Checked.|Not checked|Selected|{role} not available|Volume {pct} percent.|Download complete.|Update installed, please restart.
Reminder: {thing} {time}.|Meeting with {n} {time}.|Alarm set for {num} o'clock.|{day}, {month} {dig2}.|It is {num} {dig} in the morning.
It is {dig} minutes past {num}.|{state}|{app} menu|{app} has stopped working.|Loading, please wait.|Connecting to the {dev}.
Wrong password. Please try again.|Incoming call from {n}.|Missed call from {n}, {time}.|Now playing: {adj} {thing}.|Copied to the clipboard.
{act} {thing}|{act} all {thing}s|{dig} files copied, {dig} files skipped.|File {act}d.|Search results for {adj} {thing}.|No results found.
Screen locked.|Welcome back, {n}.|Good evening, {n}. You have {num} events {time}.|Weather in {city}: {adj}, {dig} degrees.|Link, {lab}.
Row {dig}, column {dig}.|Blank.|End of line.|Top of document|Bottom of page|Capital {letter}.|{letter}|Letter {letter}.|{letter}, {letter}, {letter}
Network {state}.|Wireless network connected.|Printing page {dig}.|Your {dev} is almost {state}.|{n} is typing.|{n} has joined the channel.
{n} is now following you.|Thank you for the donation, {n}!|The {thing} was saved in the {thing}s folder.|Not enough space to {act} the {thing}.
Tab {dig}, {app}.|{app}, {lab} {role}, {state}.|Edit, {adj} {thing}|Expanded|Collapsed|Menu, {dig} items.|Desktop|Notifications off.
Enter your {thing} name.|Sign in to continue.|Time remaining: {dig} minutes.|{pct} percent complete.|Backup finished {time}.|Timer finished.""".replace("\n", "|").split("|")
LETTERS = [chr(c) for c in range(65, 91)]
S["letter"] = LETTERS + [c.lower() for c in LETTERS]
# A letter that stands alone has its name; most pieces of one letter are a beginning of a word in pieces and have a sound.
SPELT = """{L}|{L}|{L}.|{L}, {L}|{L} {L}|{L} {L} {L}|{L}, {L}, {L}.|{L}, {L}, {L}, {L}.|Letter {L}.|Capital {L}.|Press {L}.|Press Control {L}.|Alt {L}
Control {L}|Option {L}.|Plan {L}.|Vitamin {L}.|Type {L}.|Drive {L}.|Key {L}.|Gate {L}.|Exit {L}.|Section {L}.|The letter {L}.|{L} as in {n}.|{n} {L}
Platform {L} {time}.|The {L} {L} {L} {thing} is {adj}.|My {L} {L} is in the {place}.|Call the {L} {L} {L}.|{n} {L} {n2} lives in {city}.
Row {L}, seat {dig}.|Answer {L} is wrong.|Not {L} but {L}|{L} and {L}|Press {key} and {L} to {act} the {thing}.|{L} {dig}|{L} {dig} {L}
The {thing} begins with {L}.|{L} {L} {n2}.|From {L} to {L}.|It is spelled {L} {L} {L} {L}.""".replace("\n", "|").split("|")
SPLIT = """{n} {n2} {verbed} the {thing} {time}.|{n} {n2} and {n} {n2}|Professor {n2} lives in {city}.|{n}, {n2}, {n}.|{thing}, {adj}, {place}|{thing} {adj}
The {adj} {thing} of {n} {n2}.|Call from {n} {n2}.|{n} {n2} from {city} wants to join.|From {city} to {city} in {dig} minutes.|{thing}|{adj}.|{n2}|{n} {n2}
A {adj} {thing} and a {adj} {thing}.|Message from {n}: bring the {thing} {time}.|Is the {thing} really {adj}?|Mister {n2}, your {thing} is {adj}.
Breaking news from {city}: the {thing} is {adj}.|{n} {n2} won the {adj} {thing} in {city}.|{thing}, {thing}, {thing} and {thing}.""".replace("\n", "|").split("|")
S["n2"] = "Smith Jones Brown Wilson Taylor Davis Miller Clark Lewis Walker Young King Baker Cooper".split()
S["dig2"] = [str(i) for i in range(1, 32)]


def words_of(rows):
    """(words, names) of the rows of vocab.txt."""
    words = [w for w in rows if w.isalpha() and w.islower() and len(w) > 1]
    low = set(words)
    return words, [w for w in rows if w.isalpha() and w.istitle() and len(w) > 1 and w.lower() not in low]


class Texts:
    """texts(i) -> (kind, text). pools: words of the vocabulary are mixed into the templates, so that contexts vary."""

    def __init__(self, words, names, seed):
        self.words, self.names, self.seed = words, names, seed
        self.examples, self.glosses, (noun, verb, adj, adv) = wordnet()
        r = random.Random(seed)
        r.shuffle(self.examples)
        r.shuffle(self.glosses)
        have = set(words)
        self.pool = {"thing": [w for w in noun if w in have], "adj": [w for w in adj if w in have], "adv": [w for w in adv if w in have],
                     "place": [w for w in noun if w in have], "n": names}
        self.rare = [w for w in noun + adj + verb if w not in have and 4 <= len(w) <= 11]
        self.outside = self.often = None

    def fill(self, r, t, other=None):
        """Fills the slots of a template; other(r, slot) may give a word of its own, or None."""
        def sub(m):
            k = m.group(1)
            x = other and other(r, k) or (r.choice(self.pool[k]) if k in self.pool and r.random() < 0.4 else r.choice(S[k]))
            return self.fill(r, x, other) if "{" in x else x
        return re.sub(r"\{(\w+)\}", sub, t)

    def lexicon(self):
        """Words of the teacher's lexicon that the vocabulary has not whole, and how often each is drawn (cumulated): (words, ends), names after."""
        from wordfreq import word_frequency
        have = set(self.words) | {n.lower() for n in self.names}
        out = ([], []), ([], [])
        for w in sorted(vocab.read_lexicon()):
            f = word_frequency(w.lower(), "en")
            if w.lower() in have or not 3 <= len(w) <= 14 or f < 1e-7:
                continue
            words, ends = out[w[0].isupper()]
            words.append(w)
            ends.append((ends[-1] if ends else 0) + f ** 0.4)
        return out

    def split(self, i):
        """Sentences of templates with words in pieces."""
        r = random.Random(self.seed * 1000003 + i)
        self.outside = self.outside or self.lexicon()
        slots = {"thing": 0, "adj": 0, "place": 0, "food": 0, "animal": 0, "person": 0, "n": 1, "n2": 1, "city": 1, "app": 1}

        def other(r, slot):
            if slot in slots and r.random() < 0.6:
                words, ends = self.outside[slots[slot]]
                return r.choices(words, cum_weights=ends)[0]

        t = self.fill(r, r.choice(SPLIT if r.random() < 0.4 else EVERYDAY if r.random() < 0.7 else INTERFACE), other)
        return KINDS.index("split"), clean(t[0].upper() + t[1:])

    def dense(self, i):
        """WordNet's sentences, often two joined, with words in pieces at any place, also before and after a comma or a hyphen: long texts
        in which the network must not lose its place."""
        r = random.Random(self.seed * 1000003 + i)
        self.outside = self.outside or self.lexicon()
        draw = lambda names: r.choices(self.outside[names][0], cum_weights=self.outside[names][1])[0]
        take = lambda: self.fill(r, r.choice(EVERYDAY)) if r.random() < 0.25 else r.choice(self.examples if r.random() < 0.5 else self.glosses)
        t = take()
        for u in (take() for _ in range(4)):
            if len(t) + len(u) < 125:
                u = u if u.split()[0] in self.names else u[0].lower() + u[1:]
                t = t.rstrip(".!?") + r.choice([", ", ", ", ", and ", "; ", ", but ", ", which ", " and ", " because ", ", however, "]) + u
        rate, out = r.choice([0.1, 0.25, 0.4]), []
        for w in t.split():
            if w.isalpha() and len(w) > 3 and r.random() < rate:
                w = draw(0) if w.islower() else draw(1)
                w += "," if r.random() < 0.2 else "-" + draw(0) if r.random() < 0.1 else ""
            out.append(w)
        return KINDS.index("dense"), clean(self.ended(r, " ".join(out).rstrip(",")))

    def alone(self, i):
        """One word of the vocabulary, or two, or a letter, as a screen reader says them: frequent ones oftener."""
        from wordfreq import word_frequency
        r = random.Random(self.seed * 1000003 + i)
        if r.random() < 0.3:                     # "a" is an article everywhere else
            c = r.choice("aaaa" + string.ascii_lowercase)
            return KINDS.index("letter"), (c if r.random() < 0.4 else c.upper()) + r.choice(["", "", "", "."])
        words = self.words + self.names
        self.often = self.often or list(itertools.accumulate((word_frequency(w.lower(), "en") + 1e-7) ** 0.4 for w in words))
        w = r.choices(words, cum_weights=self.often, k=1 if r.random() < 0.75 else 2)
        return KINDS.index("single"), clean(self.ended(r, " ".join(x.lower() if r.random() < 0.15 else x for x in w), 0.35, 0.3))

    def ended(self, r, t, p_cap=0.75, p_end=0.85):
        if r.random() < p_cap:
            t = t[0].upper() + t[1:]
        if t[-1].isalnum() and r.random() < p_end:
            q = t.split()[0].lower() in ("who", "what", "when", "where", "why", "how", "did", "do", "does", "can", "could", "would", "are", "is")
            t += "?" if q and r.random() < 0.9 else r.choice("......!")
        return t

    def spelt(self, i):
        """Letters by name, alone and in sentences."""
        r = random.Random(self.seed * 1000003 + i)
        lower = r.random() < 0.25
        t = self.fill(r, re.sub(r"\{L\}", lambda _: (chr(97 + r.randrange(26)) if lower else r.choice(LETTERS)), r.choice(SPELT)))
        return KINDS.index("letter"), clean(t)

    def get(self, i):
        r = random.Random(self.seed * 1000003 + i)
        kind = r.choices(KINDS[:len(WEIGHTS)], WEIGHTS)[0]
        if kind == "example":
            t = self.ended(r, self.examples[i % len(self.examples)])
        elif kind == "gloss":
            t = self.ended(r, self.glosses[i % len(self.glosses)])
        elif kind == "list":
            w = [r.choice(self.words if r.random() < 0.85 else self.names) for _ in range(r.randint(2, 6))]
            t = self.ended(r, (r.choice([", ", " ", " ", " and "]) if len(w) < 4 else r.choice([", ", " "])).join(w), 0.3, 0.5)
        elif kind == "interface":
            t = self.fill(r, r.choice(INTERFACE))
            t = t[0].upper() + t[1:] if r.random() < 0.7 else t
        elif kind == "everyday":
            t = self.fill(r, r.choice(EVERYDAY))
            t = t[0].upper() + t[1:]
            if r.random() < 0.12:
                u = self.fill(r, r.choice(EVERYDAY))
                t += " " + u[0].upper() + u[1:]
        elif kind == "number":
            t = self.ended(r, r.choice([", ", " "]).join(r.choice(S["num"] + S["pct"]) for _ in range(r.randint(1, 5))), 0.3, 0.4)
        elif kind == "single":
            t = self.ended(r, r.choice(self.words + self.names), 0.3, 0.4)
        else:                                    # words outside the vocabulary: letters and pieces are learnt from these
            t = self.ended(r, " ".join(r.choice(self.rare) for _ in range(r.randint(1, 4))), 0.3, 0.5)
        t = clean(t)
        return KINDS.index(kind), t
