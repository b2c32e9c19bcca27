#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How soon a warm daemon is heard: the time from a request to the first sound.

    first_audio.py --barkd FILE [--model DIR] [--texts FILE]

Each line of the texts (training/heldout.txt) is asked for as `pcm` on the
daemon's socket, one after the other, of a daemon started for it. The first sound
is the first sample that stands at most 30 dB below the 200 ms behind it. Printed:
the distribution, the real-time factor of all, the daemon's largest memory. Pin it
with taskset to measure one core.
"""
import argparse
import array
import json
import os
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "integration"))
import daemon
import harness
import servers


RATE = 24000
AUDIBLE = 10 ** (-30 / 20)


def audible(pcm):
    """The number of the first sample that can be heard."""
    loudest = max(map(abs, pcm))
    begin = next(i for i, v in enumerate(pcm) if abs(v) > loudest / 1000)
    near = max(map(abs, pcm[begin:begin + RATE // 5]))
    return next(i for i, v in enumerate(pcm) if abs(v) >= near * AUDIBLE)


def ask(path, text):
    """Seconds to the first sound, to the last sample, and of sound."""
    c = daemon.UnixConnection(path, 60)
    start = time.monotonic()
    c.request("POST", "/v1/audio/speech",
              json.dumps({"input": text, "response_format": "pcm"}))
    r = c.getresponse()
    assert r.status == 200, r.read()
    pcm, came = b"", []
    while data := r.read1(65536):
        pcm += data
        came.append((len(pcm) // 2, time.monotonic() - start))
    c.close()
    samples = array.array("h", pcm)
    first = audible(samples)
    return next(t for n, t in came if n > first), came[-1][1], len(samples) / RATE


def peak_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--barkd", required=True)
    p.add_argument("--model", default=os.path.join(TOP, "voices", "slt"))
    p.add_argument("--texts", default=os.path.join(TOP, "training", "heldout.txt"))
    a = p.parse_args()
    with open(a.texts) as f:
        texts = [line.strip() for line in f if line.strip()]
    bench = harness.Bench(None, None, barkd=os.path.abspath(a.barkd))
    with servers.Place() as place:
        d = daemon.Daemon(bench, place, os.path.abspath(a.model))
        d.start()
        ask(d.socket, "Warm.")
        took = [ask(d.socket, t) for t in texts]
        first = sorted(1000 * t[0] for t in took)
        print("%d texts: first sound after %.0f ms (median), %.0f (90 %%), %.0f (largest); "
              "%.3f s of computing a second of sound; at most %.0f MB"
              % (len(first), first[len(first) // 2], first[len(first) * 9 // 10], first[-1],
                 sum(t[1] for t in took) / sum(t[2] for t in took), peak_mb(d.p.pid)))
        d.end()


if __name__ == "__main__":
    main()
