# SPDX-License-Identifier: MIT
"""POST /v1/audio/speech: what programs with an OpenAI-style client get."""
import base64
import http.client
import json
import os
import shutil
import signal
import socket
import time
import urllib.parse
import wave

from asking import TOKEN, ask, listening, speech
from daemon import UnixConnection
from harness import test
from servers import wait_for
from stage import LONG, MEDIUM, SHORT, render

FORMATS = {"mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac",
           "wav": "audio/wav", "pcm": "audio/pcm"}


def as_wav(path, pcm, rate=24000):
    with wave.open(path, "w") as w:
        w.setparams((1, 2, rate, 0, "NONE", ""))
        w.writeframes(pcm)
    return path


def adts_seconds(data):
    """The length of a chain of whole ADTS frames (ISO 14496-3, 1.A.2)."""
    rates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000]
    at = frames = 0
    while at < len(data):
        assert data[at] == 0xff and data[at + 1] & 0xf6 == 0xf0, f"no frame at {at}"
        rate = rates[data[at + 2] >> 2 & 15]
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames += 1
    assert at == len(data), "half a frame at the end"
    return frames * 1024 / rate


@test("formats")
def formats(bench):
    """Each format is the sound that is rendered, whole."""
    with listening(bench, model=bench.voice_model()) as (place, daemon, port):
        ref = render(bench, place, MEDIUM, 5, "low-latency", model=bench.voice_model())
        with wave.open(ref) as w:
            seconds = w.getnframes() / w.getframerate()
        notes = []
        for name, kind in FORMATS.items():
            status, headers, body = speech(daemon, MEDIUM, seed=5, response_format=name)
            if status == 400 and b"unsupported_format" in body:
                notes.append(f"no {name} in this build")
                continue
            assert status == 200 and headers["Content-Type"] == kind, (name, status, body[:200])
            path = place.path("speech." + name)
            if name == "pcm":
                as_wav(path, body)
            else:
                with open(path, "wb") as f:
                    f.write(body)
            if name == "aac":
                assert seconds <= adts_seconds(body) < seconds + .2, adts_seconds(body)
                continue
            got, (match,) = bench.wavcmp(place, path, ref)
            least = .99 if name in ("flac", "wav", "pcm") else .9
            assert match["correlation"] > least, (name, match)
            assert abs(got["frames"] / got["rate"] - seconds) < .2, (name, got, seconds)
            notes.append(f"{name} {match['correlation']:.4f}")
        # The default is OpenAI's.
        assert speech(daemon, SHORT)[1]["Content-Type"] == "audio/mpeg"
        return ", ".join(notes)


@test("streamed")
def streamed(bench):
    """The first bytes come while most of the speech has not been computed."""
    with listening(bench, model=bench.voice_model()) as (place, daemon, port):
        daemon.warm()
        c = UnixConnection(daemon.socket, 120)
        start = time.monotonic()
        c.request("POST", "/v1/audio/speech", json.dumps(
            {"input": LONG + " " + LONG, "response_format": "pcm"}))
        r = c.getresponse()
        first = r.read1(65536)
        begun = time.monotonic() - start
        rest = r.read()
        took = time.monotonic() - start
        c.close()
        seconds = (len(first) + len(rest)) / 48000
        assert seconds > 10 and len(first) > 0
        assert begun < took / 4, (begun, took)
        return f"first bytes after {begun * 1e3:.0f} ms, {seconds:.1f} s of sound after {took:.2f} s"


