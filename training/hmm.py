"""Where each phone is heard: hidden Markov models of three states a phone, trained on the teacher's spectra and held near its durations.

usage: hmm.py --work DIR [--rounds N]    trains W/hmm.npz once, then aligns every W/raw/NNN.npz into W/corpus/NNN.npz and W/codec/NNN.npz.
The teacher's durations say when a sign is read, which is 60 to 100 ms behind its sound and knows no pauses. A pause may stand at every gap
between words. W/codec/NNN.npz: at (utterance starts), mgc, share, a, phi: one entry a codec frame (vocoder.py), trimmed as the corpus is."""
import argparse
import glob
import os
import time

import numpy as np

import spectra
import tokens
import vocoder as V

STATES = tokens.NTHIRD
EARLY, BEHIND = 9, 12            # frames around the guess within which a phone may stand


def observe(mgc, share, f0):
    """(frames, D) features of an utterance."""
    c = mgc.astype(np.float32)[:, :14]
    smooth = np.stack([c[:, 0], c[:, 1], c[:, 2], c[:, 3]], 1)
    pad = np.pad(smooth, ((2, 2), (0, 0)), mode="edge")
    return np.concatenate([c, share.astype(np.float32)[:, ::2], 0.5 * (f0 > spectra.LOWEST)[:, None], pad[4:] - pad[:-4]], 1)


def chain(phone, gap):
    """States of an utterance in order: (model index, phone number or -1 for pauses, may it be skipped as a whole?)."""
    rows = []
    for i in range(len(phone) + 1):
        if i == 0 or i == len(phone) or gap[i]:
            rows += [(tokens.PAU * STATES + s, -1 - i, 0 < i < len(phone)) for s in range(STATES)]
        if i < len(phone):
            rows += [(int(phone[i]) * STATES + s, i, False) for s in range(STATES)]
    return rows


def viterbi(score, rows, guess, n):
    """Frames of each state (len(rows)) on the best path; None if there is none."""
    model = np.array([r[0] for r in rows])
    who = np.array([r[1] for r in rows])
    emit = score[:, model]
    t = np.arange(n)[:, None]
    begin = np.where(who >= 0, guess[np.maximum(who, 0)], 0)
    end = np.where(who >= 0, np.append(guess, n)[np.maximum(who, 0) + 1], n)
    emit = np.where((who >= 0) & ((t < begin - EARLY) | (t > end + BEHIND)), -1e4, emit)
    size = len(rows)
    part = np.array([r[0] % STATES for r in rows])
    inner = (part == 2) & (who >= 0)                        # the middle state of a short phone is left out
    jump = np.zeros(size, bool)                              # over a pause
    for s in range(STATES + 1, size):
        jump[s] = part[s] == 0 and rows[s - 1][2]
    best = np.full(size, -1e9)
    best[0] = emit[0, 0]
    back = np.zeros((n, size), np.int8)
    step = np.array([0, 1, 2, STATES + 1])
    cand = np.full((4, size), -1e9)
    for i in range(1, n):
        cand[0] = best
        cand[1, 1:] = best[:-1]
        cand[2, 2:] = np.where(inner[2:], best[:-2], -1e9)
        cand[3, STATES + 1:] = np.where(jump[STATES + 1:], best[:-STATES - 1], -1e9)
        k = cand.argmax(0)
        back[i] = k
        best = cand[k, np.arange(size)] + emit[i]
    if best[-1] < -9e3:
        return None
    dur, s = np.zeros(size, np.int64), size - 1
    for i in range(n - 1, -1, -1):
        dur[s] += 1
        s -= step[back[i, s]] if i else 0
    return dur


class Models:
    def __init__(self, mean=None, var=None):
        self.mean, self.var = mean, var

    def score(self, x):
        """(frames, models) log likelihoods."""
        p = 1 / self.var
        return -0.5 * (x * x @ p.T - 2 * x @ (self.mean * p).T + (self.mean ** 2 * p + np.log(self.var)).sum(1))


