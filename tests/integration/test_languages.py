# SPDX-License-Identifier: MIT
"""Texts in languages that the model did not learn are spoken by the fast
voice, and sound as eSpeak NG itself speaks them."""
import array
import contextlib
import math
import os
import statistics
import sys
import time
import wave

from asking import speech
from daemon import Daemon
from desktop import Dispatcher
from harness import Recorder, test
from hearing import samples
from listener import Listener
from servers import Missing, Place, need, wait_for
from stage import speaking

GERMAN = "Guten Morgen, liebe Freunde."
RUSSIAN = "Доброе утро, друзья."
ENGLISH = "Good morning, dear friends."
ESPEAK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "espeak.py")


def envelope(pcm, rate):
    """The sound's level, 100 times a second, between its first and last loud one."""
    step = rate // 100
    levels = [math.sqrt(sum(v * v for v in pcm[i:i + step]) / step)
              for i in range(0, len(pcm) - step, step)]
    loud = [i for i, v in enumerate(levels) if v > max(levels) / 10]
    return levels[loud[0]:loud[-1] + 1]


def espeak(place, language, text):
    """The envelope of what eSpeak NG makes of it. It never makes quite the
    same sound again."""
    path = place.path("espeak.wav")
    r = place.run([sys.executable, ESPEAK, language, text, path], check=False)
    if r.returncode:
        raise Missing("eSpeak NG: " + r.stderr.strip()[-100:])
    with wave.open(path) as w:
        return envelope(array.array("h", w.readframes(w.getnframes())), w.getframerate())


def fast(daemon):
    return daemon.short()["fast"]


def rendered(daemon, text, **more):
    """The samples of /v1/audio/speech."""
    status, _, body = speech(daemon, text, response_format="pcm", **more)
    assert status == 200, body
    return array.array("h", body)


def recorded(recorder):
    rate, pcm = samples(recorder.save())
    return envelope(pcm, rate)


def alike(a, b):
    """Correlation of two envelopes where they fit best; 0 if one is longer."""
    if abs(len(a) - len(b)) > 10:
        return 0

    def at(lag):
        pairs = [(a[i], b[i + lag]) for i in range(len(a)) if 0 <= i + lag < len(b)]
        x, y = (statistics.mean(v) for v in zip(*pairs))
        over = sum((p - x) * (q - y) for p, q in pairs)
        under = math.sqrt(sum((p - x) ** 2 for p, _ in pairs) *
                          sum((q - y) ** 2 for _, q in pairs))
        return over / under if under else 0

    return max(at(lag) for lag in range(-10, 11))


@contextlib.contextmanager
def silent(bench, model, **speech):
    """A daemon that is asked for files alone."""
    with Place() as place:
        espeak(place, "de", GERMAN)
        daemon = Daemon(bench, place, model, {
            "speech": speech, "output": {"sink": "file", "target": place.path("out.wav")}}).start()
        yield place, daemon
        assert daemon.end() == 0, daemon.log()


@test("languages-told")
def told(bench):
    """By the request's language, or by a script in which that is not written;
    files and speech alike."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        german, russian = espeak(place, "de", GERMAN), espeak(place, "ru", RUSSIAN)
        for text, language, reference in (
                (GERMAN, "de-CH", german), (RUSSIAN, None, russian), (RUSSIAN, "en-US", russian)):
            more = {"language": language} if language else {}
            got = alike(envelope(rendered(daemon, text, **more), 24000), reference)
            assert got > .8, (text, language, got)
            recorder = Recorder(bench, place, server)
            before = fast(daemon)
            assert daemon.speak(text, wait=True, **more)["state"] == "done"
            recorder.quiet()
            assert fast(daemon) == before + 1
            got = alike(recorded(recorder), reference)
            assert got > .8, (text, language, got)
        # Its own language is the model's, and so is what nobody knows.
        before = fast(daemon)
        for language in "en-GB", None, "tlh":
            spoken = daemon.speak(ENGLISH, wait=True,
                                  **({"language": language} if language else {}))
            assert spoken["state"] == "done" and spoken["played_ms"] > 500, spoken
        assert fast(daemon) == before
        assert alike(envelope(rendered(daemon, ENGLISH), 24000), espeak(place, "en", ENGLISH)) < .5


@test("languages-speechd", tries=2)
def dispatched(bench):
    """By the language that a client of Speech Dispatcher sets, and by xml:lang
    in the middle of a text."""
    need("spd-say")
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        reference = espeak(place, "de", GERMAN)
        Dispatcher(bench, place)
        for args in (["-l", "de", GERMAN],
                     ["-x", f'<speak><lang xml:lang="de-DE">{GERMAN}</lang></speak>']):
            recorder = Recorder(bench, place, server)
            place.run(["spd-say", "-w", *args])
            recorder.quiet()
            got = alike(recorded(recorder), reference)
            assert got > .8, (args, got)
        before = fast(daemon)
        place.run(["spd-say", "-w", "-x", "<speak>One. <s xml:lang='de'>Zwei.</s> Three.</speak>"])
        assert fast(daemon) == before + 1


@test("languages-keys", tries=2)
def keys(bench):
    """A key echoed in another language is heard in it, at once and again, and
    is never the model's."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        reference = espeak(place, "de", "y")
        for _ in range(2):
            recorder = Recorder(bench, place, server)
            at = time.monotonic_ns()
            daemon.speak("y", language="de", deadline_ms=100)
            took = (recorder.sound() - at) / 1e6
            recorder.quiet()
            got = alike(recorded(recorder), reference)
            assert got > .8, got
            # The quiet in which the cache is filled.
            time.sleep(1.5)
            daemon.settle()
        assert daemon.short()["cached"] == 0
        return f"{took:.0f} ms"


