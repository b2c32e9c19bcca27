"""Text vocabulary: WordPiece (cased, BertTokenizer with do_lower_case=False) for an English voice without a front end.

Rows: five specials, printable ASCII characters and the ## forms of letters and digits, suffixes and common letter groups,
numbers 0..100, frequent words, and Capitalised forms of the most frequent ones. A regular inflected form (files, walked,
calmly) gets no row when it falls into its base and a suffix piece with the pronunciation of the two.
Writes W/vocab/vocab.txt, W/vocab/tokenizer_config.json, W/vocab/rows.npy and W/ids.json.
rows.npy: for each text id the id whose embedding it shares in training (a Capitalised form: its lower-case word)."""
import argparse
import json
import os
import re

import numpy as np

import tokens

DICT = "/usr/share/festival/dicts/cmu/cmudict-0.4.out"
WORDS = "/usr/share/dict/american-english-large"

SUFFIXES = """s es ed d ing ly er ers ness ment ments ful less able ible ity al ally ic ical ist ists ism ion ions tion tions sion
ation ations ous ive y est n r ship hood ward wards ish en age ance ence ant ent ary ory ery ize ized izing ise ate ated ating ates
ator ators ology graph like man men ia ian ium us th ning ting ping ring ling ies ied ier iest ily ty cy ry ley ton son
land field port berg stein ham ville burg ski sky ov ich ez""".split()
GROUPS = """ch sh ck ng ph wh qu ea ee oo ou ow ai ay oa oi ar or ir ur au aw ew ie ei ll ss tt pp ff rr nn mm dd gg bb igh ough
augh tch dge ge ce se ze te ne le re me de ke pe ve be in an on un at it et en el il ol ul am im om um as is os ap ip op ab ob
ad id od ud ag ig og ug ack eck ick ock uck ake ine ite ide ane one une ame ome""".split()

# words of programs, keys, weekdays, sizes: always present, with a Capitalised form
INTERFACE = """ok cancel yes no open close save delete copy paste cut undo redo print printer settings setting options option menu button
window file files folder folders desktop screen keyboard key keys mouse cursor volume mute battery charging network wireless password
username login logout account email message messages inbox reply forward send sent attachment download upload update updates
install installed remove error warning failed success complete completed progress percent loading connected disconnected bluetooth
enter escape tab shift control alt space backspace insert home end page up down left right arrow capital lower upper case letter
number dot comma period colon semicolon slash backslash dash hyphen underscore star plus minus equals question exclamation mark
quote bracket parenthesis brace at sign hash dollar ampersand tilde pipe caret less greater than heading link list item items table
row column cell checkbox checked unchecked radio selected expanded collapsed editable read only required blank clickable visited graphic
image dialog alert notification notifications search find replace help about view edit format tools bookmark bookmarks history tab tabs
browser website address bar toolbar status previous next first last back refresh reload stop play pause resume music video camera
microphone speaker headphones phone call missed contact contacts calendar event meeting reminder alarm timer clock minute minutes hour
hours second seconds today tomorrow yesterday morning afternoon evening night week month year monday tuesday wednesday thursday friday
saturday sunday january february march april may june july august september october november december zero one two three four five six
seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy
eighty ninety hundred thousand million billion spring summer autumn winter north south east west weather rain snow wind cloudy sunny
degrees temperature server computer laptop tablet device disk drive memory processor version system software application applications
program terminal command line text document documents spreadsheet sheet slide zoom font bold italic underline language english
welcome hello goodbye thanks thank please sorry good great bye hi hey speech voice reader sound audio output input low high full empty
unknown available unavailable enabled disabled online offline busy away ready running stopped started restart shutdown reboot sleep lock
unlocked locked user users group chat channel stream viewer viewers follower followers subscriber donation raid host game level score""".split()


def read_lexicon(path):
    """word -> set of pronunciations (tuples of phones), from festival's CMU lexicon."""
    lex = {}
    for line in open(path, encoding="latin-1"):
        m = re.match(r'\("([a-z\']+)" \S+ \((.*)\)\)', line)
        if m:
            ph = tuple(x for x in re.findall(r"[a-z]+", m.group(2)))
            lex.setdefault(m.group(1), []).append(ph)
    return lex


