# SPDX-License-Identifier: MIT
"""barkd-spiel, started by a private bus and asked by a client that follows the
specification (project-spiel's libspeechprovider)."""
import contextlib
import os
import struct
import wave

from daemon import Daemon
from harness import Missing, test
from servers import Place, need, wait_for
from stage import render

try:
    import dbus
except ImportError:
    dbus = None

NAME = "org.barkd.Speech.Provider"
PATH = "/org/barkd/Speech/Provider"
INTERFACE = "org.freedesktop.Speech.Provider"
TEXT = "Hello there, my friend. This is your computer speaking."


class Desk:
    def __init__(self, bench, place, model):
        need("dbus-daemon", bench.spiel)
        if not dbus:
            raise Missing("Python's dbus is not installed")
        services = place.path("data", "dbus-1", "services")
        os.makedirs(services)
        with open(os.path.join(os.path.dirname(bench.spiel), NAME + ".service")) as f:
            lines = [f"Exec={bench.spiel}" if line.startswith("Exec=") else line
                     for line in f.read().splitlines() if not line.startswith("SystemdService")]
        with open(os.path.join(services, NAME + ".service"), "w") as f:
            f.write("\n".join(lines) + "\n")
        self.daemon = Daemon(bench, place, model, {
            "output": {"sink": "file", "target": place.path("sound.wav")},
            "http": {"streams": 16}}).start()
        # The bus gives its environment to what it starts.
        place.env["BARKD_SOCKET"] = self.daemon.socket
        address = "unix:path=" + place.path("bus")
        place.start(["dbus-daemon", "--session", "--nofork", "--nopidfile",
                     "--address=" + address])
        wait_for("bus", lambda: os.path.exists(place.path("bus")))
        self.bus = dbus.bus.BusConnection(address)

    def provider(self):
        return dbus.Interface(self.bus.get_object(NAME, PATH), INTERFACE)

    def get(self, name):
        return dbus.Interface(self.bus.get_object(NAME, PATH),
                              "org.freedesktop.DBus.Properties").Get(INTERFACE, name)

    def speak(self, text, voice="", pitch=1.0, rate=1.0, ssml=False, language=""):
        """Returns the reading end of the pipe."""
        read, write = os.pipe()
        try:
            self.provider().Synthesize(dbus.types.UnixFd(write), text, voice,
                                       dbus.Double(pitch), dbus.Double(rate), ssml, language)
        finally:
            os.close(write)
        return read


@contextlib.contextmanager
def desk(bench, model=None):
    with Place() as place:
        d = Desk(bench, place, model or bench.fast_model())
        yield d
        d.bus.close()
        assert d.daemon.end() == 0


class Stream:
    """Reads as libspeechprovider's reader does: a frame's parts by single
    reads, never looped."""

    def __init__(self, fd):
        self.fd = fd
        assert os.read(fd, 4) == b"0.01"

    def frames(self):
        """(samples before it, "audio", bytes) and (.., (type, start, end, name))"""
        samples = 0
        while head := os.read(self.fd, 1):
            if head == b"\x01":
                size, = struct.unpack("=I", os.read(self.fd, 4))
                pcm = os.read(self.fd, size)
                assert len(pcm) == size and size % 2 == 0, "half a frame"
                yield samples, "audio", pcm
                samples += size // 2
            else:
                assert head == b"\x02", head
                kind, start, end, n = struct.unpack("=BIII", os.read(self.fd, 13))
                name = os.read(self.fd, n) if n else b""
                assert len(name) == n
                yield samples, (kind, start, end, name.decode()), None

    def all(self):
        frames = list(self.frames())
        os.close(self.fd)
        return (b"".join(f[2] for f in frames if f[1] == "audio"),
                [(f[0], *f[1]) for f in frames if f[1] != "audio"])


@test("spiel")
def spiel(bench):
    """The bus starts it; it has barkd's voices, and speaks with the events of
    words and sentences in order and in time."""
    with desk(bench, bench.voice_model()) as d:
        assert NAME in d.bus.list_activatable_names()
        assert d.get("Name") == "barkd"
        voices = d.get("Voices")
        assert [str(v[1]) for v in voices] == [v["name"] for v in d.daemon.get("/v1/voices")]
        name, _, output, features, languages = voices[0]
        assert output.startswith("audio/x-spiel,format=S16LE,channels=1,rate=24000")
        assert features == 11 and list(languages) == ["en"], (features, languages)

        pcm, events = Stream(d.speak(TEXT, voices[0][1])).all()
        assert len(pcm) > 60000
        words = [TEXT[e[2]:e[3]] for e in events if e[1] == 1]
        assert words == TEXT.replace(",", "").replace(".", "").split(), words
        sentences = [TEXT[e[2]:e[3]].strip() for e in events if e[1] == 2]
        assert sentences == ["Hello there, my friend.", "This is your computer speaking."]
        at = [e[0] for e in events]
        assert at == sorted(at) and at[0] < 3000 and at[-1] < len(pcm) / 2, at
        # Faster, and many at a time.
        fast = len(Stream(d.speak(TEXT, rate=3)).all()[0])
        assert fast < len(pcm) / 2, (fast, len(pcm))
        pipes = [d.speak(TEXT) for _ in range(8)]
        lengths = [len(Stream(p).all()[0]) for p in pipes]
        assert min(lengths) > 60000, lengths
        with wave.open(render(bench, d.daemon.place, TEXT, 1, "low-latency",
                              model=bench.voice_model())) as w:
            assert .7 < len(pcm) / 2 / w.getnframes() < 1.5


