# SPDX-License-Identifier: MIT
"""Speech Dispatcher's output module: its conversation, and what is heard."""
import os
import random
import re
import signal
import statistics
import subprocess
import time

from harness import Recorder, test
from output_module import Module
from servers import Place, wait_for
from stage import soon, speaking

SENTENCES = ('<speak>Hello there. <mark name="__spd_0"/>This is your computer. '
             '<mark name="__spd_1"/>Good bye.</speak>')
LONG = "<speak>" + "This goes on for a while and then some more " * 5 + "</speak>"


@test("speechd-conversation")
def conversation(bench):
    """Every command is answered as the server expects, without a barkd, and a
    message that cannot be spoken ends."""
    with Place() as place:
        m = Module(bench, place)
        m.ask("INIT")
        m.expect("299 OK LOADED SUCCESSFULLY")
        m.ask("AUDIO", "audio_output_method=server", ".")
        m.expect("300 ")
        m.ask("AUDIO", "audio_output_method=pulse", ".")
        m.expect("203 OK AUDIO INITIALIZED")
        m.ask("LOGLEVEL", "log_level=3", ".")
        m.expect("203 OK LOGLEVEL SET")
        m.ask("LIST VOICES")
        m.expect("200-")
        m.expect("200 OK VOICE LIST SENT")
        m.ask("SET", "rate=40", "pitch=0", "pitch_range=0", "volume=100", "voice=female1",
              "punctuation_mode=most", "spelling_mode=on", "cap_let_recogn=icon",
              "language=en-us", "synthesis_voice=NULL", ".")
        m.expect("203 OK SETTINGS RECEIVED")
        # The server would wait for ever for what it was refused.
        m.ask("SET", "rate=101", "language=" + "x" * 1000, "synthesis_voice=" + "y" * 1000,
              "voice=z", "punctuation_mode=loud", "spelling_mode=", "nonsense", "a=b", ".")
        m.expect("203 OK SETTINGS RECEIVED", timeout=10)
        log = place.path("debug.log")
        m.ask("DEBUG ON " + log + " ")
        m.expect("200 OK DEBUGGING ON")
        m.ask("NONSENSE")
        m.expect("300 ERR UNKNOWN COMMAND")
        m.ask("STOP", "PAUSE")
        m.settle()
        assert not m.events(), m.events()
        m.speak("a\nb", "CHAR")
        m.expect("305 ")
        m.speak("secret")
        m.expect("703 STOP")
        m.ask("STOP")
        m.settle()
        assert m.check() is False and m.events() == ["701 BEGIN", "703 STOP"], m.events()
        m.quit()
        with open(log) as f:
            lines = f.read().splitlines()
        assert lines[:2] == ["NONSENSE", "STOP"] and "QUIT" not in lines, lines
        assert "secret" not in place.log("sd_barkd") and "secret" not in lines


SAID = [
    # command, settings, body, the texts that barkd is asked for
    ("SPEAK", [], "<speak>a &lt; b &amp;&#38; <b>c</b> &x; d</speak>", ["a < b && c &x; d"]),
    ("SPEAK", [], '<speak>One. <mark name="0:3"/>Two. <mark name="__spd_0"/>Three.</speak>',
     ["One. Two.", "Three."]),
    ("SPEAK", [], '<speak>I <say-as interpret-as="characters">ab</say-as> c</speak>',
     ["I a, b, c"]),
    ("SPEAK", [], "..dot", [".dot"]),
    ("SPEAK", [], "<speak><p>One</p><s>two</s>three</speak>", ["One two three"]),
    ("SPEAK", [], "<speak><![CDATA[a < b]]> <sub alias='see'>c</sub> and</speak>", ["a < b see and"]),
    ("SPEAK", [], '<speak>It is 3 .25 at 10 .0 .0 .7 now.<mark name="__spd_0"/> It costs $4 .75.'
     '</speak>', ["It is 3.25 at 10.0.0.7 now.", "It costs $4.75."]),
    ("SPEAK", [], '<speak>Mr.<mark name="__spd_0"/> Hill is here.<mark name="__spd_1"/> He waits.'
     '</speak>', ["Mr. Hill is here.", "He waits."]),
    ("SPEAK", ["cap_let_recogn=icon"], "My Big iPad", ["capital My capital Big i capital Pad"]),
    ("SPEAK", ["cap_let_recogn=none", "language=" + "x" * 500], "My Pad", ["My Pad"]),
    ("SPEAK", ["punctuation_mode=some"], "a + b.", ["a plus b."]),
    ("SPEAK", ["punctuation_mode=all"], "a, b", ["a comma , b"]),
    ("SPEAK", ["punctuation_mode=none", "spelling_mode=on"], "Ab", ["A, b,"]),
    ("CHAR", ["spelling_mode=off", "cap_let_recogn=spell"], "A", ["capital A,"]),
    ("CHAR", [], "space", ["space"]),
    ("CHAR", [], "\u00e4", ["\u00e4,"]),
    ("KEY", [], "shift_Return", ["shift Return"]),
    ("SPEAK", ["synthesis_voice=nobody", "cap_let_recogn=none"], SENTENCES,
     ["Hello there.", "This is your computer."]),
    ("SPEAK", ["synthesis_voice=" + "y" * 500], "Still here.", ["Still here."]),
]


