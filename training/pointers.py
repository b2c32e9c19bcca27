"""Words left out, said twice or invented: read from the semantic tokens, which name the piece of the text that they speak.

usage: pointers.py BARKCTL MODEL [--texts FILE] [--seeds 1,2,3,4,5] [--voice V]
Of each text and seed: pieces of words that were never begun, pieces begun again, words of which no piece was begun, and the tail: how long something
sounded after the last piece had been said, or its last phone beyond 0.4 s. The last lines count them; every offender is listed. Texts of more
than 60 pieces, which the daemon would part, are passed over."""
import argparse
import itertools
import os

import numpy as np

import evaluate as E
import tokens as T

RATE = 50.0
LONGEST = 0.4       # seconds of one phone that nobody would call a tail


def follow(sem, n):
    """Piece numbers begun, in order, from pointers modulo NW; and for each its first token."""
    at, out = -1, []
    for i, t in enumerate(sem):
        if t >= T.B0:
            continue
        step = (int(t) // T.NP - at) % T.NW
        at += step if step <= T.NW // 2 else step - T.NW
        if 0 <= at < n:
            out.append((at, i))
    return out


def judge(sem, pieces):
    """(pieces dropped, pieces repeated, seconds of tail) of one utterance."""
    sem = np.asarray(sem, np.int64)
    words = [i for i, p in enumerate(pieces) if p.lstrip("#")[:1].isalnum()]
    begun = follow(sem, len(pieces))
    said = [p for p, _ in begun if p in set(words)]
    dropped = [i for i in words if i not in said]
    again = [p for k, p in enumerate(said) if p in said[:k]]
    phone = np.where(sem >= T.C0, (sem - T.C0) // (T.NTHIRD * T.NF0), np.where(sem >= T.B0, sem - T.B0, sem) % T.NP)
    sound = phone != T.PAU
    last = max((i for p, i in begun if p == words[-1]), default=None) if words else None
    if last is None:
        return dropped, again, 0.0
    later = min((i for p, i in begun if i > last and p != words[-1] and sound[i]), default=len(sem))
    tail = sound[later:].sum() / RATE
    ends = np.nonzero(sound[:later])[0]
    if len(ends):
        first = ends[-1]
        while first > 0 and phone[first - 1] == phone[ends[-1]] and sem[first] >= T.C0:
            first -= 1
        tail += max(0.0, (ends[-1] + 1 - first) / RATE - LONGEST)
    return dropped, again, tail


def whole(pieces, dropped):
    """Words left out: the first piece of each one that has all its pieces among the dropped."""
    starts = [i for i, p in enumerate(pieces) if p[0].isalnum()]
    inside = lambda i: [i] + list(itertools.takewhile(lambda k: pieces[k].startswith("##"), range(i + 1, len(pieces))))
    return [i for i in starts if set(inside(i)) <= set(dropped)]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("barkctl")
    p.add_argument("model")
    p.add_argument("--texts", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "heldout.txt"))
    p.add_argument("--seeds", default="1,2,3,4,5")
    p.add_argument("--voice", default="none")
    a = p.parse_args()
    with open(a.texts, encoding="ascii") as f:
        texts = [l.strip() for l in f if l.strip()]
    with open(os.path.join(a.model, "vocab.txt"), encoding="ascii") as f:
        rows = f.read().split("\n")
    for seed in a.seeds.split(","):
        count, longest = np.zeros(6, int), 0.0
        for text in texts:
            sem, ids = E.trace(a.barkctl, a.model, text, seed, a.voice)
            pieces = [rows[i] for i in ids]
            if len(pieces) > 60:
                continue
            dropped, again, tail = judge(sem, pieces)
            lost = whole(pieces, dropped)
            count += len(dropped), len(again), len(lost), bool(lost or again), tail > 0.15, 1
            longest = max(longest, tail)
            if dropped or again or tail > 0.15:
                name = lambda which: " ".join(pieces[i] for i in which) or "-"
                print("seed %s: dropped %s, again %s, left out %s, tail %.2f s: %s" % (seed, name(dropped), name(again), name(lost), tail, text), flush=True)
        print("seed %s: %d pieces dropped, %d said again, %d words left out; %d texts with a word left out or said again, %d tails over 150 ms (longest %.2f s), of %d texts"
              % ((seed,) + tuple(count[:5]) + (longest, count[5])), flush=True)


if __name__ == "__main__":
    main()
