# SPDX-License-Identifier: MIT
"""A client of GET /v1/events."""
import json
import queue
import socket
import threading
import time

from daemon import UnixConnection


class Listener:
    """Reads events in a thread of its own: (time in ns, name, data)."""

    def __init__(self, daemon, query=""):
        self.connection = UnixConnection(daemon.socket, 120)
        self.connection.request("GET", "/v1/events" + query)
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"
        self.events = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        name = None
        try:
            while line := self.response.readline():
                key, _, value = line.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    self.events.put((time.monotonic_ns(), name, json.loads(value)))
        except (OSError, ValueError):
            pass
        self.events.put(None)

    def until(self, name, timeout=60):
        """All events up to the next of a name, and that."""
        got = []
        while True:
            event = self.events.get(timeout=timeout)
            assert event, f"the stream ended before {name}: {got[-3:]}"
            got.append(event)
            if event[1] == name:
                return got

    def skip(self):
        """What came up to now is not looked at."""
        while not self.events.empty():
            assert self.events.get(), "the stream ended"

    def close(self):
        # A mere close() would wait for the thread that reads.
        self.socket.shutdown(socket.SHUT_RDWR)
