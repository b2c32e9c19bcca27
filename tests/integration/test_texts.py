# SPDX-License-Identifier: MIT
"""Texts that have little to say, or more than it seems."""
from daemon import Daemon
from harness import test
from servers import Place, wait_for

CONF = {"output": {"sink": "file"}}
ARROW = "\u2192"
PRIVATE = "\ue000"


def said(daemon, text, **more):
    """The answer of whoever waits: HTTP status, answer."""
    return daemon.request("POST", "/v1/speak", {"text": text, "wait": True, **more})


def private(daemon, *texts):
    """No text is in the log."""
    assert not any(t in daemon.log() for t in texts), daemon.log()


@test("texts-nothing")
def nothing(bench):
    """What has nothing to say is over at once, and says why; in the log too."""
    with Place() as place:
        daemon = Daemon(bench, place, bench.voice_model(), CONF).start()
        for text in " ", " \n\u200b", "[laughs]":
            status, answer = said(daemon, text)
            assert status == 200 and answer["state"] == "done", answer
            assert answer["played_ms"] == 0 and "nothing to say" in answer["why"], answer
        assert daemon.log().count("nothing to say") == 3, daemon.log()
        private(daemon, "laughs")
        for text in "Yes.", "[URGENT]", "...", "-----", "\U0001f389", ARROW, "\u00e9":
            status, answer = said(daemon, text)
            assert status == 200 and answer["state"] == "done", (text, answer)
            assert answer["played_ms"] > 100 and "why" not in answer, (text, answer)
        private(daemon, "URGENT", ARROW)
        assert daemon.end() == 0


@test("texts-unspeakable")
def unspeakable(bench):
    """What the model cannot say is the fast voice's; without that it fails, and
    is no noise that is kept."""
    with Place() as place:
        config = {**CONF, "speech": {"fast_voice": "false"}}
        daemon = Daemon(bench, place, bench.fast_model(), config).start()
        for text in ARROW, "\U0001f389 \u201c":
            status, answer = said(daemon, text, deadline_ms=2000)
            assert status == 422 and answer["error"]["code"] == "unspeakable", answer
            assert "cannot say" in answer["error"]["message"], answer
        assert daemon.short()["cache_entries"] == 0, daemon.short()
        assert "cannot say" in daemon.log(), daemon.log()
        private(daemon, ARROW)
        status, answer = daemon.request("POST", "/v1/audio/speech", {"input": ARROW})
        assert status == 422 and answer["error"]["code"] == "unspeakable", answer
        assert daemon.end() == 0
    with Place() as place:
        daemon = Daemon(bench, place, bench.fast_model(), CONF).start()
        daemon.need_fast_voice()
        status, answer = said(daemon, ARROW)
        assert status == 200 and answer["played_ms"] > 100, answer
        assert daemon.short()["fast"] == 1 and daemon.short()["cache_entries"] == 0
        status, answer = said(daemon, "tic toc")
        assert status == 200 and daemon.short()["fast"] == 1, answer
        assert daemon.end() == 0


@test("texts-long")
def long_text(bench):
    """A text at the limit that is seven times as long when it is written out:
    it is spoken."""
    with Place() as place:
        daemon = Daemon(bench, place, bench.voice_model(), CONF).start()
        text = ("777 " * (1 << 16))[:-1]
        spoken = daemon.speak_later(text)
        wait_for("sound", lambda: spoken.answer or (
            (daemon.get("/v1/queue")["current"] or {}).get("played_ms", 0) > 0), 60)
        daemon.stop()
        assert spoken.state() == "stopped", spoken.answer
        assert daemon.end() == 0
