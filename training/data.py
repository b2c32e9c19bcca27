"""Reading the shards for the semantic GPT: text ids, tokens, the pronunciation table of the vocabulary."""
import glob
import os
from collections import Counter, defaultdict

import numpy as np

import texts
import tokens as T
import vocab
from semantic_net import NONE

COST = {texts.KINDS.index(k): c for k, c in (("letter", 0.4), ("dense", 0.4), ("single", 0.2))}


def shards(work):
    return sorted(glob.glob(os.path.join(work, "corpus", "[0-9][0-9][0-9].npz")))


def utterances(shard, held):
    """[(text ids, semantic tokens, kind, text)] of one shard, from the validation set or from the rest."""
    d = T.load_shard(shard)
    out = []
    for u in range(len(d["held"])):
        if d["held"][u] == held:
            out.append((d["piece_ids"][d["piece_at"][u]:d["piece_at"][u + 1]].astype(np.int64),
                        d["sem"][d["sem_at"][u]:d["sem_at"][u + 1]].astype(np.int64), int(d["kind"][u]), d["texts"][u]))
    return out


def pronunciations(work, n_shards=12):
    """(pron (V, 13), silent (V,)): the commonest phones of every piece in the first shards, else the lexicon's; share of silent uses.
    Kept in W/pron.npz: the table must stay the same while the corpus grows."""
    cache = os.path.join(work, "pron.npz")
    if os.path.exists(cache):
        with np.load(cache) as z:
            return z["pron"], z["silent"]
    rows = open(os.path.join(work, "vocab", "vocab.txt"), encoding="ascii").read().split("\n")[:-1]
    seen = defaultdict(Counter)
    for path in shards(work)[:n_shards]:
        d = T.load_shard(path)
        for u in range(len(d["held"])):
            p = slice(d["phone_at"][u], d["phone_at"][u + 1])
            said = defaultdict(list)
            for ph, w in zip(d["phone"][p], d["piece"][p]):
                said[int(w)].append(int(ph))
            for i, t in enumerate(d["piece_ids"][d["piece_at"][u]:d["piece_at"][u + 1]]):
                ph = said[i]
                if rows[t][-1].isalnum() and ph and ph[-1] == T.PAU:
                    ph = ph[:-1]                 # a pause without a mark
                seen[int(t)][tuple(ph)] += 1
    lex = vocab.read_lexicon()
    share = np.load(os.path.join(work, "vocab", "rows.npy"))
    for t, s in enumerate(share):                # a Capitalised form and its lower-case word count together
        if s != t:
            seen[int(s)] += seen.pop(t, Counter())
    pron = np.full((len(rows), T.NSLOT + 1), NONE, np.int64)
    silent = np.zeros(len(rows), np.float32)
    for t, r in enumerate(rows):
        c = seen.get(int(share[t]), Counter())
        total = sum(c.values())
        quiet = c.pop((), 0)
        w = r.lower().lstrip("#")
        if not r[-1].isalnum():
            ph = (T.PAU,)
        elif c:
            ph = c.most_common(1)[0][0]
        else:
            ph = tuple(T.PHONE_ID[x] for x in lex.get(w, lex.get(w.capitalize(), ())))
        pron[t, :len(ph[:T.NSLOT + 1])] = ph[:T.NSLOT + 1]
        if r not in ".,;:?!":                    # after these a pause is the better guess
            silent[t] = (quiet / total if quiet > total / 2 else 0) if total else float(not r[-1].isalnum())
    print("%d of %d pieces without phones" % (sum(not seen.get(int(share[t])) and pron[t, 0] == NONE for t in range(len(rows))), len(rows)))
    np.savez(cache, pron=pron, silent=silent)
    return pron, silent


class Pool:
    """Training utterances; grows with the corpus. batches() serves the least used ones first, sorted into batches of like length.
    Letters, single words and dense texts, which are the hard ones, come more often."""

    def __init__(self, work, seed):
        self.work, self.rng = work, np.random.default_rng(seed)
        self.have, self.items, self.used, self.cost = set(), [], np.zeros(0), np.zeros(0)
        self.grow()

    def grow(self):
        for path in shards(self.work):
            if path not in self.have:
                self.have.add(path)
                new = utterances(path, False)
                self.items += new
                # what came later is mixed with the rest, not served alone until it has caught up
                self.used = np.concatenate([self.used, np.full(len(new), self.used.min() if len(self.used) else 0)])
                self.cost = np.concatenate([self.cost, [COST.get(u[2], 1.0) for u in new]])

    def batches(self, positions, n=160):
        self.grow()
        order = np.argsort(self.used + self.rng.random(len(self.used)))[:n]
        self.used[order] += self.cost[order]
        order = sorted(order, key=lambda i: len(self.items[i][1]))
        out, cur = [], []
        for i in order:
            if cur and (len(cur) + 1) * (T.MAX_TEXT + 1 + len(self.items[i][1])) > positions:
                out.append(cur)
                cur = []
            cur.append(self.items[i])
        out.append(cur)
        self.rng.shuffle(out)
        return out


def linger(item, rng):
    """A copy in which one phone is held too long. The held tokens are no targets (-100), the way on is: a network that
    once stays too long in a phone has never seen such a state, and must know how to leave it."""
    ids, s = item[0], item[1]
    last = np.nonzero((s[:-1] >= T.C0) & (s[1:] < T.C0))[0]
    if not len(last) or len(s) > T.MAX_SEM - 40:
        return item
    tgt = np.append(s, T.END)
    for j in sorted(rng.choice(last, min(len(last), 2), replace=False))[::-1]:
        n = int(rng.integers(2, 28))
        s = np.insert(s, j + 1, np.repeat(s[j], n))
        tgt = np.insert(tgt, j + 1, np.full(n, -100))
    return (ids, s, tgt)


def collate(batch, pad_row):
    """text (b, 64), tokens (b, n) padded, targets (b, n + 1) with -100 after the end token."""
    n = max(len(b[1]) for b in batch)
    text = np.full((len(batch), T.MAX_TEXT), pad_row, np.int64)
    sem = np.zeros((len(batch), n), np.int64)
    tgt = np.full((len(batch), n + 1), -100, np.int64)
    for i, (ids, s, *more) in enumerate(batch):
        text[i, :len(ids)] = ids
        sem[i, :len(s)] = s
        tgt[i, :len(s) + 1] = more[0] if len(more) == 1 else np.append(s, T.END)
    return text, sem, tgt
