#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/parity/fixtures: what transformers computes, greedily.

Usage: make_fixtures.py [DIR]. Run with transformers 4.57 and torch; the
result is committed, so that `make check` needs neither.
"""
import json
import os
import sys

import numpy as np
import torch

import models

# max: --max-semantic with --no-eos; None: until the end token or min_eos_p.
CASES = {
    "small": [
        dict(name="plain", text="Hello world, speak.", voice=None, max=24),
        dict(name="ends", text="The light goes out.", voice=None, max=None),
        dict(name="few", text="Hm.", voice=None, max=3),
        dict(name="short-voice", text="A short voice speaks now!",
             voice="short", max=30),
        dict(name="long-voice", text="Zebra [laughs] and more \u00e9\u4e2d",
             voice="long", max=60),
        dict(name="long-text", voice=None, max=24,
             text="This text has more pieces than the window and is cut off"),
    ],
    "windows": [
        dict(name="plain", text="Hello there; the words are few.", voice=None,
             max=120),
        dict(name="ends", text="Now it ends.", voice="full",
             max=None),
        dict(name="voice", text="MAN: The voice goes on.",
             voice="full", max=260),
        dict(name="long", text="One long breath.",
             voice=None, max=740),
        dict(name="long-voice", text="Long [laughs] and loud.", voice="full",
             max=500),
    ],
}

# semantic tokens, dtype, Fortran-ordered coarse, compressed
VOICES = {
    "small": {"short": (21, np.int64, True, False),
              "long": (71, np.uint16, True, True)},
    "windows": {"full": (401, np.int32, True, True)},
}


def make_voice(model_name, name):
    spec = models.MODELS[model_name]
    n, dtype, fortran, _ = VOICES[model_name][name]
    frames = int(round(n * 75 / 49.9))
    rng = np.random.default_rng(spec["seed"] * 1000 + n)
    fine = rng.integers(0, spec["codes"], (8, frames)).astype(dtype)
    coarse = fine[:2].copy()
    return {
        "semantic_prompt": rng.integers(0, spec["semantic"], n).astype(dtype),
        "coarse_prompt": np.asfortranarray(coarse) if fortran else coarse,
        "fine_prompt": fine,
    }


def save_voices(model_name, path):
    """Each voice twice: suno's .npz and transformers' three .npy."""
    os.makedirs(path, exist_ok=True)
    for name, (_, _, _, compressed) in VOICES[model_name].items():
        voice = make_voice(model_name, name)
        write = np.savez_compressed if compressed else np.savez
        write(os.path.join(path, name + ".npz"), **voice)
        for key, value in voice.items():
            np.save(os.path.join(path, f"{name}_{key}.npy"), value)


class Logits:
    """Keeps what heads put out: each call's last row, or all its rows."""

    def __init__(self, heads, every_row=False):
        self.rows = []
        self.every_row = every_row
        self.hooks = [h.register_forward_hook(self.keep) for h in heads]

    def keep(self, _module, _args, output):
        logits = output[0] if self.every_row else output[0, -1]
        self.rows.append(logits.numpy().copy())

    def close(self):
        for hook in self.hooks:
            hook.remove()


def margin(rows, begin, end):
    """The least gap between the two largest logits, over the spread."""
    worst = np.inf
    for row in rows:
        part = np.sort(row[..., begin:end], axis=-1)
        gap = (part[..., -1] - part[..., -2]) / part.std()
        worst = min(worst, float(gap.min()))
    return worst


