# SPDX-License-Identifier: MIT
"""Orca itself, as somebody uses it who does not see the screen: keys are
pressed, and what is heard comes out of a sink."""
import contextlib
import statistics
import time

import desktop
from harness import Recorder, test
from hearing import errors, heard, words
from listener import Listener
from servers import need, wait_for
from stage import speaking

LINES = ["The house is red and the garden is green.", "", "My brother went to the market.",
         "He came back with seven apples.", "The winter is very cold."]
KEYS = "dbfkmn"


class Desk:
    def __init__(self, bench, place, audio, daemon):
        self.bench, self.place, self.daemon = bench, place, daemon
        self.dispatcher = desktop.Dispatcher(bench, place)
        desktop.display(place)
        self.window = desktop.Window(place, "\n".join(LINES))
        self.events = Listener(daemon)
        self.audio = audio
        self.recorder = Recorder(bench, place, audio)
        self.orca = desktop.Orca(place)

    def begins(self, text, timeout=30):
        """Waits until a text that starts so is heard; returns what was heard
        to begin up to then."""
        got = []
        while not got or not got[-1].startswith(text):
            got.append(self.events.until("begin", timeout)[-1][2]["text"].strip())
        return got

    def rest(self):
        """Nothing more is said of what happened up to now."""
        def idle():
            before = len(self.events.events.queue)
            time.sleep(.4)
            return len(self.events.events.queue) == before and \
                not self.daemon.get("/v1/queue")["current"]

        wait_for("silence", idle, 60)
        self.recorder.quiet()
        self.events.skip()


@contextlib.contextmanager
def desk(bench):
    need("orca", "Xvfb", "xdotool", "speech-dispatcher")
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, audio, daemon):
        d = Desk(bench, place, audio, daemon)
        d.begins("Screen reader on.", 60)
        d.begins("Letter")
        d.window.press("Control_L")
        d.rest()
        yield d
        assert d.orca.p.alive(), "Orca ended: " + place.log("orca")
        assert d.dispatcher.p.alive(), "Speech Dispatcher ended"
        d.events.close()


def line_of(caret):
    return "\n".join(LINES)[:caret].count("\n")


def on_desk(name, tries=2):
    """A test that gets a Desk."""
    def add(function):
        def run(bench):
            with desk(bench) as d:
                return function(d)
        test(name, tries)(run)
        return function
    return add


@on_desk("orca-echo")
def echo(d):
    """Each key is heard, and only it."""
    took = []
    for key in KEYS:
        at = time.monotonic_ns()
        d.window.press(key)
        got = d.begins("")
        # Orca 43 asks for a text, Orca 48 for a character.
        assert [g.strip(",") for g in got] == [key], (key, got)
        took.append((d.recorder.sound() - at) / 1e6)
        d.rest()
    assert d.window.caret() == len(KEYS), d.window.caret()
    return f"key to sound {statistics.median(took):.0f} ms (at most {max(took):.0f})"


@on_desk("orca-reading")
def reading(d):
    """The caret goes to a line and the line is heard, to the word; a key
    silences it."""
    lines = [(i, line) for i, line in enumerate(LINES) if line and i]
    recorder = Recorder(d.bench, d.place, d.audio, "lines.wav")
    lengths = []
    for i, line in lines:
        while d.window.caret() < len("\n".join(LINES[:i])) + 1:
            d.rest()
            d.recorder.forget()
            d.window.press("Down")
            wait_for("caret", lambda: line_of(d.window.caret()) > i - 2)
        d.begins(line.split()[0])
        sound = d.recorder.sound()
        lengths.append(d.recorder.silence() - sound)
    d.rest()
    said = words(" ".join(line for _, line in lines))
    got = heard(d.place, recorder.save())
    wrong = errors(said, got)
    assert wrong <= len(said) // 2, (said, got)
    # One line up again, and no more of it than its beginning.
    d.recorder.forget()
    d.window.press("Up")
    sound = d.recorder.sound()
    time.sleep(.2)
    at = time.monotonic_ns()
    d.window.press("Control_L")
    silent = d.recorder.silence() - at
    assert silent < lengths[-2] / 4, (silent, lengths)
    return (f"{wrong} of {len(said)} words misheard, "
            f"silent {silent / 1e6:.0f} ms after a key")


@on_desk("orca-say-all")
def say_all(d):
    """All of it is read, line after line, while the caret follows what is
    heard; who interrupts is left at the word that was heard."""
    d.window.press("KP_Add")
    got = d.begins(LINES[-1], 60)
    assert [t for t in got if t in LINES] == [t for t in LINES if t], got
    d.rest()
    assert line_of(d.window.caret()) == len(LINES) - 1, d.window.caret()
    d.window.press("ctrl+Home")
    d.rest()
    d.window.press("KP_Add")
    d.begins(LINES[2], 60)
    for _ in LINES[2].split()[:3]:
        d.events.until("word")
    d.window.press("Control_L")
    d.rest()
    start = len("\n".join(LINES[:2])) + 1
    assert start < d.window.caret() < start + len(LINES[2]), (start, d.window.caret())