@test("events")
def events(bench):
    """Server-Sent Events hold the same sound."""
    with listening(bench, model=bench.voice_model()) as (place, daemon, port):
        plain = speech(daemon, MEDIUM, seed=5, response_format="pcm")[2]
        status, headers, body = speech(daemon, MEDIUM, seed=5, response_format="pcm",
                                       stream_format="sse")
        assert status == 200 and headers["Content-Type"] == "text/event-stream"
        *deltas, done = [json.loads(e.removeprefix("data: "))
                         for e in body.decode().split("\n\n") if e]
        assert all(d["type"] == "speech.audio.delta" for d in deltas) and len(deltas) > 3
        assert b"".join(base64.b64decode(d["audio"]) for d in deltas) == plain
        assert done["type"] == "speech.audio.done"
        usage = done["usage"]
        assert usage["input_tokens"] == len(MEDIUM), usage
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@test("speed")
def speed(bench):
    with listening(bench, model=bench.voice_model()) as (place, daemon, port):
        plain = len(speech(daemon, MEDIUM, seed=5, response_format="pcm")[2])
        for factor in .5, 2:
            n = len(speech(daemon, MEDIUM, seed=5, response_format="pcm", speed=factor)[2])
            assert abs(n * factor / plain - 1) < .1, (factor, n, plain)


@test("speech-refused")
def refused(bench):
    with listening(bench) as (place, daemon, port):
        for wrong, expected in (
                ({"voice": "nobody"}, (404, "voice_not_found", "voice")),
                ({"model": "gpt-9"}, (404, "model_not_found", "model")),
                ({"response_format": "midi"}, (400, "invalid_value", "response_format")),
                ({"stream_format": "x"}, (400, "invalid_value", "stream_format")),
                ({"speed": 4.1}, (400, "invalid_value", "speed")),
                ({"speed": "fast"}, (400, "invalid_type", "speed")),
                ({"voice": 3}, (400, "invalid_type", "voice")),
                ({"input": None}, (400, "missing_field", "input")),
                ({"input": "x" * (256 * 1024 + 1)}, (413, "too_large", "input"))):
            status, _, body = speech(daemon, **{"text": "a", **wrong}) if "input" not in wrong \
                else ask(port, "POST", "/v1/audio/speech", body=wrong)
            error = json.loads(body)["error"]
            assert (status, error["code"], error["param"]) == expected, (wrong, status, error)
        # Fields of other services, voices of OpenAI's, {"id": ...}.
        status, _, body = speech(daemon, SHORT, voice={"id": "alloy"}, instructions="Whisper.",
                                 model="tts-1-hd", something=[1], response_format="pcm")
        assert status == 200 and body


@test("model-names")
def model_names(bench):
    """A model given by its path has its folder's name; a hub's name is taken, and
    suno's of a preset that was imported."""
    model = bench.fast_model()
    name = os.path.basename(model)
    with listening(bench, model=model + "/") as (place, daemon, port):
        assert daemon.get("/v1/voices")[0]["name"] == name
        listed = [m["id"] for m in daemon.get("/v1/models")["data"]]
        assert listed == [name, "tts-1"], listed
        voices = os.path.join(place.env["XDG_DATA_HOME"], "barkd", "voices")
        os.makedirs(voices)
        shutil.copy(os.path.join(os.path.dirname(model), "voices", "short.npz"),
                    os.path.join(voices, "en_speaker_6.npz"))
        for given in name, "suno/" + name:
            status, _, body = speech(daemon, SHORT, model=given, response_format="pcm",
                                     voice="v2/en_speaker_6")
            assert status == 200 and body, (given, status, body)
            assert ask(port, "GET", "/v1/models/" + given)[0] == 200, given
        for given in "suno/other", "/" + name, "suno/" + name + "x", name + "/":
            assert speech(daemon, SHORT, model=given)[0] == 404, given
        assert speech(daemon, SHORT, voice="v2/en_speaker_7")[0] == 404


def mp3_rates(data):
    """The bit rates, in kbit/s, of a chain of MPEG-2 layer III frames (ISO 13818-3)."""
    rates = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
    at, seen = 0, set()
    while at < len(data):
        assert data[at] == 0xff and data[at + 1] & 0xfe == 0xf2, f"no frame at {at}"
        rate = rates[data[at + 2] >> 4]
        seen.add(rate)
        at += rate * 72000 // 24000 + (data[at + 2] >> 1 & 1)
    return seen


