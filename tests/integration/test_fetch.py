# SPDX-License-Identifier: MIT
"""barkctl model fetch against a hub of our own (hub.py): what comes is what was
published, whatever happens on the way."""
import contextlib
import json
import os
import pty
import re
import signal
import subprocess

from daemon import Daemon
from harness import test
from hub import COMMIT, Hub, published
from published import pytorch, sharded, tokenizer_json
from servers import Missing, Place, die_with_parent, need, wait_for

MODEL = "model.safetensors"


class Fetching:
    def __init__(self, bench, place, hub):
        self.bench, self.place, self.hub = bench, place, hub
        self.models = os.path.join(place.env["XDG_DATA_HOME"], "barkd", "models")
        if "without libcurl" in place.run([bench.barkctl, "model", "fetch", "a/b"],
                                          check=False).stderr:
            raise Missing("barkctl has no fetch (libcurl)")
        for name in "http_proxy", "HF_TOKEN", "HF_ENDPOINT", "CURL_CA_BUNDLE", \
                "SSL_CERT_FILE":
            place.env.pop(name, None)

    def args(self, *more, repo="someone/tiny"):
        return [self.bench.barkctl, "model", "fetch", "--base", self.hub.base,
                "--tries", "1", *more, repo]

    def fetch(self, *more, repo="someone/tiny", env=None):
        return self.place.run(self.args(*more, repo=repo), check=False, env=env)

    def works(self, *more, **named):
        r = self.fetch(*more, **named)
        assert r.returncode == 0, r.stderr
        return r.stdout

    def fails(self, why, *more, status=1, **named):
        """Fails with one line that says why, and no model is there."""
        r = self.fetch(*more, **named)
        assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
        assert re.search(why, r.stderr) and r.stderr.count("\n") == 1, r.stderr
        assert not os.path.exists(os.path.join(self.models, "tiny"))
        return r

    def barkctl(self, *args, check=True, env=None):
        return self.place.run([self.bench.barkctl, *args], check=check, env=env)

    def staged(self, file=MODEL):
        """Bytes that are kept of an unfinished file."""
        path = os.path.join(self.models, ".fetch-tiny", ".parts", file)
        return os.path.getsize(path) if os.path.exists(path) else None

    def is_whole(self, name="tiny"):
        """All that was published is there, byte by byte, and nothing else."""
        root = os.path.join(self.models, name)
        for file, data in self.hub.files.items():
            with open(os.path.join(root, file), "rb") as f:
                assert f.read() == data, file
        there = {os.path.relpath(os.path.join(d, f), root)
                 for d, _, files in os.walk(root) for f in files}
        assert there == set(self.hub.files), there ^ set(self.hub.files)
        assert [n for n in os.listdir(self.models) if n.startswith(".")] == []


@contextlib.contextmanager
def fetching(bench, **files):
    model = bench.fast_model()
    voices = os.path.join(os.path.dirname(model), "voices")
    with Place() as place, Hub({**published(model, voices), **files}) as hub:
        yield Fetching(bench, place, hub)


@test("fetch")
def fetch(bench):
    """One command brings model and voices, and the model speaks."""
    with fetching(bench) as f:
        f.hub.files["README.md"] = b"licence: mit\n"
        out = f.works()
        f.is_whole()
        assert re.search(r"^model\.safetensors +1\.1 MB$", out, re.M), out
        assert re.search(r"^voices +9 files$", out, re.M), out
        assert "\033" not in out and "\r" not in out
        wav = f.place.path("a.wav")
        f.barkctl("render", "-m", "tiny", "-v", "v2/en_speaker_6", "-o", wav, "a b")
        assert os.path.getsize(wav) > 10000
        listed = json.loads(f.barkctl("model", "list", "--json").stdout)
        assert {"name": "tiny", "path": os.path.join(f.models, "tiny"),
                "default": False} in listed, listed
        names = [v["name"] for v in
                 json.loads(f.barkctl("voice", "list", "-m", "tiny", "--json").stdout)]
        assert names == ["tiny", "announcer", "v2/de_speaker_1", "v2/en_speaker_6"]
        assert "3 voices" in f.barkctl("model", "verify", "tiny").stdout
        # Revisions are the hub's: the first answer's holds for all.
        revisions = {path.split("/")[4] for path, _ in f.hub.log}
        assert revisions == {"main", COMMIT}
        assert sum("/main/" in path for path, _ in f.hub.log) == 1
        r = f.fetch()
        assert r.returncode == 1 and "is there already" in r.stderr


