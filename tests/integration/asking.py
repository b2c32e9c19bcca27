# SPDX-License-Identifier: MIT
"""A daemon with a port, and who asks there."""
import contextlib
import http.client
import json
import socket

from daemon import Daemon, UnixConnection
from servers import Place

TOKEN = "a-token-for-the-tests"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def listening(bench, token=TOKEN, model=None, daemon_config=None, **http_keys):
    """A daemon with a port: yields (place, daemon, port)."""
    port = free_port()
    with Place() as place:
        config = {"http": {"port": port, **({"token": token} if token else {}), **http_keys},
                  "output": {"sink": "file", "target": place.path("sound.wav")},
                  **(daemon_config or {})}
        daemon = Daemon(bench, place, model or bench.fast_model(), config).start()
        yield place, daemon, port
        assert daemon.end() == 0, "barkd did not end well: " + daemon.log()


def ask(port, method, path, headers=None, body=None, host=None, token=TOKEN,
        address="127.0.0.1"):
    """Returns (status, headers, body)."""
    c = http.client.HTTPConnection(address, port, timeout=60)
    headers = {"Host": host or f"127.0.0.1:{port}", **(headers or {})}
    if token:
        headers.setdefault("Authorization", "Bearer " + token)
    try:
        c.request(method, path, json.dumps(body) if body is not None else None, headers)
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()


def speech(daemon, text, **more):
    """What /v1/audio/speech answers: (status, headers, body)."""
    c = UnixConnection(daemon.socket, 120)
    try:
        c.request("POST", "/v1/audio/speech", json.dumps({"input": text, **more}))
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()
