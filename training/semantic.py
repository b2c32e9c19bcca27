"""Trains the semantic GPT (text -> semantic tokens). Writes, in the work folder: semantic.ckpt (to resume: start it again),
semantic_ema.pt (averaged weights, every few minutes) and semantic_final.pt, both with transformers' names and plain tables.

The learning rate falls linearly to zero at --until HH:MM (UTC) or after --minutes, measured by the clock."""
import argparse
import copy
import datetime
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

import data
import tokens as T
from semantic_net import Semantic, init_program

AB = T.C0                                        # tokens below are kinds A and B


def losses(logits, tgt):
    """(cross-entropy of all tokens, cross-entropy of A/B tokens given that the next is one, and counts by kind)."""
    lg, t = logits.flatten(0, 1), tgt.flatten()
    keep = t >= 0
    lg, t = lg[keep], t[keep]
    ce = torch.logsumexp(lg, 1) - lg.gather(1, t[:, None])[:, 0]
    ab = t < AB
    # which phone comes next, apart from when it comes
    cond = torch.logsumexp(lg[ab][:, :AB], 1) - lg[ab].gather(1, t[ab, None])[:, 0]
    return ce, cond, t


def report(ce, cond, t):
    """Mean losses: all, kind A, kind B, kind C, end; then A and B given that a new phone begins."""
    m = lambda x: float(x.mean()) if len(x) else 0.0
    a, b, c, e = t < T.B0, (t >= T.B0) & (t < AB), (t >= AB) & (t < T.END), t == T.END
    ab = t[t < AB]
    return [m(ce), m(ce[a]), m(ce[b]), m(ce[c]), m(ce[e]), m(cond[ab < T.B0]), m(cond[ab >= T.B0])]


NAMES = "all %.3f  A %.3f B %.3f C %.3f end %.3f | A|new %.3f B|new %.3f"