@test("layouts")
def layouts(bench):
    """Shards, pytorch_model.bin, another name, another revision, some voices."""
    with fetching(bench) as f:
        whole = f.hub.files.pop(MODEL)
        f.hub.files.update(sharded(whole))
        f.works("--name", "shards", "--voices", "*")
        f.is_whole("shards")
        for name in list(f.hub.files):
            if name.startswith("model"):
                del f.hub.files[name]
        f.hub.files["pytorch_model.bin"] = pytorch(whole)
        f.works("--name", "pickled", "--voices", "v2/en_*", repo="someone/tiny@refs/pr/1")
        trace = []
        for name in "shards", "pickled":
            folder = f.place.path(name)
            f.barkctl("trace", "-m", name, "--seed", "1", "--text", "a b", "-o", folder)
            with open(os.path.join(folder, "audio.npy"), "rb") as a:
                trace.append(a.read())
        assert trace[0] == trace[1]
        voices = json.loads(f.barkctl("voice", "list", "-m", "pickled", "--json").stdout)
        assert [v["name"] for v in voices] == ["pickled", "v2/en_speaker_6"], voices
        f.works("--name", "silent", "--voices", "none")
        assert not os.path.exists(os.path.join(f.models, "silent", "speaker_embeddings"))
        f.fails("no voice of someone/tiny matches 'xx_", "--voices", "xx_*")
        del f.hub.files["vocab.txt"]
        f.fails("neither vocab.txt nor tokenizer.json; give the tokenizer's with --vocab",
                "--name", "mute")
        f.works("--name", "mute", "--vocab", os.path.join(f.bench.fast_model(), "vocab.txt"))
        f.barkctl("render", "-m", "mute", "-o", f.place.path("a.wav"), "a b")
        f.hub.files["tokenizer.json"] = tokenizer_json(
            os.path.join(f.bench.fast_model(), "vocab.txt")).encode()
        f.works("--name", "new")
        f.barkctl("render", "-m", "new", "-o", f.place.path("a.wav"), "a b")
        f.hub.files.pop("config.json")
        f.fails("neither config.json nor text_2.pt nor text.pt", "--name", "none")


@test("suno-layout")
def suno_layout(bench):
    """Where no weights of transformers' are, suno's own files are asked for, each
    net's of the large shape or the small, and what is no model does not become
    one."""
    with fetching(bench) as f:
        vocab, config = f.hub.files["vocab.txt"], f.hub.files["config.json"]
        codec = "encodec_24khz-d7cc33bc.th"
        for i, (shape, more) in enumerate((
                (("text_2.pt", "coarse_2.pt", "fine_2.pt"), {}),
                (("text.pt", "coarse.pt", "fine.pt"), {}),
                (("text.pt", "coarse_2.pt", "fine.pt"), {}),
                (("text_2.pt", "coarse.pt", "fine.pt"), {"config.json": config}))):
            f.hub.files = {"vocab.txt": vocab, **more}
            for name in (*shape, codec):
                f.hub.files[name] = b"not a pickle"
            f.fails("not a safetensors, torch or GGUF", "--name", f"m{i}")
            assert all(f.hub.asked(name) for name in (*shape, codec))
            del f.hub.files[shape[1]]
            f.fails("has no coarse.pt", "--name", f"half{i}")
        f.hub.files = {"vocab.txt": vocab, "config.json": config}
        f.fails("nor pytorch_model.bin nor suno's", "--name", "bare")
        f.hub.files = {"vocab.txt": vocab}
        f.fails("neither config.json nor text_2.pt nor text.pt", "--name", "none")
        assert all(name.startswith(".") for name in os.listdir(f.models))


