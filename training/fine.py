"""The fine network of the embedded voice: codebooks 3 (what codebook 1 leaves of the envelope) and 4 (the noise's share of each band).

usage: fine.py --work DIR --minutes M     reads W/books.npz, W/codec; writes W/fine.pt, from which it goes on when it is started again

Bark's layout. The first heads start by looking at the frames around: a code's neighbours tell in which part of its cell the envelope was. Codes of
codebook 1 are disturbed in training and the target follows, so that the fine network corrects what the coarse one draws. The 32 seeds of a noise
shape have one row, so each is drawn as often as the others."""
import argparse
import math
import os
import signal
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import coarse
import codec_tokens as CT
import vocoder as V
from codec import until

HIDDEN, HEADS, LAYERS, HEAD = 128, 4, 3, 32
BLOCK, BOOKS, UNKNOWN = 1024, CT.BOOKS, CT.CODES
ROWS = UNKNOWN + 16
NT = 12
OMEGA = math.pi * ((np.arange(NT) + 0.5) / NT) ** 1.15
TIME, ENV, REST, FREE = slice(0, 24), slice(24, 69), slice(69, 114), slice(114, 128)
ONE = 127
OFFSETS = ((-1, 1, -2, 2), (-3, 3, -1, 1), (-6, 6, 0, 0))
WINDOW, HISTORY = 192, 96        # frames of a training crop, and how many at most have all their codes already


def config():
    return dict(model_type="fine_acoustics", n_codes_total=BOOKS, n_codes_given=1, tie_word_embeddings=True, block_size=BLOCK,
                input_vocab_size=ROWS, output_vocab_size=ROWS, num_layers=LAYERS, num_heads=HEADS, hidden_size=HIDDEN, dropout=0.0, bias=False,
                initializer_range=0.02, use_cache=True)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        P = nn.Parameter
        self.ln1, self.ln2, self.b1, self.b2 = P(torch.ones(HIDDEN)), P(torch.ones(HIDDEN)), P(torch.zeros(HIDDEN)), P(torch.zeros(HIDDEN))
        n = lambda o, i, s: P(torch.randn(o, i) * s * i ** -0.5)
        self.qkv, self.out, self.up, self.down = n(3 * HIDDEN, HIDDEN, 1), n(HIDDEN, HIDDEN, 0.4), n(4 * HIDDEN, HIDDEN, 1), n(HIDDEN, 4 * HIDDEN, 0.4)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = F.linear(F.layer_norm(x, (HIDDEN,), self.ln1, self.b1), self.qkv).view(b, t, 3, HEADS, HEAD).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, HIDDEN)
        x = x + F.linear(y, self.out)
        return x + F.linear(F.gelu(F.linear(F.layer_norm(x, (HIDDEN,), self.ln2, self.b2), self.up)), self.down)

    def look(self, head, d, gain=2.0):
        """Starts a head that looks at the frame d frames ahead."""
        rot = np.zeros((2 * NT, 2 * NT))
        for i, w in enumerate(OMEGA):
            c, s = math.cos(w * d), math.sin(w * d)
            rot[2 * i:2 * i + 2, 2 * i:2 * i + 2] = [[c, -s], [s, c]]
        with torch.no_grad():
            q, k = self.qkv[head * HEAD:(head + 1) * HEAD], self.qkv[HIDDEN + head * HEAD:HIDDEN + (head + 1) * HEAD]
            q.mul_(0.1), k.mul_(0.1)
            q[:2 * NT, TIME] += gain * torch.tensor(rot, dtype=torch.float32)
            k[:2 * NT, TIME] += gain * torch.eye(2 * NT)


