# SPDX-License-Identifier: MIT
"""GET /v1/events: what happens is told when it is heard."""
import os
import time

from asking import listening
from daemon import UnixConnection
from harness import Recorder, switches, test
from listener import Listener
from servers import wait_for
from stage import LONG, SHORT, speaking

TEXT = "Hello there, my friend. This is your computer speaking to you, and it goes on for a while."


def named(events, *names):
    return [e for e in events if e[1] in names]


def words_of(text, events):
    raw = text.encode()
    return [raw[e[2]["begin"]:e[2]["end"]].decode() for e in named(events, "word")]


@test("events-heard", tries=3)
def heard(bench):
    """Begin, words and end come when a listener at the sink hears them, at
    any speed, with the level of what is heard."""
    notes = []
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        recorder = Recorder(bench, place, server)
        listener = Listener(daemon, "?levels=1")
        listener.until("hello")
        for rate in 1, 2:
            recorder.quiet()
            spoken = daemon.speak_later(TEXT, rate=rate)
            sound = recorder.sound()
            events = listener.until("end")
            silence = recorder.silence()
            assert spoken.state() == "done"
            assert events[0][1] == "queued" and events[0][2]["text"] == TEXT
            (begin,) = named(events, "begin")
            # Nothing is heard before the speech: one begins with the other.
            assert -60 < (sound - begin[0]) / 1e6 < 60, (sound - begin[0]) / 1e6
            assert words_of(TEXT, events) == TEXT.replace(",", "").replace(".", "").split()
            times = [e[0] for e in named(events, "word")]
            assert times == sorted(times) and times[-1] < silence
            assert (silence - times[-1]) / 1e6 < 2500 / rate, (silence - times[-1]) / 1e6
            sentences = [e[2]["begin"] for e in named(events, "sentence")]
            assert sentences == [0, TEXT.index("This")], sentences
            loud = [e for e in named(events, "level") if e[2]["rms_db"] > -50]
            assert loud, named(events, "level")
            assert all(sound - 150e6 < e[0] < silence + 150e6 for e in loud)
            assert events[-1][2]["state"] == "done"
            late = (events[-1][0] - silence) / 1e6
            assert -150 < late < 700, late
            notes.append(f"rate {rate}: begin {(begin[0] - sound) / 1e6:+.0f} ms, "
                         f"end {late:+.0f} ms of the sound")
        listener.close()
    return "; ".join(notes)


@test("events-kinds")
def kinds(bench):
    """Stops, drops, pauses, and what somebody learns who comes later."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        first = Listener(daemon)
        assert first.until("hello")[-1][2]["state"] == "idle"
        spoken = daemon.speak_later(LONG)
        first.until("word")
        daemon.post("/v1/pause")
        first.until("paused")
        # A page that is loaded again.
        second = Listener(daemon)
        hello = second.until("hello")[-1][2]
        assert hello["paused"] and hello["state"] == "paused", hello
        again = second.until("word")
        assert named(again, "begin")[0][2]["text"] == LONG
        time.sleep(.5)
        assert first.events.empty(), "words went on in a pause"
        daemon.post("/v1/resume")
        assert first.until("word") and second.until("word")
        daemon.speak("Important.", priority="important")
        for listener in first, second:
            assert listener.until("end")[-1][2]["state"] == "dropped"
        daemon.stop()
        for listener in first, second:
            assert listener.until("end")[-1][2]["state"] == "stopped"
            listener.close()
        assert spoken.state() == "dropped"


@test("events-limits")
def limits(bench):
    """Listeners cost nothing while it is quiet; too many are refused; one that
    does not read is let go, and the others still hear."""
    with listening(bench) as (place, daemon, port):
        daemon.warm()
        good = Listener(daemon)
        lazy = UnixConnection(daemon.socket, 120)
        lazy.request("GET", "/v1/events")
        lazy.getresponse()
        more = [Listener(daemon) for _ in range(14)]
        c = UnixConnection(daemon.socket, 60)
        c.request("GET", "/v1/events")
        refused = c.getresponse()
        assert refused.status == 429 and b"rate_limit_exceeded" in refused.read()
        good.until("hello")
        for listener in more:
            listener.close()
        daemon.settle()
        before = switches(daemon.p.pid)
        time.sleep(2)
        assert switches(daemon.p.pid) - before <= 2, "wake-ups while it is quiet"

        for i in range(60):
            daemon.speak("word " * 2500, priority="message")
            daemon.stop()
            good.until("end")
        lazy.sock.setblocking(True)
        lazy.sock.settimeout(20)
        got = 0
        try:
            while data := lazy.sock.recv(1 << 20):
                got += len(data)
        except ConnectionResetError:
            pass
        assert got < 700000, f"{got} bytes were kept for a client that does not read"
        assert daemon.speak(SHORT, wait=True)["state"] == "done"
        good.until("end")
        good.close()
        wait_for("no connections", lambda: daemon.status()["state"] == "idle")


@test("captions")
def captions(bench):
    """A text file has the sentence that is being heard, whole, and nothing
    while nothing is; over a restart of barkd, too."""
    with listening(bench, model=bench.voice_model()) as (place, daemon, port):
        path = place.path("captions.txt")
        place.env["BARKD_SOCKET"] = daemon.socket
        p = place.start([bench.barkctl, "captions", path])

        def seen():
            """The versions of the file while a text is spoken."""
            spoken = daemon.speak_later("The first one is here.  This is the second one.")
            versions = [("", 0)]
            while spoken.waiting() or versions[-1][0]:
                with open(path) as f:
                    version = f.read(), os.fstat(f.fileno()).st_mtime
                if version[0] != versions[-1][0]:
                    versions.append(version)
                time.sleep(.005)
            assert spoken.state() == "done"
            return versions[1:]

        wait_for("file", lambda: os.path.exists(path))
        for _ in range(2):
            time.sleep(.3)
            versions = seen()
            assert [v for v, _ in versions] == [
                "The first one is here.", "This is the second one.", ""], versions
            # OBS sees a change by its second.
            times = [int(t) for _, t in versions]
            assert times == sorted(set(times)), times
            assert os.stat(path).st_mode & 0o777 == 0o600
            daemon.end()
            daemon.start()
            wait_for("listener", lambda: p.alive() and time.sleep(1.2) is None)
        daemon.speak("This goes on. " * 20)
        wait_for("captions", lambda: open(path).read())
        assert p.end() == 0
        assert open(path).read() == ""
        daemon.stop()
        for wrong, status in ([], 2), (["a", "b"], 2), (["/nowhere/x"], 1):
            r = place.run([bench.barkctl, "captions", *wrong], check=False)
            assert r.returncode == status and r.stderr.count("\n") == 1, (wrong, r)
