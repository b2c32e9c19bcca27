# SPDX-License-Identifier: MIT
"""barkd-wyoming, asked by Home Assistant's own package and by hostile bytes."""
import contextlib
import json
import os
import random
import socket
import subprocess
import time
import wave

from asking import free_port
from daemon import Daemon
from harness import test
from servers import Missing, Place, need, wait_for
from stage import MEDIUM, render


@contextlib.contextmanager
def serving(bench, model=None):
    """Yields (place, daemon, port, the process)."""
    port = free_port()
    with Place() as place:
        daemon = Daemon(bench, place, model or bench.fast_model(), {
            "output": {"sink": "file", "target": place.path("sound.wav")},
            "http": {"streams": 8}}).start()
        place.env["BARKD_SOCKET"] = daemon.socket
        p = place.start([bench.wyoming, "--uri", f"tcp://127.0.0.1:{port}"])

        def answers():
            with contextlib.closing(socket.socket()) as s:
                return s.connect_ex(("127.0.0.1", port)) == 0

        wait_for("barkd-wyoming", answers)
        yield place, daemon, port, p
        assert p.end() == 0, place.log("barkd-wyoming")
        assert daemon.end() == 0


def making(daemon):
    return daemon.status()["renders"]["making"]


def check_ssml(place, seen):
    """The pause is heard, the tags are not."""
    whole = ["audio-start", "audio-chunk", "audio-stop"]
    assert seen["ssml"][:2] == [whole, []], seen["ssml"]
    assert seen["ssml_stream"][:2] == [whole + ["synthesize-stopped"], []], seen["ssml_stream"]
    for name in "ssml", "ssml_stream":
        longer = seen[name][2] - seen["unmarked"][2]
        assert 1 < longer < 3.5, (name, longer)
    with wave.open(place.path("ssml.wav")) as w:
        assert bytes(3 * 48000) in w.readframes(w.getnframes())


@test("wyoming")
def package(bench):
    """Describe, synthesize, streaming synthesize, by the `wyoming` package."""
    python = bench.python("wyoming")
    with serving(bench, bench.voice_model()) as (place, daemon, port, p):
        script = os.path.join(os.path.dirname(__file__), "clients", "wyoming_client.py")
        seen = json.loads(place.run([python, script, str(port), place.dir], timeout=300).stdout)
        assert seen["pong"] == "x" and seen["streaming"] is True
        assert seen["voices"] == [[v["name"], [v["language"] or "en"]]
                                  for v in daemon.get("/v1/voices")], seen["voices"]
        whole = ["audio-start", "audio-chunk", "audio-stop"]
        assert seen["plain"] == [whole, []], seen["plain"]
        assert seen["begun"] == "audio-start", seen["begun"]
        assert seen["stream"] == [whole[1:] + ["synthesize-stopped"], []], seen["stream"]
        assert seen["stream_seconds"] > 5
        # Who is not there is stood in for, and the log says so.
        assert seen["nobody"] == [whole, []], seen["nobody"]
        assert place.log("barkd").count('"nobody"') == 1, place.log("barkd")
        check_ssml(place, seen)
        assert seen["empty"] == ["audio-start", "audio-stop"], seen["empty"]
        assert seen["still"] == [whole, [], True], seen["still"]
        assert min(seen["several"]) > 10000, seen["several"]
        # The same words in about the same time as by barkctl.
        ref = render(bench, place, MEDIUM, 1, "low-latency", model=bench.voice_model())
        ratio = os.path.getsize(place.path("plain.wav")) / os.path.getsize(ref)
        assert .6 < ratio < 1.7, ratio
        assert place.log("barkd-wyoming") == "", place.log("barkd-wyoming")


@test("wyoming-hostile")
def hostile(bench):
    """Rubbish, floods and clients that vanish: the next one is served."""
    with serving(bench) as (place, daemon, port, p):
        daemon.warm()

        def connect():
            return socket.create_connection(("127.0.0.1", port), 20)

        def closed(s):
            with contextlib.suppress(ConnectionResetError):
                while s.recv(65536):
                    pass
            return True

        for rubbish in (b"x\n", b"[]\n", b"{}\n", b'{"type":3}\n', b'{"type":"x","data_length":-1}\n',
                        b'{"type":"x","data_length":1e9}\n', b'{"type":"x","data_length":99999999}\n',
                        b'{"type":"x","data_length":2}\n[]', b"y" * 100000,
                        b'{"type":"x","payload_length":999999999999}\n'):
            with connect() as s:
                with contextlib.suppress(OSError):
                    s.sendall(rubbish)
                assert closed(s), rubbish
        chance = random.Random(1)
        for _ in range(50):
            with connect() as s, contextlib.suppress(OSError):
                s.sendall(chance.randbytes(chance.randrange(1, 3000)))
        text = json.dumps({"text": "This goes on for a while. " * 200})
        ask = f'{{"type":"synthesize","data_length":{len(text)}}}\n{text}'.encode()
        for _ in range(5):
            s = connect()
            s.sendall(ask)
            s.recv(100)
            assert making(daemon) == 1
            s.close()
            wait_for("end of the work", lambda: making(daemon) == 0, 5)
        # Who does not read does not make barkd work, nor keep its speech.
        s = connect()
        s.sendall(ask)
        daemon.settle()
        with open(f"/proc/{p.pid}/status") as f:
            rss = int(next(line for line in f if line.startswith("VmRSS")).split()[1])
        assert rss < 40000, rss
        s.close()
        # barkd away: told, and found again.
        assert daemon.end() == 0
        with connect() as s:
            s.sendall(b'{"type":"synthesize","data":{"text":"Hello."}}\n')
            got = b""
            while b"audio-stop" not in got:
                data = s.recv(4096)
                assert data, got
                got += data
            assert b'"error"' in got and b"barkd" in got, got
            daemon.start()
            s.sendall(b'{"type":"synthesize","data":{"text":"Hello."}}\n')
            got = b""
            while b"audio-stop" not in got:
                data = s.recv(65536)
                assert data, got[:200]
                got += data
            assert b"audio-chunk" in got and b'"error"' not in got


