"""Makes the states of training again from an exported voice, for going on with it where no checkpoint was kept.

usage: states.py --work DIR [--model voices/slt]     reads W/corpus and W/codec; writes W/books.npz, coarse.pt, codec.pt, semantic.ckpt

Plain tables are split again into the parts that the networks train with (least squares; what is left goes to the free rows), so the
networks compute what was exported, to fp16 rounding. The optimisers begin anew."""
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


def part(weights, prefix):
    return {k[len(prefix):]: v.float() for k, v in weights.items() if k.startswith(prefix)}


def solve(a, b):
    """x of least norm with a @ x nearest to b."""
    return torch.linalg.lstsq(a.double(), b.double(), driver="gelsd").solution.float()


def layers(sd, i, names):
    """{training's name: weight} of layer i."""
    theirs = ("layernorm_1", "layernorm_2", "attn.att_proj", "attn.out_proj", "mlp.in_proj", "mlp.out_proj")
    return {n: sd["layers.%d.%s.weight" % (i, t)] for n, t in zip(names, theirs)}


@torch.no_grad()
def books(work, embed, sharpened):
    """books.npz, from the whitened vectors."""
    mean, std = CT.statistics(work)
    both = np.stack([e[:CT.CODES].numpy() for e in embed])
    CT.sharpen(both[0], 1 / sharpened)
    np.savez(os.path.join(work, "books.npz"), centroids=(both[0, :, :V.MGC] * std + mean).astype(np.float32), mean=mean, std=std, books=both)


@torch.no_grad()
def coarse(sd):
    net = N.Coarse()
    net.position.copy_(sd["position_embeds_layer.weight"][:N.POSITIONS])
    net.lnf.copy_(sd["layernorm_final.weight"])
    for i, b in enumerate(net.blocks):
        for n, w in layers(sd, i, ("ln1", "ln2", "qkv", "out", "up", "down")).items():
            getattr(b, n).copy_(w)
    one = torch.nn.functional.one_hot
    table, head = sd["input_embeds_layer.weight"], sd["lm_head.weight"]
    known = torch.arange(T.SEM) != N.PROMPT
    x = solve(torch.cat([one(net.part, 164), one(net.f0, 8)], 1)[known], table[:T.SEM][known])
    net.e_part.copy_(x[:164])
    net.e_f0.copy_(x[164:])
    net.e_env.copy_(table[T.SEM:T.SEM + N.CODES])
    rows = slice(T.SEM + N.CODES, T.SEM + 2 * N.CODES)
    x = solve(torch.cat([one(net.a, N.NA + 1), one(net.phi, V.PHASES + 1), one(net.next, V.PHASES)], 1), table[rows])
    for p, v in zip((net.e_a, net.e_phi, net.e_next), x.split((N.NA + 1, V.PHASES + 1, V.PHASES))):
        p.copy_(v)
    net.e_special.copy_(table[N.PAD:N.PAD + 2])
    net.o_env.copy_(head[T.SEM:T.SEM + N.CODES])
    v = net.voiced
    x = solve(torch.cat([one(net.a[v], N.NA), one(net.phi[v], V.PHASES)], 1), head[rows][v])
    net.o_a.copy_(x[:N.NA])
    net.o_phi.copy_(x[N.NA:])
    net.o_noise.copy_(head[rows][~v].mean(0, keepdim=True))
    report("coarse", [(net.tables()[:T.SEM][known], table[:T.SEM][known]), (net.head()[rows], head[rows])])
    return net


@torch.no_grad()
def semantic(sd, ids, pron, silent, share):
    net = semantic_net.Semantic(ids, pron, silent)
    for p in (net.rin, net.rout, net.rtext, net.rpos):
        p.zero_()
    table, head = sd["input_embeds_layer.weight"], sd["lm_head.weight"]
    net.vin.copy_(solve(net.fin, table[:T.SEM]))
    net.rin.copy_(table[:T.SEM] - net.fin @ net.vin)
    net.vout.copy_(solve(net.fout, head[:T.SEM]))
    net.rout.copy_(head[:T.SEM] - net.fout @ net.vout)
    net.end_in.copy_(table[T.END])
    net.end_out.copy_(head[T.END])
    net.infer.copy_(table[ids["semantic_infer_token"]])
    # the preset's token was given the end token's row
    net.rin[N.PROMPT] = 0
    text = table[T.SEM_ROWS:T.SEM_ROWS + len(share)]
    has = torch.zeros(len(share), net.spell.shape[0] + 2)
    has.scatter_(1, net.pron, 1.0)
    has[:, -2:] = net.flags
    x = solve(has, text)
    net.spell.copy_(x[:-2])
    net.vflag.copy_(x[-2:])
    net.rtext.copy_(text - has @ x)
    position = sd["position_embeds_layer.weight"]
    n = len(position)
    net.vsin.copy_(solve(net.sin[T.MAX_TEXT:n], position[T.MAX_TEXT:]))
    net.vptr.copy_(position[:T.MAX_TEXT] - net.sin[:T.MAX_TEXT] @ net.vsin)
    net.rpos[T.MAX_TEXT:n] = position[T.MAX_TEXT:] - net.sin[T.MAX_TEXT:n] @ net.vsin
    net.lnf.copy_(sd["layernorm_final.weight"])
    for i, b in enumerate(net.layers):
        for name, w in layers(sd, i, ("ln1", "ln2", "att", "out", "up", "down")).items():
            getattr(b, name).copy_(w)
    report("semantic", [(net.export()["input_embeds_layer.weight"][T.SEM_ROWS:T.SEM_ROWS + len(share)], text), (net.head(), head[:T.SEM + 1]),
                        (net.positions(n), position)])
    return net


def report(name, pairs):
    print("%s: tables are off by at most %s" % (name, ", ".join("%.1e" % (a - b).abs().max() for a, b in pairs)), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--model", default="voices/slt")
    p.add_argument("--gain", type=float, default=0.5, help="what export.py was given")
    p.add_argument("--sharpen", type=float, default=1.2, help="the same")
    a = p.parse_args()
    at = lambda name: os.path.join(a.work, name)
    weights = load_file(os.path.join(a.model, "model.safetensors"))
    books(a.work, [weights["codec_model.quantizer.layers.%d.codebook.embed" % i].float() for i in range(2)], a.sharpen)
    torch.save(dict(net=coarse(part(weights, "coarse_acoustics.")).state_dict(), step=0, spent=0.0), at("coarse.pt"))
    decoder = part(weights, "codec_model.decoder.")
    codec.louder(decoder, -a.gain)
    torch.save(dict(net=decoder, step=0, spent=0.0), at("codec.pt"))
    ids = T.load_ids(a.work)
    pron = data.pronunciations(a.work)
    share = np.append(np.load(os.path.join(a.work, "vocab", "rows.npy")), ids["text_vocab_size"])
    state = semantic(part(weights, "semantic."), ids, *pron, share).state_dict()
    torch.save(dict(net=state, ema=copy.deepcopy(state), step=0, seen=0, spent=0.0, pron=pron), at("semantic.ckpt"))


if __name__ == "__main__":
    main()