class Fine(nn.Module):
    def __init__(self, books=None, seed=1):
        super().__init__()
        torch.manual_seed(seed)
        self.bf16 = False
        n = lambda r: torch.randn(r, HIDDEN) * 0.02
        position = torch.zeros(BLOCK, HIDDEN)
        angle = np.outer(np.arange(BLOCK), OMEGA)
        position[:, TIME] = torch.from_numpy(np.stack([np.cos(angle), np.sin(angle)], 2).reshape(BLOCK, -1)).float()
        self.position = nn.Parameter(position)
        self.env, self.pitch, self.rest, self.shape = (nn.Parameter(n(r)) for r in (ROWS, ROWS, ROWS, CT.SHAPES))
        self.unknown_noise = nn.Parameter(n(1))
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.lnf, self.bf = nn.Parameter(torch.ones(HIDDEN)), nn.Parameter(torch.zeros(HIDDEN))
        if books is not None:
            with torch.no_grad():
                b = torch.from_numpy(books["books"])
                self.env[:UNKNOWN, ENV] += 0.7 * b[0, :, :V.MGC]
                self.rest[:CT.RESIDUALS, REST] += 0.7 * b[2, :CT.RESIDUALS, :V.MGC]
                self.pitch[:UNKNOWN, 114] += 0.7 * b[1, :, 45]
                self.pitch[:UNKNOWN, 115] += 0.3 * b[1, :, 46]
                self.shape[:, 116:116 + CT.SHARE.stop - CT.SHARE.start] += 0.5 * b[3, ::CT.SEEDS, CT.SHARE]
                for block, offsets in zip(self.blocks, OFFSETS):
                    for head, d in enumerate(offsets):
                        block.look(head, d)

    def noise_table(self):
        return torch.cat([self.shape.repeat_interleave(CT.SEEDS, 0), self.unknown_noise, torch.zeros(ROWS - UNKNOWN - 1, HIDDEN)])

    def forward(self, codes, book, offset):
        """Hidden states (batch, frames, HIDDEN) for predicting a book; codes (batch, BOOKS, frames)."""
        x = F.embedding(codes[:, 0], self.env) + F.embedding(codes[:, 1], self.pitch) + F.embedding(codes[:, 2], self.rest)
        if book == 3:
            x = x + F.embedding(codes[:, 3], self.noise_table())
        x = x + self.position[offset:offset + codes.shape[2]]
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            for b in self.blocks:
                x = b(x)
        return F.layer_norm(x.float(), (HIDDEN,), self.lnf, self.bf)

    def losses(self, codes, known, length, offset):
        """Mean negative log likelihood of the residual codes and of the noise shapes. codes (batch, BOOKS, frames), beyond `length` (batch) unknown;
        the first `known` (batch) frames are given."""
        t = torch.arange(codes.shape[2])
        live = (t >= known[:, None]) & (t < length[:, None])
        seen = codes.clone()
        seen[:, 2][live] = UNKNOWN
        seen[:, 3][live] = UNKNOWN
        h = self(seen, 2, offset)[live]
        rest = F.cross_entropy(F.linear(h, self.rest[:UNKNOWN]), codes[:, 2][live])
        h = self(torch.stack([codes[:, 0], codes[:, 1], codes[:, 2], seen[:, 3]], 1), 3, offset)[live]
        return rest, F.cross_entropy(F.linear(h, self.shape), codes[:, 3][live] // CT.SEEDS)

    @torch.no_grad()
    def export(self):
        """State dict of transformers' BarkFineModel without the tied lm_heads."""
        g = torch.Generator().manual_seed(1)
        tiny = lambda x: torch.where(x.abs().sum(1, keepdim=True) == 0, 0.01 * torch.randn(x.shape, generator=g), x)   # a quantiser may divide by a row's largest value
        sd = {"input_embeds_layers.%d.weight" % i: tiny(w) for i, w in enumerate((self.env, self.pitch, self.rest, self.noise_table()))}
        sd.update({"position_embeds_layer.weight": self.position, "layernorm_final.weight": self.lnf, "layernorm_final.bias": self.bf})
        for i, b in enumerate(self.blocks):
            p = "layers.%d." % i
            sd.update({p + "layernorm_1.weight": b.ln1, p + "layernorm_1.bias": b.b1, p + "layernorm_2.weight": b.ln2, p + "layernorm_2.bias": b.b2,
                       p + "attn.att_proj.weight": b.qkv, p + "attn.out_proj.weight": b.out, p + "mlp.in_proj.weight": b.up, p + "mlp.out_proj.weight": b.down})
        return {k: v.detach().clone() for k, v in sd.items()}


class Data:
    """Frames of all utterances, for crops with disturbed codes."""

    def __init__(self, work, books, seed):
        self.books, self.rng = books, np.random.default_rng(seed)
        self.near = coarse.Data(work, books, seed).nearest()
        self.train, self.held = [], []
        for who in CT.SPEAKERS:
            for path in CT.shards(work, who):
                source = path if who != "heart" else os.path.join(work, "corpus", os.path.basename(path))
                with np.load(path) as z, np.load(source) as y:
                    mgc, codes, at, held = z["mgc"], CT.codes_of(z, books, who, self.rng).astype(np.int32), z["at"], y["held"]
                for u in range(len(held)):
                    if at[u + 1] - at[u] > 8:
                        (self.held if held[u] else self.train).append((mgc[at[u]:at[u + 1]], codes[:, at[u]:at[u + 1]]))

    def batch(self, size, rng, held=False, noise=0.15):
        pool = self.held if held else self.train
        frames = BLOCK if not held and rng.random() < 0.02 else WINDOW
        size = size if frames == WINDOW else 2
        codes = np.full((size, BOOKS, frames), UNKNOWN, np.int64)
        known, length = np.zeros(size, np.int64), np.zeros(size, np.int64)
        offset = 0 if frames == BLOCK or rng.random() < 0.4 else int(rng.integers(0, BLOCK - frames + 1))
        for i in range(size):
            mgc, c = pool[rng.integers(len(pool))]
            s = int(rng.integers(0, max(1, c.shape[1] - 40)))
            n = min(frames, c.shape[1] - s)
            x = c[:, s:s + n].astype(np.int64)
            if noise:
                hit = rng.random(n) < noise * rng.random() * 2
                x[0, hit] = self.near[x[0, hit], rng.integers(0, 8, int(hit.sum()))]
                x[2, hit] = CT.residual_code(mgc[s:s + n][hit], x[0, hit], self.books)
            codes[i, :, :n], length[i] = x, n
            known[i] = rng.integers(0, min(HISTORY, n - 6)) if s and rng.random() < 0.6 else 0
        codes[:, 3] = np.where(codes[:, 3] == UNKNOWN, UNKNOWN, codes[:, 3] - codes[:, 3] % CT.SEEDS + rng.integers(0, CT.SEEDS, codes[:, 3].shape))
        return tuple(map(torch.from_numpy, (codes, known, length))) + (offset,)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--minutes", type=float, default=60)
    p.add_argument("--until", help="HH:MM (UTC), as coarse.py's")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--batch", type=int, default=12)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--bf16", action="store_true", help="as semantic.py's")
    a = p.parse_args()
    torch.set_num_threads(1)
    books = CT.load_books(a.work)
    data = Data(a.work, books, a.seed)
    net = Fine(books, a.seed)
    net.bf16 = a.bf16
    opt = torch.optim.AdamW(net.parameters(), lr=a.lr, betas=(0.9, 0.97), weight_decay=0.01)
    path, step, spent = os.path.join(a.work, "fine.pt"), 0, 0.0
    if os.path.exists(path):
        s = torch.load(path)
        net.load_state_dict(s["net"])
        opt.load_state_dict(s["opt"])
        step, spent = s["step"], s["spent"]
    rng = np.random.default_rng(a.seed + step)
    print("%d utterances, %d held out, %.2f M parameters" % (len(data.train), len(data.held), sum(q.numel() for q in net.parameters()) / 1e6), flush=True)

    def save():
        torch.save(dict(net=net.state_dict(), opt=opt.state_dict(), step=step, spent=spent), path + ".tmp")
        os.replace(path + ".tmp", path)

    signal.signal(signal.SIGTERM, lambda *_: (save(), os._exit(0)))
    sums, shown, began, saved = np.zeros(2), 0, time.process_time(), time.time()
    start, opened, end = spent, time.time(), until(a.until)
    while True:
        spent = start + time.process_time() - began
        done = spent / 60 / a.minutes if end is None else (time.time() - opened) / (end - opened)
        if done >= 1:
            break
        rate = a.lr * min(1, (step + 1) / 60) * min(1, max(0.04, 1.4 * (1 - done)))
        for g in opt.param_groups:
            g["lr"] = rate
        rest, shape = net.losses(*data.batch(a.batch, rng))
        opt.zero_grad()
        (rest + shape).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        step += 1
        sums += rest.item(), shape.item()
        shown += 1
        if step % 25 == 0:
            print("step %d, %.1f min: residual %.3f noise %.3f lr %.1e" % ((step, spent / 60) + tuple(sums / shown) + (rate,)), flush=True)
            sums, shown = np.zeros(2), 0
        if step % 200 == 0:
            with torch.no_grad():
                vr = np.random.default_rng(0)
                v = [[x.item() for x in net.losses(*data.batch(12, vr, True, 0))] for _ in range(6)]
            print("step %d validation: residual %.3f noise %.3f" % ((step,) + tuple(np.mean(v, 0))), flush=True)
        if time.time() - saved > 120:
            save()
            saved = time.time()
    save()
    print("done: %d steps" % step, flush=True)


if __name__ == "__main__":
    main()