@test("speechd-text")
def text(bench):
    """What barkd is asked to say."""
    with speaking(bench, "pipewire") as (place, server, daemon):
        m = Module(bench, place)
        daemon.post("/v1/pause")

        def asked():
            q = daemon.get("/v1/queue")
            return [" ".join(u["text"].split()) for u in [q["current"], *q["waiting"]] if u]

        for command, settings, body, texts in SAID:
            m.ask("SET", *settings, ".")
            m.expect("203 OK SETTINGS RECEIVED")
            m.speak(body, command)
            m.expect("701 BEGIN")
            wait_for(f"{texts} instead of {asked()}", lambda: asked() == texts, 5)
            m.ask("STOP")
            m.expect("703 STOP")
            wait_for("end", lambda: not asked())
        m.quit()


@test("speechd-marks")
def marks(bench):
    """Marks come in order, each when its sentence was heard; END is last."""
    with speaking(bench, "pipewire") as (place, server, daemon):
        m = Module(bench, place)
        at = []
        start = time.monotonic()
        m.speak(SENTENCES)
        for event in "700-__spd_0", "700-__spd_1", "702 END":
            m.expect(event)
            at.append(time.monotonic() - start)
        m.check()
        assert daemon.status()["counters"]["spoken"] == 3
        assert at[0] > .1 and at[1] - at[0] > .1 and at[2] - at[1] > .1, at
        m.quit()
        return "at " + ", ".join(f"{t:.2f}" for t in at) + " s"


@test("speechd-word-marks", tries=2)
def word_marks(bench):
    """Orca's marks before each word come while the words are heard, in order,
    and none is lost."""
    words = "Hello there, this is your computer. And it goes on after that.".split()
    marked, at = "", 0
    for word in words:
        marked += f'<mark name="{at}:{at + len(word)}"/>{word} '
        at += len(word) + 1
        if word.endswith("."):
            marked += f'<mark name="__spd_{at}"/>'
    names = [line.split('"')[1] for line in marked.split("name=")[1:]]
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        m = Module(bench, place)
        recorder = Recorder(bench, place, server)
        m.speak("<speak>" + marked + "</speak>")
        sound = recorder.sound()
        at = []
        for name in names:
            m.expect("700-" + name)
            at.append((time.monotonic_ns() - sound) / 1e9)
        m.expect("702 END")
        length = (recorder.silence() - sound) / 1e9
        got = [line[4:] for line in m.p.out if line.startswith("700-")]
        assert got == names, got
        # Spread over the sound, not told at its ends.
        assert at == sorted(at) and at[0] < length / 4
        assert any(length * .3 < t < length * .7 for t in at), (at, length)
        gaps = [b - a for a, b in zip(at, at[1:])]
        assert max(gaps) < length / 3, gaps
        # A stop in the middle: nothing comes after its end.
        recorder.quiet()
        m.speak("<speak>" + marked + "</speak>")
        m.expect("700-")
        m.ask("STOP")
        m.expect("703 STOP")
        time.sleep(.5)
        m.settle()
        assert m.check() is False
        m.quit()
        return f"{len(words)} words over {length:.1f} s, largest gap {max(gaps):.2f} s"


@test("speechd-pause")
def pause(bench):
    """A pause is reported at the end of the sentence, with its mark."""
    with speaking(bench, "pipewire") as (place, server, daemon):
        m = Module(bench, place)
        recorder = Recorder(bench, place, server)
        m.speak(SENTENCES)
        recorder.sound()
        m.ask("PAUSE")
        m.expect("704 PAUSE")
        assert m.events() == ["701 BEGIN", "700-__spd_0", "700 INDEX MARK", "704 PAUSE"]
        daemon.wait_idle()
        m.speak("Once more.")
        m.expect("702 END")
        m.check()
        m.quit()


def spoken(daemon):
    return daemon.status()["counters"]["spoken"]


