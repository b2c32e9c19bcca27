#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A day's work in an hour: mixed load on a daemon whose audio server is killed.

    soak.py BUILD [--minutes N] [--kills N] [--seed N] [--model DIR] [--out DIR]

Starts a private PipeWire and barkd. One client queues messages, one speaks and
interrupts as a screen reader does, one has speech made in all formats and goes
away from some of it, one stops, pauses and reloads. PipeWire is killed a few
times. Every ten seconds memory, descriptors, threads and counters are read.

A message is lost when its state is not "done". Latencies are those of messages
that found an empty queue: from the request to the event that it is heard. Writes
soak.json and soak.svg to DIR and prints a table. Exit status 1 where something
was lost, or where memory, descriptors or threads grew.
"""
import argparse
import contextlib
import http.client
import json
import os
import random
import signal
import statistics
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "integration"))
import daemon as daemons
import harness
import listener
import servers

SAMPLE_S = 10
WORDS = ("the quick brown fox jumps over a lazy dog while seven wizards quietly mix hot "
         "jam with large boxes of very old paper").split()
FORMATS = ["mp3", "opus", "flac", "wav", "pcm"]


def sentence(rng, longest):
    n = rng.randint(1, longest)
    return " ".join(rng.choice(WORDS) for _ in range(n)).capitalize() + "."


class Soak:
    def __init__(self, place, server, daemon, args):
        self.place, self.server, self.daemon = place, server, daemon
        self.seconds, self.seed, self.n_kills = args.minutes * 60, args.seed, args.kills
        self.start = time.monotonic()
        self.lock = threading.Lock()
        self.ended, self.lost, self.errors = {}, [], []
        self.streams = {"whole": 0, "left": 0, "broken": 0}
        self.latencies, self.samples, self.kills = [], [], []
        self.asked = {}

    def now(self):
        return time.monotonic() - self.start

    def over(self):
        return self.now() >= self.seconds

    def count(self, who, state):
        with self.lock:
            key = f"{who} {state}"
            self.ended[key] = self.ended.get(key, 0) + 1

    # --- the load ---

    def messages(self, rng):
        """Each must be heard to its end."""
        while not self.over():
            text = sentence(rng, 14)
            idle = not self.daemon.get("/v1/queue")["current"]
            if idle:
                with self.lock:
                    self.asked[text] = time.monotonic()
            answer = self.daemon.speak(text, wait=True, priority="message")
            self.count("message", answer["state"])
            if answer["state"] != "done":
                self.lost.append({"at": self.now(), **answer})
            time.sleep(rng.choice([0, 0, .3, 2]))

    def reader(self, rng):
        """Progress gives way to all else; each must end in some way."""
        while not self.over():
            later = [self.daemon.speak_later(sentence(rng, 4), priority="progress",
                                             deadline_ms=30) for _ in range(rng.randint(1, 5))]
            for spoken in later:
                self.count("progress", spoken.state())
            time.sleep(rng.uniform(.5, 4))

    def clients(self, rng):
        while not self.over():
            leave = rng.random() < .3
            c = daemons.UnixConnection(self.daemon.socket, 120)
            body = {"input": " ".join(sentence(rng, 14) for _ in range(rng.randint(1, 6))),
                    "response_format": rng.choice(FORMATS)}
            with contextlib.closing(c):
                c.request("POST", "/v1/audio/speech", json.dumps(body))
                try:
                    r = c.getresponse()
                    r.read(1000) if leave else r.read()
                    how = "left" if leave else "whole"
                except (OSError, http.client.HTTPException):
                    how = "broken"
                self.streams[how] += 1
            time.sleep(rng.uniform(.5, 6))

    def controls(self, rng):
        while not self.over():
            time.sleep(rng.uniform(5, 20))
            what = rng.choice(["pause", "reload", "status", "voices"])
            if what == "pause":
                self.daemon.post("/v1/pause")
                time.sleep(.3)
                self.daemon.post("/v1/resume")
            elif what == "reload":
                os.kill(self.daemon.p.pid, signal.SIGHUP)
            else:
                self.daemon.get("/v1/" + what)

    def kill(self, rng):
        """The server dies with the thread that started it: this is the main one's work."""
        self.kills.append(self.now())
        self.server.kill()
        time.sleep(rng.uniform(.5, 3))
        self.server.start()

    def events(self):
        heard = listener.Listener(self.daemon)
        texts = {}
        while event := heard.events.get():
            at, name, data = event
            if name == "begin":
                texts[data["id"]] = data.get("text")
                with self.lock:
                    asked = self.asked.pop(data.get("text"), None)
                if asked:
                    self.latencies.append((self.now(), at / 1e9 - asked))

    # --- what is watched ---

    def sample(self):
        status = self.daemon.status()
        pid = self.daemon.p.pid
        with open(f"/proc/{pid}/status") as f:
            fields = dict(line.split(":", 1) for line in f)
        self.samples.append({
            "at": self.now(),
            "rss_mb": int(fields["VmRSS"].split()[0]) / 1024,
            "threads": int(fields["Threads"]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "underruns": status["counters"]["underruns"],
            "xruns": status["counters"]["xruns"],
        })

    def guarded(self, work, rng):
        try:
            work(rng)
        except Exception as e:
            self.errors.append(f"{work.__name__}: {type(e).__name__}: {e}")

    def run(self):
        threading.Thread(target=self.events, daemon=True).start()
        works = [self.messages, self.reader, self.clients, self.controls]
        rng = random.Random(self.seed - 1)
        threads = [threading.Thread(target=self.guarded, args=(w, random.Random(self.seed + i)))
                   for i, w in enumerate(works)]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            self.sample()
            due = (len(self.kills) + .5) * self.seconds / max(1, self.n_kills)
            if len(self.kills) < self.n_kills and self.now() + SAMPLE_S > due:
                time.sleep(max(0, due - self.now()))
                self.kill(rng)
            else:
                time.sleep(SAMPLE_S)
        self.daemon.wait_idle()
        self.sample()


def growth(samples, key):
    """Medians of the second fifth and of the last: what was taken at the beginning is
    not growth."""
    n = max(1, len(samples) // 5)
    return tuple(statistics.median(s[key] for s in part)
                 for part in (samples[n:2 * n], samples[-n:]))


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


# --- the picture ---

def chart(x, y, width, height, points, title, unit, kills, end):
    top = max(v for _, v in points) * 1.1 or 1

    def place(t, v):
        return f"{x + t / end * width:.1f},{y + height - v / top * height:.1f}"

    lines = [f'<text x="{x}" y="{y - 6}">{title}</text>',
             f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="#888"/>',
             f'<text x="{x - 6}" y="{y + 10}" text-anchor="end">{top:.3g} {unit}</text>',
             f'<text x="{x - 6}" y="{y + height}" text-anchor="end">0</text>']
    for k in kills:
        at = x + k / end * width
        lines.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y}" y2="{y + height}" '
                     'stroke="#c33" stroke-dasharray="2 3"/>')
    if len(points) < 200 or title.startswith("Memory"):
        lines.append(f'<polyline fill="none" stroke="#36c" points="'
                     f'{" ".join(place(*p) for p in points)}"/>')
    else:
        for p in points:
            cx, cy = place(*p).split(",")
            lines.append(f'<circle cx="{cx}" cy="{cy}" r="1.3" fill="#36c"/>')
    return lines


