# SPDX-License-Identifier: MIT
"""The overlay and the control page in a real browser. Screenshots are left in
the folder of the logs, to be looked at."""
import http.server
import os
import threading

from asking import TOKEN, free_port
from browser import Browser
from harness import test
from servers import wait_for
from stage import speaking

TEXT = "Hello there, my friend. This is your computer speaking to you, word by word."


class Stage:
    def __init__(self, bench, place, daemon, port):
        self.daemon, self.browser, self.bench = daemon, Browser(place), bench
        self.base = f"http://127.0.0.1:{port}"

    def open(self, path, **more):
        return self.browser.open(f"{self.base}{path}#{TOKEN}", **more)

    def picture(self, page, name):
        folder = os.path.join(self.bench.helpers, "screenshots")
        os.makedirs(folder, exist_ok=True)
        page.screenshot(os.path.join(folder, name + ".png"))


def on_stage(function):
    """With a daemon that has a port and plays to a real server."""
    def run(bench):
        port = free_port()
        with speaking(bench, "pipewire", {"http": {"port": port, "token": TOKEN}},
                      model=bench.voice_model()) as (place, _, daemon):
            return function(Stage(bench, place, daemon, port))
    return run


def caption(page):
    return page.eval("['past', 'now', 'next'].map(i => document.getElementById(i).textContent)")


@test("overlay")
@on_stage
def overlay(s):
    """Viewers read each word as it is spoken, over a page that is otherwise
    transparent; it is gone when the speech is."""
    page = s.open("/overlay", transparent=True)
    page.wait("document.body.dataset.connected === 'true'")
    assert page.eval("document.getElementById('stage').hidden")
    s.picture(page, "overlay-idle")
    seen = []
    spoken = s.daemon.speak_later(TEXT)
    page.wait("document.getElementById('now').textContent")
    while spoken.waiting():
        now = caption(page)
        if not seen or now[1] != seen[-1][1]:
            seen.append(now)
        if len(seen) == 6:
            s.picture(page, "overlay-speaking")
    assert spoken.state() == "done"
    words = [w for w in (now[1] for now in seen) if w]
    spoken_words = TEXT.replace(",", "").replace(".", "").split()
    assert words == [w for w in spoken_words if w in words], words
    assert len(words) >= len(spoken_words) * 2 // 3, f"only {words} were seen"
    # One sentence at a time, none of its letters lost.
    whole = {"".join(now).strip() for now in seen}
    assert whole <= {"Hello there, my friend.", TEXT, TEXT[24:]}, whole
    page.wait("getComputedStyle(document.getElementById('stage')).opacity === '0'")
    bars = page.eval("document.getElementById('meter').width")
    assert bars > 0 and not page.complaints(), page.complaints()


@test("overlay-options")
@on_stage
def overlay_options(s):
    """Options of the address change what is shown; hostile ones do nothing."""
    page = s.open("/overlay?size=64&color=red&accent=%2300ff00&back=rgba(0,0,80,0.9)&align=left"
                  "&position=top&show=caption,queue&lines=1&fade=0&width=50vw", transparent=True)
    page.wait("document.body.dataset.connected === 'true'")
    s.daemon.speak(TEXT)
    s.daemon.speak("And another.", priority="message")
    s.daemon.speak("And one more.", priority="message")
    page.wait("document.getElementById('now').textContent")
    style = page.eval("(() => { const s = getComputedStyle(document.getElementById('stage'));"
                      "return [s.fontSize, s.color, s.backgroundColor,"
                      "document.getElementById('stage').getBoundingClientRect().top < 100,"
                      "document.getElementById('meter').hidden] })()")
    assert style == ["64px", "rgb(255, 0, 0)", "rgba(0, 0, 80, 0.9)", True, True], style
    page.wait("document.getElementById('queue').innerText.includes('1 more')")
    s.picture(page, "overlay-options")
    s.daemon.stop()
    page = s.open("/overlay?size=1px;}*{display:none&color=url(http://evil/)&show=%3Cimg%3E")
    page.wait("document.body.dataset.connected === 'true'")
    assert page.eval("getComputedStyle(document.documentElement).getPropertyValue('--size')") \
        .strip() == "40px"
    assert not page.complaints(), page.complaints()