@test("speechd-fallback")
def fallback(bench):
    """A voice that barkd does not have: all parts are spoken by another."""
    with speaking(bench, "pipewire") as (place, server, daemon):
        m = Module(bench, place)
        for voice in "nobody", "Default", "z" * 200:
            before = spoken(daemon)
            m.ask("SET", "synthesis_voice=" + voice, ".")
            m.speak(SENTENCES)
            m.expect("70")
            m.expect("702 END")
            m.seen = len(m.p.out)
            assert spoken(daemon) - before == 3, voice
        assert m.check() is False and not any(e.startswith("703") for e in m.events())
        assert place.log("barkd").count('"nobody"') == 1, place.log("barkd")
        m.quit()


@test("speechd-types")
def types(bench):
    """A voice type has a voice of its own without a word of configuration."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        m = Module(bench, place)
        m.ask("LIST VOICES")
        m.expect("200 OK VOICE LIST SENT")
        daemon.post("/v1/pause")
        got = []
        for kind in "male1", "male2", "male3", "female1", "child_male":
            m.ask("SET", "voice=" + kind, "language=en-us", ".")
            m.speak("Who is speaking here?")
            m.expect("701 BEGIN")
            wait_for("text", lambda: daemon.get("/v1/queue")["waiting"])
            got.append(daemon.get("/v1/queue")["waiting"][0]["voice"].split("/")[-1])
            m.ask("STOP")
            m.expect("703 STOP")
            m.seen = len(m.p.out)
        assert got == ["slt", "awb", "rms", "slt", "awb"], got
        m.quit()


@test("speechd-break", tries=2)
def pauses(bench):
    """A break is silence as long as it says, and prosody is heard."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        m = Module(bench, place)
        recorder = Recorder(bench, place, server)

        def length(text):
            recorder.quiet()
            m.speak(text)
            begin = recorder.sound()
            m.expect("702 END")
            m.seen = len(m.p.out)
            end = recorder.silence()
            return begin, end

        m.speak('<speak>One two three.<mark name="a"/><break time="3s"/><mark name="b"/>Four.</speak>')
        recorder.sound()
        silent = recorder.silence()
        m.expect("700-a")
        assert not any(line == "700-b" for line in m.p.out)
        gap = (recorder.sound() - silent) / 1e9
        m.expect("702 END")
        m.seen = len(m.p.out)
        assert 2.5 < gap < 4, gap
        # A stop in a pause.
        recorder.quiet()
        m.speak('<speak>One.<break time="9s"/>Two.</speak>')
        recorder.sound()
        recorder.silence()
        m.ask("STOP")
        m.expect("703 STOP", 2)
        m.seen = len(m.p.out)
        took = []
        for rate in "60%", "180%":
            begin, end = length(f'<prosody rate="{rate}">One two three four five.</prosody>')
            took.append((end - begin) / 1e9)
        assert 1.5 < took[0] / took[1] < 6, took
        assert m.check() is False
        m.quit()
        return f"3 s of silence last {gap:.2f} s"


@test("speechd-stop", tries=3)
def stop(bench):
    """Stop is answered at once, once, and silence follows."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        m = Module(bench, place)
        recorder = Recorder(bench, place, server)
        first, took, direct = [], [], []
        for _ in range(5):
            recorder.quiet()
            daemon.speak(SENTENCES)
            recorder.sound()
            time.sleep(.2)
            at = daemon.stop()
            direct.append((recorder.silence() - at) / 1e6)
        for _ in range(5):
            recorder.quiet()
            asked = time.monotonic_ns()
            m.speak(LONG)
            first.append((recorder.sound() - asked) / 1e6)
            time.sleep(.2)
            at = time.monotonic_ns()
            m.ask("STOP")
            m.expect("703 STOP", 5)
            took.append((recorder.silence() - at) / 1e6)
        m.ask("STOP")
        m.settle()
        assert m.check() is False
        m.quit()
        # What the module adds to barkd's own stop is not heard.
        assert statistics.median(took) < 2 * max(direct), (took, direct)
        return (f"silent after {min(took):.1f} to {max(took):.1f} ms, "
                f"first sound after {min(first):.0f} to {max(first):.0f} ms")


@test("speechd-echo", tries=3)
def echo(bench):
    """A key is heard long before the model could have said it, sent as a
    character and as Orca sends it."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        m = Module(bench, place)
        recorder = Recorder(bench, place, server)

        def echo_key(key):
            m.speak(f'<speak><mark name="0:1"/>{key} </speak>')

        m.speak("a", "CHAR")
        m.expect("702 END")
        echo_key("a")
        m.seen, _ = m.p.expect("702 END", m.seen)
        # The letters are computed while nobody types.
        wait_for("letters", lambda: daemon.short()["cache_entries"] >= 72, 60)
        daemon.settle()
        took, echoed, model = [], [], []
        for key in "bcdefghijk":
            for times, say in ((took, lambda: m.speak(key, "CHAR")),
                               (echoed, lambda: echo_key(key)),
                               (model, lambda: daemon.speak(key, priority="important"))):
                recorder.quiet()
                daemon.wait_idle()
                asked = time.monotonic_ns()
                say()
                times.append((recorder.sound() - asked) / 1e6)
        m.settle()
        m.check()
        m.quit()
        assert daemon.short()["cached"] == 20, daemon.short()
        assert statistics.median(took) < soon(model), (took, model)
        assert statistics.median(echoed) < soon(model), (echoed, model)
        return (f"CHAR to sound {statistics.median(took):.0f} ms (at most {max(took):.0f}), "
                f"Orca's SPEAK {statistics.median(echoed):.0f} ms (at most {max(echoed):.0f}), "
                f"the model {statistics.median(model):.0f} ms")


