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
import tokens
from codec import until
import vocoder as V

tokens.RATE = 50.0      # the export says semantic_rate_hz 50: then 3 codes belong to a token exactly, and every window is aligned alike


class Data:
    """Utterances as (semantic tokens, interleaved codes), read shard by shard as they appear."""

    def __init__(self, work, books, seed):
        self.work, self.books, self.rng = work, books, np.random.default_rng(seed)
        self.seen, self.train, self.held = set(), [], []
        self.near = None

    def refresh(self):
        for path in sorted(glob.glob(os.path.join(self.work, "codec", "[0-9]*.npz"))):
            if path in self.seen or path.endswith(".tmp.npz"):
                continue
            self.seen.add(path)
            with np.load(path) as z:
                at, mgc, a, phi = z["at"], z["mgc"], z["a"], z["phi"]
            c1, c2 = CT.envelope_code(mgc, self.books), CT.pitch_code(a, phi, self.rng)
            with np.load(os.path.join(self.work, "corpus", os.path.basename(path))) as z:
                c = {k: z[k] for k in ("phone_at", "phone", "piece", "slot", "dur", "frame_at", "lf0", "held")}
            for u in range(len(at) - 1):
                p, f = slice(c["phone_at"][u], c["phone_at"][u + 1]), slice(c["frame_at"][u], c["frame_at"][u + 1])
                if at[u + 1] - at[u] < 12:
                    continue
                sem = tokens.encode(c["phone"][p].astype(int), c["piece"][p], c["slot"][p], c["dur"][p], c["lf0"][f].astype(np.float32))
                if sem is None:
                    continue
                code = np.empty(2 * (at[u + 1] - at[u]), np.int32)
                code[0::2] = N.SEM + c1[at[u]:at[u + 1]]
                code[1::2] = N.SEM + N.CODES + c2[at[u]:at[u + 1]]
                (self.held if c["held"][u] else self.train).append((sem, code))
            print("%s: %d utterances, %d held out" % (os.path.basename(path), len(self.train), len(self.held)), flush=True)

    def batch(self, size, rng, held=False, noise=0.1):
        """ids for the input, the same with true targets, weights of the 120 coarse positions."""
        pool = self.held if held else self.train
        ids = np.full((size, N.POSITIONS), N.PAD, np.int64)
        weight = np.zeros((size, N.HISTORY + N.NEW), np.float32)
        for i in range(size):
            sem, code = pool[rng.integers(len(pool))]
            last = max(0, (len(code) // 3 - 30) // 2)
            start = 0 if rng.random() < 0.25 else 2 * int(rng.integers(0, last + 1))
            s, c = sem[start:start + N.N_SEM], code[3 * start:3 * start + N.HISTORY + N.NEW]
            ids[i, :len(s)] = s
            ids[i, N.N_SEM] = N.INFER
            ids[i, N.N_SEM + 1:N.N_SEM + 1 + len(c)] = c
            weight[i, :len(c)] = 1
            if start:
                weight[i, :6] = 0           # no one has to guess what went on before the window
        return ids, weight

    def disturb(self, ids, rng, share):
        """Envelope codes of the input replaced by near ones: what the network reads later are its own samples."""
        if self.near is None:
            c = self.books["centroids"] * CT.weights()
            d = (c * c).sum(1)[:, None] + (c * c).sum(1) - 2 * c @ c.T
            self.near = np.argsort(d, 1)[:, 1:9]
        out = ids.copy()
        part = out[:, N.N_SEM + 1::2]
        hit = (rng.random(part.shape) < share) & (part >= N.SEM) & (part < N.SEM + N.CODES)
        part[hit] = N.SEM + self.near[part[hit] - N.SEM, rng.integers(0, 8, int(hit.sum()))]
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
    p.add_argument("--out", default="coarse.pt")
    p.add_argument("--resume", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(1)
    books = CT.load_books(a.work)
    data = Data(a.work, books, a.seed)
    data.refresh()
    net = N.Coarse(books, a.seed)
    opt = torch.optim.AdamW(net.parameters(), lr=a.lr, betas=(0.9, 0.97), weight_decay=0.01)
    path, step, spent = os.path.join(a.work, a.out), 0, 0.0
    if a.resume and os.path.exists(path):
        s = torch.load(path)
        net.load_state_dict(s["net"])
        opt.load_state_dict(s["opt"])
        step, spent = s["step"], s["spent"]
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
        if step % 500 == 0 and data.held:
            vr, v = np.random.default_rng(0), []
            with torch.no_grad():
                for _ in range(8):
                    ids, weight = data.batch(16, vr, held=True)
                    v.append([x.item() for x in run(ids, weight, ids)])
            print("step %d validation: envelope %.3f pitch %.3f phase right %.3f" % ((step,) + tuple(np.mean(v, 0))), flush=True)
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
