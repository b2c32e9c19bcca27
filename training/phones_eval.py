"""Phone error rate of an exported semantic network on validation utterances, by transformers' own BarkSemanticModel.generate.

The reference is the teacher's phones. Pauses are not counted. An error is charged to the piece that owns the reference phone:
a whole word of the vocabulary, or a word that falls into pieces and letters."""
import argparse
import os

import numpy as np
import torch

import data
import evaluate as E
import texts
import tokens as T


def load(ids, path):
    """A BarkSemanticModel with the weights of an exported file, and its generation configuration."""
    from transformers import BarkSemanticConfig, BarkSemanticModel
    from transformers.models.bark.generation_configuration_bark import BarkSemanticGenerationConfig
    from transformers.modeling_utils import no_init_weights
    cfg = BarkSemanticConfig(block_size=ids["block_size"], input_vocab_size=ids["input_vocab_size"], output_vocab_size=ids["output_vocab_size"],
                             num_layers=ids["num_layers"], num_heads=ids["num_heads"], hidden_size=ids["hidden_size"], dropout=0.0, bias=False)
    with no_init_weights():                      # their initialisation expects biases
        model = BarkSemanticModel(cfg).eval()
    miss = model.load_state_dict(torch.load(path, weights_only=True), strict=False)
    if miss.unexpected_keys or [k for k in miss.missing_keys if not k.endswith("attn.bias")]:
        raise SystemExit("the file does not fit: %s" % (miss,))
    gen = dict(do_sample=True, renormalize_logits=True, max_new_tokens=500, min_eos_p=0.2)
    gen.update({k: ids[k] for k in ("eos_token_id", "text_encoding_offset", "text_pad_token", "semantic_infer_token", "semantic_vocab_size",
                                    "semantic_pad_token", "max_input_semantic_length", "semantic_rate_hz")})
    return model, lambda **kw: BarkSemanticGenerationConfig(**{**gen, **kw})


def speak(model, config, batch, ids):
    """Generated tokens of each utterance of a batch."""
    text = np.zeros((len(batch), T.MAX_TEXT), np.int64)
    mask = np.zeros_like(text)
    for i, b in enumerate(batch):
        text[i, :len(b[0])] = b[0]
        mask[i, :len(b[0])] = 1
    with torch.no_grad():
        out = model.generate(torch.from_numpy(text), attention_mask=torch.from_numpy(mask), semantic_generation_config=config)
    res = []
    for row in out.numpy():
        end = np.nonzero(row == T.END)[0]
        res.append(row[:end[0]] if len(end) else row)
    return res


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--work", default="training/work")
    ap.add_argument("--model", default="semantic_ema.pt")
    ap.add_argument("--count", type=int, default=100)
    ap.add_argument("--batch", type=int, default=25)
    ap.add_argument("--temperatures", default="0.7,0.85", help="0 = greedy; low ones hold phones too long")
    ap.add_argument("--top-p", type=float, default=0.85)
    ap.add_argument("--show", type=int, default=3, help="utterances with errors to print")
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    torch.set_num_threads(1)
    ids = T.load_ids(args.work)
    model, config = load(ids, os.path.join(args.work, args.model))
    rows = open(os.path.join(args.work, "vocab", "vocab.txt"), encoding="ascii").read().split("\n")[:-1]
    held = [u for s in data.shards(args.work) for u in data.utterances(s, True)]
    held = [held[i] for i in np.random.default_rng(args.seed).permutation(len(held))[:args.count]]
    held.sort(key=lambda u: len(u[1]))
    for temp in map(float, args.temperatures.split(",")):
        torch.manual_seed(args.seed)
        cfg = config(temperature=temp, top_p=args.top_p) if temp else config(do_sample=False, temperature=1.0)
        got = []
        for i in range(0, len(held), args.batch):
            got += speak(model, cfg, held[i:i + args.batch], ids)
        tally, kinds, shown, ratio = np.zeros((2, 2), int), np.zeros((len(texts.KINDS), 2), int), 0, []
        for (pieces, sem, kind, text), hyp in zip(held, got):
            w, ref, own = -1, [], []
            for t in sem:                        # the piece of every reference phone; utterances are followed past 32 pieces
                if t < T.B0:
                    p = int(t) // T.NP
                    w += (p - w) % T.NW or T.NW
                if t < T.C0 and t % T.NP != T.PAU:
                    ref.append(T.PHONES[t % T.NP])
                    own.append(w)
            said = [p for p, _ in T.decode_phones(hyp) if p != "pau"]
            err = E.charge(ref, said)
            split = [rows[p].startswith("##") or (i + 1 < len(pieces) and rows[pieces[i + 1]].startswith("##")) for i, p in enumerate(pieces)]
            for o, e in zip(own, err):
                tally[int(split[o])] += (e, 1)
            kinds[kind] += (err.sum(), len(ref))
            ratio.append(len(hyp) / len(sem))
            if err.sum() and shown < args.show:
                shown += 1
                print("  %s\n    teacher %s\n    model   %s" % (text, " ".join(ref), " ".join(said)))
        pc = lambda x: "%.1f %% of %d" % (100 * x[0] / max(1, x[1]), x[1])
        print("temperature %.1f: phone errors %s; whole words %s, in pieces %s; length %.2f of the teacher's" % (
            temp, pc(tally.sum(0)), pc(tally[0]), pc(tally[1]), np.mean(ratio)))
        print("   " + ", ".join("%s %s" % (k, pc(x)) for k, x in zip(texts.KINDS, kinds) if x[1]), flush=True)


if __name__ == "__main__":
    main()