SUFFIX_PRON = {"s": ("s", "z"), "es": ("ax z", "ih z", "z"), "ed": ("t", "d", "ax d", "ih d"), "d": ("t", "d"), "ing": ("ih ng",), "ly": ("l iy",),
               "er": ("er",), "ers": ("er z",), "ness": ("n ax s",), "ment": ("m ax n t",), "ful": ("f ax l",), "less": ("l ax s",)}


def regular(word, known, lex):
    """True if `word` falls, greedily, into a known word and a suffix with the pronunciation of both."""
    for cut in range(len(word) - 1, 1, -1):
        if word[:cut] in known:
            base, suf = word[:cut], word[cut:]
            if suf not in SUFFIX_PRON or base not in lex or word not in lex:
                return False
            ends = {tuple(p.split()) for p in SUFFIX_PRON[suf]}
            return any(w == b + e for w in lex[word] for b in lex[base] for e in ends)
    return False


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--work", default="training/work")
    ap.add_argument("--rows", type=int, default=7000, help="size of the text vocabulary")
    ap.add_argument("--capitals", type=int, default=1900)
    args = ap.parse_args()
    from wordfreq import top_n_list, word_frequency

    lex = read_lexicon(DICT)
    spelt = set(open(WORDS, encoding="utf-8").read().split())
    chars = [chr(c) for c in range(33, 127)]
    rows = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + chars
    rows += ["##" + c for c in chars if c.isalnum()]
    rows += ["##" + s for s in dict.fromkeys(SUFFIXES + GROUPS) if len(s) > 1]
    rows += [str(n) for n in range(10, 101)]

    # candidates by frequency; the interface words come first
    seen, order = set(), []
    for w in INTERFACE + top_n_list("en", 30000):
        if re.fullmatch(r"[a-z]{2,}", w) and w not in seen:
            seen.add(w)
            order.append(w)
    room = args.rows - len(rows) - args.capitals
    known, lower, proper = set(), [], []
    forced = set(INTERFACE)
    for w in order:
        if len(lower) + len(proper) >= room:
            break
        if w not in lex or len(lex[w][0]) > 13:
            continue                            # unknown to the teacher's lexicon, or too long for the slots
        is_lower, is_proper = w in spelt, w.capitalize() in spelt
        if not is_lower and not is_proper and word_frequency(w, "en") < 2e-5:
            continue
        if w not in forced and regular(w, known, lex):
            continue
        known.add(w)
        (lower if is_lower or not is_proper else proper).append(w)
    caps, limit = [], args.rows - len(rows) - len(lower) - len(proper)
    for w in list(dict.fromkeys(INTERFACE)) + sorted(lower, key=lambda x: -word_frequency(x, "en")):
        if w in known and w in lower and len(caps) < limit and w not in caps:
            caps.append(w)
    rows += lower + [w.capitalize() for w in proper] + [w.capitalize() for w in caps]
    rows = list(dict.fromkeys(rows))
    index = {r: i for i, r in enumerate(rows)}
    share = np.array([index.get(r.lower(), i) if len(r) > 1 and r[0].isupper() else i for i, r in enumerate(rows)], np.int32)

    out = os.path.join(args.work, "vocab")
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "vocab.txt"), "w", encoding="ascii") as f:
        f.write("\n".join(rows) + "\n")
    with open(os.path.join(out, "tokenizer_config.json"), "w", encoding="ascii") as f:
        json.dump(dict(tokenizer_class="BertTokenizer", do_lower_case=False, strip_accents=False, model_max_length=tokens.MAX_TEXT,
                       tokenize_chinese_chars=True), f, indent=1)
    np.save(os.path.join(out, "rows.npy"), share)
    with open(os.path.join(args.work, "ids.json"), "w", encoding="ascii") as f:
        json.dump(tokens.ids(len(rows)), f, indent=1)
    have = set(lower) | set(proper)
    top = [w for w in top_n_list("en", 20000) if w.isalpha()]
    mass = sum(word_frequency(w, "en") for w in top)
    print("%d rows: %d words, %d proper names, %d capitalised; whole words cover %.1f %% of running words" % (
        len(rows), len(lower), len(proper), len(caps), 100 * sum(word_frequency(w, "en") for w in top if w in have) / mass))
    print("with regular suffixes %.1f %%" % (100 * sum(word_frequency(w, "en") for w in top if w in have or regular(w, have, lex)) / mass))


if __name__ == "__main__":
    main()
