# SPDX-License-Identifier: MIT
"""The daemon as a service: clients, signals, files and a thousand utterances."""
import json
import os
import random
import signal
import socket
import stat
import subprocess
import threading
import time

from daemon import TERMINAL
from harness import Recorder, fds, rss_kib, switches, test, threads
from servers import Place, cpu_ticks, wait_for
from stage import LONG, MEDIUM, SHORT, queued, speaking


@test("two-clients")
def two_clients(bench):
    """Both are heard, one after the other; each learns when."""
    with speaking(bench, "pipewire") as (place, server, daemon):
        recorder = Recorder(bench, place, server)
        a = daemon.speak_later(SHORT, priority="message")
        b = daemon.speak_later(SHORT, priority="message")
        states = a.state(), b.state()
        assert states == ("done", "done"), states
        assert a.answer["id"] != b.answer["id"]
        assert daemon.status()["counters"]["spoken"] == 2
        recorder.save()


def send_and_leave(daemon, body, when):
    """A client that goes away: `when` says when it may."""
    raw = json.dumps(body).encode()
    head = f"POST /v1/speak HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(daemon.socket)
        s.sendall(head + raw)
        when()


@test("client-vanishes")
def client_vanishes(bench):
    with speaking(bench, "pipewire") as (place, server, daemon):
        recorder = Recorder(bench, place, server)
        before = fds(daemon.p.pid)
        spoken = daemon.status()["counters"]["spoken"]
        # What it said is spoken nevertheless ...
        send_and_leave(daemon, {"text": SHORT, "wait": True}, recorder.sound)
        wait_for("end of the utterance", lambda: not queued(daemon), 120)
        assert daemon.status()["counters"]["spoken"] == spoken + 1
        # ... but not if it asked for the contrary.
        recorder.quiet()
        send_and_leave(daemon, {"text": LONG, "wait": True, "cancel_on_disconnect": True},
                       recorder.sound)
        wait_for("cancelled utterance", lambda: not queued(daemon), 10)
        # Half a request, nothing at all, and a flood of both.
        for i in range(100):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(daemon.socket)
                if i % 2:
                    s.sendall(b"POST /v1/speak HTTP/1.1\r\nContent-Length: 100\r\n\r\n{\"text\":")
        assert daemon.get("/healthz")["status"] == "ok"
        wait_for("closed connections", lambda: fds(daemon.p.pid) <= before + 2)
        assert daemon.speak(SHORT, wait=True)["state"] == "done"


@test("socket-mode")
def socket_mode(bench):
    with speaking(bench, "pipewire", warm=False) as (_, _, daemon):
        mode = stat.S_IMODE(os.stat(daemon.socket).st_mode)
        assert mode == 0o600, oct(mode)
        mode = stat.S_IMODE(os.stat(os.path.dirname(daemon.socket)).st_mode)
        assert mode == 0o700, oct(mode)


@test("reload")
def reload(bench):
    """SIGHUP takes a good configuration and refuses a bad one."""
    with speaking(bench, "pipewire", warm=False) as (_, _, daemon):
        output = {"sink": "pipewire"}

        def limit():
            return daemon.status()["queue"]["limit"]

        assert limit() == 256
        daemon.configure({"output": output, "service": {"queue_length": 7}})
        daemon.p.p.send_signal(signal.SIGHUP)
        wait_for("new configuration", lambda: limit() == 7)
        said = len(daemon.log())
        daemon.configure({"output": output, "service": {"queue_length": "many"}})
        daemon.p.p.send_signal(signal.SIGHUP)
        wait_for("complaint", lambda: "queue_length" in daemon.log()[said:])
        assert limit() == 7
        daemon.configure({"output": output, "service": {"queue_length": 8}})
        daemon.p.p.send_signal(signal.SIGHUP)
        wait_for("new configuration", lambda: limit() == 8)


@test("reload-speaking")
def reload_speaking(bench):
    """A reload in the middle of an utterance does not harm it."""
    with speaking(bench, "pipewire") as (place, server, daemon):
        recorder = Recorder(bench, place, server)
        spoken = daemon.speak_later(SHORT)
        recorder.sound(120)
        daemon.p.p.send_signal(signal.SIGHUP)
        assert spoken.state() == "done", spoken.answer


@test("end")
def end(bench):
    """SIGTERM: silence, an answer for who waits, no socket left behind."""
    with speaking(bench, "pipewire") as (place, server, daemon):
        recorder = Recorder(bench, place, server)
        spoken = daemon.speak_later(LONG)
        recorder.sound(120)
        assert daemon.end() == 0, daemon.log()
        assert spoken.state(10) == "stopped", spoken.answer
        recorder.silence(20)
        assert not os.path.exists(daemon.socket)
        daemon.start()


@test("private-log")
def private_log(bench):
    """What is said stays out of the log, also at its most talkative."""
    config = {"service": {"log_level": "debug"}}
    with speaking(bench, "pipewire", config) as (place, _, daemon):
        word = "xylophone"
        daemon.speak(f"My {word}.", wait=True)
        daemon.request("POST", "/v1/speak", {"text": word, "voice": "none such"})
        daemon.request("POST", "/v1/speak", {"text": word, "rate": word})
        assert word not in place.log("barkd", 10 ** 7)


