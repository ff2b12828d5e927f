"use strict";
// The dashboard: asks its server twice a second what is to be seen, and sets it as text.
const EVERY_MS = 500, KEPT = 600, NEWS = 60;
const $ = (id) => document.getElementById(id);
// What cannot be seen must not act: as hasim.report.visible.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/g;
const visible = (text) => String(text).replace(UNSEEN, (sign) => "\\u" + sign.charCodeAt(0).toString(16).padStart(4, "0"));
const set = (id, text) => { const place = $(id); if (place.textContent !== text) place.textContent = text; };

function element(tag, attributes, ...parts) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value) made.setAttribute(name, value);
  made.append(...parts.map((part) => typeof part === "string" ? visible(part) : part));
  return made;
}

function clock(value) {
  const tenths = Math.round(value * 10), minutes = Math.floor(tenths / 600);
  const two = (number) => String(number).padStart(2, "0");
  return Math.floor(minutes / 60) + ":" + two(minutes % 60) + ":" + two(Math.floor(tenths % 600 / 10)) + "." + tenths % 10;
}
function lasting(value) {
  if (value === null || value === undefined) return "-";
  if (value < 1) return Number((value * 1000).toPrecision(3)) + " ms";
  if (value < 60) return Number(value.toPrecision(3)) + " s";
  const whole = Math.round(value), hours = Math.floor(whole / 3600), minutes = Math.floor(whole % 3600 / 60);
  return hours ? hours + " h " + minutes + " m" : minutes + " m " + whole % 60 + " s";
}
function percent(ratio) {
  if (ratio === 1 || ratio === 0) return ratio * 100 + " %";
  // Two digits of what is missing, as hasim.report.format.
  const decimals = ratio >= 0.99 ? Math.min(7, Math.max(0, 1 - Math.floor(Math.log10((1 - ratio) * 100) + 1e-9))) : 1;
  return Number((ratio * 100).toFixed(decimals)) + " %";
}
const rate = (value) => (value < 10 ? value.toPrecision(2) : Math.round(value)) + "/s";
const count = (value) => value.toLocaleString("en");

// -- the course of each master --------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";
const history = { at: [], seen: [] };

function remember(at, seen) {
  if (history.at.length && at <= history.at[history.at.length - 1]) return;
  history.at.push(at); history.seen.push(seen);
  if (history.at.length > KEPT) { history.at.shift(); history.seen.shift(); }
}

function course(name) {
  // A strip of the states, with the suspicion as a line from 0 (below) to 1 (above).
  const first = history.at[0] || 0, last = history.at[history.at.length - 1] || 0;
  const across = (at) => (last > first ? (at - first) / (last - first) * 240 : 0);
  const picture = document.createElementNS(SVG, "svg");
  for (const [key, value] of [["viewBox", "0 0 240 24"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]])
    picture.setAttribute(key, value);
  const strip = (state, from, to) => {
    const bar = document.createElementNS(SVG, "rect");
    for (const [key, value] of [["class", state], ["x", across(from)], ["y", 16], ["height", 8],
      ["width", Math.max(1, across(to) - across(from))]]) bar.setAttribute(key, value);
    picture.append(bar);
  };
  let state = null, since = first;
  const line = [];
  history.at.forEach((at, k) => {
    const now = history.seen[k][name];
    if (!now) return;
    if (now[0] !== state) { if (state !== null) strip(state, since, at); [state, since] = [now[0], at]; }
    line.push(across(at).toFixed(1) + "," + (14 - 13 * Math.min(1, now[1])).toFixed(1));
  });
  if (state !== null) strip(state, since, last);
  const level = document.createElementNS(SVG, "polyline");
  level.setAttribute("class", "level"); level.setAttribute("points", line.join(" "));
  picture.append(level);
  return picture;
}

// -- what is to be seen -----------------------------------------------------------------------

function masterRow(one) {
  const cell = (text, kind) => element("td", { class: kind }, text);
  return element("tr", {}, element("th", { scope: "row" }, one.name),
    element("td", { class: "text" }, element("span", { class: "state " + one.status }, one.status)),
    element("td", {}, course(one.name)), cell(one.suspicion.toFixed(2)), cell(count(one.in_flight)), cell(count(one.answered)),
    cell(count(one.failed), one.failed ? "bad" : ""), cell(lasting(one.latency_s)), cell(one.owns.join(" ") || "-", "many"),
    cell(one.truth.join(", ") || "-", one.truth.length ? "many truth" : "many"));
}

