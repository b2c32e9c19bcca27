# SPDX-License-Identifier: MIT
"""Private audio servers for the tests.

Everything lives in a temporary folder of mode 0700 that is the runtime
directory and the home of all that is started, so that nothing of the person
who runs the tests is touched. Every process is ended by its own pid.
"""
import contextlib
import ctypes
import glob
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time


class Missing(Exception):
    """A program or library that the test needs is not installed."""


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            raise Missing(f"{p} is not installed")


def wait_for(what, condition, timeout=30.0, step=0.02):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"no {what} after {timeout:.0f} s")
        time.sleep(step)


def may_be_realtime():
    """Whether this process could get SCHED_FIFO, tried in a child."""
    code = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))"
    return not subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode


def in_own_network(function):
    """Calls it where nothing but loopback exists, whatever listens there; what
    it starts has to end with it."""
    failed = []

    def run():
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(0x40000000):  # CLONE_NEWNET
                raise Missing("no network namespace: " + os.strerror(ctypes.get_errno()))
            need("ip")
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            function()
        except BaseException as e:
            failed.append(e)

    # A namespace is a thread's.
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Process:
    """A child with line-wise output; out collects what it printed."""

    def __init__(self, args, env, log=None, stdin=False, user=None):
        self.args = args
        self.out = []
        self._rest = b""
        self._log = open(log, "ab") if log else subprocess.DEVNULL
        self.p = subprocess.Popen(
            args, env=env, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self._log, preexec_fn=die_with_parent, **(user or {}))
        os.set_blocking(self.p.stdout.fileno(), False)

    @property
    def pid(self):
        return self.p.pid

    def poll_lines(self, timeout=0.0):
        """Reads what is there; waits at most timeout for something."""
        if select.select([self.p.stdout], [], [], timeout)[0]:
            data = os.read(self.p.stdout.fileno(), 65536)
            if not data:
                time.sleep(min(timeout, 0.02))
            *lines, self._rest = (self._rest + data).split(b"\n")
            self.out += [line.decode(errors="replace") for line in lines]

    def expect(self, prefix, after=0, timeout=30.0):
        """Waits for a line that starts with prefix, from line `after` on.
        Returns (index of the next line, the line)."""
        end = time.monotonic() + timeout
        seen = after
        while True:
            for i in range(seen, len(self.out)):
                if self.out[i].startswith(prefix):
                    return i + 1, self.out[i]
            seen = len(self.out)
            if time.monotonic() > end or (self.p.poll() is not None and not self._pending()):
                raise AssertionError(
                    f"{os.path.basename(self.args[0])}: no line '{prefix}' "
                    f"in {timeout:.0f} s (status {self.p.poll()}; last {self.out[-3:]})")
            self.poll_lines(0.05)

    def _pending(self):
        return bool(select.select([self.p.stdout], [], [], 0)[0]) and \
            self._read_some()

    def _read_some(self):
        before = len(self.out)
        self.poll_lines()
        return len(self.out) > before

    def say(self, line):
        self.p.stdin.write(line.encode() + b"\n")
        self.p.stdin.flush()

    def alive(self):
        return self.p.poll() is None

    def end(self, sig=signal.SIGTERM, timeout=20.0):
        """Ends it and returns its status; kills it when it hangs.
        sig 0 waits for it to end by itself."""
        if self.p.poll() is None:
            self.p.send_signal(sig)
        end = time.monotonic() + timeout
        while self.p.poll() is None and time.monotonic() < end:
            self.poll_lines(0.02)
        hung = self.p.poll() is None
        if hung:
            self.p.kill()
            self.p.wait()
        self._read_all()
        self.p.stdout.close()
        if self.p.stdin:
            self.p.stdin.close()
        if self._log is not subprocess.DEVNULL:
            self._log.close()
        if hung:
            raise AssertionError(f"{self.args[0]} did not end {timeout:.0f} s after signal {sig}")
        return self.p.returncode

    def _read_all(self):
        while self._read_some():
            pass


