"""Single words and letters: phones of the semantic tokens against the teacher's.

usage: words.py BARKCTL MODEL [--work DIR] [--count N] [--seeds 1,2] [--skip N]
Says the 26 letters, and N words: every second of wordfreq's list beyond the first --skip. A text is right when all its phones are; words the vocabulary
has whole and words in pieces are counted apart, and the offenders are listed."""
import argparse
import os
import string

import corpus
import evaluate as E
import tokens as T


def said(barkctl, model, text, seed):
    """(phones, pieces) that a model speaks for a text."""
    sem, ids = E.trace(barkctl, model, text, seed)
    return [p for p, _ in T.decode_phones(sem) if p != "pau"], len(ids)


def taught(fest):
    """Phones of corpus.run_festival's answer."""
    return [p for _, words in fest[0] for _, phones in words for p in phones]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("barkctl")
    p.add_argument("model")
    p.add_argument("--work", default="training/work")
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--skip", type=int, default=0)
    p.add_argument("--seeds", default="1,2")
    a = p.parse_args()
    import wordfreq
    common = [w for w in wordfreq.top_n_list("en", 20000) if w.isalpha() and w.isascii() and len(w) > 1]
    texts = list(string.ascii_uppercase) + common[a.skip:a.skip + 2 * a.count:2]
    teacher = corpus.run_festival(list(enumerate(texts)), os.path.join(a.work, "words.%d.txt" % os.getpid()))
    for seed in a.seeds.split(","):
        tally, wrong = {k: [0, 0] for k in ("letters", "whole words", "words in pieces")}, []
        for i, text in enumerate(texts):
            if i not in teacher:
                continue
            want, (have, pieces) = taught(teacher[i]), said(a.barkctl, a.model, text, seed)
            kind = "letters" if len(text) == 1 else "whole words" if pieces == 1 else "words in pieces"
            tally[kind][0] += want == have
            tally[kind][1] += 1
            if want != have:
                wrong.append("%s (%s for %s)" % (text, " ".join(have), " ".join(want)))
        print("seed %s: %s right" % (seed, ", ".join("%d of %d %s" % (x[0], x[1], k) for k, x in tally.items())))
        print("   " + "; ".join(wrong), flush=True)


if __name__ == "__main__":
    main()
