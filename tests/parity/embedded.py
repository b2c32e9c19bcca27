#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The embedded voice in transformers' BarkModel and in barkd: greedy tokens.

Usage: embedded.py BARKCTL       compares with the committed tokens
       embedded.py --make        writes them, with transformers and torch

Trained weights are a harder test than random ones: what they decide depends
on all of the text. Prints lines as tests/tap.h does.
"""
import json
import os
import sys
import tempfile

import npy
import run

HERE = os.path.dirname(os.path.abspath(__file__))
VOICE = os.path.join(HERE, "../../voices/slt")
TOKENS = os.path.join(HERE, "embedded.json")
STAGES = ("text_ids", "semantic", "coarse")
# What decides a token must be above rounding: of the logits' spread.
MARGIN = 1e-5
# Codes of the second book that are noise: all have the same weights.
NOISE = set(range(896, 1024)) | set(range(1668, 1680))
# Presets take turns; "none" is the voice that speaks without one.
VOICES = ("none", "rms", "awb")
SENTENCES = """The boat came back before the storm.
Please close the window, it is cold in here.
My sister plays the piano every evening.
Nobody knew where the keys were.
Is there any milk left in the kitchen?
The teacher wrote two words on the wall.
Open the file and press enter.
We waited for the bus in the rain.
Your message was sent.
Good morning, how are you today?
The black cat sleeps on the chair.
He ran to the station without his coat.
Turn the radio down, please.
There are seven new messages from Anna.
The old bridge is closed until Monday.
Can you hear me now?
She bought bread, cheese and apples.
The screen is locked.
I don't think it will work.
The light in the garden is still on.
The shop opens at nine.""".split("\n")


def read_tokens():
    with open(TOKENS, encoding="ascii") as f:
        return json.load(f)


def fold(coarse):
    """Codes of both books, one after the other; noise is noise."""
    half = len(coarse) // 2
    return coarse[:half] + [min(NOISE) if c in NOISE else c
                            for c in coarse[half:]]


def pitch_rows(rows, begin, size):
    """Logits of the second book, noise as one column."""
    import numpy as np

    noise = sorted(NOISE)
    voiced = [i for i in range(size) if i not in NOISE]
    for row in rows:
        part = row[..., begin:begin + size]
        yield np.concatenate([part[..., voiced],
                              part[..., noise].max(-1, keepdims=True)], -1)


def compute(progress=None):
    """{sentence: {stage: tokens}} by transformers; too close ones left out."""
    import numpy as np
    import torch
    import transformers

    from transformers.models.bark import generation_configuration_bark as conf

    import make_fixtures
    torch.set_num_threads(1)
    model = transformers.BarkModel.from_pretrained(
        VOICE, torch_dtype=torch.float32).eval()
    g = model.generation_config
    tokenizer = transformers.BertTokenizer.from_pretrained(
        VOICE, do_lower_case=False, strip_accents=False)
    # Read from a file they are plain dictionaries.
    g.semantic_config = conf.BarkSemanticGenerationConfig(**g.semantic_config)
    g.coarse_acoustics_config = conf.BarkCoarseGenerationConfig(
        **g.coarse_acoustics_config)
    g.fine_acoustics_config = conf.BarkFineGenerationConfig(
        **g.fine_acoustics_config)
    most = g.semantic_config.max_input_semantic_length
    semantic_size = g.semantic_config.semantic_vocab_size
    pitch = semantic_size + g.codebook_size
    made = {}
    for i, text in enumerate(SENTENCES):
        voice = VOICES[i % len(VOICES)]
        prompt = (None if voice == "none" else
                  dict(np.load(f"{VOICE}/voices/{voice}.npz")))
        ids = tokenizer.encode(text, add_special_tokens=False)[:most]
        padded = torch.zeros(1, most, dtype=torch.long)
        padded[0, :len(ids)] = torch.tensor(ids)
        mask = (torch.arange(most) < len(ids)).long()[None]
        result, rows = make_fixtures.generate(model, padded, mask, prompt,
                                              None)
        gap = min(
            make_fixtures.margin(rows[0], 0, semantic_size + 1),
            make_fixtures.margin(rows[1][0::2], semantic_size, pitch),
            make_fixtures.margin(
                pitch_rows(rows[1][1::2], pitch, g.codebook_size), None, None))
        if progress:
            print(f"{len(result['semantic'])} tokens, margin {gap:.1e}: {text}",
                  file=progress)
        if gap >= MARGIN:
            made[text] = {
                "voice": voice,
                "text_ids": ids,
                "semantic": result["semantic"].tolist(),
                "coarse": fold(result["coarse"].ravel().tolist()),
            }
    return made


def compare(barkctl, text, want):
    """What differs, or None."""
    with tempfile.TemporaryDirectory() as out:
        run.trace(barkctl, VOICE, want["voice"], {"text": text, "max": None}, out)
        for stage in STAGES:
            _, have = npy.read(f"{out}/{stage}.npy")
            have = [int(x) for x in have]
            if stage == "coarse":
                have = fold(have)
            if have != want[stage]:
                at = next((i for i, (a, b) in enumerate(zip(have, want[stage]))
                           if a != b), min(len(have), len(want[stage])))
                return (f"{stage} differs at {at} of {len(want[stage])} "
                        f"({len(have)} made)")
    return None


def main(barkctl):
    good = True
    for text, want in read_tokens().items():
        try:
            why = compare(barkctl, text, want)
        except (run.Failure, OSError, ValueError) as error:
            why = str(error)
        name = f"parity embedded: {want['voice']}: {text}"
        print(f"not ok {name}: {why}" if why else f"ok {name}", flush=True)
        good = good and not why
    return good


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--make":
        made = compute(sys.stderr)
        with open(TOKENS, "w", encoding="ascii") as f:
            json.dump(made, f, separators=(",", ":"))
            f.write("\n")
    else:
        sys.exit(0 if main(sys.argv[1]) else 1)