def generate(model, ids, mask, voice, max_new):
    g = model.generation_config
    sub = [g.semantic_config, g.coarse_acoustics_config,
           g.fine_acoustics_config]
    history = None
    if voice is not None:
        history = {k: torch.from_numpy(np.ascontiguousarray(v).astype(np.int64))
                   for k, v in voice.items()}
    kwargs = {}
    if max_new is not None:
        # as suno's allow_early_stop=False: the end token is no choice
        kwargs = dict(max_new_tokens=max_new, min_new_tokens=max_new,
                      min_eos_p=None)
    taps = [Logits([model.semantic.lm_head]),
            Logits([model.coarse_acoustics.lm_head]),
            Logits(model.fine_acoustics.lm_heads, True)]
    with torch.no_grad():
        semantic = model.semantic.generate(
            ids, attention_mask=mask, history_prompt=history,
            semantic_generation_config=sub[0], do_sample=False, **kwargs)
        ended = semantic[semantic != sub[0].eos_token_id][None]
        coarse = model.coarse_acoustics.generate(
            semantic.clone(), semantic_generation_config=sub[0],
            coarse_generation_config=sub[1], codebook_size=g.codebook_size,
            history_prompt=history, do_sample=False)
        fine = model.fine_acoustics.generate(
            coarse.clone(), semantic_generation_config=sub[0],
            coarse_generation_config=sub[1], fine_generation_config=sub[2],
            codebook_size=g.codebook_size, history_prompt=history,
            temperature=1.0)
        audio = model.codec_decode(fine)
    for tap in taps:
        tap.close()
    codes = coarse[0].numpy().reshape(-1, 2).T - sub[0].semantic_vocab_size
    codes[1] -= g.codebook_size
    assert codes.min() >= 0 and codes.max() < g.codebook_size
    return dict(semantic=ended[0].numpy(), coarse=codes, fine=fine[0].numpy(),
                audio=audio[0].numpy()), [tap.rows for tap in taps]


def save_logits(path, rows):
    """The first step's and the last one's, named by the step's number; for
    the fine network by window, codebook and row: first, middle and last."""
    for stage, kept in zip(("semantic", "coarse"), rows):
        for step in sorted({0, len(kept) // 2, len(kept) - 1}):
            np.save(f"{path}/logits_{stage}_{step}.npy", kept[step])
    n = rows[2][0].shape[0]
    windows = len(rows[2]) // 6
    for window in sorted({0, windows - 1}):
        for book in (2, 7):
            kept = rows[2][window * 6 + book - 2]
            for row in (n // 2, n - 1):
                np.save(f"{path}/logits_fine_{window}_{book}_{row}.npy",
                        kept[row])


def run_case(model, model_name, case, path, model_path):
    spec = models.MODELS[model_name]
    ids = models.tokenizer(model_path).encode(case["text"],
                                              add_special_tokens=False)
    ids = ids[:spec["max_input"]]
    padded = torch.zeros(1, spec["max_input"], dtype=torch.long)
    padded[0, :len(ids)] = torch.tensor(ids)
    mask = (torch.arange(spec["max_input"]) < len(ids)).long()[None]
    voice = make_voice(model_name, case["voice"]) if case["voice"] else None
    result, rows = generate(model, padded, mask, voice, case["max"])
    result["text_ids"] = np.array(ids)
    os.makedirs(path, exist_ok=True)
    for key, value in result.items():
        kind = np.float32 if key == "audio" else np.int32
        np.save(f"{path}/{key}.npy", np.ascontiguousarray(value.astype(kind)))
    save_logits(path, rows)
    with open(f"{path}/case.json", "w") as f:
        json.dump(case, f, indent=1, sort_keys=True)
        f.write("\n")
    s, c = spec["semantic"], spec["codes"]
    end = s if case["max"] is not None else s + 1
    gaps = [margin(rows[0], 0, end),
            min(margin(rows[1][0::2], s, s + c),
                margin(rows[1][1::2], s + c, s + 2 * c)),
            margin(rows[2], 0, c)]
    a = result["audio"]
    if case["max"] is None:
        last = torch.from_numpy(rows[0][-1][:s + 1]).softmax(0)
        print(f"  last p(end) {last[s]:.3f}, largest {last.max():.3f}",
              file=sys.stderr)
    print(f"{model_name}/{case['name']}: {len(result['semantic'])} semantic, "
          f"{result['coarse'].shape[1]} frames, distinct "
          f"{len(np.unique(result['semantic']))} "
          f"{[len(np.unique(x)) for x in result['fine']]}, audio rms "
          f"{np.sqrt((a ** 2).mean()):.3f} peak {abs(a).max():.3f}, margins "
          + " ".join(f"{x:.1e}" for x in gaps), file=sys.stderr)


def make(path):
    torch.set_num_threads(1)
    for name, cases in CASES.items():
        model = models.build(name)
        at = os.path.join(path, name)
        models.save(model, name, os.path.join(at, "model"))
        save_voices(name, os.path.join(at, "voices"))
        for case in cases:
            run_case(model, name, case, os.path.join(at, case["name"]),
                     os.path.join(at, "model"))


if __name__ == "__main__":
    make(sys.argv[1] if len(sys.argv) > 1 else
         os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures"))
