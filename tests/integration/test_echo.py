# SPDX-License-Identifier: MIT
"""Texts with a deadline: echoed keys, and a screen reader without a model."""
import os
import statistics
import time

from harness import Recorder, test
from servers import wait_for
from stage import SHORT, soon, speaking

KEYS = "abcdefghij"


def heard_after(daemon, recorder, text, **more):
    """Milliseconds from the request to its sound."""
    recorder.quiet()
    daemon.wait_idle()
    at = time.monotonic_ns()
    daemon.speak(text, **more)
    return (recorder.sound() - at) / 1e6


@test("echo", tries=3)
def echo(bench):
    """A key is heard much sooner than the model could say it, at first in the
    fast voice, later in the model's own."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        daemon.need_fast_voice()
        recorder = Recorder(bench, place, server)
        daemon.speak(SHORT, wait=True)
        model = [heard_after(daemon, recorder, k) for k in KEYS]
        fast = [heard_after(daemon, recorder, k, deadline_ms=1) for k in KEYS]
        assert daemon.short()["fast"] == len(KEYS), daemon.short()
        assert statistics.median(fast) < soon(model), (fast, model)
        # Nobody types: the model says them, for the next time.
        wait_for("letters in the cache", lambda: daemon.short()["cache_entries"] >= 36, 60)
        daemon.settle()
        cached = [heard_after(daemon, recorder, k, deadline_ms=1) for k in KEYS]
        assert daemon.short()["cached"] == len(KEYS) and daemon.short()["fast"] == len(KEYS)
        assert statistics.median(cached) < soon(model), (cached, model)
        return (f"model {statistics.median(model):.0f} ms, fast voice {statistics.median(fast):.0f}"
                f" ms, cache {statistics.median(cached):.0f} (at most {max(cached):.0f}) ms")


@test("echo-onset")
def onset(bench):
    """Whoever speaks, model, cache or fast voice, in whatever way: with the
    first sample comes something that can be heard, and the last sound is near
    the end."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        daemon.need_fast_voice()
        recorder = Recorder(bench, place, server)

        def lead(text, **more):
            """Milliseconds from the first sample to the first sound."""
            recorder.quiet()
            daemon.wait_idle()
            daemon.speak(text, **more)
            faint = recorder.faint()
            return (recorder.sound() - faint) / 1e6

        daemon.speak(SHORT, wait=True)
        model = [lead(k) for k in "abho"] + [lead(SHORT)]
        fast = [lead(k, deadline_ms=1) for k in "abho"]
        assert daemon.short()["fast"] == 4, daemon.short()
        wait_for("letters in the cache", lambda: daemon.short()["cache_entries"] >= 36, 60)
        daemon.settle()
        cached = [lead(k, deadline_ms=1) for k in "abho"]
        assert daemon.short()["cached"] == 4, daemon.short()
        for name, leads in ("model", model), ("fast voice", fast), ("cache", cached):
            assert max(leads) < 40, (name, leads)
        # What the samples are does not depend on how busy the machine is.
        return (f"first sample to sound: model {max(model):.0f} ms, fast voice {max(fast):.0f}, "
                f"cache {max(cached):.0f} at most")


@test("echo-kept")
def kept(bench):
    """What was once heard to its end is heard again as it was; who asks
    without a deadline, or with a seed, gets it anew."""
    with speaking(bench, "pipewire", {"speech": {"fast_voice": "no"}},
                  model=bench.voice_model()) as (place, server, daemon):
        def say(text, **more):
            before = daemon.short()["cached"]
            played = daemon.speak(text, wait=True, **more)["played_ms"]
            return played, daemon.short()["cached"] - before

        first, cached = say("Return", deadline_ms=500)
        assert cached == 0 and daemon.short()["cache_entries"] == 1
        again, cached = say("Return", deadline_ms=500)
        assert cached == 1 and abs(again - first) < 30, (first, again)
        assert say("Return")[1] == 0 and say("Return", deadline_ms=500, seed=1)[1] == 0
        assert say("Return", deadline_ms=500, rate=3)[0] < first * .6
        assert say("x" * 65, deadline_ms=60000)[1] == 0
        assert daemon.short()["cache_entries"] == 1
        # Another configuration, another voice.
        daemon.configure({"output": {"sink": "pipewire"}, "speech": {"fast_voice": "no"}})
        os.kill(daemon.p.pid, 1)
        wait_for("empty cache", lambda: daemon.short()["cache_entries"] == 0)
        for wrong in 0, -1, 60001, "x", 1.5:
            status, answer = daemon.request("POST", "/v1/speak",
                                            {"text": "a", "deadline_ms": wrong})
            assert status == 400 and answer["error"]["param"] == "deadline_ms", (wrong, answer)


@test("echo-interrupted")
def interrupted(bench):
    """Who is interrupted again and again hears a short text at once when it
    comes the next time: it was computed while nobody spoke."""
    with speaking(bench, "pipewire", {"speech": {"fast_voice": "no"}},
                  model=bench.voice_model()) as (place, server, daemon):
        texts = ["Save file", "Print page", "Close window"]
        for text in texts:
            daemon.speak(text, deadline_ms=500)
            time.sleep(.1)
            daemon.stop()
        wait_for("kept texts", lambda: daemon.short()["cache_entries"] == len(texts), 60)
        for text in texts:
            daemon.speak(text, deadline_ms=500, wait=True)
        assert daemon.short()["cached"] == len(texts), daemon.short()


@test("echo-no-model")
def no_model(bench):
    """A screen reader speaks although the model cannot be loaded; who can wait
    learns what is wrong."""
    with speaking(bench, "pipewire", warm=False, model="/nowhere") as (place, server, daemon):
        daemon.need_fast_voice()
        wait_for("failed model", lambda: daemon.status()["state"] == "failed")
        recorder = Recorder(bench, place, server)
        status, answer = daemon.request("POST", "/v1/speak", {"text": "Hello.", "wait": True})
        assert status == 503 and answer["error"]["code"] == "model_unavailable", answer
        for text, language in ("Hello there, I am still here.", None), ("Hallo.", "de-CH"):
            spoken = daemon.speak_later(text, deadline_ms=500, language=language)
            recorder.sound()
            assert spoken.state() == "done", spoken.answer
        assert daemon.short()["fast"] == 2
        # It is interrupted like any other.
        recorder.quiet()
        spoken = daemon.speak_later("one two three " * 100, deadline_ms=500)
        recorder.sound()
        daemon.stop()
        assert spoken.state(30) == "stopped", spoken.answer
        recorder.silence()
