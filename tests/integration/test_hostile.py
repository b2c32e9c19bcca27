# SPDX-License-Identifier: MIT
"""Clients that ask without end, stall, vanish, or take all there is: the owner speaks on, and
is answered."""
import contextlib
import json
import os
import select
import signal
import socket
import statistics
import sys
import threading
import time

from asking import TOKEN, ask, free_port, listening
from daemon import Daemon, UnixConnection
from harness import fds, rss_kib, test
from servers import Jack, Missing, Place, wait_for
from stage import MEDIUM

WATCHDOG_S = 3
FLOOD_S = 60
CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients")


def tcp(port):
    return socket.create_connection(("127.0.0.1", port), 60)


def unix(path):
    s = socket.socket(socket.AF_UNIX)
    # With a timeout it would not wait for room in the backlog.
    s.connect(path)
    s.settimeout(60)
    return s


def head(port, method="GET", path="/v1/status", token=TOKEN, **headers):
    """A request's headers, without their end."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
    return ("\r\n".join(lines) + "\r\n").encode()


def read_all(s):
    """What comes until the connection ends."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := s.recv(65536):
            got += part
    return got


def status_of(s):
    """The status of an answer."""
    return int(s.recv(65536).split()[1])


class Watchdog(threading.Thread):
    """Stands in for the service manager: counts WATCHDOG=1."""

    def __init__(self, place):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(place.path("notify"))
        place.env.update(NOTIFY_SOCKET=place.path("notify"),
                         WATCHDOG_USEC=str(WATCHDOG_S * 1000000))
        place.cleanups.append(self.socket.close)
        self.pings = [time.monotonic()]
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                if b"WATCHDOG=1" in self.socket.recv(4096):
                    self.pings.append(time.monotonic())

    def longest(self, since):
        """The longest time without a ping, in seconds."""
        times = [since, *(t for t in self.pings if t > since), time.monotonic()]
        return max(b - a for a, b in zip(times, times[1:]))


@contextlib.contextmanager
def playing(bench):
    """A daemon with a port, a sink that plays in real time, and a watchdog:
    yields (place, daemon, port, watchdog)."""
    port = free_port()
    with Place() as place:
        watchdog = Watchdog(place)
        Jack(place).start()
        daemon = Daemon(bench, place, bench.fast_model(), {
            "output": {"sink": "jack"}, "http": {"port": port, "token": TOKEN}}).start()
        daemon.warm()
        yield place, daemon, port, watchdog
        assert daemon.end() == 0, "barkd did not end well: " + daemon.log()


def speak(daemon):
    """Speaks; returns (seconds until it was heard, how long each of the
    answers took that the owner got meanwhile)."""
    start = time.monotonic()
    later = daemon.speak_later(MEDIUM, seed=1)
    took = []
    while later.waiting():
        asked = time.monotonic()
        daemon.get("/healthz")
        took.append(time.monotonic() - asked)
        time.sleep(.02)
    assert later.state() == "done"
    return time.monotonic() - start, took


def withstand(bench, address_of, connections, *paths):
    """Speech, the owner's answers and the watchdog while clients ask without
    end, compared with a quiet daemon."""
    with playing(bench) as (place, daemon, port, watchdog):
        quiet, took_quiet = speak(daemon)
        before = daemon.status()["counters"]["underruns"]
        flood = place.start([sys.executable, os.path.join(CLIENTS, "flood.py"),
                             str(address_of(daemon, port)), str(connections), str(FLOOD_S), *paths])
        flood.expect("flood")
        began = time.monotonic()
        time.sleep(1)
        took = []
        for _ in range(3):
            loud, some = speak(daemon)
            took += some
            assert loud < 2 * quiet + 1, f"{loud:.1f} s of speech that takes {quiet:.1f} s"
        assert flood.alive(), "the flood was over"
        flood.end()
        underruns = daemon.status()["counters"]["underruns"] - before
        assert underruns == 0, f"{underruns} underruns"
        longest = watchdog.longest(began)
        assert longest < WATCHDOG_S, f"{longest:.1f} s without a ping"
        usual, now = statistics.median(took_quiet), statistics.median(took)
        assert now < 30 * usual, f"answers take {now * 1000:.1f} ms, usually {usual * 1000:.1f} ms"
        assert max(took) < 2, f"an answer took {max(took):.1f} s"
        return (f"answers in {now * 1000:.1f} ms (quiet {usual * 1000:.1f}), worst "
                f"{max(took) * 1000:.0f} ms; speech {loud:.1f} s (quiet {quiet:.1f})")