@test("elsewhere")
def elsewhere(bench):
    """Large files lie on another host, which the token is not shown; presets
    with another repository."""
    with fetching(bench) as f, Hub({}) as store, Hub({}, "someone/voices") as other:
        f.hub.elsewhere = store
        f.hub.tokens = ["Bearer hf_secret"]
        f.fails("no such repository, or it wants a token .*HF_TOKEN")
        f.fails("wants a token", env={"HF_TOKEN": "hf_wrong"})
        f.works(env={"HF_TOKEN": "hf_secret"})
        f.is_whole()
        assert store.asked(MODEL) and all("Authorization" not in h for h in store.asked(MODEL))
        f.barkctl("model", "remove", "--yes", "tiny")
        f.hub.tokens = None
        # The hub and the presets' repository are one server here.
        presets = {n: f.hub.files.pop(n) for n in list(f.hub.files) if n.endswith(".npy")}
        f.hub.repo = "someone/(?:tiny|voices)"
        f.hub.files.update(presets)
        answer = f.hub.answer

        def apart(h):
            if "/someone/tiny/" in h.path and h.path.endswith(".npy"):
                return f.hub.refuse(h, 404)
            return answer(h)

        f.hub.answer = apart
        f.works()
        f.is_whole()
        assert other.log == []


@test("redirects")
def redirects(bench):
    """Only where a file may be: no circle, no other protocol."""
    with fetching(bench) as f:
        for target, why in ((f"{f.hub.base}/someone/tiny/resolve/main/config.json", "too many"),
                            ("file:///etc/passwd", "no http"), ("ftp://127.0.0.1/x", "no http"),
                            ("http://a:b@127.0.0.1/x", "no http")):
            f.hub.redirects["config.json"] = target
            f.fails(why)


@test("broken-line")
def broken_line(bench):
    """A line that breaks is taken up where it broke, by the same command or by
    the next one, whether it ends, stalls or never answers."""
    with fetching(bench) as f:
        f.hub.cuts[MODEL] = [400_000, 300_000]
        f.fails("goes on where it ended")
        assert f.staged() == 400_000
        f.fails("goes on where it ended")
        assert f.staged() == 700_000
        f.works()
        f.is_whole()
        ranges = [h.get("Range") for h in f.hub.asked(MODEL)]
        assert ranges == [None, "bytes=400000-", "bytes=700000-"], ranges
        # What was whole was not asked for again.
        assert len(f.hub.asked("vocab.txt")) == 1
        f.barkctl("model", "remove", "--yes", "tiny")
        f.hub.cuts[MODEL] = [400_000, 300_000]
        f.hub.status["config.json"] = [503]
        out = f.works("--tries", "2")
        assert out.count("again in 1 s") == 3, out
        f.is_whole()
        f.barkctl("model", "remove", "--yes", "tiny")
        f.hub.stall[MODEL] = 500_000
        f.fails("goes on where", "--timeout", "1")
        assert f.staged() == 500_000
        f.works()
        f.is_whole()
        f.barkctl("model", "remove", "--yes", "tiny")
    f.fails("config.json: .*[Cc]onnect")


@test("resume")
def resume(bench):
    """A part is only continued by bytes of the same file."""
    with fetching(bench) as f, Hub({}) as store:
        whole = f.hub.files[MODEL]
        f.hub.elsewhere = store
        store.cuts[MODEL] = [400_000]
        f.fails("goes on where it ended")
        # Bytes of the part that are wrong: told, thrown away, fetched anew.
        part = os.path.join(f.models, ".fetch-tiny", ".parts", MODEL)
        with open(part, "r+b") as p:
            p.write(b"wrong")
        f.works()
        f.is_whole()
        f.barkctl("model", "remove", "--yes", "tiny")
        # Another file under the name since then.
        store.cuts[MODEL] = [400_000]
        f.fails("goes on where it ended")
        f.hub.files[MODEL] = whole[:-4] + b"\0\0\0\0"
        asked = len(store.asked(MODEL))
        f.works()
        assert [h.get("Range") for h in store.asked(MODEL)[asked:]] == [None]
        f.is_whole()
        f.barkctl("model", "remove", "--yes", "tiny")
        f.hub.files[MODEL] = whole
        # All of it was there, but it was not yet taken.
        store.cuts[MODEL] = [len(whole) - 1]
        f.fails("goes on where it ended")
        with open(part, "ab") as p:
            p.write(whole[-1:])
        f.works()
        f.is_whole()
        f.barkctl("model", "remove", "--yes", "tiny")
        # Ended by a signal, on a server that knows no hashes.
        f.hub.elsewhere, f.hub.headers = None, False
        f.hub.stall[MODEL] = 600_000
        p = f.place.start(f.args("--timeout", "60"))
        wait_for("bytes", lambda: f.staged() == 600_000)
        p.end(signal.SIGKILL)
        # Without a name for its content, a part begins anew.
        f.works()
        assert f.hub.asked(MODEL)[-1].get("Range") is None


