# SPDX-License-Identifier: MIT
"""A private daemon and a client of its API (docs/api.md)."""
import contextlib
import http.client
import json
import os
import signal
import socket
import threading
import time

import servers

TERMINAL = {"done", "stopped", "dropped", "failed"}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("barkd", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """config: {section: {key: value}}."""

    def __init__(self, bench, place, model, config=None):
        if not bench.barkd or not os.path.exists(bench.barkd):
            raise servers.Missing("no barkd to test")
        self.bench, self.place, self.model = bench, place, model
        self.socket = place.path("barkd", "barkd.sock")
        self.ini = place.path("barkd.ini")
        self.configure(config or {})
        self.p = None

    def configure(self, config):
        config = {**config, "model": {"name": self.model, **config.get("model", {})}}
        lines = []
        for section, keys in config.items():
            lines += [f"[{section}]"] + [f"{k} = {v}" for k, v in keys.items()]
        with open(self.ini, "w") as f:
            f.write("\n".join(lines) + "\n")

    def start(self):
        self.p = self.place.start([self.bench.barkd, "--foreground", "--config", self.ini])
        try:
            servers.wait_for("socket of barkd", self._answers)
        except AssertionError:
            raise AssertionError("barkd does not start: " + self.log()) from None
        return self

    def _answers(self):
        assert self.p.alive(), "barkd ended: " + self.log()
        with contextlib.suppress(OSError):
            return self.get("/healthz")["status"] == "ok"
        return False

    def log(self):
        return self.place.log("barkd").strip()

    # --- the API ---

    def request(self, method, path, body=None, timeout=600):
        """Returns (HTTP status, answer)."""
        c = UnixConnection(self.socket, timeout)
        try:
            c.request(method, path, json.dumps(body) if body is not None else None)
            r = c.getresponse()
            return r.status, json.loads(r.read())
        finally:
            c.close()

    def get(self, path):
        status, answer = self.request("GET", path, timeout=30)
        assert status == 200, (path, status, answer)
        return answer

    def post(self, path, timeout=600, **body):
        status, answer = self.request("POST", path, body, timeout)
        assert status in (200, 202), (path, status, answer)
        return answer

    def speak(self, text, **more):
        return self.post("/v1/speak", text=text, **more)

    def speak_later(self, text, **more):
        """speak with wait, in a thread of its own."""
        return Speaking(self, text, more)

    def stop(self):
        """Returns when it was asked for, in nanoseconds."""
        at = time.monotonic_ns()
        self.post("/v1/stop", timeout=30)
        return at

    def status(self):
        return self.get("/v1/status")

    def short(self):
        """What the daemon tells about short texts."""
        return self.status()["short"]

    def need_fast_voice(self):
        try:
            servers.wait_for("fast voice", lambda: self.short()["fast_voice"], 10)
        except AssertionError:
            raise servers.Missing("eSpeak NG was not built in or has no data") from None

    def wait_idle(self, timeout=120):
        servers.wait_for("idle daemon", lambda: self.status()["state"] in ("idle", "unloaded"),
                         timeout)

    def warm(self):
        """Speaks a word and forgets it, so that the model is loaded."""
        self.speak("a")
        servers.wait_for("model", lambda: self.status()["model"]["loaded"], 120)
        self.stop()
        self.wait_idle()

    def settle(self, quiet=.7, timeout=240):
        """Waits until the daemon computes no more."""
        def idle():
            before = servers.cpu_ticks(self.p.pid)
            time.sleep(quiet)
            return servers.cpu_ticks(self.p.pid) - before <= 2

        servers.wait_for("end of computing", idle, timeout)

    def end(self, sig=signal.SIGTERM):
        return self.p.end(sig)


class Speaking:
    """An utterance that somebody waits for."""

    def __init__(self, daemon, text, more):
        self.answer = self.error = None
        self.thread = threading.Thread(target=self._run, args=(daemon, text, more), daemon=True)
        self.thread.start()

    def _run(self, daemon, text, more):
        try:
            self.http, self.answer = daemon.request(
                "POST", "/v1/speak", {"text": text, "wait": True, **more})
        except Exception as e:  # told by result()
            self.error = e

    def waiting(self):
        return self.thread.is_alive()

    def result(self, timeout=400):
        """The answer, whatever its HTTP status."""
        self.thread.join(timeout)
        assert not self.thread.is_alive(), f"no answer after {timeout} s"
        if self.error:
            raise AssertionError(f"the request failed: {self.error!r}")
        return self.answer

    def state(self, timeout=400):
        answer = self.result(timeout)
        return answer.get("state", answer)
