#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures this machine and draws docs/performance/*.svg.

    figures.py --barkctl FILE [--voice DIR] [--out DIR] [--shape small|large|none]
               [--semantic-tokens N] [--precisions LIST]

Drawn: time by stage for each precision and mode, growth with the text's length
from 1 s to 60 s of sound (time and memory), threads. The figures themselves are
kept beside the plots in figures.json. Needs matplotlib.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import wave

STAGES = ["semantic", "coarse", "fine", "codec"]
COLOURS = ["#4477aa", "#66ccee", "#228833", "#ccbb44"]
SENTENCE = "The weather in the mountains will be cold and clear for the rest of the week. "


def bench(args, *options):
    out = subprocess.run([args.barkctl, "bench", "--json", *options], check=True,
                         stdout=subprocess.PIPE).stdout
    return json.loads(out)


def render(args, n):
    """n sentences by the embedded voice on one thread: seconds of sound, of
    work, and the most memory in MB."""
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "a.wav")
        start = time.monotonic()
        p = subprocess.Popen([args.barkctl, "render", "-m", args.voice, "--threads", "1",
                              "--seed", "1", "-o", path, SENTENCE * n])
        _, status, use = os.wait4(p.pid, 0)
        took = time.monotonic() - start
        assert status == 0, "render failed"
        with wave.open(path) as w:
            return {"sentences": n, "audio": w.getnframes() / w.getframerate(),
                    "wall": took, "cpu": use.ru_utime + use.ru_stime,
                    "peak_mb": use.ru_maxrss / 1024}


def measure(args):
    r = {"stages": {}, "threads": {}, "growth": []}
    if args.shape != "none":
        common = ["--shape", args.shape, "--semantic-tokens", str(args.semantic_tokens)]
        for p in args.precisions.split(","):
            for m in "exact", "low-latency":
                r["stages"][f"{p}\n{m}"] = bench(args, *common, "--precision", p, "--mode", m)
    for n in range(1, (os.cpu_count() or 1) + 1):
        r["threads"][n] = bench(args, "-m", args.voice, "--threads", str(n))
    for n in 1, 2, 4, 8, 14:
        r["growth"].append(render(args, n))
    return r


def rate(row):
    return sum(row[s + "_s"] for s in STAGES) / row["audio_s"]


def draw_bars(plt, rows, title, path):
    fig, ax = plt.subplots(figsize=(7, 3.6))
    bottom = [0.0] * len(rows)
    for stage, colour in zip(STAGES, COLOURS):
        values = [row[stage + "_s"] / row["audio_s"] for row in rows.values()]
        ax.bar(list(map(str, rows)), values, bottom=bottom, label=stage, color=colour, width=.6)
        bottom = [a + b for a, b in zip(bottom, values)]
    for i, total in enumerate(bottom):
        ax.annotate(f"{total:.2f}", (i, total), ha="center", va="bottom", fontsize=8)
    ax.set_ylabel("seconds a second of sound")
    ax.set_title(title, fontsize=10)
    ax.set_ylim(top=1.15 * max(bottom))
    ax.legend(fontsize=8, frameon=False, ncols=4, loc="upper right")
    finish(plt, fig, path)


def draw_growth(plt, rows, path):
    fig, ax = plt.subplots(figsize=(7, 3.6))
    audio = [row["audio"] for row in rows]
    ax.plot(audio, [row["cpu"] for row in rows], "o-", color=COLOURS[0], label="processor, s")
    ax.set_xlabel("seconds of sound")
    ax.set_ylabel("processor seconds")
    ax.set_ylim(bottom=0)
    other = ax.twinx()
    other.plot(audio, [row["peak_mb"] for row in rows], "s--", color=COLOURS[2])
    other.set_ylabel("peak memory, MB (dashed)")
    other.set_ylim(0, 1.5 * max(row["peak_mb"] for row in rows))
    ax.set_title("Growth with the text, embedded voice, one thread", fontsize=10)
    finish(plt, fig, path)


def finish(plt, fig, path):
    fig.tight_layout()
    # A file that changes only when the figures do.
    fig.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(fig)


def draw(r, args):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "barkd", "svg.fonttype": "none"})
    import matplotlib.pyplot as plt
    if r["stages"]:
        draw_bars(plt, r["stages"], f"Time by stage, the shape of bark ({args.shape})",
                  os.path.join(args.out, "stages.svg"))
    draw_bars(plt, {f"{n} thread" + "s" * (int(n) > 1): row for n, row in r["threads"].items()},
              "Threads, embedded voice", os.path.join(args.out, "threads.svg"))
    draw_growth(plt, r["growth"], os.path.join(args.out, "growth.svg"))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    here = os.path.dirname(os.path.abspath(__file__))
    p.add_argument("--barkctl", required=True)
    p.add_argument("--voice", default=os.path.join(here, "../../voices/slt"))
    p.add_argument("--out", default=os.path.join(here, "../../docs/performance"))
    p.add_argument("--shape", choices=["small", "large", "none"], default="small")
    p.add_argument("--semantic-tokens", type=int, default=100)
    p.add_argument("--precisions", default="f32,f16,int8")
    p.add_argument("--draw-only", action="store_true", help="from figures.json")
    args = p.parse_args()
    os.makedirs(args.out, exist_ok=True)
    path = os.path.join(args.out, "figures.json")
    if args.draw_only:
        with open(path) as f:
            r = json.load(f)
    else:
        r = measure(args)
        with open(path, "w") as f:
            json.dump(r, f, indent=1)
            f.write("\n")
    draw(r, args)
    for name, row in r["stages"].items():
        print(f"{name.replace(chr(10), ' '):24} {rate(row):6.2f} s a second of sound")
    for row in r["growth"]:
        print(f"{row['audio']:6.1f} s of sound: {row['cpu']:6.2f} s, {row['peak_mb']:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