def picture(soak, path):
    end = soak.samples[-1]["at"]
    series = [("Memory", "MB", [(s["at"], s["rss_mb"]) for s in soak.samples]),
              ("Descriptors", "", [(s["at"], s["descriptors"]) for s in soak.samples]),
              ("Threads", "", [(s["at"], s["threads"]) for s in soak.samples]),
              ("Request to sound", "ms", [(t, v * 1e3) for t, v in soak.latencies])]
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" width="720" height="640" '
             'font-family="sans-serif" font-size="12">',
             '<rect width="720" height="640" fill="white"/>']
    for i, (title, unit, points) in enumerate(series):
        if points:
            lines += chart(80, 30 + i * 150, 620, 110, points, title, unit, soak.kills, end)
    lines += [f'<text x="80" y="625">{end / 60:.0f} minutes; dashed: the audio server is '
              'killed</text>', "</svg>"]
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")


def report(soak):
    first, last = soak.samples[0], soak.samples[-1]
    latencies = [v * 1e3 for _, v in soak.latencies]
    rows = {
        "minutes": f"{last['at'] / 60:.0f}",
        "kills of the audio server": str(len(soak.kills)),
        "utterances": ", ".join(f"{n} {k}" for k, n in sorted(soak.ended.items())),
        "messages lost": str(len(soak.lost)),
        "streams": ", ".join(f"{n} {k}" for k, n in soak.streams.items()),
        "underruns": str(last["underruns"] - first["underruns"]),
        "xruns": str(last["xruns"] - first["xruns"]),
        "request to sound, ms": f"median {quantile(latencies, .5):.0f}, 99 % "
                                f"{quantile(latencies, .99):.0f}, at most "
                                f"{max(latencies, default=float('nan')):.0f} "
                                f"({len(latencies)} messages)",
    }
    grown = []
    for key, name, allowed in (("rss_mb", "memory, MB", 1.1), ("descriptors", "descriptors", 1.2),
                               ("threads", "threads", 1.0)):
        before, after = growth(soak.samples, key)
        rows[name] = f"{before:.0f}, at the end {after:.0f}"
        if after > before * allowed + 1:
            grown.append(name)
    for name, value in rows.items():
        print(f"{name:28} {value}")
    for problem in soak.lost + soak.errors + [f"{g} grew" for g in grown]:
        print("problem:", problem)
    return rows, not (soak.lost or soak.errors or grown)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--kills", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default=os.path.join(TOP, "voices", "slt"))
    parser.add_argument("--out", default=".")
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    bench = harness.Bench(os.path.join(build, "tests", "integration"),
                          os.path.join(build, "plugin"), os.path.join(build, "daemon", "barkd"))
    with servers.Place() as place:
        server = servers.PipeWire(place).start()
        daemon = daemons.Daemon(bench, place, os.path.abspath(args.model),
                                {"output": {"sink": "pipewire", "latency": 256,
                                            "wait_for_sink_s": "forever"}}).start()
        daemon.warm()
        soak = Soak(place, server, daemon, args)
        soak.run()
        assert daemon.p.alive(), "barkd died: " + daemon.log()
        rows, good = report(soak)
        with open(os.path.join(args.out, "soak.json"), "w") as f:
            json.dump({"rows": rows, "samples": soak.samples, "kills": soak.kills,
                       "latencies": soak.latencies, "lost": soak.lost,
                       "errors": soak.errors}, f, indent=1)
        picture(soak, os.path.join(args.out, "soak.svg"))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
