"""Assembles the exported voice: a transformers BarkModel directory of fp16 weights, and a preset for each speaker (OUT/voices).

usage: export.py --work DIR --out DIR [--semantic FILE]     reads W/{ids.json,vocab,books.npz,coarse.pt,codec.pt} and the semantic state"""
import argparse
import json
import os
import shutil

import numpy as np
import torch
from safetensors.torch import save_file

import codec
import codec_tokens as CT
import coarse_net as N
import fine
import tokens
import vocoder as V

BLOCK = 176              # positions of the coarse network, a multiple of 16 above its 169
SEMANTIC_BLOCK = 592     # of the semantic network: 64 of text, 1, and the longest utterance


def coarse_state(net):
    """State dict of transformers' BarkCoarseModel."""
    g = torch.Generator().manual_seed(2)
    tiny = lambda x: torch.where(x.abs().sum(1, keepdim=True) == 0, 0.01 * torch.randn(x.shape, generator=g), x)   # unused rows, as in fine.py
    position = torch.zeros(BLOCK, N.HIDDEN)
    position[:N.POSITIONS] = net.position
    sd = {"input_embeds_layer.weight": tiny(net.tables()), "position_embeds_layer.weight": tiny(position),
          "layernorm_final.weight": net.lnf, "lm_head.weight": tiny(net.head())}
    for i, b in enumerate(net.blocks):
        p = "layers.%d." % i
        sd.update({p + "layernorm_1.weight": b.ln1, p + "layernorm_2.weight": b.ln2, p + "attn.att_proj.weight": b.qkv,
                   p + "attn.out_proj.weight": b.out, p + "mlp.in_proj.weight": b.up, p + "mlp.out_proj.weight": b.down})
    return sd