@test("lies")
def lies(bench):
    """Sizes and hashes that are not those announced; names that lead out."""
    with fetching(bench) as f:
        f.hub.lie_hash[MODEL] = "0" * 64
        f.fails("another hash than announced and was thrown away")
        assert f.staged() is None
        f.hub.lie_hash = {"vocab.txt": "0" * 40}
        f.fails("vocab.txt: .*another hash", "--name", "second")
        f.hub.lie_hash = {}
        f.hub.lie_size[MODEL] = 10**12
        f.fails("are announced|more than")
        f.hub.lie_size[MODEL] = len(f.hub.files[MODEL]) - 1
        f.fails("announced")
        f.hub.lie_size = {}
        f.hub.endless.add("generation_config.json")
        f.fails("generation_config.json: more than the 16.0 MB", "--name", "third")
        f.hub.endless.clear()
        good = f.hub.files["speaker_embeddings_path.json"]
        for name in "../../x", "/etc/x", "v2/../x", "a/b/c", ".x", "x y", "":
            presets = json.loads(good)
            presets[name] = presets["announcer"]
            f.hub.files["speaker_embeddings_path.json"] = json.dumps(presets).encode()
            f.fails("speaker_embeddings_path.json: a voice whose name", "--name", "tiny")
            os.remove(os.path.join(f.models, ".fetch-tiny", "speaker_embeddings_path.json"))
        presets = json.loads(good)
        presets["announcer"]["fine_prompt"] = "../../../etc/passwd"
        f.hub.files["speaker_embeddings_path.json"] = json.dumps(presets).encode()
        f.fails("a voice whose name or files")
        whole = f.hub.files.pop(MODEL)
        f.hub.files["model.safetensors.index.json"] = json.dumps(
            {"weight_map": {"a": "../../../x.safetensors"}}).encode()
        f.fails("names what cannot be a file of weights", "--name", "other")
        # Right by its hash, and no model: it does not become one.
        del f.hub.files["model.safetensors.index.json"]
        f.hub.files.update({MODEL: whole[:-1], "speaker_embeddings_path.json": good})
        f.fails("truncated|shorter|safetensors", "--name", "fourth")
        assert not os.path.exists(os.path.join(f.models, "fourth"))


@test("full-disk")
def full_disk(bench):
    """A full disk is told before or when it is full, and keeps what there is."""
    with fetching(bench) as f:
        limited = ["bash", "-c", 'ulimit -f 600; exec "$@"', "-"]
        r = f.place.run([*limited, *f.args()], check=False)
        assert r.returncode == 1 and r.stderr.count("\n") == 1, r
        assert re.search(f"{MODEL}: File too large; make room; the same command", r.stderr)
        assert f.staged() == 600 * 1024
        f.works()
        f.is_whole()
        assert f.hub.asked(MODEL)[-1]["Range"] == f"bytes={600 * 1024}-"
        if os.geteuid():
            return "a small file system needs root"
        small = os.path.join(f.place.dir, "small")
        os.mkdir(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", small],
                          stderr=subprocess.DEVNULL).returncode:
            return "a small file system cannot be mounted"
        f.place.cleanups.append(lambda: subprocess.run(["umount", small]))
        env = {"XDG_DATA_HOME": small}
        r = f.fetch(env=env)
        assert re.search(r"1\.1 MB more are needed, 0\.\d MB are free; make room", r.stderr), r
        # The size is not known beforehand: the disk runs full.
        f.hub.headers = False
        f.hub.endless.add(MODEL)
        r = f.fetch(env=env)
        assert r.returncode == 1 and re.search("No space left on device; make room", r.stderr), r
        f.hub.endless.clear()
        f.hub.headers = True
        subprocess.run(["mount", "-o", "remount,size=4m", small], check=True)
        f.works(env=env)
        assert os.listdir(os.path.join(small, "barkd", "models")) == ["tiny"]
        return None


