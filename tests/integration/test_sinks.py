# SPDX-License-Identifier: MIT
"""The sink modules alone, each with a host that sings a chirp."""
import os
import signal
import time

from harness import Recorder, SinkHost, fds, make_server, test, threads
from servers import Place, wait_for

EHOSTDOWN = 112
# Long cycles where fidelity counts, so that a busy machine does not miss one.
QUANTUM = 2048


def compare(bench, place, host, recorder):
    """Ends both; what was recorded must be what was pulled, sample by sample."""
    recording = recorder.save()
    host.finish()
    _, (match,) = bench.wavcmp(place, recording, host.saved)
    return match


def say_for(host, seconds):
    """Lets the chirp run, then silences and corks it."""
    host.expect("state running")
    time.sleep(seconds)
    host.do("mute")


@test("sink-file-formats")
def file_formats(bench):
    with Place() as place:
        for ending, least in ("wav", .99999), ("flac", .99999), ("ogg", .98), ("xyz", .99999):
            path = place.path("out." + ending)
            host = SinkHost(bench, place, "file", "--target", path, "--rate", "24000")
            host.expect("state idle 24000")
            host.do("run")
            host.expect("state running 24000")
            for _ in range(20):
                host.do("write 4001")
            host.do("cork")
            host.finish()
            recording, (match,) = bench.wavcmp(place, path, host.saved)
            assert recording["rate"] == 24000, recording
            assert match["correlation"] > least and abs(match["offset"]) <= 1, (ending, match)
            assert abs(match["gain"] - 1) < .02, (ending, match)


@test("sink-file-killed")
def file_killed(bench):
    """A WAV is whole after every write."""
    with Place() as place:
        path = place.path("out.wav")
        host = SinkHost(bench, place, "file", "--target", path)
        host.do("write 12345")
        host.p.end(signal.SIGKILL)
        recording, _ = bench.wavcmp(place, path)
        assert recording["frames"] == 12345, recording
        with open(path, "rb") as f:
            size = int.from_bytes(f.read(8)[4:], "little")
        assert size + 8 == os.path.getsize(path), "the RIFF header lies"


@test("sink-file-unwritable")
def file_unwritable(bench):
    with Place() as place:
        host = SinkHost(bench, place, "file", "--target", place.path("no/such/folder.wav"))
        assert host.expect("open").split()[1] == "-2"


def refused(bench, kind):
    """`once` says at once that there is no server."""
    with Place() as place:
        make_server(kind, place)
        start = time.monotonic()
        host = SinkHost(bench, place, kind, "--once")
        assert host.expect("open").split()[1] == str(-EHOSTDOWN)
        assert time.monotonic() - start < 5


def sound(bench, kind, *options):
    """Nothing is lost, doubled or changed on the way, from the first sample."""
    with Place() as place:
        server = make_server(kind, place)
        if kind == "jack":
            server.start(period=QUANTUM)
            options += ("--target", "test-record:in_1")
        else:
            server.start()
            options += ("--latency", str(QUANTUM))
        recorder = Recorder(bench, place, server, quantum=QUANTUM)
        host = SinkHost(bench, place, kind, *options)
        host.do("run")
        say_for(host, 3)
        recorder.silence()
        host.do("cork")
        lost = host.count()[1]
        match = compare(bench, place, host, recorder)
        assert match["correlation"] > .9999 and match["gap"] < 48, (match, f"{lost} losses")
        if kind == "pipewire":
            assert recorder.difference() == 0, "left and right differ"
            assert abs(match["gain"] - 1) < .01, match
        return f"correlation {match['correlation']:.6f}"


def cork(bench, kind):
    """Corked, nothing is pulled; it runs again as often as one likes."""
    with Place() as place:
        make_server(kind, place).start()
        host = SinkHost(bench, place, kind)
        host.expect("state idle")
        for _ in range(10):
            host.do("run")
            host.expect("state running")
            host.pulls()
            host.do("cork")
            host.expect("state idle")
            time.sleep(.05)
            before = host.count()[0]
            time.sleep(.2)
            assert host.count()[0] == before, "pulled while corked"
        # As fast as the owner can: the last word counts.
        for _ in range(200):
            host.do("run")
            host.do("cork")
        host.do("run")
        host.pulls()
        host.do("close")
        host.finish()


