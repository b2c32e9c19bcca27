"""Codes as the coarse and fine networks would choose them, for the decoder to train on beside the true ones.

usage: samples.py --work DIR [--takes N]     reads W/coarse.pt, W/fine.pt and W/codec; writes W/codec/NNN.samples.npy (takes, 4, frames) for each shard with waves

Every envelope code is drawn from the coarse network's distribution given the true semantic tokens and the true codes before it: it stays aligned with
the wave. Codebooks 3 and 4 are drawn from the fine network given those. What is drawn jumps more from frame to frame than what is true; a
decoder that has heard such codes beside the true wave smooths them."""
import argparse
import glob
import os

import numpy as np
import torch
import torch.nn.functional as F

import codec_tokens as CT
import coarse
import coarse_net as N
import fine

BATCH = 64


@torch.no_grad()
def draw(net, ids, part, temperature):
    """Envelope codes (windows, 60) of the speaker's `part`, drawn for ids (windows, N.POSITIONS)."""
    h = net(ids[:, :-1])[:, N.N_SEM::2]
    p = F.softmax(F.linear(h, net.o_env[part]) / temperature, 2)
    return part.start + torch.multinomial(p.flatten(0, 1), 1).view(len(ids), -1).numpy()


def windows(sem, code, begin):
    """[(ids, where the frames that are to be drawn stand in the shard, and in the window)] of an utterance that begins at a frame of the shard."""
    step, out = N.NEW // 2, []
    for first in range(0, len(code) // 2, step):
        start = max(0, first - N.HISTORY // 2)
        ids = np.full(N.POSITIONS, N.PAD, np.int64)
        s, c = sem[2 * start // 3:2 * start // 3 + N.N_SEM], code[2 * start:2 * first + N.NEW]
        ids[:len(s)] = s
        ids[N.N_SEM] = N.INFER
        ids[N.N_SEM + 1:N.N_SEM + 1 + len(c)] = c
        n = min(step, len(code) // 2 - first)
        out.append((ids, slice(begin + first, begin + first + n), slice(first - start, first - start + n)))
    return out


@torch.no_grad()
def draw_fine(net, codes, at, temperature):
    """Draws codebooks 3 and 4 of codes (4, frames) in place, utterance by utterance."""
    for s, e in zip(at[:-1], at[1:]):
        for s in range(s, e, fine.BLOCK):
            x = torch.from_numpy(codes[None, :, s:min(e, s + fine.BLOCK)].astype(np.int64))
            if not x.shape[2]:
                continue
            x[:, 2:] = fine.UNKNOWN
            for book, table in ((2, net.rest[:fine.UNKNOWN]), (3, net.noise_table()[:fine.UNKNOWN])):
                p = F.softmax(F.linear(net(x, book, 0)[0], table) / temperature, 1)
                x[0, book] = torch.multinomial(p, 1)[:, 0]
            codes[2:, s:s + x.shape[2]] = x[0, 2:]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--takes", type=int, default=2)
    p.add_argument("--temperature", type=float, default=0.7)
    p.add_argument("--fine-temperature", type=float, default=0.5)
    p.add_argument("--bf16", action="store_true", help="as semantic.py's")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    net, refine = N.Coarse(), fine.Fine()
    net.load_state_dict(torch.load(os.path.join(a.work, "coarse.pt"))["net"])
    refine.load_state_dict(torch.load(os.path.join(a.work, "fine.pt"))["net"])
    net.bf16 = refine.bf16 = a.bf16
    data = coarse.Data(a.work, CT.load_books(a.work), a.seed)
    for wave in sorted(glob.glob(os.path.join(a.work, "codec", "*[0-9].wave.npy"))):
        shard = wave[:-len(".wave.npy")]
        if os.path.exists(shard + ".samples.npy"):
            continue
        part = CT.SPEAKERS[CT.speaker(shard)]
        at, true, utterances = data.utterances(shard + ".npz")
        codes = np.tile(true, (a.takes, 1, 1))
        todo = [w for u, (sem, code, _) in enumerate(utterances) if sem is not None for w in windows(sem, code, at[u])]
        for i in range(0, len(todo), BATCH):
            batch = todo[i:i + BATCH]
            ids = torch.from_numpy(np.stack([w[0] for w in batch]))
            for take in range(a.takes):
                drawn = draw(net, ids, part, a.temperature)
                for row, (_, there, here) in zip(drawn, batch):
                    codes[take, 0, there] = row[here]
        for take in range(a.takes):
            draw_fine(refine, codes[take], at, a.fine_temperature)
        np.save(shard + ".samples.npy", codes.astype(np.int16))
        same = (codes == true).mean((0, 2))
        print("%s: %d frames, %.1f and %.1f %% of codebooks 1 and 3 as they were" % (os.path.basename(shard), true.shape[1], 100 * same[0], 100 * same[2]), flush=True)


if __name__ == "__main__":
    main()