@test("speechd-sentences", tries=3)
def sentences(bench):
    """A sentence that was spoken before is heard as soon as a key is; a new one as
    soon from Speech Dispatcher as from barkd itself."""
    texts = ["You have two new messages.", "The window was closed.", "Page one of three.",
             "Nothing was found here.", "Every change was saved."]
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, server, daemon):
        m = Module(bench, place)
        recorder = Recorder(bench, place, server)

        def heard(say):
            recorder.quiet()
            daemon.wait_idle()
            asked = time.monotonic_ns()
            say()
            return (recorder.sound() - asked) / 1e6

        direct, new, again = [], [], []
        for text in texts:
            direct.append(heard(lambda: daemon.speak(text, priority="message")))
        for times in new, again:
            for text in texts:
                times.append(heard(lambda: m.speak(f"<speak>{text}</speak>")))
                m.expect("702 END")
        assert daemon.short()["cached"] == len(texts), daemon.short()
        m.settle()
        m.check()
        m.quit()
        median = statistics.median
        assert median(again) < soon(direct), (again, direct)
        assert median(new) < 1.5 * median(direct) + 3 * 256 / 48, (new, direct)
        return (f"to the first sound: new {median(new):.0f} ms (at most {max(new):.0f}), again "
                f"{median(again):.0f} ms (at most {max(again):.0f}), from barkd itself "
                f"{median(direct):.0f} ms")


@test("speechd-typing")
def typing(bench):
    """Two hundred interrupts in a row: the last character is spoken."""
    with speaking(bench, "pipewire") as (place, server, daemon):
        m = Module(bench, place)
        for i in range(200):
            m.speak(chr(97 + i % 26), "CHAR")
            m.expect("701 BEGIN", 10)
            m.ask("STOP")
            m.expect("703 STOP", 10)
        m.speak("A", "CHAR")
        m.expect("702 END")
        assert m.check() is False
        m.quit()


@test("speechd-interleaved")
def interleaved(bench):
    """Random commands at random times: each message has one end."""
    seconds = float(os.environ.get("SPEECHD_SOAK", 10))
    chance = random.Random(1)
    with speaking(bench, "pipewire") as (place, server, daemon):
        m = Module(bench, place)
        end = time.monotonic() + seconds
        n = 0
        while time.monotonic() < end:
            m.speak(chance.choice([SENTENCES, LONG, "<speak/>", "a"]))
            m.expect("701 BEGIN", 10)
            for _ in range(chance.randrange(3)):
                time.sleep(chance.random() * chance.choice([0, .01, .3]))
                m.ask(chance.choice(["STOP", "PAUSE", "SET\nrate=20\n."]))
            m.ask("STOP")
            m.settle()
            assert m.check() is False
            n += 1
        m.quit()
        return f"{n} messages"


@test("speechd-killed")
def killed(bench):
    """A barkd killed in mid-speech ends the message; the next one is spoken
    by the next barkd."""
    with speaking(bench, "pipewire") as (place, server, daemon):
        m = Module(bench, place)
        recorder = Recorder(bench, place, server)
        m.speak(LONG)
        recorder.sound()
        daemon.end(signal.SIGKILL)
        m.expect("703 STOP", 10)
        daemon.start()
        m.speak("Back again.")
        m.expect("702 END")
        assert m.check() is False
        m.quit()