def read_by_soundfile(place, python, path):
    """Frames, as Python's soundfile reads a file in one go."""
    code = ("import soundfile, sys; pcm, rate = soundfile.read(sys.argv[1], dtype='int16'); "
            "assert rate == 24000; print(len(pcm), int(abs(pcm).max()) if len(pcm) else 0)")
    return [int(n) for n in place.run([python, "-c", code, path], timeout=60).stdout.split()]


@test("speech-files")
def files(bench):
    """A file that a client saves is one that programs read: FLAC has its
    length, MP3 the bit rate of the manual, and a text without words is a
    moment of silence instead of a file without sound."""
    python = bench.python("soundfile")
    with listening(bench, model=bench.voice_model()) as (place, daemon, port):
        def saved(text, form):
            status, _, body = speech(daemon, text, seed=5, response_format=form)
            assert status == 200, (form, status, body[:200])
            with open(place.path("saved." + form), "wb") as f:
                f.write(body)
            return body

        seconds = len(saved(MEDIUM, "pcm")) / 48000
        saved(MEDIUM, "flac")
        frames, peak = read_by_soundfile(place, python, place.path("saved.flac"))
        assert frames / 24000 == seconds and peak > 1000, (frames, seconds, peak)
        assert mp3_rates(saved(MEDIUM, "mp3")) == {64}
        for text in " \n", "\u200b", "...", "\u2026", "\U0001f389\ufe0f":
            pcm = saved(text, "pcm")
            assert len(pcm) > 0 and len(pcm) % 2 == 0, (text, len(pcm))
        for form in "mp3", "opus", "flac", "wav":
            saved(" \n", form)
            frames, peak = read_by_soundfile(place, python, place.path("saved." + form))
            assert 24000 * .05 < frames < 24000 * .5 and peak < 30, (form, frames, peak)
        status, _, body = speech(daemon, " ", response_format="aac")
        assert status == 400 or adts_seconds(body) > .05
        status, _, body = speech(daemon, " ", stream_format="sse", response_format="pcm")
        assert status == 200 and body.count(b"speech.audio.delta") >= 1, body[:200]
        # A stream of events is decoded as it comes, so nothing of it is held back.
        status, _, body = speech(daemon, MEDIUM, stream_format="sse", response_format="flac")
        assert status == 200 and body.count(b"speech.audio.delta") > 3, len(body)