@test("two-at-once")
def two_at_once(bench):
    with fetching(bench) as f:
        f.hub.stall[MODEL] = 300_000
        p = f.place.start(f.args("--timeout", "60"))
        wait_for("bytes", lambda: f.staged() == 300_000)
        f.fails("tiny is being fetched already")
        r = f.barkctl("model", "remove", "--yes", "tiny", check=False)
        assert r.returncode == 1 and "is being fetched" in r.stderr
        assert f.staged() == 300_000
        p.end(signal.SIGTERM)
        f.works()
        f.is_whole()
        assert f.hub.asked(MODEL)[-1]["Range"] == "bytes=300000-"


@test("shown")
def shown(bench):
    """A bar with colours on a terminal, JSON lines, nothing."""
    with fetching(bench) as f:
        def on_terminal(**env):
            master, slave = pty.openpty()
            p = subprocess.Popen(f.args(), stdout=slave, stderr=slave, stdin=subprocess.DEVNULL,
                                 env={**f.place.env, "TERM": "xterm", **env},
                                 preexec_fn=die_with_parent)
            os.close(slave)
            seen = b""
            with contextlib.suppress(OSError):
                while chunk := os.read(master, 65536):
                    seen += chunk
            os.close(master)
            assert p.wait() == 0, seen
            f.barkctl("model", "remove", "-y", "tiny")
            return seen.decode()

        seen = on_terminal()
        assert "\r" in seen and "\033[32m" in seen and re.search(r"\d+ of \d", seen), seen
        seen = on_terminal(NO_COLOR="1")
        assert "\033[32m" not in seen and re.search(r"\[#* *\] +\d+ %", seen), seen
        seen = on_terminal(TERM="dumb")
        assert "\033" not in seen and re.search(r"model.safetensors +1.1 MB", seen), seen
        assert f.works("--quiet") == ""
        f.barkctl("model", "remove", "-y", "tiny")
        lines = [json.loads(line) for line in f.works("--json").splitlines()]
        assert {"event": "file", "file": MODEL, "bytes": 1103256} in lines, lines
        assert lines[-1] == {"event": "installed", "name": "tiny"}
        assert any(line["event"] == "progress" and line["file"] == MODEL and
                   line["total"] == 1103256 for line in lines)


@test("which-hub")
def which_hub(bench):
    """Nothing is fetched from anywhere that nobody named."""
    with fetching(bench) as f:
        def fetch(*more, env=None):
            return f.place.run([bench.barkctl, "model", "fetch", "--voices", "none",
                                "--tries", "1", *more,
                                "someone/tiny"], check=False, env=env)

        r = fetch()
        assert r.returncode == 1 and re.search("which hub.*--base URL.*barkd.ini", r.stderr)
        base = f.hub.base
        assert fetch("--name", "a", env={"HF_ENDPOINT": base + "/"}).returncode == 0
        os.makedirs(f.place.path("config", "barkd"))
        with open(f.place.path("config", "barkd", "barkd.ini"), "w") as ini:
            ini.write(f"[fetch]\nbase = {base}\n")
        assert fetch("--name", "b", env={"HF_ENDPOINT": "http://127.0.0.1:9"}).returncode == 0
        assert fetch("--name", "c", env={"BARKD_HUB": "http://127.0.0.1:9"}).returncode == 1
        assert fetch("--name", "c", "--base", base,
                     env={"BARKD_HUB": "http://127.0.0.1:9"}).returncode == 0
        for bad in "ftp://x", "no address", "http://u:p@h/", "http://h/?q", "file:///tmp":
            r = fetch("--name", "d", "--base", bad)
            assert r.returncode == 1 and "not the address of a hub" in r.stderr, (bad, r)
        for repo in "tiny", "a/b/c", "../x", "a/..", "a b/c", "/a/b", "a/b@../x", "a/b@":
            r = f.place.run([bench.barkctl, "model", "fetch", "--base", base, repo], check=False)
            assert r.returncode == 2 and r.stderr.count("\n") == 1, (repo, r)


