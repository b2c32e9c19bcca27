# SPDX-License-Identifier: MIT
"""A real Chromium without a display, driven over its DevTools pipe (messages
of JSON, each ended by a NUL)."""
import base64
import fcntl
import json
import os
import select
import subprocess
import time

import servers


class Browser:
    def __init__(self, place):
        servers.need("chromium")
        self.place = place
        read, self.write = os.pipe()
        self.read, write = os.pipe()
        # 3 and 4 are what Chromium reads and writes.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (read, write)]

        def prepare():
            servers.die_with_parent()
            os.dup2(theirs[0], 3)
            os.dup2(theirs[1], 4)

        self.log = open(place.path("chromium.log"), "ab")
        self.p = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio",
             "--no-first-run", "--disable-dev-shm-usage", "--remote-debugging-pipe",
             "--user-data-dir=" + place.path("chromium"), "about:blank"],
            env=place.env, preexec_fn=prepare, pass_fds=(3, 4), stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log)
        for fd in (read, write, *theirs):
            os.close(fd)
        place.cleanups.append(self.end)
        self.rest, self.last_id, self.told = b"", 0, []

    def call(self, method, session=None, timeout=60, **params):
        """Returns the result of a DevTools command."""
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + timeout
        while True:
            answer = self._next(end, method)
            if answer.get("id") == self.last_id:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.told.append(answer)

    def _next(self, end, what):
        while b"\0" not in self.rest:
            ready = select.select([self.read], [], [], max(0, end - time.monotonic()))[0]
            data = os.read(self.read, 1 << 20) if ready else b""
            assert data, f"the browser does not answer {what} (status {self.p.poll()})"
            self.rest += data
        line, self.rest = self.rest.split(b"\0", 1)
        return json.loads(line)

    def open(self, url, width=960, height=540, transparent=False):
        return Page(self, url, width, height, transparent)

    def end(self):
        if self.p.poll() is None:
            self.p.terminate()
            try:
                self.p.wait(10)
            except subprocess.TimeoutExpired:
                self.p.kill()
                self.p.wait()
        for fd in self.read, self.write:
            os.close(fd)
        self.log.close()


class Page:
    def __init__(self, browser, url, width, height, transparent):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target,
                                    flatten=True)["sessionId"]
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        if transparent:
            self.call("Emulation.setDefaultBackgroundColorOverride",
                      color={"r": 0, "g": 0, "b": 0, "a": 0})
        self.call("Runtime.enable")
        self.call("Log.enable")
        self.call("Page.enable")
        self.call("Page.navigate", url=url)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def eval(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                      returnByValue=True)
        assert "exceptionDetails" not in r, (expression, r["exceptionDetails"])
        return r["result"].get("value")

    def wait(self, expression, timeout=30):
        """Until it is true. A page that is not there yet has nothing."""
        guarded = f"(() => {{ try {{ return {expression} }} catch {{ return false }} }})()"
        servers.wait_for(expression, lambda: self.eval(guarded), timeout)

    def text(self, id):
        return self.eval(f"document.getElementById('{id}').innerText")

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def complaints(self):
        """What the page or the browser complained of, errors of the network
        while barkd was away left out."""
        self.eval("0")
        found = []
        for e in self.browser.told:
            if e.get("sessionId") != self.session:
                continue
            if e["method"] == "Runtime.exceptionThrown":
                found.append(str(e["params"]["exceptionDetails"]))
            entry = e["params"].get("entry", {}) if e["method"] == "Log.entryAdded" else {}
            if entry.get("level") == "error" and entry.get("source") != "network":
                found.append(entry["text"])
        return found