@test("hostile-flood", tries=3)
def flood(bench):
    """Strangers send requests over TCP without end, and without a token."""
    return withstand(bench, lambda daemon, port: port, 8, "/v1/status")


@test("hostile-flood-pages", tries=3)
def flood_pages(bench):
    """They ask for what needs no token, on as many connections as they like."""
    return withstand(bench, lambda daemon, port: port, 200, "/healthz", "/", "/v1/speak")


@test("hostile-flood-owner", tries=3)
def flood_owner(bench):
    """A program of the owner's does it."""
    return withstand(bench, lambda daemon, port: daemon.socket, 8, "/v1/status", "/healthz")


@test("hostile-strangers")
def strangers(bench):
    """Who has no token is slowed and sends no body; who has one is not held up by those."""
    with listening(bench) as (place, daemon, port):
        start = time.monotonic()
        for _ in range(20):
            assert ask(port, "GET", "/v1/status")[0] == 200
        usual = time.monotonic() - start
        # Announced, not sent; nor is anybody told to send it.
        for more in {"Content-Length": 5}, {"Content-Length": 1 << 40}, \
                {"Transfer-Encoding": "chunked"}, {"Content-Length": 5, "Expect": "100-continue"}:
            for path, status in ("/v1/speak", 401), ("/", 413):
                with tcp(port) as s:
                    s.sendall(head(port, "POST" if path != "/" else "GET", path, None,
                                   **more) + b"\r\n")
                    assert status_of(s) == status, (more, path)
                    assert read_all(s) == b""
        # An answer reaches who has sent its body all the same.
        with tcp(port) as s:
            s.sendall(head(port, "POST", "/v1/speak", "wrong", Content_Length=60000) + b"\r\n")
            s.sendall(b"x" * 60000)
            assert b"invalid_api_key" in read_all(s)
        flood = place.start([sys.executable, os.path.join(CLIENTS, "flood.py"), str(port), "200",
                             str(FLOOD_S), "/v1/status", "/healthz"])
        flood.expect("flood")
        time.sleep(1)
        start = time.monotonic()
        for _ in range(20):
            assert ask(port, "GET", "/v1/status")[0] == 200
        took = time.monotonic() - start
        start, pages = time.monotonic(), daemon.get("/v1/status")["cpu_s"]
        time.sleep(2)
        busy = (daemon.get("/v1/status")["cpu_s"] - pages) / (time.monotonic() - start)
        assert flood.alive()
        flood.end()
        assert took < 50 * usual + 5, (took, usual)
        assert busy < .7, f"strangers take {busy:.0%} of a processor"
        return f"20 answers in {took:.2f} s (quiet {usual:.2f}), {busy:.0%} of a processor"


def drip(sockets, data, seconds):
    """Sends data byte by byte on all sockets, as slowly as that."""
    pause = seconds / len(data)
    for i in range(len(data)):
        for s in sockets:
            with contextlib.suppress(OSError):
                s.send(data[i:i + 1])
        time.sleep(pause)


def ended(s):
    """Whether the server has closed the connection."""
    s.setblocking(False)
    try:
        while s.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@test("hostile-slow")
def slow(bench):
    """Headers and bodies that come byte by byte, more than there are places: others are served
    meanwhile, and each of them ends."""
    with listening(bench) as (place, daemon, port), contextlib.ExitStack() as stack:
        def many(n, connect, where):
            return [stack.enter_context(connect(where)) for _ in range(n)]

        heads = many(40, tcp, port) + many(40, unix, daemon.socket)
        bodies = many(40, tcp, port) + many(40, unix, daemon.socket)
        for s in bodies:
            s.sendall(head(port, "POST", "/v1/speak", Content_Length=5000) + b"\r\n")
        stop = threading.Thread(target=drip, daemon=True, args=(
            heads + bodies, head(port, X="x" * 4900), 240))
        stop.start()
        more = []
        for _ in range(5):
            assert ask(port, "GET", "/v1/status")[0] == 200
            assert daemon.status()["state"]
            more += many(20, tcp, port) + many(20, unix, daemon.socket)
            time.sleep(.2)
        # Who is too slow is told.
        with tcp(port) as s:
            s.sendall(head(port))
            assert b" 408 " in read_all(s)
        wait_for("end of all slow clients", lambda: all(map(ended, heads + bodies + more)), 150, 1)