@test("speech-url")
def url(bench):
    """Players are given an address alone, with the token in it, which is not
    logged."""
    with listening(bench, model=bench.voice_model(),
                   daemon_config={"service": {"log_level": "debug"}}) as (place, daemon, port):
        def address(text, token=TOKEN, **more):
            query = urllib.parse.urlencode({"input": text, "token": token, **more})
            return f"/v1/audio/speech?{query}"

        def get(path, method="GET"):
            return ask(port, method, path, token=None)

        posted = speech(daemon, MEDIUM, seed=5, speed=1.5, response_format="pcm")[2]
        path = address(MEDIUM, seed=5, speed=1.5, response_format="pcm", model="tts-1",
                       voice="alloy", tokens="x")
        status, headers, body = get(path)
        assert status == 200 and headers["Content-Type"] == "audio/pcm"
        assert body == posted, (len(body), len(posted))
        status, headers, body = get(path, "HEAD")
        assert (status, headers["Content-Type"], body) == (200, "audio/pcm", b"")
        assert get(address("a", token="wrong"))[0] == 401
        assert get("/v1/audio/speech?input=a")[0] == 401
        for wrong, expected in (
                ({"speed": "9"}, (400, "invalid_value", "speed")),
                ({"speed": "fast"}, (400, "invalid_type", "speed")),
                ({"seed": "1.5"}, (400, "invalid_type", "seed")),
                ({"voice": "nobody"}, (404, "voice_not_found", "voice")),
                ({"response_format": "midi"}, (400, "invalid_value", "response_format"))):
            status, _, body = get(address("a", **wrong))
            error = json.loads(body)["error"]
            assert (status, error["code"], error["param"]) == expected, (wrong, status, error)
        status, _, body = get(f"/v1/audio/speech?token={TOKEN}")
        assert status == 400 and json.loads(body)["error"]["code"] == "missing_field"
        status, _, body = get(f"/v1/audio/speech?token={TOKEN}&input=%ff%fe")
        assert status == 400, (status, body)
        status, headers, _ = ask(port, "DELETE", path, token=None)
        assert status == 405 and headers["Allow"] == "POST, GET, HEAD", headers["Allow"]
        assert daemon.status()["counters"]["spoken"] == 0
        log = daemon.log()
        assert TOKEN not in log and MEDIUM[:20] not in log and "Hello" not in log, log
        played = []
        for name, args in (("ffmpeg", ["-v", "error", "-i", "URL", "-ar", "24000", "-ac", "1",
                                       "-y", "FILE"]),
                           ("mpv", ["--no-config", "--no-video", "--ao=pcm",
                                    "--ao-pcm-file=FILE", "--really-quiet", "URL"])):
            if not shutil.which(name):
                continue
            for form in "mp3", "flac":
                file = place.path(f"{name}-{form}.wav")
                place.run([name] + [a.replace("FILE", file).replace(
                    "URL", f"http://127.0.0.1:{port}" + address(
                        MEDIUM, seed=5, response_format=form)) for a in args], timeout=60)
                got, _ = bench.wavcmp(place, file, file)
                seconds = got["frames"] / got["rate"]
                assert abs(seconds * 48000 / 1.5 - len(posted)) < .15 * len(posted), seconds
            played.append(name)
        return "played by " + (", ".join(played) or "none: neither mpv nor ffmpeg is installed")


