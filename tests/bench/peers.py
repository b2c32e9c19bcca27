#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""barkd beside the other ways of running Bark, on the same work in one run.

    peers.py --barkctl FILE [--semantic-tokens N] [--threads N] [--json FILE]
             [--peers NAME,...] [--ours NAME,...]

The work: bark-small's shape with random weights, a voice preset, N semantic
tokens (50 are a second of sound) with the end token forbidden. Times are of
the four stages, without loading. Peers: torch-f32, torch-bf16 (transformers).
Ours: PRECISION/MODE, such as int8/low-latency. What is not installed is left
out and said so. The table's last column is how many times faster than the
first peer a row is.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

STAGES = ["semantic", "coarse", "fine", "codec"]
TEXT_IDS = 24
HISTORY_SECONDS = 8  # of the preset: more than the stages look at


def write_voice(path, np):
    """A preset of random tokens."""
    rng = np.random.default_rng(1)
    frames = HISTORY_SECONDS * 75
    fine = rng.integers(0, 1024, (8, frames))
    voice = {"semantic_prompt": rng.integers(0, 10000, HISTORY_SECONDS * 50),
             "coarse_prompt": fine[:2], "fine_prompt": fine}
    np.savez(path, **voice)
    return voice


def run_ours(args, name, voice):
    precision, mode = name.split("/")
    out = subprocess.run(
        [args.barkctl, "bench", "--json", "--shape", "small", "--voice", voice,
         "--precision", precision, "--mode", mode, "--threads", str(args.threads),
         "--semantic-tokens", str(args.semantic_tokens)],
        check=True, stdout=subprocess.PIPE).stdout
    r = json.loads(out)
    return {**{s: r[s + "_s"] for s in STAGES}, "audio": r["audio_s"],
            "first": r["first_audio_s"], "peak_mb": r["peak_mb"]}


def make_model(torch):
    """bark-small's shape as BarkModel, with random weights."""
    from transformers import (BarkCoarseConfig, BarkConfig, BarkFineConfig, BarkModel,
                              BarkSemanticConfig, EncodecConfig)
    from transformers.models.bark.generation_configuration_bark import (
        BarkCoarseGenerationConfig, BarkFineGenerationConfig, BarkGenerationConfig,
        BarkSemanticGenerationConfig)
    from transformers.modeling_utils import no_init_weights
    gpt = {"block_size": 1024, "num_layers": 12, "num_heads": 12, "hidden_size": 768,
           "dropout": 0.0, "bias": False}
    torch.manual_seed(1)
    config = BarkConfig(
        semantic_config=BarkSemanticConfig(
            input_vocab_size=129600, output_vocab_size=10048, **gpt).to_dict(),
        coarse_acoustics_config=BarkCoarseConfig(
            input_vocab_size=12096, output_vocab_size=12096, **gpt).to_dict(),
        fine_acoustics_config=BarkFineConfig(
            input_vocab_size=1056, output_vocab_size=1056, n_codes_total=8,
            n_codes_given=1, **gpt).to_dict(),
        codec_config=EncodecConfig().to_dict())
    with no_init_weights():  # theirs expects biases
        model = BarkModel(config).eval()
    for name, p in model.named_parameters():
        if not name.startswith("codec_model."):
            torch.nn.init.normal_(p, 1.0 if "layernorm" in name else 0.0, 0.02)
    model.generation_config = BarkGenerationConfig.from_sub_model_configs(
        BarkSemanticGenerationConfig(do_sample=True, temperature=0.7),
        BarkCoarseGenerationConfig(do_sample=True, temperature=0.7),
        BarkFineGenerationConfig(temperature=0.5))
    return model


def run_torch(args, dtype, voice):
    """Seconds of each stage, as BarkModel.generate() calls them."""
    import resource

    import torch
    torch.set_num_threads(args.threads)
    model = make_model(torch).to(dtype)
    g = model.generation_config
    semantic, coarse, fine = g.semantic_config, g.coarse_acoustics_config, g.fine_acoustics_config
    history = {k: torch.from_numpy(v) for k, v in voice.items()}
    ids = torch.arange(101, 101 + 256)[None] * 7 % 60000
    mask = (torch.arange(256) < TEXT_IDS)[None].long()
    took, result = {}, None

    def stage(name, function):
        nonlocal result
        start = time.monotonic()
        result = function(result)
        took[name] = time.monotonic() - start

    n = args.semantic_tokens
    with torch.no_grad():
        stage("semantic", lambda _: model.semantic.generate(
            ids, attention_mask=mask, history_prompt=history,
            semantic_generation_config=semantic, max_new_tokens=n, min_new_tokens=n))
        stage("coarse", lambda x: model.coarse_acoustics.generate(
            x, semantic_generation_config=semantic, coarse_generation_config=coarse,
            codebook_size=g.codebook_size, history_prompt=history))
        stage("fine", lambda x: model.fine_acoustics.generate(
            x, semantic_generation_config=semantic, coarse_generation_config=coarse,
            fine_generation_config=fine, codebook_size=g.codebook_size,
            history_prompt=history))
        stage("codec", model.codec_decode)
    return {**took, "audio": result.shape[-1] / 24000, "first": sum(took.values()),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def in_child(args, name, voice):
    """A peer in a process of its own, so that its memory is its own, too."""
    out = subprocess.run([sys.executable, __file__, "--child", name, "--voice", voice,
                          "--semantic-tokens", str(args.semantic_tokens),
                          "--threads", str(args.threads)],
                         check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out.splitlines()[-1])


def child(args):
    import numpy as np
    import torch
    dtype = {"torch-f32": torch.float32, "torch-bf16": torch.bfloat16}[args.child]
    with np.load(args.voice) as voice:
        print(json.dumps(run_torch(args, dtype, dict(voice))))


def show(rows):
    print(f"{'seconds a second of sound':26}" + "".join(f"{s:>10}" for s in STAGES) +
          f"{'all':>10}{'first s':>10}{'peak MB':>10}{'faster':>9}")
    base = None
    for name, r in rows.items():
        total = sum(r[s] for s in STAGES) / r["audio"]
        base = base or total
        print(f"{name:26}" + "".join(f"{r[s] / r['audio']:10.3f}" for s in STAGES) +
              f"{total:10.3f}{r['first']:10.2f}{r['peak_mb']:10.0f}{base / total:8.1f}x")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--barkctl")
    p.add_argument("--semantic-tokens", type=int, default=100)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--peers", default="torch-f32,torch-bf16")
    p.add_argument("--ours", default="f32/exact,f16/exact,f16/low-latency")
    p.add_argument("--json", help="where the figures go")
    p.add_argument("--child", help=argparse.SUPPRESS)
    p.add_argument("--voice", help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.child:
        return child(args)
    try:
        import numpy as np
        import torch
        import transformers
        print(f"torch {torch.__version__}, transformers {transformers.__version__}, "
              f"{args.threads} threads")
    except ImportError as e:
        sys.exit(f"skip peers: {e}")
    rows = {}
    with tempfile.TemporaryDirectory() as scratch:
        voice = os.path.join(scratch, "voice.npz")
        write_voice(voice, np)
        for name in filter(None, args.peers.split(",")):
            rows[name] = in_child(args, name, voice)
            print(f"{name}: {json.dumps(rows[name])}", flush=True)
        for name in filter(None, args.ours.split(",")):
            rows["barkd " + name] = run_ours(args, name, voice)
            print(f"barkd {name}: {json.dumps(rows['barkd ' + name])}", flush=True)
    show(rows)
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"threads": args.threads, "semantic_tokens": args.semantic_tokens,
                       "rows": rows}, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