@test("hostile-waiters")
def waiters(bench):
    """As many clients as may be wait for what they let be spoken: all others are answered, and
    who stops them is at once."""
    with listening(bench) as (place, daemon, port), contextlib.ExitStack() as stack:
        body = json.dumps({"text": "a", "wait": True, "priority": "message"}).encode()
        ask_wait = head(port, "POST", "/v1/speak", Content_Length=len(body)) + b"\r\n" + body
        for connect, where in (unix, daemon.socket), (tcp, port):
            daemon.post("/v1/pause")
            clients = []
            for _ in range(90):
                clients.append(stack.enter_context(connect(where)))
                clients[-1].sendall(ask_wait)
            wait_for("full house", lambda: daemon.status()["queue"]["length"] >= 60, 20)
            time.sleep(.5)
            refused = [s for s in clients if ready(s)]
            assert 10 < len(refused) < 40, len(refused)
            for s in refused:
                assert status_of(s) == 429
            waiting = [s for s in clients if s not in refused]
            # Others are served, from both sides.
            assert ask(port, "GET", "/v1/status")[0] == 200
            assert daemon.speak("b", priority="message")["state"] == "queued"
            start = time.monotonic()
            if connect is tcp:
                assert ask(port, "POST", "/v1/stop")[0] == 200
            else:
                daemon.stop()
            took = time.monotonic() - start
            assert took < 5, took
            for s in waiting:
                assert b'"stopped"' in s.recv(65536)


def ready(s):
    """Whether there is something to read."""
    return bool(select.select([s], [], [], 0)[0])


@test("hostile-vanished")
def vanished(bench):
    """Clients that close their side with their last bytes, and read no answer: their places are
    free long before they would time out."""
    with listening(bench) as (place, daemon, port), contextlib.ExitStack() as stack:
        clients = []
        for connect, where in (tcp, port), (unix, daemon.socket):
            for bytes_ in head(port) + b"\r\n", head(port), 3 * (head(port) + b"\r\n"), \
                    head(port, "POST", "/v1/speak", Content_Length=50) + b"\r\nx":
                # Both are there when barkd looks.
                os.kill(daemon.p.pid, signal.SIGSTOP)
                for _ in range(5):
                    s = stack.enter_context(connect(where))
                    s.sendall(bytes_)
                    s.shutdown(socket.SHUT_WR)
                    clients.append((s, bytes_))
                os.kill(daemon.p.pid, signal.SIGCONT)
        wait_for("end of all connections",
                 lambda: daemon.get("/v1/status") and all(ended(s) for s, _ in clients), 30, .2)


@test("hostile-lost")
def lost(bench):
    """A machine that is gone without a word: who waited there keeps no place."""
    with listening(bench) as (place, daemon, port):
        daemon.post("/v1/pause")
        time.sleep(1)
        before = fds(daemon.p.pid)
        s = tcp(port)
        body = b'{"text":"a","wait":true}'
        s.sendall(head(port, "POST", "/v1/speak", Content_Length=len(body)) + b"\r\n" + body)
        wait_for("the request", lambda: daemon.status()["queue"]["current"] or
                 daemon.status()["queue"]["length"])
        try:
            s.setsockopt(socket.IPPROTO_TCP, 19, 1)  # TCP_REPAIR: close() sends nothing
        except OSError as e:
            raise Missing(f"cannot let a connection vanish: {e}") from None
        s.close()
        assert fds(daemon.p.pid) > before
        wait_for("end of the connection", lambda: fds(daemon.p.pid) <= before, 90, .5)


def post_raw(daemon, path, data):
    """(seconds, status)"""
    c = UnixConnection(daemon.socket, 60)
    with contextlib.closing(c):
        start = time.monotonic()
        c.request("POST", path, data)
        r = c.getresponse()
        r.read()
        return time.monotonic() - start, r.status


