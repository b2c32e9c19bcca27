# SPDX-License-Identifier: MIT
"""The API over TCP: who may ask, and what a speech client gets."""
import contextlib
import json
import os
import re
import signal
import socket
import stat
import threading
import time

from asking import TOKEN, ask, free_port, listening
from daemon import Daemon
from harness import test
from servers import Place, in_own_network, wait_for

def code(answer):
    return answer[0], json.loads(answer[2])["error"]["code"]


@test("gate")
def gate(bench):
    """A web page that is not invited can neither speak nor read."""
    with listening(bench, origins="http://localhost:1 https://example.org") as (_, daemon, port):
        own = f"http://127.0.0.1:{port}"
        assert ask(port, "GET", "/v1/status")[0] == 200
        assert ask(port, "GET", f"/v1/status?token={TOKEN}", token=None)[0] == 200
        for token in None, "", "x", TOKEN[:-1], TOKEN + "x":
            refused = ask(port, "POST", "/v1/speak", body={"text": "a"}, token=token)
            assert code(refused) == (401, "invalid_api_key"), (token, refused)
            assert refused[1]["WWW-Authenticate"] == "Bearer"
        # A name that an attacker's server resolves to this machine.
        for host in "evil.example", f"evil.example:{port}", "127.0.0.1:1", "127.0.0.1.evil", "":
            assert code(ask(port, "GET", "/v1/status", host=host or " "))[1] == "forbidden_host", host
        for origin in ("http://evil.example", "null", own + "1", "http://localhost:2",
                       "https://example.org.evil", "http://example.org"):
            answer = ask(port, "GET", "/v1/status", {"Origin": origin})
            assert code(answer) == (403, "forbidden_origin"), origin
            assert "Access-Control-Allow-Origin" not in answer[1]
            assert ask(port, "OPTIONS", "/v1/speak", {"Origin": origin}, token=None)[0] == 403
        for origin in own, f"http://localhost:{port}", "https://example.org", "http://localhost:1":
            status, headers, _ = ask(port, "GET", "/v1/status", {"Origin": origin})
            assert status == 200 and headers["Access-Control-Allow-Origin"] == origin, origin
            status, headers, _ = ask(port, "OPTIONS", "/v1/speak", {
                "Origin": origin, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization"}, token=None)
            assert status == 204 and "authorization" in headers["Access-Control-Allow-Headers"]
        # What OpenAI's client for browsers adds, and Chromium asks of a page
        # that is not on this machine.
        asked = ("authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os,"
                 "x-stainless-package-version,x-stainless-retry-count,x-stainless-runtime,"
                 "x-stainless-runtime-version,x-stainless-timeout,openai-organization")
        preflight = {"Access-Control-Request-Method": "POST",
                     "Access-Control-Request-Headers": asked,
                     "Access-Control-Request-Private-Network": "true"}
        status, headers, _ = ask(port, "OPTIONS", "/v1/audio/speech", {
            "Origin": "https://example.org", **preflight}, token=None)
        allowed = headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
        assert status == 204 and set(asked.split(",")) <= set(allowed), allowed
        assert headers["Access-Control-Allow-Private-Network"] == "true"
        status, headers, _ = ask(port, "OPTIONS", "/v1/audio/speech", {
            "Origin": "https://example.com", **preflight}, token=None)
        assert status == 403 and not [h for h in headers if h.lower().startswith(
            "access-control-allow")], headers.items()
        # Not what is no header's name.
        status, headers, _ = ask(port, "OPTIONS", "/v1/speak", {
            "Origin": own, "Access-Control-Request-Headers": "x-a, <b>, " + "y" * 200}, token=None)
        assert status == 204 and "<" not in headers["Access-Control-Allow-Headers"]
        # Who reports a fault names the request, a page too.
        ids = set()
        for path, token in (("/v1/status", TOKEN), ("/v1/status", None), ("/v1/nothing", TOKEN)):
            _, headers, _ = ask(port, "GET", path, {"Origin": own}, token=token)
            assert "x-request-id" in headers["Access-Control-Expose-Headers"].lower()
            ids.add(headers["X-Request-Id"])
        assert len(ids) == 3 and None not in ids, ids
        assert ask(port, "GET", "/healthz", token=None)[0] == 200
        assert daemon.status()["counters"]["spoken"] == 0
        # Nothing but loopback listens.
        with contextlib.closing(socket.socket()) as s:
            assert s.connect_ex(("127.0.0.2", port)) != 0


@test("addresses")
def addresses(bench):
    """A container reaches barkd where it is told to listen, by the names it is
    told, and by nothing else; nobody does without the token."""
    # None of this machine: it is waited for, and keeps nobody else away.
    with listening(bench, address="127.0.0.2 ::1 192.0.2.1",
                   hosts="host.docker.internal tts.example:443") as (place, daemon, port):
        def get(host, address="127.0.0.2", token=TOKEN, **headers):
            return ask(port, "GET", "/v1/status", headers, host=host, address=address,
                       token=token)

        good = [("127.0.0.2", f"127.0.0.2:{port}"), ("127.0.0.2", "127.0.0.2"),
                ("127.0.0.2", f"host.docker.internal:{port}"),
                ("127.0.0.2", "Host.Docker.Internal"), ("127.0.0.2", "tts.example:443"),
                ("::1", f"[::1]:{port}"), ("::1", "[::1]"), ("::1", f"localhost:{port}")]
        for address, host in good:
            assert get(host, address)[0] == 200, (address, host)
            for token in None, "", TOKEN[1:]:
                assert code(get(host, address, token)) == (401, "invalid_api_key"), (host, token)
        for address, host in (
                ("127.0.0.2", "evil.example"), ("127.0.0.2", f"127.0.0.3:{port}"),
                ("127.0.0.2", "127.0.0.2:1"), ("127.0.0.2", "host.docker.internal:1"),
                ("127.0.0.2", "tts.example"), ("127.0.0.2", f"tts.example:{port}"),
                ("127.0.0.2", f"host.docker.internal.evil:{port}"),
                ("127.0.0.2", "[::2]"), ("::1", "[::2]"), ("::1", "::1"),
                ("127.0.0.2", " ")):
            assert code(get(host, address)) == (403, "forbidden_host"), (address, host)
        own = f"http://host.docker.internal:{port}"
        assert get(f"host.docker.internal:{port}", Origin=own)[0] == 200
        assert get(f"host.docker.internal:{port}", Origin="http://evil.example")[0] == 403
        with contextlib.closing(socket.socket()) as s:
            assert s.connect_ex(("127.0.0.1", port)) != 0
        told = json.loads(place.run([bench.barkctl, "http", "--json"],
                                    env={"BARKD_SOCKET": daemon.socket}).stdout)
        assert told["url"] == f"http://127.0.0.2:{port}", told
        assert "192.0.2.1" in daemon.log(), daemon.log()
        for wrong in "example.org", "127.0.0.1:80", "127.0.0.1,::1", "1 2 3 4 5":
            daemon.configure({"http": {"port": port, "address": wrong}})
            r = place.run([bench.barkd, "--check-config", "--config", daemon.ini], check=False)
            assert r.returncode != 0 and "address" in r.stderr, (wrong, r)


@test("everywhere")
def everywhere(bench):
    """At all addresses: the one that was connected to is good, others are not."""
    def check():
        with listening(bench, address="0.0.0.0") as (_, daemon, port):
            def get(host, token=TOKEN):
                return ask(port, "GET", "/v1/status", host=host, address="127.0.0.2",
                           token=token)

            assert get("127.0.0.2")[0] == 200
            assert code(get("127.0.0.2", None)) == (401, "invalid_api_key")
            assert code(get("127.0.0.3"))[1] == "forbidden_host"
            assert code(get("host.docker.internal"))[1] == "forbidden_host"
            assert daemon.get("/v1/http")["url"] == f"http://127.0.0.1:{port}"

    in_own_network(check)


@test("token")
def own_token(bench):
    """Without a token of the user's one is made, for the user's eyes alone,
    and stays the same; barkctl tells it."""
    with listening(bench, token=None) as (place, daemon, port):
        told = json.loads(place.run([bench.barkctl, "http", "--json"],
                                    env={"BARKD_SOCKET": daemon.socket}).stdout)
        assert told["url"] == f"http://127.0.0.1:{port}" and len(told["token"]) >= 32
        file = os.path.join(place.env["XDG_DATA_HOME"], "barkd", "token")
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
        assert ask(port, "GET", "/v1/status", token=told["token"])[0] == 200
        daemon.end()
        daemon.start()
        assert ask(port, "GET", "/v1/status", token=told["token"])[0] == 200
        assert ask(port, "GET", "/v1/status", token="0" * 32)[0] == 401


@test("port")
def port_moves(bench):
    """A reload opens, moves and closes the port; one that is taken is no
    reason not to speak."""
    with listening(bench) as (place, daemon, port):
        def reload(http_keys):
            daemon.configure({"http": http_keys, "output": {
                "sink": "file", "target": place.path("sound.wav")}})
            os.kill(daemon.p.pid, signal.SIGHUP)

        def answers(port):
            with contextlib.suppress(OSError):
                return ask(port, "GET", "/healthz")[0] == 200
            return False

        other = free_port()
        reload({"port": other, "token": TOKEN})
        wait_for("new port", lambda: answers(other) and not answers(port))
        with contextlib.closing(socket.socket()) as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            reload({"port": s.getsockname()[1], "token": TOKEN})
            wait_for("closed port", lambda: not answers(other))
            assert daemon.speak("a", wait=True)["state"] == "done"
        reload({"port": 0})
        assert daemon.get("/v1/http") == {"url": None, "token": None}


@test("metrics")
def metrics(bench):
    """What Prometheus reads: each line of its format, counters that count."""
    with listening(bench) as (place, daemon, port):
        assert ask(port, "GET", "/metrics", token=None)[0] == 401
        assert daemon.speak("a", wait=True)["state"] == "done"
        status, headers, body = ask(port, "GET", "/metrics")
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = body.decode()
        described = set(re.findall(r"^# TYPE (\w+) (?:counter|gauge|histogram)$", text, re.M))
        for line in text.splitlines():
            m = re.fullmatch(r'(\w+)(\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\})? ([-+.\deE]+)', line)
            assert line.startswith("# ") or m, line
            if m:
                name = re.sub("_(bucket|sum|count)$", "", m[1])
                assert name in described or m[1] in described, line
        assert 'barkd_utterances_total{result="done"} 1\n' in text
        assert "barkd_first_sound_seconds_count 1\n" in text
        assert 'barkd_first_sound_seconds_bucket{le="+Inf"} 1\n' in text


@test("chat")
def chat(bench):
    """A chat's messages wait for their turn, with their writer's name; the
    rules keep the rest away; nothing of them is logged."""
    with listening(bench, daemon_config={"chat": {"user_cooldown_s": 0, "queue": 3}}) as (
            place, daemon, port):
        def say(user, text, **more):
            return daemon.request("POST", "/v1/chat", {"user": user, "text": text, **more})

        daemon.post("/v1/pause")
        assert say("anna", "Hello Kappa", emotes=["Kappa"])[0] == 202
        assert say("bob", "secret https://www.example.org/x")[1]["state"] == "queued"
        assert say("Nightbot", "Hello") == (200, {"state": "ignored", "why": "ignored_user"})
        assert say("anna", "!skip")[1]["why"] == "command"
        assert say("anna", "again")[0] == 202
        assert say("anna", "and again")[1]["why"] == "user_queue_full"
        assert say("carl", "full")[1]["why"] == "queue_full"
        waiting = daemon.get("/v1/queue")["waiting"]
        assert [(u["text"], u["priority"]) for u in waiting] == [
            ("anna says: Hello", "message"), ("bob says: secret example.org", "message"),
            ("anna says: again", "message")], waiting
        for wrong in ({"user": "a"}, {"text": "a"}, {"user": "", "text": "a"},
                      {"user": "x" * 65, "text": "a"}, {"user": "a", "text": "x" * 4097},
                      {"user": "a", "text": "b", "emotes": "c"},
                      {"user": "a", "text": "b", "emotes": [1]},
                      {"user": "a", "text": "b", "emotes": ["c"] * 65}, {"nobody": 1}):
            assert daemon.request("POST", "/v1/chat", wrong)[0] == 400, wrong
        assert "secret" not in daemon.log()


@test("http-slow-folders")
def slow_folders(bench):
    """While folders of voices are slow to read, everything else is answered; a
    voice that was installed just now is found."""
    with Place() as place:
        place.env.update(LD_PRELOAD=bench.helper("slow_folders.so"), SLOW_MS="100")
        daemon = Daemon(bench, place, bench.fast_model(), {"output": {
            "sink": "file", "target": place.path("sound.wav")}}).start()
        daemon.warm()
        assert daemon.get("/v1/voices")

        def asked(voice):
            """The answer's status, its seconds, and those of others meanwhile."""
            answer = []
            thread = threading.Thread(target=lambda: answer.append(daemon.request(
                "POST", "/v1/speak", {"text": "a", "voice": voice})))
            start, others = time.monotonic(), []
            thread.start()
            while thread.is_alive():
                at = time.monotonic()
                daemon.get("/healthz")
                others.append(time.monotonic() - at)
                time.sleep(.02)
            return answer[0], time.monotonic() - start, others

        (status, answer), took, others = asked("nobody")
        assert status == 404 and answer["error"]["code"] == "voice_not_found", answer
        assert took > .1 and max(others) < took / 2, (took, max(others))
        voices = place.path("data", "barkd", "voices")
        os.makedirs(voices)
        with open(os.path.join(voices, "somebody.npz"), "wb") as f:
            f.write(b"PK")
        (status, answer), took, others = asked("somebody")
        assert status == 202, answer
        assert max(others) < took / 2, (took, max(others))
        assert "somebody" in [v["name"] for v in daemon.get("/v1/voices")]
        # Now that it is known, nobody waits for folders.
        start = time.monotonic()
        assert daemon.request("POST", "/v1/speak", {"text": "a", "voice": "somebody"})[0] == 202
        known = time.monotonic() - start
        assert known < took / 2, (known, took)
        daemon.stop()
        daemon.settle()
        assert daemon.end() == 0, daemon.log()
        return f"{took:.1f} s to read them, others after {1000 * max(others):.0f} ms at most"