@test("languages-long")
def long(bench):
    """A long text begins at once and is whole; its sentences are told as they
    are heard; a stop ends it."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        sentences = [f"Heute ist Tag {i} von sehr vielen." for i in range(120)]
        sentences[-1] = "Und nun ist es genug."
        text = " ".join(sentences)
        pcm = rendered(daemon, text, language="de")
        assert len(pcm) > 100 * 24000
        last = espeak(place, "de", sentences[-1])
        tail = envelope(pcm[-3 * 24000:], 24000)[-len(last):]
        assert alike(tail, last) > .8, alike(tail, last)
        listener = Listener(daemon)
        listener.until("hello")
        recorder = Recorder(bench, place, server)
        spoken = daemon.speak_later(text, language="de")
        recorder.sound()
        got = [listener.until("sentence")[-1][2] for _ in range(3)]
        assert [text[e["begin"]:e["end"]].strip() for e in got] == sentences[:3], got
        assert daemon.status()["memory_bytes"] < 200e6
        recorder.forget()
        daemon.stop()
        assert spoken.state(30) == "stopped"
        recorder.silence(5)
        listener.close()


@test("languages-learnt")
def learnt(bench):
    """A model of published Bark's kind speaks the languages of Bark itself,
    and others by its configuration."""
    with silent(bench, bench.fast_model()) as (place, daemon):
        assert daemon.speak(GERMAN, wait=True, language="de")["state"] == "done"
        assert fast(daemon) == 0
        dutch = espeak(place, "nl", "Goede morgen.")
        assert alike(envelope(rendered(daemon, "Goede morgen.", language="nl"), 24000), dutch) > .8
        daemon.configure({"model": {"language": "nl"},
                          "output": {"sink": "file", "target": place.path("out.wav")}})
        os.kill(daemon.p.pid, 1)
        wait_for("new configuration", lambda: any(
            v["language"] == "nl" for v in daemon.get("/v1/voices")))
        assert alike(envelope(rendered(daemon, "Goede morgen.", language="nl"), 24000), dutch) < .5


@test("languages-off")
def off(bench):
    """Who does not want it has everything spoken by the model; and without
    eSpeak NG nothing is lost."""
    with silent(bench, bench.voice_model(), other_languages="no") as (place, daemon):
        assert alike(envelope(rendered(daemon, GERMAN, language="de"), 24000),
                     espeak(place, "de", GERMAN)) < .5
        assert daemon.speak(RUSSIAN, wait=True)["state"] == "done" and fast(daemon) == 0
    with Place() as place:
        # Sinks are there, the fast voice is not.
        modules = place.env["BARKD_SINK_DIR"] = place.path("modules")
        os.makedirs(modules)
        os.symlink(bench.module("file"), os.path.join(modules, "barkd-sink-file.so"))
        daemon = Daemon(bench, place, bench.voice_model(), {
            "output": {"sink": "file", "target": place.path("out.wav")}}).start()
        assert daemon.speak(GERMAN, wait=True, language="de")["state"] == "done"
        assert not daemon.short()["fast_voice"]
        assert daemon.end() == 0
