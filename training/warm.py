"""Makes the first states of the networks from the earlier embedded voice `slt`, whose layout was nearly the same.

usage: warm.py --work DIR [--model voices/slt]    writes W/codec.pt, W/coarse.pt and W/semantic.ckpt where they are not

slt's tables are parted into what the networks train with (least squares); the parts are carried over: phones by name, F0 classes and pitches by
frequency, envelopes by their cepstra. Without this the networks start at random and learn the same in some hours more."""
import argparse
import copy
import os

import numpy as np
import torch
from safetensors.torch import load_file

import codec
import codec_tokens as CT
import coarse_net as N
import data
import semantic_net
import tokens as T
import vocoder as V

# slt's layout
NP, NF0, NW, NSLOT = 41, 7, 32, 12
B0, C0 = NW * NP, NW * NP + NSLOT * NP
SEM, ROWS, CODES, DIM = 2665, 2672, 1680, 64
F0_LOW, F0_HIGH = 140.0, 216.0
A_DEEP, A_HIGH, PHASES = 29, 83, 28
CODE_A, CODE_PHI = np.zeros(CODES, np.int64), np.zeros(CODES, np.int64)
for _first, _low, _high in ((0, 52, A_HIGH), (1024, A_DEEP, 51)):
    _part = slice(_first, _first + (_high - _low + 1) * PHASES)
    CODE_A[_part] = np.repeat(np.arange(_low, _high + 1), PHASES)
    CODE_PHI[_part] = np.tile(np.arange(PHASES), _high - _low + 1)
OLD_TEXT = 7000
SHARPENED, GAIN = 1.2, 0.5       # what slt was exported with


def part(weights, prefix):
    return {k[len(prefix):]: v.float() for k, v in weights.items() if k.startswith(prefix)}


def solve(a, b):
    """x of least norm with a @ x nearest to b."""
    return torch.linalg.lstsq(a.double(), b.double(), driver="gelsd").solution.float()


def layers(sd, i, names):
    """{training's name: weight} of layer i."""
    theirs = ("layernorm_1", "layernorm_2", "attn.att_proj", "attn.out_proj", "mlp.in_proj", "mlp.out_proj")
    return {n: sd["layers.%d.%s.weight" % (i, t)] for n, t in zip(names, theirs)}


