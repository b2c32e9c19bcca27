// SPDX-License-Identifier: MIT
// The overlay: what barkd is saying, word by word, over a transparent page.
// Options in the address are described in docs/overlay.md.

import { api, characters, charactersOf, listen, options } from "/web/common.js";

const BARS = 60;
const FLOOR_DB = -50;

const element = (id) => document.getElementById(id);
const stage = element("stage");
const shows = new Set((options.get("show") ?? "caption,name,meter").split(","));
const fade = Math.max(0, Number(options.get("fade") ?? 2)) * 1000;
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

let current = null; // { id, chars, begin, end } of the text that is spoken
let hiding = 0;     // the timer
let bars = new Array(BARS).fill(0);
let level = 0, waiting = 0;

// --- options ---

const LENGTH = /^\d{1,4}(px|vw|vh|em|%)?$/;
const COLOR = /^(#[\da-f]{3,8}|[a-z]{3,20}|rgba?\([\d., %]{5,40}\))$/i;

function setOption(name, property, pattern, unit = "") {
  const value = options.get(name);
  if (value && pattern.test(value))
    document.documentElement.style.setProperty(property, /^\d+$/.test(value) ? value + unit : value);
}

setOption("size", "--size", LENGTH, "px");
setOption("width", "--width", LENGTH, "px");
setOption("lines", "--lines", /^[1-9]$/);
setOption("color", "--color", COLOR);
setOption("accent", "--accent", COLOR);
setOption("back", "--back", COLOR);
const align = { left: "flex-start", right: "flex-end", center: "center" }[options.get("align")];
if (align)
  document.documentElement.style.setProperty("--align", align);
if (["top", "middle"].includes(options.get("position")))
  document.body.classList.add(options.get("position"));
element("caption").hidden = !shows.has("caption");
element("meter").hidden = !shows.has("meter");

// --- the caption ---

function showCaption(from, to) {
  const text = (a, b) => current.chars.slice(a, b).join("");
  element("past").textContent = text(current.begin, from);
  element("now").textContent = text(from, to);
  element("next").textContent = text(to, current.end);
  element("now").scrollIntoView({ block: "nearest" });
}

function show() {
  clearTimeout(hiding);
  stage.hidden = false;
  stage.classList.remove("gone");
}

function hide() {
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    stage.classList.add("gone");
    current = null;
  }, fade);
}

function showQueue() {
  const line = element("queue");
  line.hidden = !shows.has("queue") || waiting === 0;
  line.textContent = `${waiting} more`;
}

function begin(e) {
  const chars = characters(e.text);
  current = { id: e.id, text: e.text, chars, begin: 0, end: chars.length };
  element("name").textContent = e.user ?? "";
  element("name").hidden = !shows.has("name") || !e.user;
  showCaption(0, 0);
  show();
}

function sentence(e) {
  if (current?.id !== e.id)
    return;
  current.begin = charactersOf(current.text, e.begin);
  current.end = charactersOf(current.text, e.end);
  showCaption(current.begin, current.begin);
}

function word(e) {
  if (current?.id !== e.id)
    return;
  // After a reload the sentence is not known: all of the text is shown.
  showCaption(Math.max(e.char_begin, current.begin), e.char_end);
}

async function countQueue() {
  if (!shows.has("queue"))
    return;
  try {
    waiting = (await api("GET", "/v1/queue")).waiting.length;
  } catch {
    waiting = 0;
  }
  showQueue();
}

// --- the meter ---

function draw() {
  const canvas = element("meter"), context = canvas.getContext("2d");
  const { width, height } = canvas;
  const style = getComputedStyle(document.documentElement);
  context.clearRect(0, 0, width, height);
  context.fillStyle = style.getPropertyValue("--accent");
  if (still) {
    context.fillRect(0, height / 3, width * level, height / 3);
    return;
  }
  bars.forEach((v, i) => {
    const h = Math.max(2, v * height);
    context.fillRect(i * width / BARS, (height - h) / 2, width / BARS - 2, h);
  });
}

function setLevel(e) {
  level = Math.min(1, Math.max(0, 1 - e.rms_db / FLOOR_DB));
  bars = [...bars.slice(1), level];
  requestAnimationFrame(draw);
}

listen(shows.has("meter"), {
  hello() {
    stage.classList.add("gone");
    current = null;
    countQueue();
  },
  queued: countQueue,
  begin(e) {
    begin(e);
    countQueue();
  },
  sentence,
  word,
  level: setLevel,
  end(e) {
    if (current?.id === e.id)
      hide();
    countQueue();
  },
  connection(up) {
    document.body.dataset.connected = up;
    if (!up)
      hide();
  },
});
