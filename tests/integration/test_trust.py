# SPDX-License-Identifier: MIT
"""Other users of the machine: nobody but the owner makes barkd speak."""
import contextlib
import json
import os
import socket
import subprocess
import sys

from asking import TOKEN, listening
from daemon import Daemon
from harness import test
from servers import Missing, Place, need, wait_for
from stage import SHORT

STRANGER = 65534
ASK = (b"POST /v1/speak HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n"
       b'{"text": "boo"}')
# Sends what it is given to a socket and prints what comes back.
CLIENT = """
import os, socket, sys
os.setgroups([]); os.setgid({uid}); os.setuid({uid})
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
try:
    s.connect({path!r})
    s.sendall({ask!r})
    s.shutdown(socket.SHUT_WR)
    sys.stdout.buffer.write(s.recv(65536))
except (BrokenPipeError, ConnectionResetError):
    pass
"""


def need_root():
    if os.geteuid():
        raise Missing("another user's client needs root")


def ask_as(uid, path, ask=ASK):
    """What a client that runs as uid is answered, b"" for nothing."""
    r = subprocess.run([sys.executable, "-c", CLIENT.format(uid=uid, path=path, ask=ask)],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert r.returncode == 0, r.stderr.decode()
    return r.stdout


@contextlib.contextmanager
def open_daemon(bench):
    """A daemon whose socket every user can open: yields (place, daemon)."""
    need_root()
    with Place() as place:
        daemon = Daemon(bench, place, bench.fast_model(), {
            "output": {"sink": "file", "target": place.path("sound.wav")}}).start()
        for path, mode in ((place.dir, 0o711), (os.path.dirname(daemon.socket), 0o711),
                           (daemon.socket, 0o666)):
            os.chmod(path, mode)
        yield place, daemon
        assert daemon.end() == 0


@test("trust-no-path")
def no_path(bench):
    """Without a folder for its socket barkd says so in one line, and leaves nothing."""
    with Place() as place:
        os.mkdir(place.path("empty"))
        env = {k: v for k, v in place.env.items() if k != "XDG_RUNTIME_DIR"}
        for extra in {}, {"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "here"}, {"BARKD_SOCKET": ""}:
            p = subprocess.Popen([bench.barkd, "--foreground"], cwd=place.path("empty"),
                                 env={**env, **extra}, stderr=subprocess.PIPE, text=True)
            try:
                _, said = p.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                p.kill()
                raise AssertionError(f"barkd runs without a path, with {extra}") from None
            assert p.returncode == 1, (extra, p.returncode)
            assert len(said.splitlines()) == 1 and "XDG_RUNTIME_DIR" in said, (extra, said)
            assert os.listdir(place.path("empty")) == [], os.listdir(place.path("empty"))


@test("trust-peer")
def peer(bench):
    """Another user's client is not heard, even where the socket's mode lets it in, and
    as many of them as there are places keep nobody out."""
    with open_daemon(bench) as (place, daemon):
        assert b" 202 " in ask_as(0, daemon.socket)
        daemon.wait_idle()
        spoken = daemon.status()["counters"]["spoken"]
        for ask in ASK, b"GET /v1/queue HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /healthz HTTP/1.1\r\n\r\n":
            assert ask_as(STRANGER, daemon.socket, ask) == b"", ask
        crowd = subprocess.Popen([sys.executable, "-c", CROWD.format(
            uid=STRANGER, path=daemon.socket)], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        try:
            crowd.stdout.readline()
            assert daemon.speak(SHORT, wait=True)["state"] == "done"
        finally:
            crowd.communicate(b"\n")
        assert daemon.status()["counters"]["spoken"] == spoken + 1
        assert daemon.log().count(f"refused a client of user {STRANGER}") == 1


CROWD = """
import os, socket
os.setgroups([]); os.setgid({uid}); os.setuid({uid})
crowd = [socket.socket(socket.AF_UNIX) for _ in range(80)]
for s in crowd:
    s.settimeout(20)
    s.connect({path!r})
print("there", flush=True)
input()
"""


@test("trust-wyoming-peer")
def wyoming_peer(bench):
    """Likewise at barkd-wyoming's Unix socket."""
    with open_daemon(bench) as (place, daemon):
        path = place.path("wyoming.sock")
        place.env["BARKD_SOCKET"] = daemon.socket
        p = place.start([bench.wyoming, "--uri", "unix://" + path])
        wait_for("barkd-wyoming", lambda: os.path.exists(path))
        os.chmod(path, 0o666)
        ask = b'{"type": "describe"}\n'
        assert b'"info"' in ask_as(0, path, ask)
        assert ask_as(STRANGER, path, ask) == b""
        assert p.end() == 0


@test("trust-server")
def server(bench):
    """A client gives its text to no other user's server."""
    need_root()
    with Place() as place:
        os.chmod(place.dir, 0o777)
        path = place.path("fake.sock")
        fake = subprocess.Popen([sys.executable, "-c", FAKE.format(uid=STRANGER, path=path)],
                                stdout=subprocess.PIPE)
        assert fake.stdout.readline() == b"there\n"
        # Whose socket it is counts, not who may open it.
        os.chmod(path, 0o666)
        r = subprocess.run([bench.barkctl, "say", "private"], user=STRANGER - 1, group=STRANGER - 1,
                           env={**place.env, "BARKD_SOCKET": path}, timeout=30,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        heard, _ = fake.communicate(timeout=30)
        assert r.returncode and b"private" not in heard, (r.returncode, heard)
        assert "the user who runs it" in r.stderr and len(r.stderr.splitlines()) == 1, r.stderr


FAKE = """
import os, socket
os.setgroups([]); os.setgid({uid}); os.setuid({uid})
s = socket.socket(socket.AF_UNIX)
s.bind({path!r})
s.listen()
print("there", flush=True)
c, _ = s.accept()
c.settimeout(10)
try:
    print(c.recv(65536))
except OSError:
    pass
"""


def raw(port, *lines):
    """The status that a request of these header lines is answered with."""
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall("\r\n".join(lines + ("", "")).encode())
        return int(s.recv(65536).split()[1])


@test("trust-twice")
def twice(bench):
    """What decides who is let in is not said twice; a zero byte ends no path."""
    with listening(bench) as (_, daemon, port):
        host, good = f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {TOKEN}"
        get = "GET /v1/queue HTTP/1.1"
        assert raw(port, get, host, good) == 200
        assert raw(port, get, host, "Host: evil.example", good) == 400
        assert raw(port, get, host, "hOST: 127.0.0.1", good) == 400
        assert raw(port, get, host, good, "Authorization: Bearer x") == 400
        own = f"Origin: http://127.0.0.1:{port}"
        assert raw(port, get, host, good, own) == 200
        assert raw(port, get, host, good, own, "Origin: http://evil.example") == 400
        assert raw(port, "GET /overlay HTTP/1.1", host) == 200
        for path in "/overlay%00.html", "/overlay%00", "/v1/queue%00":
            assert raw(port, f"GET {path} HTTP/1.1", host, good) == 404, path
        assert raw(port, f"GET /v1/queue?token={TOKEN} HTTP/1.1", host) == 200
        assert raw(port, f"GET /v1/queue?token={TOKEN}%00x HTTP/1.1", host) == 401
        assert raw(port, f"GET /v1%2fqueue?token=%{ord(TOKEN[0]):x}{TOKEN[1:]} HTTP/1.1", host) == 200


def locked_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmLck"))


@test("trust-memory")
def memory(bench):
    """What the audio callback touches is not swapped out, and where the limit forbids
    that, doctor says so."""
    need_root()
    need("setpriv", "prlimit")
    for limit, locked in ("8388608", True), ("0", False):
        with Place() as place:
            daemon = Daemon(bench, place, bench.fast_model(), {
                "output": {"sink": "file", "target": place.path("sound.wav")}})
            # Root's own right is beyond limits.
            daemon.p = place.start(["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock",
                                    "prlimit", "--memlock=" + limit, bench.barkd, "--foreground",
                                    "--config", daemon.ini])
            wait_for("barkd", daemon._answers)
            daemon.warm()
            kib = locked_kib(daemon.p.pid)
            assert (kib >= 512) == locked, kib
            assert daemon.status()["sink"]["memory_locked"] == locked
            r = place.run([bench.barkctl, "doctor", "--json"], check=False)
            found, = [c for c in json.loads(r.stdout)["checks"] if c["check"] == "real-time"]
            assert found["state"] == ("ok" if locked else "warn"), found
            assert locked or "LimitMEMLOCK" in found["advice"], found
            assert daemon.end() == 0
