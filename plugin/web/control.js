// SPDX-License-Identifier: MIT
// The control page: say a text, choose a voice, see the queue and the load.

import { api, characters, listen } from "/web/common.js";

const STATUS_MS = 2000;
const FLOOR_DB = -50;

const element = (id) => document.getElementById(id);
let current = null;
let lastCpu = null; // { cpu, at } of the status before

// --- requests ---

/** Runs a request and shows why it was refused. */
async function attempt(request) {
  try {
    await request();
    element("error").textContent = "";
  } catch (e) {
    element("error").textContent = e.message;
  }
}

element("say").addEventListener("submit", (e) => {
  e.preventDefault();
  attempt(async () => {
    await api("POST", "/v1/speak", {
      text: element("text").value,
      voice: element("voice").value || null,
      rate: Number(element("rate").value),
      priority: element("priority").value,
    });
    element("text").select();
  });
});

element("text").addEventListener("keydown", (e) => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
    e.preventDefault();
    element("say").requestSubmit();
  }
});

element("stop").addEventListener("click", () => attempt(() => api("POST", "/v1/stop", {})));
element("skip").addEventListener("click", () => attempt(() => api("POST", "/v1/skip")));
element("pause").addEventListener("click", () => {
  const paused = element("pause").getAttribute("aria-pressed") === "true";
  attempt(() => api("POST", paused ? "/v1/resume" : "/v1/pause"));
});

// --- what there is ---

async function fillVoices() {
  const voices = await api("GET", "/v1/voices");
  const chosen = element("voice").value;
  element("voice").replaceChildren(...voices.map((v) => {
    const language = v.language ? ` (${v.language})` : "";
    const option = new Option(v.name + language, v.name, v.default, v.default);
    return option;
  }));
  if (voices.some((v) => v.name === chosen))
    element("voice").value = chosen;
}

function queueRow(u) {
  const row = document.createElement("tr");
  for (const text of [u.text + (u.characters > characters(u.text).length ? "…" : ""), u.voice,
    u.priority]) {
    const cell = document.createElement("td");
    cell.textContent = text;
    row.append(cell);
  }
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Remove";
  button.setAttribute("aria-label", `Remove: ${u.text}`);
  button.addEventListener("click", () => attempt(() => api("POST", "/v1/stop", { id: u.id })));
  row.append(document.createElement("td"));
  row.lastChild.append(button);
  return row;
}

async function fillQueue() {
  const queue = await api("GET", "/v1/queue");
  const focused = document.activeElement?.getAttribute("aria-label");
  element("queue").tBodies[0].replaceChildren(...queue.waiting.slice(0, 100).map(queueRow));
  // Who walks through the buttons stays where they were.
  for (const button of element("queue").querySelectorAll("button"))
    if (focused && button.getAttribute("aria-label") === focused)
      button.focus();
  element("queue").hidden = queue.waiting.length === 0;
  element("empty").hidden = queue.waiting.length > 0;
  setPaused(queue.paused);
}

const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const ms = (v) => v === null ? "–" : `${Math.round(v)} ms`;

/** How much of one processor barkd has used since the last time. */
function cpuLoad(status) {
  const now = { cpu: status.cpu_s, at: status.uptime_s }, before = lastCpu;
  lastCpu = now;
  if (!before || now.at <= before.at)
    return "–";
  return `${Math.round(100 * (now.cpu - before.cpu) / (now.at - before.at))} %`;
}

async function fillStatus() {
  const s = await api("GET", "/v1/status");
  const sink = [s.sink.name, s.sink.state, s.sink.rate && `${s.sink.rate} Hz`]
    .filter(Boolean).join(", ");
  const lines = {
    "Model": s.model.loaded ? `${s.model.name}, ${mb(s.model.memory_bytes)}` : `${s.model.name}, not loaded`,
    "Sink": sink,
    "First sound": ms(s.first_sound_ms),
    "First sample computed": ms(s.first_audio_ms),
    "Processor": cpuLoad(s),
    "Memory": mb(s.memory_bytes),
    "Spoken, stopped, dropped, failed":
      [s.counters.spoken, s.counters.stopped, s.counters.dropped, s.counters.failed].join(", "),
    "For clients now": `${s.renders.making} of ${s.renders.limit}`,
    "Under-runs": s.counters.underruns,
  };
  element("load").replaceChildren(...Object.entries(lines).map(([name, value]) => {
    const line = document.createElement("div");
    line.append(document.createElement("dt"), document.createElement("dd"));
    line.firstChild.textContent = name;
    line.lastChild.textContent = value;
    return line;
  }));
  setState(s.error ? `${s.state}: ${s.error}` : s.state);
}

function setState(text) {
  // A screen reader says what changes, so nothing is written twice.
  if (element("state").textContent !== text)
    element("state").textContent = text;
}

function setPaused(paused) {
  element("pause").setAttribute("aria-pressed", paused);
}

function showCaption(from, to) {
  const text = (a, b) => current ? current.slice(a, b).join("") : "";
  element("past").textContent = text(0, from);
  element("now").textContent = text(from, to);
  element("next").textContent = text(to);
}

/** What fails while the daemon is away is tried again with its next events. */
const quietly = (request) => request().catch(() => {});

listen(true, {
  hello(e) {
    current = null;
    showCaption();
    setPaused(e.paused);
    quietly(fillVoices);
    quietly(fillQueue);
    quietly(fillStatus);
  },
  queued: () => quietly(fillQueue),
  begin(e) {
    current = characters(e.text);
    showCaption(0, 0);
    quietly(fillQueue);
  },
  word: (e) => showCaption(e.char_begin, e.char_end),
  end() {
    current = null;
    showCaption();
    element("level").value = 0;
    quietly(fillQueue);
    quietly(fillStatus);
  },
  paused: () => setPaused(true),
  resumed: () => setPaused(false),
  level: (e) => element("level").value = Math.max(0, 1 - e.rms_db / FLOOR_DB),
  status: () => quietly(fillStatus),
  connection(up) {
    if (!up)
      setState("barkd is away; waiting for it");
  },
});

setInterval(() => {
  if (!document.hidden)
    quietly(fillStatus);
}, STATUS_MS);