def presets(work, books, out):
    """OUT/voices/NAME.npz: HISTORY codes of the pause of each other speaker. Their semantic tokens are N.PROMPT, which to the semantic network
    is the same as no history; the coarse network goes on with who paused."""
    os.makedirs(out, exist_ok=True)
    rng = np.random.default_rng(5)
    n = N.HISTORY // 2
    for who in list(CT.SPEAKERS)[1:]:        # the first is who speaks without a preset
        path = next(iter(CT.shards(work, who)), None)
        if path is None:
            continue
        with np.load(path) as z:
            codes, at = CT.codes_of(z, books, who, rng), z["at"]
        pause = codes[:, at[:-1][np.diff(at) > 3]]           # the first frames of its utterances
        fine_codes = pause[:, rng.integers(0, pause.shape[1], n)]
        fine_codes[1] = rng.choice(V.NOISE, n)
        np.savez(os.path.join(out, who + ".npz"), semantic_prompt=np.full(N.HISTORY // 3, N.PROMPT), coarse_prompt=fine_codes[:2], fine_prompt=fine_codes)


def gpt(kind, ids, **more):
    return dict(model_type=kind, dropout=0.0, bias=False, initializer_range=0.02, use_cache=True, **more)


def configs(ids, semantic_t, semantic_p, coarse_t, fine_t):
    """config.json and generation_config.json."""
    model = dict(
        architectures=["BarkModel"], model_type="bark", initializer_range=0.02, torch_dtype="float16",
        semantic_config=gpt("semantic", ids, **{k: ids[k] for k in ("block_size", "input_vocab_size", "output_vocab_size", "num_layers", "num_heads", "hidden_size")}),
        coarse_acoustics_config=gpt("coarse_acoustics", ids, block_size=BLOCK, input_vocab_size=N.ROWS, output_vocab_size=N.ROWS,
                                    num_layers=N.LAYERS, num_heads=N.HEADS, hidden_size=N.HIDDEN),
        fine_acoustics_config=fine.config(), codec_config=codec.config())
    end = ids["eos_token_id"]
    generation = dict(
        model_type="bark", sample_rate=24000, codebook_size=CT.CODES,
        # trained with pauses for histories: barkd must not carry a segment over
        barkd_carry_voice=False,
        # trained on words: barkd writes numbers and the like out first
        barkd_spoken_text=True,
        # LUFS, as --gain has the mean: barkd brings each sentence to it
        barkd_loudness=-23,
        semantic_config=dict(eos_token_id=end, pad_token_id=end, renormalize_logits=True, max_new_tokens=min(tokens.MAX_SEM, ids["block_size"] - 65),
                             do_sample=True, temperature=semantic_t, top_p=semantic_p, text_encoding_offset=ids["text_encoding_offset"], text_pad_token=ids["text_pad_token"],
                             semantic_infer_token=ids["semantic_infer_token"], semantic_vocab_size=ids["semantic_vocab_size"],
                             semantic_pad_token=ids["semantic_pad_token"], max_input_semantic_length=ids["max_input_semantic_length"],
                             semantic_rate_hz=50.0, min_eos_p=0.2),
        coarse_acoustics_config=dict(renormalize_logits=True, do_sample=True, temperature=coarse_t, coarse_semantic_pad_token=N.PAD, coarse_rate_hz=75,
                                     n_coarse_codebooks=2, coarse_infer_token=N.INFER, max_coarse_input_length=N.N_SEM,
                                     max_coarse_history=N.HISTORY, sliding_window_len=N.NEW),
        fine_acoustics_config=dict(temperature=fine_t, max_fine_history_length=512, max_fine_input_length=1024, n_fine_codebooks=fine.BOOKS))
    return model, generation


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--out", required=True)
    p.add_argument("--semantic", nargs="+", help="state of semantic.py; default the newest of W/semantic_final.pt, W/semantic_ema.pt; of several the mean")
    p.add_argument("--semantic-temperature", type=float, default=0.7)
    p.add_argument("--semantic-top-p", type=float, default=0.85)
    p.add_argument("--coarse-temperature", type=float, default=0.7)
    p.add_argument("--fine-temperature", type=float, default=0.5)
    p.add_argument("--no-fine", action="store_true", help="codebooks 3 and 4 say nothing and the mean: to hear what they are worth")
    p.add_argument("--sharpen", type=float, default=1.0, help="by how much formants stand out more than in the codes' means (codec_tokens.sharpen)")
    p.add_argument("--gain", type=float, default=0.0, help="dB that bring the mean of sentences to -23 LUFS (sound.py)")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    ids = dict(tokens.load_ids(a.work), block_size=SEMANTIC_BLOCK)
    found = [f for f in (os.path.join(a.work, n) for n in ("semantic_final.pt", "semantic_ema.pt")) if os.path.exists(f)]
    paths = a.semantic or [max(found, key=os.path.getmtime)]
    states = [torch.load(path) for path in paths]
    semantic = {k: torch.stack([s[k].float() for s in states]).mean(0) for k in states[0]}
    books = CT.load_books(a.work)
    net = N.Coarse()
    net.load_state_dict(torch.load(os.path.join(a.work, "coarse.pt"))["net"])
    decoder = torch.load(os.path.join(a.work, "codec.pt"))["net"]
    codec.louder(decoder, a.gain)
    refine = fine.Fine(books)
    if os.path.exists(os.path.join(a.work, "fine.pt")):
        refine.load_state_dict(torch.load(os.path.join(a.work, "fine.pt"))["net"])
    parts = [("semantic.", semantic), ("fine_acoustics.", refine.export()),
             ("codec_model.decoder.", decoder)]
    with torch.no_grad():
        parts.append(("coarse_acoustics.", coarse_state(net)))
    sd = {prefix + k: v for prefix, part in parts for k, v in part.items()}
    for i in range(fine.BOOKS):
        book = torch.from_numpy(books["books"][i].copy())
        if i == 0:
            CT.sharpen(book, a.sharpen)
        if a.no_fine and i > 1:
            book[:] = 0
            book[:, CT.SHARE] = float(i == 3) * torch.from_numpy(books["shapes"] + 1.0).mean(0)
        sd["codec_model.quantizer.layers.%d.codebook.embed" % i] = book
    position = "semantic.position_embeds_layer.weight"
    sd[position] = sd[position][:SEMANTIC_BLOCK]
    rows = sd["semantic.input_embeds_layer.weight"]
    rows[N.PROMPT] = rows[tokens.END]
    sd = {k: v.detach().half().contiguous() for k, v in sd.items()}
    save_file(sd, os.path.join(a.out, "model.safetensors"), metadata={"format": "pt"})
    os.chmod(os.path.join(a.out, "model.safetensors"), 0o644)
    model, generation = configs(ids, a.semantic_temperature, a.semantic_top_p, a.coarse_temperature, a.fine_temperature)
    for name, value in (("config.json", model), ("generation_config.json", generation)):
        with open(os.path.join(a.out, name), "w", encoding="ascii") as f:
            json.dump(value, f, indent=1)
            f.write("\n")
    for name in ("vocab.txt", "tokenizer_config.json"):
        shutil.copyfile(os.path.join(a.work, "vocab", name), os.path.join(a.out, name))
    presets(a.work, books, os.path.join(a.out, "voices"))
    size = os.path.getsize(os.path.join(a.out, "model.safetensors"))
    print("%s: %.2f MB, semantic from %s" % (a.out, size / 1e6, ", ".join(map(os.path.basename, paths))), flush=True)


if __name__ == "__main__":
    main()