@test("overlay-returns")
@on_stage
def overlay_returns(s):
    """A page that is loaded again in the middle of a text shows it; one whose
    daemon goes away comes back with it. A text is text, never a page."""
    page = s.open("/overlay")
    page.wait("document.body.dataset.connected === 'true'")
    hostile = "<img src=x onerror=alert(1)> " + TEXT + " " + TEXT
    s.daemon.speak(hostile)
    page.wait("document.getElementById('now').textContent")
    page.call("Page.reload")
    page.wait("document.getElementById('now')?.textContent")
    assert "".join(caption(page)).strip() in hostile
    assert page.eval("document.images.length") == 0
    s.daemon.end()
    page.wait("document.body.dataset.connected === 'false'")
    s.daemon.start()
    page.wait("document.body.dataset.connected === 'true'")
    s.daemon.speak(TEXT)
    page.wait("document.getElementById('now').textContent")


@test("control")
@on_stage
def control(s):
    """Somebody without a terminal speaks, chooses, stops and sees what waits,
    by the keyboard alone if need be."""
    page = s.open("/control", width=900, height=1000)
    page.wait("document.getElementById('state').textContent === 'idle'")
    voices = page.eval("[...document.getElementById('voice').options].map(o => o.value)")
    assert voices == [v["name"] for v in s.daemon.get("/v1/voices")], voices
    page.eval("document.getElementById('text').focus()")
    page.call("Input.insertText", text=TEXT + " " + TEXT)
    for kind in "rawKeyDown", "keyUp":
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter",
                  windowsVirtualKeyCode=13, modifiers=2)
    page.wait("document.getElementById('now').textContent")
    for text in "Second text.", "Third text.":
        page.eval(f"document.getElementById('text').value = '{text}';"
                  "document.getElementById('priority').value = 'message';"
                  "document.getElementById('say').requestSubmit()")
        wait_for("text in the queue", lambda: any(
            text in (u["text"] if u else "") for u in
            [s.daemon.get("/v1/queue")["current"], *s.daemon.get("/v1/queue")["waiting"]]))
    page.wait("document.querySelectorAll('#queue tbody tr').length === 1")
    page.wait("document.getElementById('level').value > 0")
    page.wait("document.getElementById('state').textContent === 'speaking'")
    s.picture(page, "control")
    click = "document.getElementById('{}').click()"
    page.eval(click.format("pause"))
    page.wait("document.getElementById('pause').getAttribute('aria-pressed') === 'true'")
    assert s.daemon.get("/v1/queue")["paused"]
    page.eval("document.querySelector('#queue tbody button').click()")
    page.wait("document.getElementById('queue').hidden")
    page.eval(click.format("pause"))
    wait_for("resumed", lambda: not s.daemon.get("/v1/queue")["paused"])
    page.eval(click.format("stop"))
    wait_for("silence", lambda: not s.daemon.get("/v1/queue")["current"])
    page.wait("document.getElementById('state').textContent === 'idle'")
    # What is refused is said, and said by a screen reader.
    page.eval("document.getElementById('rate').removeAttribute('max');"
              "document.getElementById('rate').value = 9;"
              "document.getElementById('text').value = 'x';"
              "document.getElementById('say').requestSubmit()")
    page.wait("document.getElementById('error').textContent.includes('rate must be')")
    assert "First sound" in page.text("load") and "MB" in page.text("load")
    # Each control has a name for those who do not see it.
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "textbox", "combobox", "spinbutton"}
    nameless = [n for n in nodes if n.get("role", {}).get("value") in roles and
                not n.get("name", {}).get("value")]
    assert not nameless, nameless
    assert len([n for n in nodes if n.get("role", {}).get("value") == "button"]) >= 4
    s.picture(page, "control-error")
    assert not page.complaints(), page.complaints()


class Elsewhere(http.server.ThreadingHTTPServer):
    """A server of another origin, with one page."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<body>elsewhere</body>")

        def log_message(self, *what):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Page)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *what):
        self.shutdown()
        super().__exit__(*what)


@test("pages-closed")
@on_stage
def closed(s):
    """Without the token a page shows nothing; no other page may hold it."""
    page = s.browser.open(s.base + "/control")
    page.wait("document.getElementById('state').textContent.includes('away')")
    assert page.eval("document.getElementById('voice').options.length") == 0
    with Elsewhere() as other:
        page = s.browser.open(other.url)
        page.wait("document.body.innerText === 'elsewhere'")
        page.eval(f"document.body.innerHTML = '<iframe src=\"{s.base}/control#{TOKEN}\"></iframe>'")
        wait_for("the browser to refuse the frame", lambda: [
            f for f in page.call("Page.getFrameTree")["frameTree"].get("childFrames", [])
            if f["frame"].get("unreachableUrl", "").startswith(s.base)])
        assert not page.eval("fetch('%s/v1/status?token=%s').then(() => true, () => false)"
                             % (s.base, TOKEN)), "a page of another origin read the status"
