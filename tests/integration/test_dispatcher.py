# SPDX-License-Identifier: MIT
"""Our output module under the real Speech Dispatcher, and its clients."""
import os
import statistics
import threading
import time

from desktop import Dispatcher
from harness import Missing, Recorder, test
from listener import Listener
from servers import need, wait_for
from stage import speaking

try:
    import speechd
except ImportError:
    speechd = None


def python_client(place, address, voices):
    """Voices, marks and the end, told to python3-speechd."""
    client = speechd.SSIPClient("test", address=address)
    told, ended = [], threading.Event()

    def on_event(kind, index_mark=None):
        told.append(index_mark or kind)
        if kind in (speechd.CallbackType.END, speechd.CallbackType.CANCEL):
            ended.set()

    try:
        client.set_output_module("barkd")
        listed = [v[0] for v in client.list_synthesis_voices()]
        assert listed == [v["name"] for v in voices], listed
        client.set_rate(50)
        client.set_data_mode(speechd.DataMode.SSML)
        client.speak('<speak><mark name="0:5"/>Hello <mark name="6:11"/>there.</speak>',
                     callback=on_event, event_types=(
                         speechd.CallbackType.BEGIN, speechd.CallbackType.END,
                         speechd.CallbackType.INDEX_MARK))
        assert ended.wait(60), told
        # The beginning may come before the client has registered for it.
        assert told[told[0] == speechd.CallbackType.BEGIN:] == \
            ["0:5", "6:11", speechd.CallbackType.END], told
        client.char("a")
        client.key("shift_a")
        client.cancel()
    finally:
        client.close()


def begun(listener):
    """The texts that were heard to begin up to now."""
    got = []
    while not listener.events.empty():
        event = listener.events.get()
        assert event, "the stream of events ended"
        if event[1] == "begin":
            got.append(event[2]["text"].strip())
    return got


@test("speechd-whole")
def whole(bench):
    """With the real server, as it comes: no name of a voice or language loses
    any of a text, and numbers and sentences are what they were."""
    need("speech-dispatcher", "spd-say")
    with speaking(bench, "pipewire") as (place, audio, daemon):
        dispatcher = Dispatcher(bench, place, symbols=True)
        listener = Listener(daemon)

        def say(*args):
            place.run(["spd-say", "-w", "-o", "barkd", *args], timeout=30)
            daemon.wait_idle()
            return begun(listener)

        parts = ["One.", "Two.", "Three."]
        for odd in ["-y", "nobody"], ["-y", "x" * 300], ["-l", "y" * 100], ["-t", "female3"]:
            got = say(*odd, "One. Two. Three.")
            assert got == parts, (odd, got)
        got = say("-l", "en", "It is 3.14 at 192.168.0.1 now. Dr. Smith pays $3.50 here. Done")
        assert got == ["It is 3.14 at 192.168.0.1 now.", "Dr. Smith pays $3.50 here.", "Done"], got
        got = say("-x", "<speak><p>One</p><s>two</s><break/>three</speak>")
        assert [" ".join(t.split()) for t in got] == ["One two", "three"], got
        listener.close()
        assert dispatcher.p.alive()
        dispatcher.p.end()