@test("hostile-bodies", tries=3)
def bodies(bench):
    """A body of small values costs less than one of a long text; where no text is taken, no
    long body is."""
    with listening(bench) as (place, daemon, port):
        n = (1 << 20) - 100
        text = b'{"text":"%s"}' % (b"x" * n)
        values = (b'{"text":[%s]}' % (b"0," * (n // 2) + b"0"),
                  b'{"text":"a",%s"z":1}' % b"".join(b'"%06x":1,' % i for i in range(n // 11)),
                  b'{"text":%s' % (b'{"a":[' * 200000)[:n])
        usual = min(post_raw(daemon, "/v1/speak", text)[0] for _ in range(5))
        for body in values:
            took, status = min(post_raw(daemon, "/v1/speak", body) for _ in range(5))
            assert status == 400, status
            assert took < usual, f"{took * 1000:.0f} ms, a text {usual * 1000:.0f} ms"
        for path in "/v1/stop", "/v1/skip", "/v1/pause", "/v1/nothing":
            assert post_raw(daemon, path, b'{"id":' + b" " * 100000 + b"1}")[1] == 413, path
        # A text of the longest kind, all of it escaped.
        assert daemon.post("/v1/speak", text="\u0416" * (128 * 1024))["id"]
        daemon.stop()
        return f"a long text takes {usual * 1000:.0f} ms"


def send_all(s, data):
    with contextlib.suppress(OSError):
        s.sendall(data)


@test("hostile-presets")
def presets(bench):
    """A folder of more presets than are listed: those that are, are, and no request fails of
    the others."""
    with listening(bench) as (place, daemon, port):
        folder = place.path("data", "barkd", "voices")
        os.makedirs(folder, exist_ok=True)
        for i in range(5000):
            with open(os.path.join(folder, f"v{i}.npz"), "wb"):
                pass
        wait_for("the presets", lambda: len(daemon.get("/v1/voices")) >= 4096)
        status, answer = daemon.request("POST", "/v1/speak", {"text": "a", "voice": "nobody"})
        assert status == 404, (status, answer)
        assert daemon.speak("a", wait=True)["state"] == "done"


@contextlib.contextmanager
def wyoming_server(bench):
    """Yields (daemon, port, barkd-wyoming's process)."""
    port = free_port()
    with listening(bench) as (place, daemon, _):
        place.env["BARKD_SOCKET"] = daemon.socket
        p = place.start([bench.wyoming, "--uri", f"tcp://127.0.0.1:{port}"])
        wait_for("barkd-wyoming", lambda: answers(port))
        yield daemon, port, p
        assert p.end() == 0, place.log("barkd-wyoming")


def described(port):
    """Whether barkd-wyoming serves a new client within some seconds."""
    with tcp(port) as s:
        s.settimeout(20)
        s.sendall(b'{"type":"describe"}\n')
        return b'"info"' in s.recv(65536)


@test("hostile-wyoming")
def wyoming(bench):
    """Connections to barkd-wyoming that say nothing, or nothing whole, take nobody's place."""
    with wyoming_server(bench) as (_, port, p), contextlib.ExitStack() as stack:
        for begun in b"", b'{"type":"desc', b'{"type":"synthesize-start"}\n':
            for _ in range(40):
                s = stack.enter_context(tcp(port))
                with contextlib.suppress(OSError):
                    s.sendall(begun)
            assert described(port), begun


@test("hostile-wyoming-unread")
def wyoming_unread(bench):
    """One that asks without end and reads nothing holds up nobody, and is not kept in memory."""
    with wyoming_server(bench) as (_, port, p), tcp(port) as s:
        assert described(port)
        before = rss_kib(p.pid)
        # More answers than the sockets hold.
        flood = threading.Thread(target=send_all, daemon=True, args=(
            s, b'{"type":"ping","data":{"text":"%s"}}\n' % (b"x" * 50000) * 2000))
        flood.start()
        time.sleep(3)
        start = time.monotonic()
        assert described(port)
        assert time.monotonic() - start < 5
        grown = rss_kib(p.pid) - before
        assert grown < 16384, f"{grown} KiB more"


def answers(port):
    with contextlib.closing(socket.socket()) as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