class Place:
    """The private folder and the environment of what runs in it. uid: whose
    they are, who must be able to run what was built."""

    def __init__(self, uid=None):
        self.dir = tempfile.mkdtemp(prefix="barkd-test-")  # mode 0700
        self.user = {}
        if uid is not None:
            os.chown(self.dir, uid, uid)
            self.user = {"user": uid, "group": uid, "extra_groups": []}
        self.processes, self.cleanups = [], []
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("PIPEWIRE_", "JACK_", "BARKD_", "DBUS_", "XDG_"))}
        self.env.update(
            HOME=self.dir, XDG_RUNTIME_DIR=self.dir, DISABLE_RTKIT="1", LC_ALL="C.UTF-8",
            XDG_CONFIG_HOME=self.path("config"), XDG_DATA_HOME=self.path("data"),
            XDG_STATE_HOME=self.path("state"), XDG_CACHE_HOME=self.path("cache"))

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def start(self, args, stdin=False, env=None, user=None):
        name = os.path.basename(args[0])
        p = Process(args, {**self.env, **(env or {})}, self.path(name + ".log"), stdin,
                    self.user if user is None else user)
        self.processes.append(p)
        return p

    def run(self, args, timeout=60, check=True, env=None):
        r = subprocess.run(args, env={**self.env, **(env or {})}, timeout=timeout,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           preexec_fn=die_with_parent, text=True, **self.user)
        if check and r.returncode:
            raise AssertionError(f"{' '.join(args[:3])} failed: {r.stderr.strip()[-300:]}")
        return r

    def log(self, name, size=2000):
        try:
            with open(self.path(name + ".log"), errors="replace") as f:
                return f.read()[-size:]
        except OSError:
            return ""

    def close(self):
        for p in reversed(self.processes):
            if p.alive():
                with contextlib.suppress(AssertionError):
                    p.end(timeout=5)
        for cleanup in self.cleanups:
            cleanup()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class PipeWire:
    """PipeWire with WirePlumber and null sinks, on a private bus."""

    def __init__(self, place):
        need("pipewire", "wireplumber", "dbus-daemon", "pw-cli", "pw-dump", "pw-link")
        self.place = place
        self.server = self.manager = None
        bus = "unix:path=" + place.path("bus")
        place.start(["dbus-daemon", "--session", "--nofork", "--nopidfile",
                     "--address=" + bus])
        place.env["DBUS_SESSION_BUS_ADDRESS"] = bus
        wait_for("session bus", lambda: os.path.exists(place.path("bus")))

    def start(self, sink="test_sink"):
        self.server = self.place.start(["pipewire"])
        wait_for("PipeWire socket", self._answers)
        self.manager = self.place.start(["wireplumber"])
        if sink:
            self.add_sink(sink)
        return self

    def _answers(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.place.path("pipewire-0")) == 0

    def add_sink(self, name="test_sink", rate=48000):
        props = (f"{{ factory.name=support.null-audio-sink node.name={name} "
                 f"media.class=Audio/Sink object.linger=true audio.rate={rate} "
                 "audio.position=[FL FR] }")
        # A session manager that is still starting may overlook a node for good.
        for patience in (5, 10, 20, 30):
            self.place.run(["pw-cli", "create-node", "adapter", props])
            try:
                wait_for(f"sink {name} with ports", lambda: self._ports(name), patience)
                return
            except AssertionError:
                if patience == 30:
                    raise
                self.remove_sink(name)

    def _ports(self, name):
        # The session manager configures the node; only then has it ports.
        node = self.node(name)
        return node and node["info"]["n-input-ports"] >= 2

    def remove_sink(self, name="test_sink"):
        self.place.run(["pw-cli", "destroy", str(self.node(name)["id"])])

    def node(self, name):
        r = self.place.run(["pw-dump"], check=False)
        try:
            objects = json.loads(r.stdout)
        except ValueError:
            return None
        for o in objects:
            props = (o.get("info") or {}).get("props") or {}
            if o["type"].endswith(":Node") and props.get("node.name") == name:
                return o
        return None

    def kill(self, sig=signal.SIGKILL):
        """The server vanishes, the session manager with it."""
        self.server.end(sig)
        self.manager.end(sig)
        for name in ("pipewire-0", "pipewire-0.lock"):
            with contextlib.suppress(OSError):
                os.unlink(self.place.path(name))


def free_jack_name():
    """(a server name that nobody uses, what keeps it ours until closed). JACK
    has eight entries for servers, and one that was killed keeps its entry until
    another of the same name starts: hence few names, used again and again."""
    for n in range(4):
        name = f"barkdtest{os.getuid()}n{n}"
        taken = socket.socket(socket.AF_UNIX)
        try:
            taken.bind("\0" + name)
            return name, taken
        except OSError:
            taken.close()
    raise Missing("other tests use all names of JACK servers")


class Jack:
    """jackd with the dummy driver."""

    def __init__(self, place):
        need("jackd", "jack_wait", "jack_lsp")
        self.place = place
        self.name, self._taken = free_jack_name()
        self.server = None
        place.cleanups.append(self._taken.close)
        place.cleanups.append(self._sweep)
        place.env.update(JACK_DEFAULT_SERVER=self.name, JACK_NO_AUDIO_RESERVATION="1",
                         JACK_NO_START_SERVER="1")

    def start(self, rate=48000, period=256):
        self.server = self.place.start(
            ["jackd", "-n", self.name, "--realtime" if may_be_realtime() else "--no-realtime",
             "-d", "dummy", "-r", str(rate), "-p", str(period)])
        self.place.run(["jack_wait", "-w", "-t", "20"])
        return self

    def connections(self, port):
        """Names of the ports that port is connected to."""
        lines = self.place.run(["jack_lsp", "-c", port], check=False).stdout.splitlines()
        return [line.strip() for line in lines if line.startswith(" ")]

    def kill(self, sig=signal.SIGKILL):
        """The server vanishes; what it left would only be in the way."""
        self.server.end(sig)
        self._sweep()

    def _sweep(self):
        for path in glob.glob(f"/dev/shm/*{self.name}*"):
            with contextlib.suppress(OSError):
                os.unlink(path)


def cpu_ticks(pid):
    """Processor time of all threads, in ticks of 10 ms."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