def silence(bench, kind):
    """When pull gives silence, it is heard two quanta later at most."""
    with Place() as place:
        server = make_server(kind, place).start()
        recorder = Recorder(bench, place, server)
        options = ("--target", "test-record:in_1") if kind == "jack" else ()
        host = SinkHost(bench, place, kind, *options)
        host.do("run")
        took = []
        for _ in range(10):
            host.do("unmute")
            recorder.sound()
            time.sleep(.1)
            at = host.do("mute")
            took.append((recorder.silence() - at) / 1e6)
        assert max(took) < 20, f"{max(took):.1f} ms"
        return f"pull's silence heard after {min(took):.1f} to {max(took):.1f} ms"


def restart(bench, kind):
    """No server at first; then it comes, goes and comes again."""
    with Place() as place:
        server = make_server(kind, place)
        host = SinkHost(bench, place, kind)
        host.expect("state down")
        host.do("run")
        time.sleep(.5)
        used = None
        for sig in signal.SIGKILL, signal.SIGTERM, signal.SIGKILL:
            server.start()
            host.expect("state running")
            host.pulls()
            now = fds(host.p.pid), threads(host.p.pid)
            used = used or now
            # A sound server's own helpers come and go: a few are no leak.
            assert now[0] <= used[0] + 3 and now[1] <= used[1] + 1, (used, now)
            server.kill(sig)
            host.expect("state down")
            time.sleep(.3)
            before = host.count()[0]
            time.sleep(.2)
            assert host.count()[0] == before, "pulled without a server"
        host.do("cork")
        server.start()
        host.expect("state idle")
        # And the other way round: it goes while the stream is corked.
        server.kill()
        host.expect("state down")
        server.start()
        host.expect("state idle")
        host.do("run")
        host.expect("state running")
        host.pulls()
        host.finish()


for kind in "pipewire", "jack":
    test(f"sink-{kind}-once")(lambda bench, kind=kind: refused(bench, kind))
    test(f"sink-{kind}-sound", tries=3)(lambda bench, kind=kind: sound(bench, kind))
    test(f"sink-{kind}-cork")(lambda bench, kind=kind: cork(bench, kind))
    test(f"sink-{kind}-silence", tries=3)(lambda bench, kind=kind: silence(bench, kind))
    test(f"sink-{kind}-restart")(lambda bench, kind=kind: restart(bench, kind))


@test("sink-jack-still")
def jack_still(bench):
    """A server that stands still without a word is one that went away."""
    with Place() as place:
        server = make_server("jack", place).start()
        host = SinkHost(bench, place, "jack")
        host.expect("state idle")
        host.do("run")
        host.expect("state running")
        host.pulls()
        os.kill(server.server.p.pid, signal.SIGSTOP)
        try:
            host.expect("state down")
        finally:
            os.kill(server.server.p.pid, signal.SIGCONT)
        host.expect("state running")
        host.pulls()
        host.finish()


@test("sink-pipewire-rate", tries=3)
def pipewire_rate(bench):
    """Another rate than the graph's is converted by the server."""
    return sound(bench, "pipewire", "--rate", "24000")


@test("sink-pipewire-properties")
def pipewire_properties(bench):
    with Place() as place:
        server = make_server("pipewire", place).start()
        host = SinkHost(bench, place, "pipewire", "--role", "Notification", "--latency", "512")
        host.expect("state idle 48000")
        props = server.node("barkd-test")["info"]["props"]
        want = {"media.type": "Audio", "media.category": "Playback",
                "media.role": "Notification", "application.name": "barkd-test",
                "node.latency": "512/48000"}
        assert want.items() <= props.items(), props
        assert not props.get("node.dont-reconnect"), props
        host.finish()