@test("wyoming-stdio")
def stdio(bench):
    """One client at standard input and output, and a Unix socket."""
    with serving(bench) as (place, daemon, port, p):
        asked = b'{"type":"describe"}\n{"type":"synthesize","data":{"text":"Hello."}}\n'
        other = subprocess.Popen([bench.wyoming, "--uri", "stdio://"], env=place.env,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        other.stdin.write(asked)
        other.stdin.flush()
        got = b""
        while b"audio-stop" not in got:
            data = other.stdout.read1(65536)
            assert data, got[:200]
            got += data
        assert b'"info"' in got and b"audio-chunk" in got
        other.stdin.close()
        assert other.wait(20) == 0
        other.stdout.close()
        path = place.path("wyoming.sock")
        third = place.start([bench.wyoming, "--uri", "unix://" + path])
        wait_for("socket", lambda: os.path.exists(path))
        assert os.stat(path).st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            s.sendall(b'{"type":"ping","data":{"text":"x"}}\n')
            assert b"pong" in s.recv(4096)
        assert third.end() == 0 and not os.path.exists(path)
        for wrong in ["--uri", "x"], ["--uri", "tcp://127.0.0.1"], ["--uri", "tcp://127.0.0.1:1:x"]:
            r = place.run([bench.wyoming, *wrong], check=False)
            assert r.returncode == 1 and r.stderr.count("\n") == 1, r
        assert place.run([bench.wyoming, "x"], check=False).returncode == 2


SYSTEM_BUS = """<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=PATH</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/></policy></busconfig>"""


@test("wyoming-zeroconf")
def zeroconf(bench):
    """Avahi tells where barkd-wyoming is, under a name of its own, also one that
    starts later, and no more when it has ended."""
    need("dbus-daemon", "avahi-daemon", "avahi-browse", "avahi-publish")
    if os.geteuid():
        raise Missing("avahi-daemon needs root")
    if os.path.exists("/run/avahi-daemon/pid"):
        raise Missing("another avahi-daemon runs")
    with Place() as place:
        path = place.path("system-bus")
        with open(place.path("bus.conf"), "w") as f:
            f.write(SYSTEM_BUS.replace("PATH", path))
        with open(place.path("avahi.conf"), "w") as f:
            f.write("[server]\nallow-interfaces=lo\nuse-ipv6=no\n")
        place.start(["dbus-daemon", "--config-file=" + place.path("bus.conf"), "--nofork"])
        wait_for("bus", lambda: os.path.exists(path))
        place.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + path

        def avahi():
            started = place.log("avahi-daemon", 1 << 20).count("startup complete")
            p = place.start(["avahi-daemon", "--no-drop-root", "--no-chroot", "--no-rlimits",
                             "--no-proc-title", "-f", place.path("avahi.conf")])
            for _ in range(100):
                if place.log("avahi-daemon", 1 << 20).count("startup complete") > started:
                    return p
                if not p.alive():
                    raise Missing("avahi-daemon does not run here")
                time.sleep(.1)
            raise Missing("avahi-daemon is not ready")

        def told():
            """Names and ports, from the network itself."""
            out = place.run(["avahi-browse", "-rpt", "_wyoming._tcp"], timeout=30).stdout
            return sorted((f[3].encode().decode("unicode_escape"), int(f[8])) for f in (
                line.split(";") for line in out.splitlines()) if f[0] == "=")

        port = free_port()
        # Before Avahi is there.
        p = place.start([bench.wyoming, "--uri", f"tcp://127.0.0.1:{port}", "--zeroconf"])
        first = avahi()
        wait_for("service", lambda: told() == [("barkd", port)])
        other = place.start([bench.wyoming, "--uri", f"tcp://127.0.0.1:{port + 1}",
                             "--zeroconf"])
        names = wait_for("second name", lambda: len(told()) == 2 and told())
        assert names[0] == ("barkd", port) and names[1][1] == port + 1, names
        assert names[1][0].startswith("barkd"), names
        assert other.end() == 0
        wait_for("end", lambda: told() == [("barkd", port)])
        assert first.end() == 0
        again = avahi()
        wait_for("service again", lambda: told() == [("barkd", port)])
        # Avahi says goodbye for what it has announced to the end.
        time.sleep(3)
        assert p.end() == 0
        wait_for("end", lambda: told() == [])
        assert again.end() == 0
        r = place.start([bench.wyoming, "--uri", "unix://" + place.path("w"), "--zeroconf=X"])
        wait_for("complaint", lambda: "no TCP port" in place.log("barkd-wyoming"))
        assert r.end() == 0
