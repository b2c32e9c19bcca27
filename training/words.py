"""Phones of the semantic tokens against the teacher's: letters, single words, names, or the texts of a file.

usage: words.py BARKCTL MODEL [--work DIR] [--count N] [--seeds 1,2] [--skip N] [--texts FILE]
Says the 26 letters, N words: every second of wordfreq's list beyond the first --skip, and N names and rare words of the teacher's lexicon. A word is right
when all its phones are; words the vocabulary has whole and words in pieces are counted apart. With --texts it says those and counts phones."""
import argparse
import random
import string

import numpy as np

import corpus
import evaluate as E
import tokens as T
import vocab


def said(barkctl, model, text, seed):
    """(phones, pieces) that a model speaks for a text."""
    sem, ids = E.trace(barkctl, model, text, seed)
    return [p for p, _ in T.decode_phones(sem) if p != "pau"], len(ids)


def rare(count, seed=1):
    """Names and rare words of the teacher's lexicon, half and half."""
    from wordfreq import word_frequency
    lex = sorted(vocab.read_lexicon())
    names = [w for w in lex if w[0].isupper() and word_frequency(w.lower(), "en") > 1e-7]
    words = [w for w in lex if w[0].islower() and 1e-8 < word_frequency(w, "en") < 3e-7]
    r = random.Random(seed)
    return r.sample(names, count // 2) + r.sample(words, count - count // 2)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("barkctl")
    p.add_argument("model")
    p.add_argument("--work", default="training/work")
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--skip", type=int, default=0)
    p.add_argument("--seeds", default="1,2")
    p.add_argument("--texts")
    a = p.parse_args()
    import wordfreq
    if a.texts:
        with open(a.texts, encoding="ascii") as f:
            texts = [(l.strip(), "texts") for l in f if l.strip()]
    else:
        common = [w for w in wordfreq.top_n_list("en", 40000) if w.isalpha() and w.isascii() and len(w) > 1]
        texts = [(c, "letters") for c in string.ascii_uppercase] + [(w, None) for w in common[a.skip:a.skip + 2 * a.count:2]]
        texts += [(w, "names and rare words") for w in rare(a.count)]
    maker = corpus.Maker(a.work)
    wanted = [T.phones_of(maker.teacher.phonemize(t)[0]) for t, _ in texts]
    for seed in a.seeds.split(","):
        tally, wrong = {}, []
        for (text, kind), want in zip(texts, wanted):
            have, pieces = said(a.barkctl, a.model, text, seed)
            kind = kind or ("whole words" if pieces == 1 else "words in pieces")
            phones = E.distance(want, have)
            tally[kind] = tally.get(kind, np.zeros(4, int)) + (phones == 0, 1, phones, len(want))
            if phones:
                wrong.append("%s (%s for %s)" % (text, " ".join(have), " ".join(want)))
        print("seed %s: %s" % (seed, "; ".join("%s %d of %d right, phone errors %.1f %%" % (k, x[0], x[1], 100 * x[2] / x[3]) for k, x in tally.items())))
        print("   " + "; ".join(wrong[:60]), flush=True)


if __name__ == "__main__":
    main()