def linked(place, sink):
    """Whether sink plays the sink host."""
    out = place.run(["pw-link", "-l", "-o"]).stdout
    return f"barkd-test:output_FL\n  |-> {sink}:playback_FL\n" in out + "\n"


@test("sink-pipewire-target")
def pipewire_target(bench):
    with Place() as place:
        server = make_server("pipewire", place).start()
        server.add_sink("other_sink")
        for name in "test_sink", "other_sink":
            host = SinkHost(bench, place, "pipewire", "--target", name)
            host.do("run")
            host.expect("state running")
            assert linked(place, name), f"not linked to {name}"
            host.finish()


@test("sink-pipewire-device")
def pipewire_device(bench):
    """No device at first; then it comes, goes and comes again."""
    with Place() as place:
        server = make_server("pipewire", place).start(sink=None)
        host = SinkHost(bench, place, "pipewire")
        host.do("run")
        host.expect("state down")
        time.sleep(3)
        host.p.poll_lines()
        told = [line for line in host.p.out if line.startswith("state")]
        assert told[-1].startswith("state down") and len(told) <= 2, told
        for name in "first_sink", "second_sink":
            server.add_sink(name)
            host.expect("state running")
            host.pulls()
            wait_for("link", lambda: linked(place, name))
            server.remove_sink(name)
            host.expect("state down")
        # It may come while nobody speaks, and is used when somebody does.
        host.do("cork")
        time.sleep(.3)
        server.add_sink("third_sink")
        time.sleep(.3)
        host.do("run")
        host.expect("state running")
        host.pulls()
        host.finish()


@test("sink-pipewire-manager")
def pipewire_manager(bench):
    """The session manager dies, its links with it, and is started again."""
    with Place() as place:
        server = make_server("pipewire", place).start()
        host = SinkHost(bench, place, "pipewire")
        host.do("run")
        for _ in range(2):
            host.expect("state running")
            host.pulls()
            server.manager.end(signal.SIGKILL)
            host.expect("state down")
            # WirePlumber 0.4.13 does not adopt a null sink of its forerunner.
            server.remove_sink()
            server.manager = place.start(["wireplumber"])
            server.add_sink()
        host.expect("state running")
        host.pulls()
        host.finish()


@test("sink-jack-ports")
def jack_ports(bench):
    """Policy, target, a person's own patches, rate and latency."""
    with Place() as place:
        server = make_server("jack", place).start(rate=44100, period=128)
        port = "barkd-test:out_1"
        host = SinkHost(bench, place, "jack")
        host.expect("state idle 44100")
        host.do("run")
        host.expect("state running 44100")
        assert server.connections(port) == ["system:playback_1", "system:playback_2"]
        host.pulls()
        assert host.count()[2] >= 128, "no latency"
        place.run(["jack_disconnect", port, "system:playback_2"])
        host.do("cork")
        host.expect("state idle")
        host.do("run")
        host.expect("state running")
        assert server.connections(port) == ["system:playback_1"], "the patch was not kept"
        host.finish()

        host = SinkHost(bench, place, "jack", "--target", "system:playback_2")
        host.do("run")
        host.expect("state running")
        assert server.connections(port) == ["system:playback_2"]
        host.finish()

        host = SinkHost(bench, place, "jack", "--no-connect")
        host.do("run")
        host.expect("state running")
        assert server.connections(port) == []
        host.finish()

        # The port that is asked for may come later: nothing is lost until then.
        host = SinkHost(bench, place, "jack", "--target", "test-record:in_1")
        host.do("run")
        host.expect("state down")
        time.sleep(.2)
        assert host.count()[0] == 0, "pulled for nobody"
        recorder = Recorder(bench, place, server)
        host.expect("state running")
        recorder.sound()
        # It may go and come again, while it is played to or corked.
        recorder.save()
        host.expect("state down")
        recorder = Recorder(bench, place, server)
        recorder.sound()
        host.do("cork")
        host.expect("state idle")
        recorder.save()
        recorder = Recorder(bench, place, server)
        host.do("run")
        recorder.sound()
        recorder.save()
        host.finish()