@test("speechd-recipe")
def recipe(bench):
    """As README says: the module below ~/.local, and a copy of the system's configuration that
    names barkd. Nobody names the module, and it speaks."""
    system = "/etc/speech-dispatcher/speechd.conf"
    need("speech-dispatcher", "spd-say")
    if not os.path.exists(system):
        raise Missing("no " + system)
    with speaking(bench, "pipewire") as (place, audio, daemon):
        # "libexec" beside the folder of data, which is ~/.local/share unless told.
        modules = place.path("libexec", "speech-dispatcher-modules")
        os.makedirs(place.path("data"), exist_ok=True)
        own = place.path("config", "speech-dispatcher")
        os.makedirs(modules)
        os.makedirs(own)
        os.symlink(bench.sd_barkd, os.path.join(modules, "sd_barkd"))
        with open(system) as f, open(os.path.join(own, "speechd.conf"), "w") as to:
            to.write(f.read() + "DefaultModule barkd\n")
        address = place.path("speechd.sock")
        server = place.start(["speech-dispatcher", "-s", "-S", address, "-P",
                              place.path("speechd.pid"), "-L", place.path("speechd-log"),
                              "-t", "0"])
        wait_for("speech-dispatcher", lambda: os.path.exists(address))
        place.env["SPEECHD_ADDRESS"] = "unix_socket:" + address
        assert "barkd" in place.run(["spd-say", "-O"], timeout=30).stdout.split()
        listener = Listener(daemon)
        place.run(["spd-say", "-w", "Hello there."], timeout=30)
        daemon.wait_idle()
        assert begun(listener) == ["Hello there."]
        listener.close()
        server.end()


@test("speechd-keys", tries=3)
def keys(bench):
    """Thirty keys, ten a second, sent as Orca sends them: each begins, also
    those that were never spoken before, and all are kept afterwards."""
    need("speech-dispatcher")
    if not speechd:
        raise Missing("Python's speechd is not installed")
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, audio, daemon):
        Dispatcher(bench, place, symbols=True)
        listener = Listener(daemon)
        client = speechd.SSIPClient("orca", address=place.env["SPEECHD_ADDRESS"])
        client.set_output_module("barkd")
        client.set_language("en")
        client.set_data_mode(speechd.DataMode.SSML)
        typed = "the quick brown fox jumps over".replace(" ", "") + "lazyd"

        def type_all():
            """Milliseconds from each key to the beginning of its sound."""
            pressed = []
            for key in typed:
                next_key = time.monotonic() + .1
                pressed.append(time.monotonic_ns())
                client.cancel()
                client.speak(f'<speak><mark name="0:1"/>{key} </speak>')
                time.sleep(max(0, next_key - time.monotonic()))
            daemon.wait_idle()
            heard = [e for e in listener.events.queue if e[1] == "begin"]
            listener.skip()
            got = "".join(e[2]["text"].strip() for e in heard)
            assert got == typed, (got, typed)
            return [(e[0] - at) / 1e6 for e, at in zip(heard, pressed)]

        notes = []
        for _ in range(2):
            took = type_all()
            notes.append(f"{statistics.median(took):.0f} (at most {max(took):.0f})")
            wait_for("letters", lambda: daemon.short()["cache_entries"] >= 36, 60)
            daemon.settle()
        short = daemon.short()
        assert short["cached"] >= len(typed), short
        client.close()
        listener.close()
        return "ms from the key to its beginning: " + ", once known ".join(notes)


@test("speechd-server")
def server(bench):
    """The real server and spd-say: sound, voices without a model loaded, and
    silence after a cancel."""
    need("speech-dispatcher", "spd-say")
    with speaking(bench, "pipewire", warm=False) as stage:
        place, audio, daemon = stage
        dispatcher = Dispatcher(bench, place)

        def say(*args):
            return place.run(["spd-say", *args], timeout=60).stdout

        voices = daemon.get("/v1/voices")
        loaded = daemon.status()["model"]["loaded"]
        listed = say("-L")
        assert daemon.status()["model"]["loaded"] == loaded, "listing loads the model"
        assert all(v["name"] in listed for v in voices), listed
        recorder = Recorder(bench, place, audio)
        say("-w", "Hello there.")
        recorder.sound()
        recorder.quiet()
        say("This goes on for a while " * 8)
        recorder.sound()
        say("-C")
        recorder.silence(5)
        say("-w", "And on it goes.")
        # The Python client, by which Orca speaks.
        if speechd:
            python_client(place, place.env["SPEECHD_ADDRESS"], voices)
        assert dispatcher.p.alive()
        dispatcher.p.end()