@test("https")
def https(bench):
    """Over TLS: a server that cannot prove who it is gets no request, a redirect
    does not leave https, and a token comes along."""
    need("openssl")
    with fetching(bench) as f:
        key, cert = f.place.path("key.pem"), f.place.path("cert.pem")
        f.place.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                     "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"])
        f.hub.tls(cert, key)
        f.hub.tokens = ["Bearer hf_secret"]
        token = {"HF_TOKEN": "hf_secret"}
        f.fails("config.json: .*certificate", env=token)
        assert f.hub.log == []
        trusting = {**token, "SSL_CERT_FILE": cert}
        f.works(env=trusting)
        f.barkctl("render", "-m", "tiny", "-o", f.place.path("a.wav"), "a b")
        with Hub({}) as plain:
            f.hub.redirects["config.json"] = plain.base + "/x"
            r = f.fetch("--name", "other", env=trusting)
            assert r.returncode == 1 and "from https to http" in r.stderr, r
            assert plain.log == []


@test("interrupt")
def interrupt(bench):
    """Control-C says that nothing is lost, and it is true."""
    with fetching(bench) as f:
        f.hub.stall[MODEL] = 300_000
        p = f.place.start(f.args("--timeout", "60"))
        wait_for("bytes", lambda: f.staged() == 300_000)
        assert p.end(signal.SIGINT) == -signal.SIGINT
        assert "interrupted; the same command goes on" in f.place.log("barkctl")
        f.works()
        f.is_whole()
        assert f.hub.asked(MODEL)[-1]["Range"] == "bytes=300000-"


@test("daemon-speaks-it")
def daemon_speaks_it(bench):
    """What README says: fetch, name it in barkd.ini, reload, say."""
    with fetching(bench) as f:
        sound = f.place.path("a.wav")
        output = {"output": {"sink": "file", "target": sound}}
        daemon = Daemon(bench, f.place, bench.fast_model(), output).start()
        f.works()
        daemon.configure({**output, "model": {"name": "tiny", "voice": "v2/en_speaker_6"}})
        os.kill(daemon.p.pid, signal.SIGHUP)
        wait_for("model", lambda: daemon.status()["model"]["name"] == "tiny")
        f.barkctl("say", "--wait", "a b c", env={"BARKD_SOCKET": daemon.socket})
        voices = f.barkctl("voices", env={"BARKD_SOCKET": daemon.socket}).stdout
        assert re.search(r"^v2/en_speaker_6 .*\(default\)$", voices, re.M), voices
        assert daemon.end() == 0 and os.path.getsize(sound) > 10000


@test("remove")
def remove(bench):
    """A model goes when it was asked for, and not the one that speaks."""
    with fetching(bench) as f:
        f.works("--voices", "none")
        r = f.barkctl("model", "remove", "tiny", check=False)
        assert r.returncode == 1 and "--yes" in r.stderr
        os.makedirs(f.place.path("config", "barkd"))
        with open(f.place.path("config", "barkd", "barkd.ini"), "w") as ini:
            ini.write("[model]\nname = tiny\n")
        r = f.barkctl("model", "remove", "--yes", "tiny", check=False)
        assert r.returncode == 1 and "the model that barkd uses" in r.stderr
        os.remove(f.place.path("config", "barkd", "barkd.ini"))
        for name in "slt", "../models/tiny", "nothing":
            r = f.barkctl("model", "remove", "--yes", name, check=False)
            assert r.returncode == 1 and r.stderr.count("\n") == 1, r
        assert os.path.exists(os.path.join(f.models, "tiny", MODEL))
        f.barkctl("model", "remove", "--yes", "tiny")
        assert os.listdir(f.models) == []
        # What an unfinished fetch left goes as well.
        f.hub.cuts[MODEL] = [400_000]
        f.fails("goes on where it ended")
        f.barkctl("model", "remove", "tiny")
        assert os.listdir(f.models) == []
