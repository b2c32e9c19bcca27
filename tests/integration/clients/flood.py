# SPDX-License-Identifier: MIT
"""flood.py ADDRESS CONNECTIONS SECONDS PATH...: clients that send requests as
fast as they are taken, without waiting for answers; ADDRESS is a TCP port of
this machine or a Unix socket's path. Prints how many bytes of answers came."""
import contextlib
import selectors
import socket
import sys
import time

address, connections, seconds, *paths = sys.argv[1:]
asks = [(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{address}\r\n\r\n" * 200).encode()
        for path in paths]
where = (socket.AF_INET, ("127.0.0.1", int(address))) if address.isdigit() else (
    socket.AF_UNIX, address)
selector = selectors.DefaultSelector()
end = time.monotonic() + float(seconds)
got = 0


def connect(ask):
    s = socket.socket(where[0])
    s.setblocking(False)
    # The backlog of a Unix socket may be full.
    with contextlib.suppress(BlockingIOError):
        s.connect(where[1])
    selector.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE, ask)


def turn(s, ask, mask):
    """How many bytes came; connects anew when the connection has ended."""
    try:
        if mask & selectors.EVENT_WRITE:
            with contextlib.suppress(BlockingIOError):
                s.send(ask)
        if not mask & selectors.EVENT_READ:
            return 0
        n = len(s.recv(1 << 16))
    except BlockingIOError:
        return 0
    except OSError:
        n = 0
    if not n:
        selector.unregister(s)
        s.close()
        connect(ask)
    return n


for i in range(int(connections)):
    connect(asks[i % len(asks)])
print("flood", flush=True)
while time.monotonic() < end:
    for key, mask in selector.select(.1):
        got += turn(key.fileobj, key.data, mask)
    # So that what is flooded has a processor.
    time.sleep(.001)
print(f"got {got}", flush=True)