@test("idle")
def idle(bench):
    """With nothing to say: no processor time, no wake-ups, the weights' memory
    given back; and it speaks again when asked."""
    config = {"output": {"idle_cork_s": 1}, "service": {"idle_unload_s": 2}}
    with speaking(bench, "pipewire", config, model=bench.voice_model()) as (
            place, server, daemon):
        recorder = Recorder(bench, place, server)
        assert daemon.speak(MEDIUM, wait=True)["state"] == "done"
        weights = daemon.status()["model"]["memory_bytes"] // 1024
        held = rss_kib(daemon.p.pid)
        wait_for("unloading", lambda: not daemon.status()["model"]["loaded"])
        wait_for("corked sink", lambda: daemon.status()["sink"]["state"] == "idle")
        time.sleep(1)
        kept = rss_kib(daemon.p.pid)
        assert held - kept > weights * .8, (held, kept, weights)
        before = cpu_ticks(daemon.p.pid), switches(daemon.p.pid)
        time.sleep(bench.idle)
        ticks, woken = cpu_ticks(daemon.p.pid) - before[0], switches(daemon.p.pid) - before[1]
        assert ticks == 0 and woken <= 2, f"{ticks} ticks, {woken} wake-ups in {bench.idle} s"
        recorder.quiet()
        assert daemon.speak(SHORT, wait=True)["state"] == "done"
        recorder.sound()
        again = daemon.status()["model"]["load_ms"]
        return (f"{ticks} ticks and {woken} wake-ups in {bench.idle} s, "
                f"{held} -> {kept} KiB, loaded again in {again:.0f} ms")


@test("growth")
def growth(bench):
    """A long text costs what its sentences cost, and no more memory."""
    figures = []
    with Place() as place:
        for n in 3, 24:
            path = place.path(f"{n}.wav")
            p = subprocess.Popen([bench.barkctl, "render", "-m", bench.voice_model(),
                                  "--threads", "1", "-o", path, "-"], stdin=subprocess.PIPE)
            p.stdin.write(b"There is one more sentence to be read here. " * n)
            p.stdin.close()
            _, status, used = os.wait4(p.pid, 0)
            p.returncode = status
            assert status == 0
            figures.append((used.ru_utime / os.path.getsize(path), used.ru_maxrss))
    (cost0, peak0), (cost1, peak1) = figures
    assert peak1 < peak0 + 2048, f"{peak0} -> {peak1} KiB"
    assert cost1 < cost0 * 1.3, f"a byte of sound costs {cost1 / cost0} times as much"
    return f"{peak0} -> {peak1} KiB, cost of a sample {cost1 / cost0:.2f} times"


@test("thousand")
def thousand(bench):
    """Utterances with stops at random moments: no leak, no deadlock, and each
    one ends in a state that its client is told."""
    n, rng = bench.soak, random.Random(20240229)
    texts = ["a", "No.", "Yes, please.", "Key.", "Menu item, three of nine."]
    config = {"output": {"idle_cork_s": 1}}
    with speaking(bench, "pipewire", config) as (place, server, daemon):
        told, lock = {}, threading.Lock()

        def client(share, seed):
            r = random.Random(seed)
            for _ in range(share):
                # At six times the speed some are heard to their end.
                answer = daemon.speak(r.choice(texts), wait=True, seed=r.randrange(1000),
                                      rate=r.choice([1, 6, 6]),
                                      priority=r.choice(["text", "message", "important"]))
                with lock:
                    told[answer["id"]] = answer["state"]

        def work(share, seed):
            try:
                client(share, seed)
            except Exception as e:  # told below
                failures.append(e)

        def use():
            return rss_kib(daemon.p.pid), fds(daemon.p.pid), threads(daemon.p.pid)

        failures, readings = [], []
        parts = 4
        for part in range(parts):
            share = n // parts // 2
            clients = [threading.Thread(target=work, args=(share, 10 * part + i), daemon=True)
                       for i in range(2)]
            for c in clients:
                c.start()
            while any(c.is_alive() for c in clients):
                time.sleep(rng.expovariate(1 / .15))
                rng.choice([daemon.stop] * 3 + [lambda: daemon.post("/v1/skip")])()
            assert not failures, failures[0]
            # However slow the machine is, one that nobody stops is heard.
            answer = daemon.speak(rng.choice(texts), wait=True, rate=6)
            assert answer["state"] == "done", answer
            daemon.wait_idle()
            readings.append(use())
        assert len(told) == n // parts // 2 * 2 * parts, "an utterance is not accounted for"
        assert set(told.values()) | {"done"} == TERMINAL - {"failed"}, set(told.values())
        counters = daemon.status()["counters"]
        assert counters["failed"] == 0, counters
        # The first part warms up: caches, thread arenas, connections.
        (rss0, fds0, threads0), (rss, fds1, threads1) = readings[0], readings[-1]
        assert fds1 <= fds0 + 2 and threads1 <= threads0 + 1, readings
        assert rss <= rss0 + 8192, readings
        ends = {s: list(told.values()).count(s) for s in sorted(set(told.values()))}
        return f"{ends}; RSS {rss0} -> {rss} KiB, {fds0} -> {fds1} descriptors"
