# SPDX-License-Identifier: MIT
"""What is hoped never to happen: memory that ends at any place, and an audio thread that calls
what it must not."""
import contextlib
import http.client
import json
import os
import signal

import servers
from daemon import Daemon, UnixConnection
from harness import test
from stage import MEDIUM, SHORT
from servers import Missing, Place

RENDERS = 150  # places at which memory ends in barkctl render, spread over all
DAEMONS = 40   # and in barkd
FAILURES = 20  # allocations that fail there, one after the other


def preload(bench, **env):
    """The environment of a program that is watched by trap.so."""
    if os.environ.get("LD_PRELOAD"):
        raise Missing("something else is preloaded")
    return {"LD_PRELOAD": bench.helper("trap.so"), **{k: str(v) for k, v in env.items()}}


def play(daemon):
    """All that changes what the callback does."""
    for text in (MEDIUM, SHORT):
        later = daemon.speak_later(text)
        daemon.post("/v1/pause")
        daemon.post("/v1/resume")
        assert later.state() == "done"
    later = daemon.speak_later(MEDIUM, rate=2, pitch=1.2)
    servers.wait_for("the utterance", lambda: daemon.get("/v1/queue")["current"], 20)
    daemon.stop()
    assert later.state() == "stopped"


def watched(bench, fault=None):
    """(callbacks, those with sound, calls of allocator and locks, system calls) of a daemon."""
    with Place() as place:
        modules = place.path("modules")
        os.mkdir(modules)
        os.symlink(bench.helper("barkd-sink-jack.so"), os.path.join(modules, "barkd-sink-jack.so"))
        report = place.path("report")
        place.env.update(preload(bench, TRAP_REPORT=report, BARKD_SINK_DIR=modules,
                                 **({"TRAP_FAULT": fault} if fault else {})))
        daemon = Daemon(bench, place, bench.voice_model(), {"output": {"sink": "jack"}}).start()
        play(daemon)
        assert daemon.end() == 0, daemon.log()
        with open(report) as f:
            return [int(v) for v in f.read().split()]


@test("callback-calls")
def callback_calls(bench):
    """The audio thread calls no allocator, takes no lock, and makes no system call but the one
    that wakes the loop. The watch sees a call that is planted."""
    pulls, sounding, calls, syscalls = watched(bench)
    assert pulls > 500 and sounding > 200, (pulls, sounding)
    assert calls == 0, f"{calls} calls of the allocator or of locks in {pulls} callbacks"
    assert syscalls <= 0, f"{syscalls} system calls in {pulls} callbacks"
    pulls, _, calls, _ = watched(bench, "lock")
    assert calls >= pulls, "a planted lock was not seen"
    if syscalls == 0:
        pulls, _, _, seen = watched(bench, "syscall")
        assert seen >= pulls / 2, "a planted system call was not seen"
    return f"{pulls} callbacks" + ("" if syscalls == 0 else ", system calls not watched")


def spread(last, n):
    """Numbers of 1..last: each of the first, the others evenly apart."""
    near = n // 3
    return sorted({*range(1, near + 1),
                   *(near + (last - near) * i // (n - near) for i in range(1, n - near + 1))})


@test("memory-render")
def memory_render(bench):
    """Wherever memory ends, barkctl render writes the file or says why not, and leaves no half
    of one."""
    with Place() as place:
        out = place.path("out.wav")
        args = [bench.barkctl, "render", "-m", bench.fast_model(), "--threads", "1", "-o", out,
                "Hello there."]

        def render(**env):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(out)
            return place.run(args, check=False, env=preload(bench, **env))

        assert render().returncode == 0
        last = 1
        while render(FAIL_ALLOCATION=last).returncode != 0 or last < 64:
            last *= 2
            assert last < 1 << 24
        failed = 0
        for n in spread(last, RENDERS):
            r = render(FAIL_ALLOCATION=n)
            if r.returncode == 0:
                assert os.path.getsize(out) > 44, n
                continue
            failed += 1
            assert r.returncode == 1, f"allocation {n}: status {r.returncode}: {r.stderr[-200:]}"
            assert len(r.stderr.strip().splitlines()) == 1, (n, r.stderr)
            assert not os.path.exists(out), f"allocation {n}: half a file is left"
        return f"{failed} of {RENDERS} places up to {last} failed, each in one line"


def speaks(daemon):
    """Whether it speaks, to a client and to the sink."""
    with contextlib.suppress(OSError, http.client.HTTPException, AssertionError, ValueError):
        c = UnixConnection(daemon.socket, 20)
        with contextlib.closing(c):
            c.request("POST", "/v1/audio/speech", json.dumps({"input": SHORT}))
            r = c.getresponse()
            return (r.status == 200 and len(r.read()) > 100 and
                    daemon.speak(SHORT, wait=True)["state"] == "done")
    return False


@test("memory-daemon")
def memory_daemon(bench):
    """Wherever memory ends, barkd starts or says why not; once it has started it lives, and
    speaks when there is memory again."""
    started = 0
    for n in spread(12000, DAEMONS):
        with Place() as place:
            daemon = Daemon(bench, place, bench.fast_model(),
                            {"output": {"sink": "file", "target": place.path("a.wav")}})
            place.env.update(preload(bench, FAIL_ALLOCATION=n, FAIL_RUN=FAILURES))
            try:
                daemon.start()
            except AssertionError:
                status = daemon.p.end(timeout=5) if daemon.p.alive() else daemon.p.p.returncode
                # The C library itself gives up in few places, and says this.
                if "Unexpected error." in daemon.log():
                    continue
                assert status == 1, f"allocation {n}: status {status}: {daemon.log()}"
                assert "memory" in daemon.log(), f"allocation {n}: {daemon.log()}"
                continue
            started += 1
            speaks(daemon)
            # A connection that is refused uses up one failure.
            spoken = any(speaks(daemon) for _ in range(FAILURES + 1))
            if "Unexpected error." in daemon.log():
                continue
            assert daemon.p.alive(), f"allocation {n}: barkd died: {daemon.log()}"
            assert spoken, f"allocation {n}: it does not speak again"
            assert daemon.end(signal.SIGTERM) == 0, f"allocation {n}: {daemon.log()}"
    return f"{started} of {DAEMONS} started"
