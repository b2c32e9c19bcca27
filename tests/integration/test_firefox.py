# SPDX-License-Identifier: MIT
"""The Web Speech API of a real Firefox, which speaks by Speech Dispatcher."""
import http.server
import json
import os
import queue
import threading
import time

import desktop
from harness import Recorder, test
from hearing import errors, heard, words
from servers import need
from stage import speaking

TEXT = "Winter is very cold. My brother bought seven apples."
# Runs what the test asks for, one command after another, and tells what happens.
PAGE = """<!doctype html><meta charset="utf-8"><title>speech</title><script>
const tell = (what) => fetch('/told', {method: 'POST', body: JSON.stringify(what)});
const voices = () => speechSynthesis.getVoices().map(
    v => ({name: v.name, lang: v.lang, uri: v.voiceURI, local: v.localService}));
function say(text, more) {
  const u = Object.assign(new SpeechSynthesisUtterance(text), more);
  for (const kind of ['start', 'end', 'error', 'boundary'])
    u.addEventListener(kind, e => tell({kind, at: e.charIndex, error: e.error}));
  speechSynthesis.speak(u);
}
(async () => {
  while (!speechSynthesis.getVoices().length)
    await new Promise(done => setTimeout(done, 100));
  await tell({kind: 'voices', voices: voices()});
  for (;;) eval(await (await fetch('/next')).text());
})();
</script>"""
PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False, "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False, "app.normandy.enabled": False,
    "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
    "browser.aboutwelcome.enabled": False, "services.settings.server": "data:,",
    "media.autoplay.default": 0,
}


class Pages(http.server.ThreadingHTTPServer):
    """Gives the page, its commands, and takes what it tells."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.server.commands.get() if self.path == "/next" else PAGE
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self):
            size = int(self.headers["Content-Length"])
            self.server.told.put(json.loads(self.rfile.read(size)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *what):
            pass

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.commands, self.told = queue.Queue(), queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def until(self, kind, timeout=60):
        """What the page told, up to that kind."""
        got = []
        while not got or got[-1]["kind"] != kind:
            try:
                got.append(self.told.get(timeout=timeout))
            except queue.Empty:
                raise AssertionError(f"the page did not tell '{kind}', but {got}") from None
            assert got[-1]["kind"] != "error" or kind == "error", got
        return got


def firefox(place, url):
    need("firefox-esr")
    profile = place.path("firefox")
    os.makedirs(profile)
    with open(os.path.join(profile, "user.js"), "w") as f:
        for key, value in PREFERENCES.items():
            f.write(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n")
    return place.start(["firefox-esr", "--headless", "--no-remote", "--profile", profile, url],
                       env={"MOZ_CRASHREPORTER_DISABLE": "1", "MOZ_DISABLE_CONTENT_SANDBOX": "1"})


@test("firefox-speech", tries=2)
def speech(bench):
    """A page finds barkd's voices, is spoken as it says, and silenced when it
    cancels."""
    need("firefox-esr", "speech-dispatcher")
    with speaking(bench, "pipewire", model=bench.voice_model()) as (place, audio, daemon), \
            Pages() as pages:
        desktop.Dispatcher(bench, place)
        browser = firefox(place, f"http://127.0.0.1:{pages.server_port}/")
        listed = [v["name"] for v in pages.until("voices", 90)[-1]["voices"]]
        assert sorted(listed) == sorted(v["name"] for v in daemon.get("/v1/voices")), listed

        def say(text, **how):
            pages.commands.put(f"say({json.dumps(text)}, {json.dumps(how)})")

        recorder = Recorder(bench, place, audio, "page.wav")
        say(TEXT)
        assert [t["kind"] for t in pages.until("end")] == ["start", "end"]
        recorder.quiet()
        said = words(TEXT)
        got = heard(place, recorder.save())
        wrong = errors(said, got)
        assert wrong <= len(said) // 2, (said, got)
        # Fast, and cancelled in the first sentences.
        recorder = Recorder(bench, place, audio)
        spoken = daemon.status()["counters"]["spoken"]
        say(" ".join([TEXT] * 4), rate=2)
        recorder.sound()
        at = time.monotonic_ns()
        pages.commands.put("speechSynthesis.cancel()")
        silent = (recorder.silence() - at) / 1e6
        pages.until("end")
        assert daemon.status()["counters"]["spoken"] == spoken
        assert browser.alive()
        pages.shutdown()
        return f"{wrong} of {len(said)} words misheard, silent {silent:.0f} ms after a cancel"
