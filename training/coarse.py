"""Trains the coarse network: semantic tokens -> codebooks 1 and 2.

usage: coarse.py --work DIR --minutes M [--resume]     reads W/corpus, W/codec, W/books.npz; writes W/coarse.pt"""
import argparse
import glob
import os
import signal
import time

import numpy as np
import torch

import codec_tokens as CT
import coarse_net as N
from codec import until
import vocoder as V

OWN = 0.8                        # part of the crops that is the first speaker's: there is little of the second, and it is soon known by heart


class Data:
    """Utterances as (semantic tokens, interleaved codes), read shard by shard as they appear."""

    def __init__(self, work, books, seed):
        self.work, self.books, self.rng = work, books, np.random.default_rng(seed)
        self.seen = set()
        self.train, self.held = ({who: [] for who in CT.SPEAKERS} for _ in range(2))
        self.pause = {who: np.zeros(0, np.int64) for who in CT.SPEAKERS}      # envelope codes of what comes before speech
        self.near = None

    def refresh(self):
        for path in sorted(glob.glob(os.path.join(self.work, "codec", "*[0-9].npz"))):
            if path in self.seen:
                continue
            self.seen.add(path)
            who = CT.speaker(path)
            lead = []
            for sem, code, held in self.utterances(path)[2]:
                if len(code) < 24 or sem is None:
                    continue
                (self.held if held else self.train)[who].append((sem, code))
                lead += (code[:2:2] - N.SEM).tolist()
            self.pause[who] = np.concatenate([self.pause[who], lead]).astype(np.int64)
            print("%s: %d utterances, %d held out" % (os.path.basename(path), len(self.train[who]), len(self.held[who])), flush=True)

    def utterances(self, path):
        """(frames at which the utterances of a shard begin and end, codes (4, frames), [(semantic tokens, interleaved codes, held out?)])."""
        with np.load(path) as z:
            at, codes = z["at"], CT.codes_of(z, self.books, CT.speaker(path), self.rng)
        c1, c2 = codes[:2]
        out = []
        for u, (sem, held) in enumerate(self.semantic(path)):
            code = np.empty(2 * (at[u + 1] - at[u]), np.int32)
            code[0::2] = N.SEM + c1[at[u]:at[u + 1]]
            code[1::2] = N.SEM + N.CODES + c2[at[u]:at[u + 1]]
            out.append((sem, code, held))
        return at, codes, out

    def semantic(self, path):
        """[(semantic tokens, held out?)] of a shard: the first speaker's are the corpus's, the others' stand beside the codes."""
        if CT.speaker(path) == "heart":
            path = os.path.join(self.work, "corpus", os.path.basename(path))
        with np.load(path) as z:
            at, sem, held = z["sem_at"], z["sem"].astype(np.int64), z["held"]
        return [(sem[at[u]:at[u + 1]], held[u]) for u in range(len(held))]

    def prompt(self, who, rng):
        """A preset's (semantic tokens, codes): HISTORY codes of a pause, in which only the codes tell who is to speak."""
        code = np.empty(N.HISTORY, np.int64)
        code[0::2] = N.SEM + rng.choice(self.pause[who], N.HISTORY // 2)
        code[1::2] = N.SEM + N.CODES + rng.choice(V.NOISE, N.HISTORY // 2)
        return np.full(N.HISTORY // 3, N.PROMPT), code

    def batch(self, size, rng, held=False, noise=0.1, who=None):
        """ids with the true targets, weights of the 120 coarse positions. OWN of them are the first speaker's, or all are of `who`."""
        pool = self.held if held else self.train
        first_one, *others = [w for w in CT.SPEAKERS if pool[w]]
        ids = np.full((size, N.POSITIONS), N.PAD, np.int64)
        weight = np.zeros((size, N.HISTORY + N.NEW), np.float32)
        for i in range(size):
            w = who or (first_one if not others or rng.random() < OWN else others[rng.integers(len(others))])
            sem, code = pool[w][rng.integers(len(pool[w]))]
            last = max(0, (len(code) // 3 - 30) // 2)
            first = rng.random() < 0.25
            start = 0 if first else 2 * int(rng.integers(0, last + 1))
            quiet = 6 if start else 0           # no one has to guess what went on before the window
            if w != first_one and start == 0 or first and rng.random() < 0.5:
                before = self.prompt(w, rng)
                sem, code = np.concatenate([before[0], sem]), np.concatenate([before[1], code])
                quiet = N.HISTORY - 20
            s, c = sem[start:start + N.N_SEM], code[3 * start:3 * start + N.HISTORY + N.NEW]
            ids[i, :len(s)] = s
            ids[i, N.N_SEM] = N.INFER
            ids[i, N.N_SEM + 1:N.N_SEM + 1 + len(c)] = c
            weight[i, quiet:len(c)] = 1
        return ids, weight

    def nearest(self):
        """(CODES, 8) the nearest envelope codes of the same speaker."""
        if self.near is None:
            c = self.books["centroids"] * CT.weights()
            d = (c * c).sum(1)[:, None] + (c * c).sum(1) - 2 * c @ c.T
            whose = np.zeros(N.CODES)
            for k, part in enumerate(CT.SPEAKERS.values()):
                whose[part] = k
            same = whose[:, None] == whose
            self.near = np.argsort(np.where(same, d, np.inf), 1)[:, 1:9]
            self.far = np.argsort(np.where(same, np.inf, d), 1)[:, :8]
        return self.near

    def disturb(self, ids, rng, share, strange=0.02):
        """Envelope codes of the input replaced by near ones: what the network reads later are its own samples. A few are another
        speaker's, so that one such sample does not change who speaks."""
        self.nearest()
        out = ids.copy()
        part = out[:, N.N_SEM + 1::2]
        draw = rng.random(part.shape)
        code = (part >= N.SEM) & (part < N.SEM + N.CODES)
        for table, hit in ((self.near, code & (draw < share)), (self.far, code & (draw > 1 - strange))):
            part[hit] = N.SEM + table[part[hit] - N.SEM, rng.integers(0, 8, int(hit.sum()))]
        return out


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--minutes", type=float, default=60)
    p.add_argument("--until", help="HH:MM (UTC): from where it is now the rate falls until then, however much of the processor it gets")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--noise", type=float, default=0.1, help="share of envelope codes disturbed in the input")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--steps", type=int, default=1 << 30)
    p.add_argument("--bf16", action="store_true", help="as semantic.py's")
    p.add_argument("--out", default="coarse.pt")
    p.add_argument("--resume", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(1)
    books = CT.load_books(a.work)
    data = Data(a.work, books, a.seed)
    data.refresh()
    net = N.Coarse(books, a.seed)
    net.bf16 = a.bf16
    opt = torch.optim.AdamW(net.parameters(), lr=a.lr, betas=(0.9, 0.97), weight_decay=0.01)
    path, step, spent = os.path.join(a.work, a.out), 0, 0.0
    if a.resume and os.path.exists(path):
        s = torch.load(path)
        net.load_state_dict(s["net"])
        step, spent = s["step"], s["spent"]
        if "opt" in s:
            opt.load_state_dict(s["opt"])
    rng = np.random.default_rng(a.seed + step)
    print("%.2f M parameters" % (sum(q.numel() for q in net.parameters()) / 1e6), flush=True)

    def save():
        torch.save(dict(net=net.state_dict(), opt=opt.state_dict(), step=step, spent=spent), path + ".tmp")
        os.replace(path + ".tmp", path)

    def run(ids, weight, noisy):
        target = torch.from_numpy(ids)
        return net.losses(target, torch.from_numpy(weight), torch.from_numpy(noisy))

    signal.signal(signal.SIGTERM, lambda *_: (save(), os._exit(0)))
    sums, shown, began, saved, looked = np.zeros(3), 0, time.process_time(), time.time(), time.time()
    start, opened, end = spent, time.time(), until(a.until)
    while step < a.steps:
        spent = start + time.process_time() - began        # this process's own time: pauses do not shorten the schedule
        done = spent / 60 / a.minutes if end is None else (time.time() - opened) / (end - opened)
        if done >= 1:
            break
        rate = a.lr * min(1, (step + 1) / 60) * min(1, max(0.04, 1.4 * (1 - done)))
        for g in opt.param_groups:
            g["lr"] = rate
        ids, weight = data.batch(a.batch, rng)
        le, lp, phase = run(ids, weight, data.disturb(ids, rng, a.noise))
        opt.zero_grad()
        (le + lp).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        step += 1
        sums += le.item(), lp.item(), phase.item()
        shown += 1
        if step % 25 == 0:
            print("step %d, %.1f min: envelope %.3f pitch %.3f phase right %.3f lr %.1e" % ((step, spent / 60) + tuple(sums / shown) + (rate,)), flush=True)
            sums, shown = np.zeros(3), 0
        if step % 500 == 0:
            for who in (w for w in CT.SPEAKERS if data.held[w]):
                vr, v = np.random.default_rng(0), []
                with torch.no_grad():
                    for _ in range(6):
                        ids, weight = data.batch(16, vr, held=True, who=who)
                        v.append([x.item() for x in run(ids, weight, ids)])
                print("step %d validation %s: envelope %.3f pitch %.3f phase right %.3f" % ((step, who) + tuple(np.mean(v, 0))), flush=True)
        if time.time() - saved > 180:
            save()
            saved = time.time()
        if time.time() - looked > 300:
            data.refresh()
            looked = time.time()
    save()
    print("done: %d steps" % step, flush=True)


if __name__ == "__main__":
    main()