@torch.no_grad()
def validate(model, held, pad, n=60):
    acc = []
    for i in range(0, min(n, len(held)), 12):
        text, sem, tgt = (torch.from_numpy(x) for x in data.collate(held[i:i + 12], pad))
        acc.append(losses(model(text, sem), tgt))
    return report(*(torch.cat(x) for x in zip(*acc)))


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--work", default="training/work")
    ap.add_argument("--until", help="HH:MM (UTC) at which the learning rate reaches zero")
    ap.add_argument("--minutes", type=float, help="instead of --until")
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--positions", type=int, default=1400, help="positions in a batch")
    ap.add_argument("--weight-new", type=float, default=1.0, help="extra weight of the choice of the next phone")
    ap.add_argument("--narrow", type=float, default=0.5, help="part of the time in which most of the text padding is left out")
    ap.add_argument("--linger", type=float, default=0.35, help="part of the utterances in which phones are held too long (data.linger)")
    ap.add_argument("--bf16", action="store_true", help="multiply in bfloat16: twice as fast where the CPU has AVX-512 BF16 or AMX, slower elsewhere")
    ap.add_argument("--max-steps", type=int, default=10 ** 9)
    ap.add_argument("--every", type=float, default=180, help="seconds between checkpoints")
    ap.add_argument("--fresh", action="store_true", help="ignore an existing checkpoint")
    ap.add_argument("--name", default="semantic")
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    start = time.time()
    if args.until:
        now = datetime.datetime.now(datetime.timezone.utc)
        h, m = map(int, args.until.split(":"))
        end = now.replace(hour=h, minute=m, second=0)
        end += datetime.timedelta(days=end < now)
        seconds = (end - now).total_seconds()
    else:
        seconds = (args.minutes or 60) * 60

    at = lambda s: os.path.join(args.work, args.name + s)
    ckpt = None if args.fresh or not os.path.exists(at(".ckpt")) else torch.load(at(".ckpt"), weights_only=False)
    ids = T.load_ids(args.work)
    pad = ids["text_vocab_size"]
    # the table of pronunciations must not change when the corpus grows
    pron, silent = ckpt["pron"] if ckpt else data.pronunciations(args.work)
    net = Semantic(ids, pron, silent, args.seed)
    share = torch.from_numpy(np.append(np.load(os.path.join(args.work, "vocab", "rows.npy")), pad).astype(np.int64))
    pool = data.Pool(args.work, args.seed + (ckpt["step"] if ckpt else 0))
    held = [u for s in data.shards(args.work)[:6] for u in data.utterances(s, True)]
    print("%d training utterances, %d held out, %.2f M trained numbers" % (
        len(pool.items), len(held), sum(p.numel() for p in net.parameters()) / 1e6), flush=True)
    # what starts with a meaning must move slowly, or Adam's steps blur it before its gradients have a direction
    rate = {"rin": 0.1, "rout": 0.1, "rpos": 0.1, "rtext": 0.4}
    groups = {}
    for n, p in net.named_parameters():
        r = rate.get(n, 1.0 if n.startswith(("layers.2", "layers.3")) else 0.3)
        groups.setdefault(r, []).append(p)
    opt = torch.optim.AdamW([{"params": p, "lr": args.lr, "scale": r} for r, p in groups.items()], betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    step = seen = 0
    spent = 0.0
    if ckpt:
        net.load_state_dict(ckpt["net"])
        if "opt" in ckpt:
            opt.load_state_dict(ckpt["opt"])
        step, seen, spent = ckpt["step"], ckpt["seen"], ckpt["spent"]
    else:
        text, sem, _ = (torch.from_numpy(x) for x in data.collate(pool.items[:16], pad))
        init_program(net, share[text], sem)
        print("start: " + NAMES % tuple(validate(net, share_text(held, share), pad)), flush=True)
    net.bf16 = args.bf16
    ema = copy.deepcopy(net)
    if ckpt:
        ema.load_state_dict(ckpt["ema"])
    held = share_text(held, share)
    total = spent + seconds

    def save(final=False):
        torch.save(dict(net=net.state_dict(), ema=ema.state_dict(), opt=opt.state_dict(), step=step, seen=seen,
                        spent=spent + time.time() - start, pron=(pron, silent)), at(".ckpt.tmp"))
        os.replace(at(".ckpt.tmp"), at(".ckpt"))
        torch.save(export(ema, share), at("_ema.tmp"))
        os.replace(at("_ema.tmp"), at("_final.pt" if final else "_ema.pt"))

    last = logged = time.time()
    run, todo = [], []
    while True:
        t = spent + time.time() - start
        if t >= total or step >= args.max_steps:
            break
        if not todo:
            todo = pool.batches(args.positions)
        batch = [data.linger(b, pool.rng) if pool.rng.random() < args.linger else b for b in todo.pop()]
        text, sem, tgt = (torch.from_numpy(x) for x in data.collate(batch, pad))
        if t < args.narrow * total:
            text = text[:, :min(T.MAX_TEXT, max(len(b[0]) for b in batch) + 3)]
        lr = args.lr * min(1.0, (step + 1) / 40) * max(0.01, min(1.0, 1.15 * (1 - t / total)))
        for g in opt.param_groups:
            g["lr"] = lr * g["scale"]
        ce, cond, tt = losses(net(share[text], sem), tgt)
        loss = ce.mean() + args.weight_new * cond.sum() / len(ce)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 20.0)
        opt.step()
        step += 1
        seen += len(batch)
        decay = min(0.995, 1 - 1 / (1 + step / 4))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(net.parameters()), 1 - decay)
        run.append(report(ce.detach(), cond.detach(), tt))
        if not math.isfinite(loss.item()):
            raise SystemExit("the loss is not finite")
        if step % 20 == 0:
            print("step %d  %d utterances  %.1f min (cpu %.1f)  lr %.2e  |g| %.2f  %s" % (step, seen, (spent + time.time() - start) / 60, time.process_time() / 60, lr, norm,
                                                                           NAMES % tuple(np.mean(run, 0))), flush=True)
            run = []
        if time.time() - last > args.every:
            save()
            last = time.time()
        if time.time() - logged > 300:
            print("valid (averaged weights): " + NAMES % tuple(validate(ema, held, pad)), flush=True)
            logged = time.time()
    print("final: " + NAMES % tuple(validate(ema, held, pad, 10 ** 9)), flush=True)
    save(True)


def share_text(items, share):
    """Utterances whose Capitalised ids are replaced by the ids whose rows they share."""
    s = share.numpy()
    return [(s[i[0]],) + tuple(i[1:]) for i in items]


def export(net, share):
    """Plain tables; a Capitalised form gets the row of its lower-case word."""
    sd = net.export()
    o = T.SEM_ROWS
    sd["input_embeds_layer.weight"][o:o + len(share)] = sd["input_embeds_layer.weight"][o:o + len(share)][share]
    return sd


if __name__ == "__main__":
    main()