function service(board) {
  const { sla, traffic } = board;
  set("uptime", percent(sla.uptime));
  set("objective", percent(sla.objective) + (sla.compliant ? " kept" : " BROKEN"));
  $("objective").className = sla.compliant ? "good" : "bad";
  set("used", lasting(sla.used_s) + " of " + lasting(sla.allowed_s));
  $("budget").style.width = 100 * Math.min(1, sla.budget_used === null ? Number(sla.used_s > 0) : sla.budget_used) + "%";
  $("budget").className = sla.compliant ? "" : "over";
  for (const key of ["answered", "failed"]) set(key, rate(traffic[key + "_per_s"]) + " (" + count(traffic[key]) + ")");
  set("flight", count(traffic.in_flight) + (board.algorithm ? ", by " + visible(board.algorithm) : ""));
}

const PHASES = JSON.parse($("phases").dataset.phases);
function failovers(board, now) {
  const rows = board.failovers;
  $("phases").replaceChildren(...PHASES.map((phase) => {
    const there = rows.filter((row) => row.state === phase).length;
    return element("li", { class: there ? "now" : "" }, phase + (there ? " " + there : ""));
  }));
  $("failovers").replaceChildren(...rows.map((row) => element("li", {}, row.failover + ": " + row.master +
    (row.candidate ? " to " + row.candidate : "") + ", " + row.state + " for " + lasting(now - row.since_s) +
    ", declared " + lasting(now - row.declared_s) + " ago")));
  const ended = Object.entries(board.failovers_ended).filter(([, number]) => number);
  set("ended", rows.length + " active" + (ended.length ? "; ended: " + ended.map(([how, number]) => number + " " + how).join(", ") : ""));
}

function alerts(rows) {
  const newest = [...rows].sort((a, b) => b.raised_s - a.raised_s);
  $("alerts").replaceChildren(...newest.map((row) => element("li", {}, element("span", { class: row.severity }, row.severity),
    " " + clock(row.raised_s) + " " + row.subject + ": " + row.text)));
}

let heard = null, lastNews = "";
function news(lines) {
  const mark = JSON.stringify(lines[lines.length - 1] || null) + lines.length;
  if (mark === lastNews) return;
  lastNews = mark;
  const newest = lines.slice(-NEWS).reverse();
  $("news").replaceChildren(...newest.map(([at, who, text]) => element("li", {}, element("span", {}, clock(at)),
    element("span", { class: who === "truth" ? "truth" : "" }, who), element("span", {}, text))));
  // Who listens is told of verdicts and critical alerts only, and of the newest alone.
  const told = newest.find(([at, who, text]) => (heard === null || at > heard) &&
    (who === "detection" || text.includes("critical")));
  if (told) set("said", clock(told[0]) + " " + visible(told[2]));
  heard = newest.length ? newest[0][0] : heard;
}

function show(data) {
  remember(data.now_s, Object.fromEntries(data.masters.map((one) => [one.name, [one.status, one.suspicion]])));
  set("clock", clock(data.now_s) + " of " + clock(data.end_s));
  $("masters").tBodies[0].replaceChildren(...data.masters.map(masterRow));
  const from = history.at[0] || 0;
  set("span", "Course: states (strip) and suspicion (line, convicts at the top) since " + clock(from) + ".");
  service(data.board); failovers(data.board, data.now_s); alerts(data.board.alerts); news(data.news);
}

// -- asking -------------------------------------------------------------------------------------

let held = false;
const state = (text) => { set("state", text); document.documentElement.dataset.state = text; };
async function ask() {
  let over = false;
  try {
    const answer = await fetch("/dashboard", { cache: "no-store" });
    const data = await answer.json();
    if (!held) {
      show(data);
      over = data.over;
      state(over ? "at its end" : "x" + data.speed);
      document.documentElement.dataset.now = data.now_s;
    }
  } catch { if (!held) state("no answer; asking again"); }
  document.documentElement.dataset.ready = "yes";
  setTimeout(ask, document.hidden || over ? 4 * EVERY_MS : EVERY_MS);
}

$("hold").addEventListener("click", () => {
  held = !held;
  $("hold").setAttribute("aria-pressed", String(held));
  if (held) state("held");
});
$("theme").addEventListener("change", () => {
  if ($("theme").value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = $("theme").value;
});

async function start() {
  try {
    const courses = await (await fetch("/courses", { cache: "no-store" })).json();
    courses.forEach(([at, seen]) => remember(at, seen));
  } catch { /* the page begins without a past */ }
  ask();
}
start();
