# SPDX-License-Identifier: MIT
"""A hub on loopback: a published model in the layout REPO/resolve/REV/FILE,
and everything that goes wrong on the way from it."""
import contextlib
import hashlib
import http.server
import json
import os
import re
import ssl
import threading

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 100_000  # from here on a file is stored apart, as the hub's large files are


def published(model, voices):
    """{path: bytes} of a model's folder and of presets, as on the hub."""
    files = {}
    for name in os.listdir(model):
        with open(os.path.join(model, name), "rb") as f:
            files[name] = f.read()
    presets = {"repo_or_path": "someone/voices"}
    for short, preset in ("announcer", "short"), ("v2/en_speaker_6", "long"), \
            ("v2/de_speaker_1", "short"):
        presets[short] = {}
        for key in "semantic_prompt", "coarse_prompt", "fine_prompt":
            path = f"speaker_embeddings/{short}_{key}.npy"
            presets[short][key] = path
            with open(os.path.join(voices, f"{preset}_{key}.npy"), "rb") as f:
                files[path] = f.read()
    files["speaker_embeddings_path.json"] = json.dumps(presets).encode()
    return files


class Hub:
    """files: what it has, by path. Faults are set by path:
    cuts: list of byte counts, each one answer that ends early;
    status: list of statuses given before the file;
    stall: after so many bytes nothing comes, once."""

    def __init__(self, files, repo="someone/tiny"):
        self.files, self.repo = dict(files), repo
        self.cuts, self.status, self.stall = {}, {}, {}
        self.lie_hash, self.lie_size = {}, {}
        self.endless, self.redirects = set(), {}
        self.headers = True   # what only a hub sends
        self.elsewhere = None  # where large files lie: another Hub
        self.commit = COMMIT
        self.log = []         # (path, {headers})
        self.tokens = None    # who may read
        self.scheme = "http"
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                with contextlib.suppress(ConnectionError):
                    hub.answer(self)

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # clients that go away are what is tested

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.release = threading.Event()
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": .02},
                         daemon=True).start()

    def tls(self, cert, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.scheme = "https"

    @property
    def base(self):
        return f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def asked(self, file):
        return [headers for path, headers in self.log if path.endswith("/" + file)]

    # --- answers ---

    def refuse(self, h, status, headers=None):
        h.send_response(status)
        for key, value in (headers or {}).items():
            h.send_header(key, value)
        body = b"no"
        h.send_header("Content-Length", len(body))
        h.end_headers()
        h.wfile.write(body)

    def answer(self, h):
        self.log.append((h.path, dict(h.headers)))
        m = re.fullmatch(rf"/{self.repo}/resolve/([^/]+)/(.+)", h.path)
        file = m and m[2]
        apart = h.path.startswith("/apart/")
        if apart:
            file = h.path[len("/apart/"):]
        elif m and m[1] not in ("main", "refs%2Fpr%2F1", self.commit):
            file = None
        if self.tokens is not None and not apart and \
                h.headers.get("Authorization") not in self.tokens:
            return self.refuse(h, 401)
        if self.status.get(file):
            return self.refuse(h, self.status[file].pop(0))
        if file in self.redirects:
            return self.refuse(h, 302, {"Location": self.redirects[file]})
        if file not in self.files:
            return self.refuse(h, 404)
        self.send(h, file, self.files[file], apart)

    def hub_headers(self, file, data):
        sha = hashlib.sha256(data).hexdigest()
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        headers = {"X-Repo-Commit": self.commit}
        if len(data) >= LARGE:
            headers["X-Linked-Size"] = str(self.lie_size.get(file, len(data)))
            headers["X-Linked-ETag"] = f'"{self.lie_hash.get(file, sha)}"'
        else:
            headers["ETag"] = f'"{self.lie_hash.get(file, blob)}"'
        return headers

    def send(self, h, file, data, apart):
        headers = {}
        if self.headers and not apart:
            headers = self.hub_headers(file, data)
        if self.elsewhere and len(data) >= LARGE and not apart:
            self.elsewhere.files[file] = data
            return self.refuse(h, 302, {
                **headers, "Location": f"{self.elsewhere.base}/apart/{file}"})
        if "ETag" not in headers and (self.headers or apart):
            headers["ETag"] = '"%s"' % hashlib.md5(data).hexdigest()
        if file in self.endless:
            return self.send_endless(h, headers)
        start, status = 0, 200
        wanted = re.fullmatch(r"bytes=(\d+)-", h.headers.get("Range", ""))
        if wanted and h.headers.get("If-Range") in (None, headers.get("ETag")):
            start = int(wanted[1])
            if start >= len(data):
                return self.refuse(h, 416, {**headers, "Content-Range": f"bytes */{len(data)}"})
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        h.send_response(status)
        for key, value in headers.items():
            h.send_header(key, value)
        h.send_header("Content-Length", len(data) - start)
        h.end_headers()
        body = data[start:]
        if self.cuts.get(file):
            h.wfile.write(body[:self.cuts[file].pop(0)])
            h.close_connection = True
        elif file in self.stall:
            h.wfile.write(body[:self.stall.pop(file)])
            h.wfile.flush()
            self.release.wait()
            h.close_connection = True
        else:
            h.wfile.write(body)

    def send_endless(self, h, headers):
        h.send_response(200)
        for key, value in headers.items():
            h.send_header(key, value)
        h.send_header("Transfer-Encoding", "chunked")
        h.end_headers()
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        while not self.release.is_set():
            h.wfile.write(chunk)