def old_factors():
    """As tokens.factors(), of slt's semantic tokens."""
    t = np.arange(SEM)
    kind = np.where(t < B0, 0, np.where(t < C0, 1, 2))
    c = t - C0
    phone = np.where(kind == 2, c // (3 * NF0), np.where(kind == 1, t - B0, t) % NP)
    f = dict(kind=kind, phone=phone, w=np.where(kind == 0, t // NP, -1), slot=np.where(kind == 1, (t - B0) // NP + 1, np.where(kind == 0, 0, -1)),
             third=np.where(kind == 2, c // NF0 % 3, -1), f0=np.where(kind == 2, c % NF0, -1))
    return {k: torch.as_tensor(v) for k, v in f.items()}


def one(v, n):
    return torch.nn.functional.one_hot(v.clamp(min=0), n).float() * (v >= 0)[:, None]


def phones(x):
    """Rows of slt's 41 phones -> of the 42 here: a flap is a d."""
    return torch.cat([x, x[T.PHONE_ID["d"]][None]])


def f0_blend():
    """(13, 7): each F0 class as a mixture of slt's."""
    m = np.zeros((T.NF0, NF0), np.float32)
    m[0, 0] = 1
    centre = T.F0_LOW * (T.F0_HIGH / T.F0_LOW) ** ((np.arange(T.NF0 - 1) + 0.5) / (T.NF0 - 1))
    at = np.clip(6 * np.log(centre / F0_LOW) / np.log(F0_HIGH / F0_LOW) - 0.5, 0, 5)
    low = np.minimum(at.astype(int), 4)
    m[np.arange(1, T.NF0), 1 + low], m[np.arange(1, T.NF0), 2 + low] = 1 - (at - low), at - low
    return torch.from_numpy(m)


def pitches(x):
    """Rows of slt's pitches 29..83 -> of PITCHES; higher ones go on as the last octave does, over log F0."""
    a = np.arange(A_DEEP, A_HIGH + 1)
    high = torch.from_numpy(np.log(a[30:] / 83.0)).float()
    trend = solve(torch.stack([torch.ones_like(high), high], 1), x[30:])
    out = []
    for p in V.PITCHES:
        out.append(x[p - A_DEEP] if p <= A_HIGH else x[A_HIGH - A_DEEP] + 0.5 * trend[1] * float(np.log(p / 83.0)))
    return torch.stack(out)


@torch.no_grad()
def decoder(sd):
    """slt's decoder; what is new in the input counts for nothing yet."""
    louder = {k: v.clone() for k, v in sd.items()}
    codec.louder(louder, -GAIN)
    net = codec.make_decoder()
    own = net.state_dict()
    for k, v in louder.items():
        if own[k].shape != v.shape:
            own[k].zero_()
            own[k][:, :v.shape[1]] = v
        else:
            own[k].copy_(v)
    net.load_state_dict(own)
    return net.state_dict()


@torch.no_grad()
def coarse(sd, book, books):
    """book: slt's vectors of codebook 1."""
    net = N.Coarse(books)
    net.position.copy_(sd["position_embeds_layer.weight"][:N.POSITIONS])
    net.lnf.copy_(sd["layernorm_final.weight"])
    for i, b in enumerate(net.blocks):
        for n, w in layers(sd, i, ("ln1", "ln2", "qkv", "out", "up", "down")).items():
            getattr(b, n).copy_(w)
    table, head = sd["input_embeds_layer.weight"], sd["lm_head.weight"]
    f = old_factors()
    known = torch.arange(SEM) != B0 + (NSLOT - 1) * NP + 40
    where = f["phone"] * 4 + torch.where(f["kind"] == 2, f["third"], 3)
    x = solve(torch.cat([one(where, 4 * NP), one(torch.where(f["kind"] == 2, f["f0"], NF0), NF0 + 1)], 1)[known], table[:SEM][known])
    net.e_part.copy_(phones(x[:4 * NP].view(NP, 4, -1)).reshape(4 * T.NP, -1))
    net.e_f0.copy_(torch.cat([f0_blend() @ x[4 * NP:4 * NP + NF0], x[-1:]]))
    # envelopes: linear in the cepstra, and for the logits in their squares
    cep = book[:1024, :V.MGC] / SHARPENED
    basis = lambda c: torch.cat([torch.ones(len(c), 1), c, c * c], 1)
    ridge = lambda a, b: torch.linalg.solve(a.T @ a + 3 * torch.eye(a.shape[1]), a.T @ b)
    new = torch.from_numpy(books["books"][0, :, :V.MGC])
    net.e_env.copy_(basis(new) @ ridge(basis(cep), table[SEM:SEM + 1024]))
    net.o_env.copy_(basis(new) @ ridge(basis(cep), head[SEM:SEM + 1024]))
    rows = slice(SEM + CODES, SEM + 2 * CODES)
    a, phi = torch.from_numpy(CODE_A), torch.from_numpy(CODE_PHI)
    v, count = a > 0, A_HIGH - A_DEEP + 1
    parts = [one(torch.where(v, a - A_DEEP, count), count + 1), one(torch.where(v, phi, PHASES), PHASES + 1), one(torch.where(v, (phi + a) % PHASES, 0), PHASES)]
    x = solve(torch.cat(parts, 1), table[rows])
    e_a, e_phi, e_next = x.split((count + 1, PHASES + 1, PHASES))
    net.e_a.copy_(torch.cat([pitches(e_a[:-1]), e_a[-1:]]))
    net.e_phi.copy_(e_phi)
    net.e_next.copy_(e_next)
    net.e_special.copy_(table[SEM + 2 * CODES:SEM + 2 * CODES + 2])
    x = solve(torch.cat([one(a[v] - A_DEEP, count), one(phi[v], PHASES)], 1), head[rows][v])
    net.o_a.copy_(pitches(x[:count]))
    net.o_phi.copy_(x[count:])
    net.o_noise.copy_(head[rows][~v].mean(0, keepdim=True))
    return net.state_dict()


@torch.no_grad()
def semantic(sd, ids, pron, silent, share):
    net = semantic_net.Semantic(ids, pron, silent)
    for p in (net.rin, net.rout, net.rtext, net.rpos):
        p.zero_()
    table, head = sd["input_embeds_layer.weight"], sd["lm_head.weight"]
    f, blend = old_factors(), f0_blend()
    kind = one(f["kind"], 3)
    fin = torch.cat([one(f["phone"], NP), one(f["third"], 3), one(f["f0"], NF0), kind, one(f["w"], NW), one(f["slot"], NSLOT + 1)], 1)
    a, b, c, d = solve(fin, table[:SEM]).split((NP, 3, NF0, 3 + NW + NSLOT + 1))
    net.vin.copy_(torch.cat([phones(a), b, blend @ c, d]))
    fout = torch.cat([one(f["phone"], NP) * kind[:, i:i + 1] for i in range(3)] + [fin[:, NP:]], 1)
    x, y, z, a, b, c = solve(fout, head[:SEM]).split((NP, NP, NP, 3, NF0, 3 + NW + NSLOT + 1))
    net.vout.copy_(torch.cat([phones(x), phones(y), phones(z), a, blend @ b, c]))
    net.end_in.copy_(table[SEM])
    net.end_out.copy_(head[SEM])
    n_old = OLD_TEXT
    net.infer.copy_(table[ROWS + n_old + 1])
    # text rows: pronunciations and what they leave; a row that is far off had another pronunciation and follows the new one
    old = torch.cat([table[ROWS:ROWS + n_old], table[ROWS + n_old][None]])
    which = torch.cat([torch.arange(n_old), torch.tensor([len(net.pron) - 1])])
    which[:-1] = share[which[:-1]]
    has = torch.zeros(len(which), net.spell.shape[0] + 2)
    has.scatter_(1, net.pron[which], 1.0)
    has[:, -2:] = net.flags[which]
    fit = torch.ones(len(which), dtype=torch.bool)
    for _ in range(3):
        x = solve(has[fit], old[fit])
        left = old - has @ x
        far = left.norm(dim=1)
        fit = far < 3 * far.median()
        fit[-1] = True
    net.spell.copy_(x[:-2])
    net.vflag.copy_(x[-2:])
    net.rtext[which] = torch.where(fit[:, None], left, torch.zeros(()))
    print("text rows: %d of %d follow another pronunciation than slt's" % (int((~fit).sum()), len(fit)))
    position = sd["position_embeds_layer.weight"]
    n = len(position)
    net.vsin.copy_(solve(net.sin[T.MAX_TEXT:n], position[T.MAX_TEXT:]))
    net.vptr.copy_(position[:T.MAX_TEXT] - net.sin[:T.MAX_TEXT] @ net.vsin)
    net.rpos[T.MAX_TEXT:n] = position[T.MAX_TEXT:] - net.sin[T.MAX_TEXT:n] @ net.vsin
    net.lnf.copy_(sd["layernorm_final.weight"])
    for i, b in enumerate(net.layers):
        for name, w in layers(sd, i, ("ln1", "ln2", "att", "out", "up", "down")).items():
            getattr(b, name).copy_(w)
    return net.state_dict()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--model", default="voices/slt")
    p.add_argument("--only", choices=["codec", "coarse", "semantic"])
    a = p.parse_args()
    weights = load_file(os.path.join(a.model, "model.safetensors"))
    wanted = lambda what, name: a.only in (None, what) and not os.path.exists(os.path.join(a.work, name))
    if wanted("codec", "codec.pt"):
        torch.save(dict(net=decoder(part(weights, "codec_model.decoder.")), step=0, spent=0.0), os.path.join(a.work, "codec.pt"))
    if wanted("coarse", "coarse.pt"):
        net = coarse(part(weights, "coarse_acoustics."), weights["codec_model.quantizer.layers.0.codebook.embed"].float(), CT.load_books(a.work))
        torch.save(dict(net=net, step=0, spent=0.0), os.path.join(a.work, "coarse.pt"))
    if wanted("semantic", "semantic.ckpt"):
        ids = T.load_ids(a.work)
        pron = data.pronunciations(a.work)
        share = torch.from_numpy(np.append(np.load(os.path.join(a.work, "vocab", "rows.npy")), ids["text_vocab_size"]).astype(np.int64))
        state = semantic(part(weights, "semantic."), ids, *pron, share)
        torch.save(dict(net=state, ema=copy.deepcopy(state), step=0, seen=0, spent=0.0, pron=pron), os.path.join(a.work, "semantic.ckpt"))


if __name__ == "__main__":
    main()