def utterances(path, limit=1 << 30):
    with np.load(path) as z:
        d = {k: z[k] for k in z.files}
    for u in range(min(limit, len(d["held"]))):
        p, f, m = (slice(*d[k][u:u + 2]) for k in ("phone_at", "frame_at", "mark_at"))
        ids = d["ids"][slice(*d["text_at"][u:u + 2])]
        yield dict(ids=ids, phone=d["phone"][p], piece=d["piece"][p], gap=d["gap"][p], mark=d["mark"][m], guess=d["guess"][p].astype(int),
                   f0=d["f0"][f], mgc=d["mgc"][f], share=d["share"][f], held=d["held"][u], kind=d["kind"][u])


def first_guess(u, rows):
    """Durations by the teacher's, pauses where it is quiet."""
    n = len(u["f0"])
    level = u["mgc"][:, 0].astype(float)
    loud = np.nonzero(level > level.max() - 5)[0]
    at = np.clip(np.maximum.accumulate(np.append(u["guess"], loud[-1] + 1)), loud[0], loud[-1] + 1)
    at[0] = loud[0]
    dur = np.zeros(len(rows), np.int64)
    for s, (_, who, _) in enumerate(rows):
        k = s % STATES if who < 0 else rows[s][0] % STATES
        if who >= 0:
            a, b = at[who], at[who + 1]
        elif who == -1:
            a, b = 0, at[0]
        elif who == -1 - len(u["phone"]):
            a, b = at[-1], n
        else:
            continue
        dur[s] = (b - a) * (k + 1) // STATES - (b - a) * k // STATES
    return dur


def train_on(data, rounds):
    """Models of some utterances."""
    prepared = [(u, chain(u["phone"], u["gap"]), observe(u["mgc"], u["share"], u["f0"])) for u in data]
    models, count = Models(), tokens.NP * STATES
    for r in range(rounds + 1):
        total, square, weight = 0, 0, np.zeros(count)
        like = frames = 0
        for u, rows, x in prepared:
            if r == 0:
                dur = first_guess(u, rows)
            else:
                s = models.score(x)
                dur = viterbi(s, rows, u["guess"], len(x))
                if dur is None:
                    continue
            state = np.repeat([q[0] for q in rows], dur)
            if len(state) != len(x):
                continue
            if r:
                like += s[np.arange(len(x)), state].sum()
                frames += len(x)
            one = np.zeros((len(x), count), np.float32)
            one[np.arange(len(x)), state] = 1
            total, square, weight = total + one.T @ x, square + one.T @ (x * x), weight + one.sum(0)
        w = np.maximum(weight, 1)[:, None]
        mean = total / w
        pooled = np.maximum(square.sum(0) / weight.sum() - (total.sum(0) / weight.sum()) ** 2, 1e-3)
        few = weight < 20
        models.mean = np.where(few[:, None], total.sum(0) / weight.sum(), mean)
        models.var = np.where(few[:, None], pooled, np.maximum(square / w - mean ** 2, 0.05 * pooled))
        print("round %d: %.2f a frame" % (r, like / max(1, frames)), flush=True)
    return models