@test("speechd-served")
def served(bench):
    """With AudioRoute "server" Speech Dispatcher gets the sound: all of it, in
    blocks that are no longer than it takes, with marks where they belong."""
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, audio, daemon):
        with open(place.path("barkd.conf"), "w") as f:
            f.write('AudioRoute "server"\n')
        p = subprocess.Popen([bench.sd_barkd, place.path("barkd.conf")], env=place.env,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def ask(*lines):
            p.stdin.write(("\n".join(lines) + "\n").encode())
            p.stdin.flush()

        def line():
            got = p.stdout.readline()
            assert got, "the module ended"
            return got.rstrip(b"\n")

        def message():
            """Events and sound up to the end: [(samples before it, event)], pcm."""
            events, pcm = [], b""
            while True:
                got = line()
                if got.startswith(b"705-AUDIO\0"):
                    data = got[len(b"705-AUDIO\0"):]
                    block = re.sub(b"\x7d(.)", lambda m: bytes([m[1][0] ^ 0x20]), data,
                                   flags=re.S)
                    assert len(block) == 2 * samples and len(block) <= 10000
                    assert line() == b"705 AUDIO"
                    pcm += block
                elif got.startswith(b"705-"):
                    key, value = got[4:].split(b"=")
                    if key == b"num_samples":
                        samples = int(value)
                    else:
                        assert value == {b"bits": b"16", b"num_channels": b"1",
                                         b"sample_rate": b"24000", b"big_endian": b"0"}[key]
                elif got[:3] in (b"700", b"701", b"702", b"703", b"704"):
                    if got[:4] != b"700 ":
                        events.append((len(pcm) // 2, got.decode()))
                    if got[:4] in (b"702 ", b"703 ", b"704 "):
                        return events, pcm

        ask("INIT", "AUDIO", "audio_output_method=server", ".")
        while line() != b"203 OK AUDIO INITIALIZED":
            pass
        ask("SPEAK", SENTENCES.replace("computer", '<mark name="pc"/>computer'), ".")
        events, pcm = message()
        names = [e for _, e in events]
        assert names == ["701 BEGIN", "700-__spd_0", "700-pc", "700-__spd_1", "702 END"], names
        at = [n for n, _ in events]
        assert at == sorted(at) and 0 < at[1] < at[2] < at[3] < at[4], at
        assert len(pcm) > 100000 and max(pcm[1::2]) > 8
        ask("SPEAK", '<speak>Mr.<mark name="__spd_0"/> Hill pays $3 .50 now.<break time="1s"/>'
            '<mark name="m"/>Good bye.<break time="500ms"/></speak>', ".")
        events, pcm = message()
        at = dict(reversed(e) for e in events)
        assert list(at) == ["701 BEGIN", "700-__spd_0", "700-m", "702 END"], events
        assert bytes(48000) in pcm[:2 * at["700-m"]] and pcm.endswith(bytes(24000)), at
        assert at["700-__spd_0"] < at["700-m"] - 24000, at
        # As fast as barkd makes speech for clients, not faster than it takes.
        ask("SET", "rate=100", ".", "SPEAK",
            '<speak><prosody rate="x-fast">Good bye.</prosody></speak>', ".")
        events, pcm = message()
        assert events[-1][1] == "702 END" and len(pcm) > 5000, events
        ask("SET", "rate=0", ".")
        # Nothing of it went to barkd's own sink.
        assert daemon.status()["counters"]["spoken"] == 0
        ask("SPEAK", LONG, ".")
        while not line().startswith(b"705-AUDIO"):
            pass
        line()
        ask("STOP")
        events, _ = message()
        assert events[-1][1] == "703 STOP", events
        wait_for("end of the work", lambda: daemon.status()["renders"]["making"] == 0, 5)
        ask("CHAR", "a", ".")
        events, pcm = message()
        assert events[-1][1] == "702 END" and len(pcm) > 5000
        ask("QUIT")
        assert p.wait(20) == 0
        p.stdin.close()
        p.stdout.close()


@test("speechd-hung")
def hung(bench):
    """A barkd that hangs: voices are listed as they were, soon enough for
    Speech Dispatcher, whose start asks for them."""
    with speaking(bench, "pipewire") as (place, audio, daemon):
        m = Module(bench, place)
        m.ask("LIST VOICES")
        name = m.expect("200-")
        m.expect("200 OK VOICE LIST SENT")
        os.kill(daemon.p.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            m.ask("LIST VOICES")
            assert m.expect("200-", 20) == name
            m.expect("200 OK VOICE LIST SENT")
            took = time.monotonic() - began
        finally:
            os.kill(daemon.p.pid, signal.SIGCONT)
        m.quit()
        # Half of what Orca waits for, on a machine that does something else too.
        assert took < 10, took
        return f"{took:.1f} s"
