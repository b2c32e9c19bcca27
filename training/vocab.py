"""Text vocabulary: WordPiece (cased, BertTokenizer with do_lower_case=False) for an English voice without a front end.

The rows of an earlier vocabulary come first: specials, characters and their ## forms, suffixes and letter groups, numbers to 100, some 5,000 words.
More words and names of the teacher's lexicon follow by frequency: a row costs 512 bytes and no time, and a word that has one is said as the
lexicon says it. Writes W/vocab/vocab.txt, W/vocab/tokenizer_config.json, W/vocab/rows.npy and W/ids.json.
rows.npy: for each text id the id whose embedding it shares in training (a Capitalised form: its lower-case word)."""
import argparse
import json
import os
import re

import numpy as np

import tokens

WORDS = "/usr/share/dict/american-english-large"

def read_lexicon():
    """word -> phones of its commonest reading, from the teacher's lexicon, which has names with a capital: lower-case words, capitalised names."""
    import gzip
    import importlib.util
    assets = os.path.join(os.path.dirname(importlib.util.find_spec("hibari").origin), "assets")
    lex = {}
    for name in ("lexicon_us_silver.json.gz", "lexicon_us_gold.json.gz"):
        with gzip.open(os.path.join(assets, name), "rt", encoding="utf-8") as f:
            for word, said in json.load(f).items():
                said = said.get("DEFAULT") if isinstance(said, dict) else said
                if said and re.fullmatch("[A-Za-z][a-z]+", word):
                    phones = tokens.phones_of(said)
                    if phones and len(phones) <= tokens.NSLOT + 1:
                        lex[word] = tuple(phones)
    return lex


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--work", default="training/work")
    ap.add_argument("--base", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "voices", "slt", "vocab.txt"),
                    help="vocabulary whose rows come first: the weights that go with it stay of use")
    ap.add_argument("--words", type=int, default=9000, help="how many words and names more")
    ap.add_argument("--capitals", type=int, default=2000, help="how many Capitalised forms more")
    args = ap.parse_args()
    from wordfreq import top_n_list

    lex = read_lexicon()
    spelt = set(open(WORDS, encoding="utf-8").read().split())
    with open(args.base, encoding="ascii") as f:
        rows = f.read().split("\n")[:-1]
    have = set(rows)
    new, lower = [], []
    for w in top_n_list("en", 60000):
        if len(new) >= args.words:
            break
        name = w.capitalize()
        if not re.fullmatch("[a-z]{2,}", w) or w in have or name in have:
            lower += [w] if w in have else []
        elif w in lex and w in spelt:
            new.append(w)
            lower.append(w)
        elif name in lex or w in lex and (name in spelt or len(w) > 3):
            new.append(name)
    capitals = [w.capitalize() for w in lower if w.capitalize() not in have][:args.capitals]
    rows += new + capitals
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
    print("%d rows: %d words and names and %d capitalised forms more" % (len(rows), len(new), len(capitals)))


if __name__ == "__main__":
    main()