def phones_of(u, rows, dur):
    """(phone, piece, slot, dur (n, 3)) with the pauses that are there."""
    phone, piece, slot, out, used = [], [], [], [], {}
    for s in range(0, len(rows), STATES):
        d = dur[s:s + STATES]
        if not d.sum():
            continue
        who = rows[s][1]
        i = who if who >= 0 else -1 - who
        o = int(u["piece"][i]) if who >= 0 else -1 if i == 0 else int(u["mark"][i])
        phone.append(rows[s][0] // STATES)
        piece.append(o)
        slot.append(0 if o < 0 else used.get(o, 0))
        used[o] = used.get(o, 0) + 1
        out.append(d)
    return np.array(phone), np.array(piece), np.array(slot), np.array(out)


def align(u, models):
    """The utterance's alignment as the corpus has it, or None."""
    rows = chain(u["phone"], u["gap"])
    x = observe(u["mgc"], u["share"], u["f0"])
    dur = viterbi(models.score(x), rows, u["guess"], len(x))
    if dur is None:
        return None
    phone, piece, slot, dur = phones_of(u, rows, dur)
    if max(slot) > tokens.NSLOT:
        return None
    lead, n = tokens.trim(phone, dur)
    f0 = np.where(spectra.heard(u["f0"], u["share"]), u["f0"], 0)[lead:lead + n]
    sem = tokens.encode(phone, piece, slot, dur, f0)
    if sem is None:
        return None
    frames = len(sem) * 3 // 2
    a, phi = V.frame_codes(f0, tokens.FRAME, frames)
    ends = lambda y: V.frame_ends(y[lead:lead + n].astype(np.float32), frames, tokens.FRAME)
    return dict(phone=phone, piece=piece, slot=slot, dur=dur, f0=f0, sem=sem, lead=[lead], held=[u["held"]], kind=[u["kind"]], piece_ids=u["ids"],
                a=a, phi=phi, mgc=ends(u["mgc"]), share=ends(u["share"]))


def convert(work, path, models):
    name = os.path.basename(path)
    out = os.path.join(work, "corpus", name)
    if os.path.exists(out):
        return
    began = time.time()
    with open(path[:-4] + ".txt", encoding="ascii") as f:
        texts = f.read().split("\n")
    done = [(t, x) for t, x in ((t, align(u, models)) for t, u in zip(texts, utterances(path))) if x]
    types = dict(phone=np.uint8, piece=np.int16, slot=np.uint8, dur=np.uint16, f0=np.float32, sem=np.uint16, lead=np.int32, held=bool, kind=np.uint8,
                 piece_ids=np.int16)
    ends = lambda key: np.cumsum([0] + [len(x[key]) for _, x in done])
    join = lambda key: np.concatenate([x[key] for _, x in done])
    codec = os.path.join(work, "codec", name)
    np.savez(codec + ".tmp.npz", at=ends("a"), a=join("a").astype(np.uint8), phi=join("phi").astype(np.uint8),
             mgc=join("mgc").astype(np.float16), share=join("share").astype(np.float16))
    with open(out[:-4] + ".txt", "w", encoding="ascii") as f:
        f.write("".join(t + "\n" for t, _ in done))
    np.savez(out + ".tmp.npz", piece_at=ends("piece_ids"), phone_at=ends("phone"), frame_at=ends("f0"), sem_at=ends("sem"),
             **{k: join(k).astype(t) for k, t in types.items()})
    os.replace(out + ".tmp.npz", out)
    os.replace(codec + ".tmp.npz", codec)
    print("%s: %d of %d utterances, %.2f h, %.0f s" % (name, len(done), len(texts) - 1, sum(len(x["sem"]) for _, x in done) / 50 / 3600, time.time() - began), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--limit", type=int, default=400, help="utterances of each of the first two shards to train on")
    p.add_argument("--watch", type=float, default=0, help="minutes to go on waiting for new shards")
    a = p.parse_args()
    for d in ("corpus", "codec"):
        os.makedirs(os.path.join(a.work, d), exist_ok=True)
    shards = lambda: sorted(glob.glob(os.path.join(a.work, "raw", "[0-9][0-9][0-9].npz")))
    path = os.path.join(a.work, "hmm.npz")
    if not os.path.exists(path):
        m = train_on([u for p in shards()[:2] for u in utterances(p, a.limit)], a.rounds)
        np.savez(path, mean=m.mean, var=m.var)
    with np.load(path) as z:
        models = Models(z["mean"], z["var"])
    end = time.time() + 60 * a.watch
    while True:
        for s in shards():
            convert(a.work, s, models)
        if time.time() > end:
            break
        time.sleep(20)


if __name__ == "__main__":
    main()
