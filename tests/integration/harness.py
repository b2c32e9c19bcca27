# SPDX-License-Identifier: MIT
"""What the integration tests share: how tests are named, run and reported,
recording, and comparing what was recorded."""
import fnmatch
import os
import re
import subprocess
import time
import traceback

import servers
from servers import Jack, Missing, PipeWire

TESTS = []


def test(name, tries=1):
    """Registers a test. tries: for a test of time on a machine that may be
    busy with something else; it fails when all of them fail."""
    def add(function):
        TESTS.append((name, tries, function))
        return function
    return add


def run(bench, patterns):
    failed = 0
    for name, tries, function in TESTS:
        if patterns and not any(fnmatch.fnmatch(name, p) for p in patterns):
            continue
        start = time.monotonic()
        for attempt in range(tries):
            try:
                note = function(bench)
                print(f"ok {name}")
                if note:
                    print(f"# {name}: {note}")
                break
            except Missing as e:
                print(f"skip {name}: {e}")
                break
            except AssertionError as e:
                at = traceback.extract_tb(e.__traceback__)[-1]
                why = str(e) or f"line {at.lineno}: {at.line}"
            except Exception as e:  # a broken test is a failed test
                traceback.print_exc()
                why = f"{type(e).__name__}: {e}"
            if attempt + 1 < tries:
                print(f"# {name}: again, {why}")
        else:
            print(f"not ok {name}: {' '.join(why.split())}")
            failed = 1
        print(f"# {name}: {time.monotonic() - start:.1f} s", flush=True)
    return failed


class Bench:
    """Where the programs under test are."""

    def __init__(self, helpers, modules, barkd=None, barkctl=None, voices=(), fast=None,
                 soak=1000, idle=5, units=None,
                 sd_barkd=None, venv=None, notify=None, wyoming=None, spiel=None):
        self.helpers, self.modules = helpers, modules
        self.barkd, self.barkctl = barkd, barkctl
        self.voices, self.fast, self.units = voices, fast, units
        self.soak, self.idle = soak, idle
        self.sd_barkd, self.venv, self.notify = sd_barkd, venv, notify
        self.wyoming, self.spiel = wyoming, spiel

    def helper(self, name):
        path = os.path.join(self.helpers, name)
        if not os.path.exists(path):
            raise Missing(f"{name} was not built (its audio library is missing)")
        return path

    def module(self, name):
        path = os.path.join(self.modules, f"barkd-sink-{name}.so")
        if not os.path.exists(path):
            raise Missing(f"the {name} sink was not built")
        return path

    def python(self, module):
        """The Python that has a client's module."""
        python = os.path.join(self.venv or "", "bin", "python")
        if not os.path.exists(python) or subprocess.run(
                [python, "-c", f"import {module}"], capture_output=True).returncode:
            raise Missing(f"Python's {module} is not in {self.venv}")
        return python

    def voice_model(self):
        """One that speaks: the first that there is."""
        for path in self.voices:
            if os.path.exists(os.path.join(path, "config.json")):
                return os.path.abspath(path)
        raise Missing("no voice: " + ", ".join(self.voices))

    def fast_model(self):
        """One that makes noise, faster than any machine can listen."""
        assert self.fast, "run.py needs --fast DIR"
        return os.path.abspath(self.fast)

    def wavcmp(self, place, recording, *references):
        """Returns ({recording's keys}, [{reference's keys}])."""
        out = place.run([self.helper("wavcmp"), recording, *references], timeout=300).stdout
        parsed = [{k: float(v) for k, v in re.findall(r"(\w+)=(-?[\d.]+)", line)}
                  for line in out.splitlines()]
        return parsed[0], parsed[1:]


class Recorder:
    """Records what a server's device is given. Times are CLOCK_MONOTONIC
    nanoseconds, as time.monotonic_ns() gives them."""

    def __init__(self, bench, place, server, name="rec.wav", sink="test_sink", quantum=256):
        self.bench, self.place = bench, place
        self.path = place.path(name)
        if isinstance(server, Jack):
            args = [bench.helper("jack_record"), self.path]
        else:
            args = [bench.helper("pw_record"), sink, self.path, str(quantum)]
        self.p = place.start(args)
        self.seen, _ = self.p.expect("ready")

    def _next(self, what, timeout):
        self.seen, line = self.p.expect(what, self.seen, timeout)
        return int(line.split()[2])

    def sound(self, timeout=60):
        """Waits for sound after silence; returns the time from which it can be
        heard. That is known 200 ms later."""
        return self._next("sound", timeout)

    def faint(self, timeout=60):
        """Waits for the first sample after silence, audible or not."""
        return self._next("faint", timeout)

    def silence(self, timeout=60):
        """Waits for silence; returns the time of the last sound."""
        return self._next("silence", timeout)

    def quiet(self, timeout=60):
        """Waits for silence if there is sound; what was heard up to now does
        not count for sound() and silence()."""
        def silent():
            self.p.poll_lines()
            return not self.p.out[-1].startswith(("faint", "sound"))

        servers.wait_for("silence", silent, timeout)
        self.seen = len(self.p.out)

    def forget(self):
        """Likewise, without waiting."""
        self.p.poll_lines()
        self.seen = len(self.p.out)

    def save(self):
        """Ends the recording and returns its path."""
        self.p.end()
        return self.path

    def difference(self):
        """Largest difference between left and right, after save()."""
        return float(self.p.out[-1].split()[1])


class SinkHost:
    """A sink module with a chirp (sink_host.c)."""

    def __init__(self, bench, place, module, *options):
        self.saved = place.path("pulled.wav")
        self.p = place.start([bench.helper("sink_host"), bench.module(module),
                              "--save", self.saved, *options], stdin=True)
        self.seen = 0

    def expect(self, line, timeout=30):
        self.seen, line = self.p.expect(line, self.seen, timeout)
        return line

    def do(self, command):
        """Returns when it was done, in nanoseconds."""
        first = len(self.p.out)
        self.p.say(command)
        _, line = self.p.expect("did " + command, first)
        assert line.split()[-1] == "0", line
        return int(line.split()[-2])

    def count(self):
        """(samples pulled, losses, frames of delay)"""
        first = len(self.p.out)
        self.do("count")
        _, line = self.p.expect("count", first)
        return tuple(int(v) for v in line.split()[1:])

    def pulls(self, timeout=10):
        """Waits until the callback asks for more."""
        now = self.count()[0]
        servers.wait_for("pull", lambda: self.count()[0] > now, timeout)

    def finish(self):
        self.p.say("quit")
        assert self.p.end(0) == 0, f"sink_host ended with {self.p.p.returncode}"


def make_server(kind, place):
    return Jack(place) if kind == "jack" else PipeWire(place)


def fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def switches(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as f:
            total += sum(int(line.split()[1]) for line in f if "voluntary_ctxt" in line)
    return total
