"""Letters to phones: a small aligner (each letter speaks 0, 1 or 2 phones), trained by hard EM on the teacher's lexicon.

Needed where a word falls into several WordPiece pieces, so that every piece owns its share of the word's phones."""
import json
import math
import os
import random

VOWELS = "aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw".split()
NEVER = -12.0


class Aligner:
    def __init__(self, table=None):
        self.t = table or {}

    def cost(self, letter, ph):
        """Log probability that `letter` speaks the phones `ph` (a string, phones joined by spaces)."""
        if self.t:
            return self.t.get(letter, {}).get(ph, NEVER)
        vowel = letter in "aeiouy"               # the start of EM: vowels go with vowels
        if not ph:
            return -2.5
        parts = ph.split()
        return sum(-1.0 if (p in VOWELS) == vowel else -4.0 for p in parts) - 3.0 * (len(parts) - 1)

    def align(self, letters, phones):
        """For each letter the number of phones it speaks; (counts, score), or (None, NEVER) if impossible."""
        n, m = len(letters), len(phones)
        if m > 2 * n:
            return None, NEVER
        best = [[-1e9] * (m + 1) for _ in range(n + 1)]
        back = [[0] * (m + 1) for _ in range(n + 1)]
        best[0][0] = 0.0
        for i, c in enumerate(letters):
            for j in range(max(0, m - 2 * (n - i)), min(m, 2 * i) + 1):
                if best[i][j] < -1e8:
                    continue
                for k in (0, 1, 2):
                    if j + k <= m:
                        s = best[i][j] + self.cost(c, " ".join(phones[j:j + k]))
                        if s > best[i + 1][j + k]:
                            best[i + 1][j + k] = s
                            back[i + 1][j + k] = k
        if best[n][m] < -1e8:
            return None, NEVER
        counts, j = [], m
        for i in range(n, 0, -1):
            counts.append(back[i][j])
            j -= back[i][j]
        return counts[::-1], best[n][m] / n

    def train(self, pairs, rounds=5):
        for _ in range(rounds):
            c = {}
            for w, p in pairs:
                a, _ = self.align(w, p)
                if not a:
                    continue
                j = 0
                for letter, k in zip(w, a):
                    key = " ".join(p[j:j + k])
                    c.setdefault(letter, {}).setdefault(key, 0)
                    c[letter][key] += 1
                    j += k
            self.t = {l: {k: math.log((v + 0.1) / (sum(d.values()) + 1)) for k, v in d.items()} for l, d in c.items()}


def load(work, lexicon, seed=1):
    """The aligner of a work folder; trained and stored at the first call."""
    path = os.path.join(work, "align.json")
    if os.path.exists(path):
        with open(path, encoding="ascii") as f:
            return Aligner(json.load(f))
    pairs = [(w, list(p)) for w, p in lexicon.items() if w.islower() and len(w) > 1]
    random.Random(seed).shuffle(pairs)
    a = Aligner()
    a.train(pairs[:8000])
    with open(path, "w", encoding="ascii") as f:
        json.dump(a.t, f)
    return a