@test("spiel-ssml")
def ssml(bench):
    """Marks come before the words they stand before; places are those of the
    text that was sent, tags and all."""
    with desk(bench, bench.voice_model()) as d:
        text = ('<speak><mark name="one"/>Gr\u00fc\u00dfe &amp; more. <!-- x --><mark name="two"/>'
                'Last <b>word</b>.<mark name=\'end\'/></speak>')
        _, events = Stream(d.speak(text, ssml=True)).all()
        marks = [(e[4], e[2]) for e in events if e[1] == 4]
        assert [m[0] for m in marks] == ["one", "two", "end"], marks
        words = [text[e[2]:e[3]] for e in events if e[1] == 1]
        assert words == ["Gr\u00fc\u00dfe", "more", "Last", "word"], words
        order = [e[4] or text[e[2]:e[3]] for e in events if e[1] in (1, 4)]
        assert order == ["one", "Gr\u00fc\u00dfe", "more", "two", "Last", "word", "end"], order
        for odd in "<speak", "<", "<mark name=", "&#;&", "<mark/><mark name=''/>a", "":
            Stream(d.speak(odd, ssml=True)).all()
        # Plain text is plain.
        _, events = Stream(d.speak("a <b> c")).all()
        assert [e[2:4] for e in events if e[1] == 1] == [(0, 1), (3, 4), (6, 7)], events


@test("spiel-ssml-style")
def ssml_style(bench):
    """Paragraphs part words, a break is silence, and prosody is heard; words
    and marks behind them are found where they stand and come when they do."""
    with desk(bench, bench.voice_model()) as d:
        text = ('<speak><p>One</p><s>two</s><break time="2s"/><mark name="m"/>three, four, five '
                '<sub alias="World">W</sub></speak>')
        pcm, events = Stream(d.speak(text, ssml=True)).all()
        assert [text[e[2]:e[3]] for e in events if e[1] == 1] == [
            "One", "two", "three", "four", "five", "W"], events
        silence = pcm.index(bytes(2 * 48000)) / 2
        three, = [e for e in events if text[e[2]:e[3]] == "three"]
        mark, = [e for e in events if e[1] == 4]
        assert silence + 48000 <= mark[0] <= three[0], (silence, mark, three)
        at = [e[0] for e in events]
        assert at == sorted(at), at
        slow, fast = (Stream(d.speak(f'<prosody rate="{rate}">One two three four.</prosody>',
                                     ssml=True)).all()[0] for rate in ("50%", "200%"))
        assert 2 < len(slow) / len(fast) < 8, (len(slow), len(fast))


@test("spiel-fallback")
def fallback(bench):
    """A voice or a language that is not to be had, and names that are none: it
    is spoken all the same."""
    with desk(bench) as d:
        for voice, language in ("nobody", ""), ("x" * 1000, ""), ("", "y" * 1000), ("v", "xx"):
            pcm, _ = Stream(d.speak("Hello.", voice, language=language)).all()
            assert len(pcm) > 10000, (voice[:9], language[:9], len(pcm))


@test("spiel-cancel")
def cancel(bench):
    """A closed pipe ends the work; a slow reader holds it; what cannot be is an
    error or an ended pipe, and the next one is spoken."""
    with desk(bench) as d:
        d.daemon.warm()

        def making():
            return d.daemon.status()["renders"]["making"]

        for _ in range(5):
            pipe = d.speak("This goes on for a while. " * 100)
            os.read(pipe, 10000)
            assert making() == 1
            os.close(pipe)
            wait_for("end of the work", lambda: making() == 0, 5)
        slow = d.speak("This goes on for a while. " * 100)
        d.daemon.settle()
        assert making() == 1
        os.close(slow)
        try:
            d.speak("x" * (256 * 1024 + 1))
            raise AssertionError("a text too long was taken")
        except dbus.DBusException as e:
            assert "cannot speak" in str(e)
        assert Stream(d.speak("Hello.")).all()[0]
        # barkd goes and comes.
        d.daemon.end()
        with contextlib.suppress(dbus.DBusException):
            os.close(d.speak("Hello."))
        assert list(d.get("Voices")) == []
        d.daemon.start()
        assert Stream(d.speak("Hello.")).all()[0]