@test("speech-gone", tries=3)
def gone(bench):
    """A client that goes away, or takes nothing, costs nothing any more."""
    with listening(bench, streams=2) as (place, daemon, port):
        daemon.warm()

        def begin(kind):
            s = socket.socket(kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect(daemon.socket if kind == socket.AF_UNIX else ("127.0.0.1", port))
            body = json.dumps({"input": LONG * 20, "response_format": "wav"}).encode()
            s.sendall(b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\n"
                      b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
                      % (TOKEN.encode(), len(body), body))
            s.recv(1)
            return s

        def made():
            return daemon.status()["renders"]["making"]

        left = daemon.status()["renders"]["gone"]
        for kind in (socket.AF_UNIX, socket.AF_INET) * 3:
            s = begin(kind)
            assert made() == 1
            s.close()
            at = time.monotonic()
            wait_for("end of the work", lambda: made() == 0, 5)
            assert time.monotonic() - at < .1, "the client's work went on"
            left += 1
            assert daemon.status()["renders"]["gone"] == left
        # Two that do not read: the engine waits for them, a third is refused,
        # and who listens at the sink hears no difference.
        slow = [begin(socket.AF_INET), begin(socket.AF_UNIX)]
        daemon.settle()
        assert made() == 2
        status, headers, body = speech(daemon, SHORT)
        assert status == 429 and headers["Retry-After"] == "1", (status, body)
        assert json.loads(body)["error"]["code"] == "rate_limit_exceeded"
        assert daemon.speak(SHORT, wait=True)["state"] == "done"
        for s in slow:
            s.close()
        wait_for("end of the work", lambda: made() == 0, 5)
        assert speech(daemon, SHORT)[0] == 200


def children(pid, name):
    """Processes of that name that a process has started."""
    found = []
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        for child in f.read().split():
            with open(f"/proc/{child}/comm") as c:
                if c.read().strip() == name:
                    found.append(int(child))
    return found


def broken(response):
    """Reads to the end of an answer: whether the client sees that it is not complete."""
    try:
        response.read()
    except OSError:
        return True
    except http.client.IncompleteRead:
        return True
    return False


@test("encoder-dies")
def encoder_dies(bench):
    """A codec library that crashes ends one client's stream: another client's goes on, and so
    does what is being said. Its process can do nothing but encode, and leaves nothing behind."""
    with listening(bench, model=bench.voice_model()) as (place, daemon, port):
        def begin(text):
            c = UnixConnection(daemon.socket, 60)
            c.request("POST", "/v1/audio/speech", json.dumps({"input": text, "seed": 5}))
            r = c.getresponse()
            assert r.status == 200 and r.read(1)
            return r

        def encoders():
            return children(daemon.p.pid, "barkd-encode")

        whole = speech(daemon, MEDIUM, seed=5)[2]
        wait_for("end of the encoder", lambda: not encoders(), 5)
        victim = begin(LONG * 20)
        [pid] = encoders()
        with open(f"/proc/{pid}/status") as f:
            status = {k: v.strip() for k, _, v in (line.partition(":") for line in f)}
        assert status["NoNewPrivs"] == "1"
        with open(f"/proc/{pid}/limits") as f:
            limits = [line.split()[:-1] for line in f]
        assert ["Max", "processes", "0", "0"] in limits, limits
        other = begin(MEDIUM)
        saying = daemon.speak_later(MEDIUM)
        os.kill(pid, signal.SIGSEGV)
        assert broken(victim), "the answer looks complete"
        assert other.read() == whole[1:]
        assert saying.state() == "done"
        wait_for("end of the encoders", lambda: not encoders(), 5)
        assert speech(daemon, MEDIUM, seed=5)[2] == whole
        return "seccomp " + ("on" if status["Seccomp"] == "2" else "not built in")


@test("speech-stopped")
def stopped(bench):
    """When barkd ends, a client sees that its speech is not complete."""
    with listening(bench) as (place, daemon, port):
        daemon.warm()
        c = UnixConnection(daemon.socket, 60)
        c.request("POST", "/v1/audio/speech", json.dumps({"input": LONG * 20}))
        r = c.getresponse()
        assert r.status == 200 and r.read(1)
        assert daemon.end() == 0
        assert broken(r), "the answer looks complete"
        daemon.start()


@test("openai")
def openai_client(bench):
    """OpenAI's own Python client."""
    python = bench.python("openai")
    with listening(bench, model=bench.voice_model()) as (place, daemon, port):
        script = os.path.join(os.path.dirname(__file__), "clients", "openai_speech.py")
        seen = json.loads(place.run([python, script, f"http://127.0.0.1:{port}/v1", TOKEN,
                                     place.dir], timeout=300).stdout)
        ref = render(bench, place, MEDIUM, 5, "low-latency", model=bench.voice_model())
        _, (match,) = bench.wavcmp(place, place.path("openai.mp3"), ref)
        assert match["correlation"] > .9, match
        assert os.path.getsize(place.path("openai.wav")) > 10000
        assert seen["sse"] == "text/event-stream"
        assert set(seen["events"][:-1]) == {"speech.audio.delta"}
        assert seen["events"][-1] == "speech.audio.done" and seen["usage"]["total_tokens"] > 0
        assert len(seen["several"]) == 6 and min(seen["several"]) > 4800, seen["several"]
        assert "tts-1" in seen["models"]
        assert all(n > 4800 for n in seen["dated"]), seen["dated"]
        assert seen["model_ids"] == ["tts-1", "gpt-4o-mini-tts-2025-12-15", seen["models"][0]]
        assert seen["no_model"] == ["NotFoundError", "model_not_found"]
        assert len(set(seen["request_ids"])) == 3 and all(
            i and i.startswith("req_") for i in seen["request_ids"]), seen["request_ids"]
        assert seen["voice"] == ["NotFoundError", "voice_not_found", "voice"]
        assert seen["model"] == ["NotFoundError", "model_not_found", "model"]
        assert seen["format"] == ["BadRequestError", "invalid_value", "response_format"]
        assert seen["empty"] == ["BadRequestError", "invalid_value", "input"]
        assert seen["token"] == ["AuthenticationError", "invalid_api_key"]
