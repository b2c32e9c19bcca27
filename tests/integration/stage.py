# SPDX-License-Identifier: MIT
"""A place with an audio server and a daemon in it, for the tests."""
import contextlib
import statistics

from daemon import Daemon
from harness import make_server, test
from servers import Place, wait_for

QUANTUM = 2048
SHORT = "Hello there."
MEDIUM = "Hello there. This is your computer."
LONG = ("This is a long text that goes on for quite a while, so that there is time to do "
        "something in the middle of it. Then there is another sentence after it.")


@contextlib.contextmanager
def speaking(bench, kind, config=None, quantum=256, start=True, warm=True, model=None):
    """A place with a server and a daemon: yields (place, server, daemon). The
    model is small, random and fast, unless another is named."""
    config = {k: dict(v) for k, v in (config or {}).items()}
    output = config.setdefault("output", {})
    output["sink"] = kind
    with Place() as place:
        server = make_server(kind, place)
        if kind == "jack":
            # Its own connection: what a recorder made would come too late.
            output.setdefault("target", "test-record:in_1")
        else:
            output.setdefault("latency", quantum)
        daemon = Daemon(bench, place, model or bench.fast_model(), config)
        if start:
            start_server(server, kind, quantum)
        daemon.start()
        if start and warm:
            daemon.warm()
        try:
            yield place, server, daemon
            assert daemon.p.alive(), "barkd died: " + daemon.log()
            assert daemon.end() == 0, "barkd did not end well: " + daemon.log()
        except AssertionError as e:
            raise AssertionError(f"{e} (barkd's log: {daemon.log()[-300:]})") from e


def start_server(server, kind, quantum=256):
    if kind == "jack":
        server.start(period=quantum)
    else:
        server.start()


def render(bench, place, text, seed, mode, name="ref.wav", model=None):
    path = place.path(name)
    place.run([bench.barkctl, "render", "-m", model or bench.fast_model(),
               "--seed", str(seed), "--mode", mode, "-o", path, text], timeout=300)
    return path


def computed(daemon, text, seed):
    """Speaks, but lets it be heard only when all of it has been computed."""
    spoken = daemon.speak_later(text, seed=seed)
    wait_for("utterance", lambda: daemon.get("/v1/queue")["current"])
    daemon.post("/v1/pause")
    daemon.settle()
    daemon.post("/v1/resume")
    return spoken


def queued(daemon):
    q = daemon.get("/v1/queue")
    return len(q["waiting"]) + (q["current"] is not None)


def both(name, tries=1):
    def add(function):
        for kind in "pipewire", "jack":
            test(f"{kind}-{name}", tries)(lambda bench, kind=kind: function(bench, kind))
        return function
    return add


def soon(model):
    """Half of the model's time; but a model may be as fast as the way to the recorder,
    three cycles of 256 frames, which is in all of these times."""
    return statistics.median(model) / 2 + 3 * 256 / 48
