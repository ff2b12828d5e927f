// Incidents: a list to search and sort, and one of them taken apart on a time axis that zooms.
const PAGE = 25;
const LISTED = ["incident", "cell", "master", "kind", "started_at_s", "detection_s", "outage_s", "outcome"];

class Timeline {
  // Two drawings on one axis: failed messages above, lanes below.
  constructor(place, title) {
    this.views = [];
    this.above = element("div", { class: "chart" });
    this.below = element("div", { class: "chart" });
    const press = (name, label, act) => element("button", { type: "button", "data-act": name, "aria-label": label, click: act }, label);
    const buttons = element("div", { class: "row", role: "group", "aria-label": "Time axis" },
      press("in", "Zoom in", () => this.zoom(0.5)), press("out", "Zoom out", () => this.zoom(2)),
      press("left", "Earlier", () => this.move(-0.25)), press("right", "Later", () => this.move(0.25)),
      press("whole", "Whole", () => this.show(...this.whole)));
    this.box = element("div", { tabindex: "0", role: "group", class: "timeline",
      "aria-label": title + ". Keys: plus and minus zoom, arrows move, 0 shows the whole; dragging moves, too." }, this.above, this.below);
    this.box.addEventListener("keydown", (event) => {
      const act = { "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
        ArrowLeft: () => this.move(-0.25), ArrowRight: () => this.move(0.25), 0: () => this.show(...this.whole) }[event.key];
      if (act) { event.preventDefault(); act(); }
    });
    this.box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.at(event.clientX));
    }, { passive: false });
    this.box.addEventListener("pointerdown", (event) => this.grab(event));
    place.append(buttons, this.box);
  }

  async draw(detail, story) {
    this.whole = detail.extent;
    [this.from, this.to] = detail.view;
    const about = "Timeline of incident " + detail.number + ": a lane for each control plane, gateway and master. " +
      "The same in words stands below it.";
    const left = this.box.clientWidth < 600 ? 110 : null; // on a narrow screen
    const fit = (axis) => left ? Object.assign(axis, { minExtent: left, maxExtent: left, labelLimit: left - 6 }) : axis;
    const set = (spec) => ({ ...structuredClone(spec), params: [{ name: "from", value: this.from }, { name: "to", value: this.to },
      { name: "cursor", value: 0 }] });
    if (Object.keys(detail.failed || {}).length && detail.failed.at.length) {
      const above = set(DATA.timeline.failed);
      fit(above.layer[0].encoding.y.axis);
      if (new Set(detail.failed.gateway).size === 1) above.layer[0].encoding.color.legend = null;
      this.views.push(await draw(this.above, above, detail.failed, "Failed messages per second. " + about));
    }
    const lanes = set(DATA.timeline.lanes);
    fit(lanes.encoding.y.axis);
    lanes.height = 17 * detail.lanes.length;
    lanes.encoding.y.sort = lanes.encoding.y.scale.domain = detail.lanes;
    const there = new Set(detail.spans.kind), colour = lanes.encoding.color.scale;
    const kept = colour.domain.map((_, k) => k).filter((k) => there.has(colour.domain[k]));
    for (const layer of [lanes, ...lanes.layer]) for (const name of ["color", "stroke"]) {
      const own = layer.encoding && layer.encoding[name];
      if (own) own.scale = { domain: kept.map((k) => colour.domain[k]), range: kept.map((k) => colour.range[k]) };
    }
    const view = await draw(this.below, lanes, detail.spans, about);
    this.views.push(view);
    view.addEventListener("click", (event, item) => {
      if (!this.dragged && item && item.datum && "start" in item.datum) story.mark(item.datum.start, item.datum.end, item.datum);
    });
    this.tell();
  }

  // The part of a drawing that is the axis, in pixels of the window.
  axis() {
    const view = this.views[this.views.length - 1];
    const left = view.container().querySelector("svg").getBoundingClientRect().left + view.origin()[0];
    return { left, perPixel: (this.to - this.from) / view.width() };
  }
  at(x) { const { left, perPixel } = this.axis(); return this.from + (x - left) * perPixel; }
  grab(event) {
    // Dragging moves the axis; a press that hardly moves is a click.
    this.dragged = false;
    if (event.button !== 0 || !this.views.length) return;
    const { perPixel } = this.axis(), [x, from, to] = [event.clientX, this.from, this.to];
    const move = (now) => {
      const by = (x - now.clientX) * perPixel;
      if (!this.dragged && Math.abs(now.clientX - x) < 4) return;
      this.dragged = true;
      this.box.classList.add("dragged");
      this.show(from + by, to + by);
    };
    const end = () => {
      this.box.classList.remove("dragged");
      window.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, end);
    };
    window.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, end);
  }
  tell() { this.box.dataset.from = this.from; this.box.dataset.to = this.to; }
  show(from, to) {
    [this.from, this.to] = [from, to];
    for (const view of this.views) view.signal("from", from).signal("to", to).runAsync();
    this.tell();
  }
  zoom(by, at = (this.from + this.to) / 2) { this.show(at - (at - this.from) * by, at + (this.to - at) * by); }
  move(by) { const step = (this.to - this.from) * by; this.show(this.from + step, this.to + step); }
  point(at) {
    const half = (this.to - this.from) / 2;
    if (at < this.from || at > this.to) this.show(at - half, at + half);
    for (const view of this.views) view.signal("cursor", at).runAsync();
  }
}

class Story {
  // What happened in words; a press on a time shows it on the axis.
  constructor(detail) {
    this.items = detail.story.map(([at, shown, who, text]) => {
      const item = element("li", { "data-at": at },
        element("button", { type: "button", click: () => this.timeline.point(at), "aria-label": "Show " + shown + " on the time axis" }, shown),
        element("span", { class: who === "truth" ? "truth" : "" }, who), element("span", {}, text));
      item.at = at;
      return item;
    });
    this.list = element("ol", { class: "story", tabindex: "0", "aria-label": "What happened" }, ...this.items);
  }
  mark(start, end, datum) {
    const slack = 1e-6;
    const hit = this.items.filter((item) => item.at >= start - slack && item.at <= end + slack);
    this.items.forEach((item) => item.classList.toggle("now", hit.includes(item)));
    if (hit.length) this.list.scrollTop = hit[0].offsetTop - this.list.offsetTop - 20;
    say(datum.lane + ", " + datum.kind + ", from " + seconds(start) + " to " + seconds(end) + ": " +
      hit.map((item) => item.lastChild.textContent).join("; "));
  }
}

function seconds(value) {
  if (value === null || value === undefined) return "";
  if (value !== 0 && Math.abs(value) < 1) return Number((value * 1000).toPrecision(3)) + " ms";
  return (Math.abs(value) < 600 ? Number(value.toPrecision(4)) : Math.round(value)) + " s";
}

function coarse(row) {
  // Of an incident without a journal at hand: what its row in the table says.
  const since = (at) => at - row.started_at_s;
  const last = Math.max(...["cured_at_s", "restored_at_s", "declared_at_s", "redirected_at_s"]
    .map((name) => row[name]).filter((value) => value !== null).map(since), (row.censored_s || 0), 1);
  const spans = { lane: [], kind: [], start: [], end: [], label: [] };
  const add = (strip, kind, start, end) => {
    if (start === null || start === undefined) return;
    spans.lane.push(row.master + ": " + strip); spans.kind.push(kind); spans.label.push("");
    spans.start.push(since(start)); spans.end.push(end === null || end === undefined ? last : since(end));
  };
  add("fault", "fault", row.started_at_s, row.cured_at_s);
  if (row.outage_s !== null || row.outage_censored_s !== null) add("service", "unserved", row.started_at_s, row.restored_at_s);
  add("verdict", "suspect", row.suspected_at_s, row.declared_at_s);
  add("verdict", "failed", row.declared_at_s, null);
  const steps = [["fencing", "decided_at_s", "fenced_at_s"], ["transferring", "fenced_at_s", "transferred_at_s"],
    ["promoting", "transferred_at_s", "promoted_at_s"], ["redirecting", "promoted_at_s", "redirected_at_s"]];
  for (const [kind, from, to] of steps) if (row[from] !== null && row[to] !== null) add("failover", kind, row[from], row[to]);
  const moments = [["started_at_s", "truth", row.kind + " strikes " + row.master], ["suspected_at_s", "detection", row.master + " is suspected"],
    ["declared_at_s", "detection", row.master + " is declared failed"], ["decided_at_s", "failover", "the failover begins"],
    ["fenced_at_s", "failover", row.master + " is fenced"], ["transferred_at_s", "failover", "the state is there"],
    ["promoted_at_s", "failover", "the backup is promoted"], ["redirected_at_s", "failover", "the traffic is redirected"],
    ["restored_at_s", "truth", "service is restored"], ["cured_at_s", "truth", row.kind + " is cured"]];
  const story = moments.filter(([name]) => row[name] !== null && row[name] !== undefined)
    .map(([name, who, text]) => [since(row[name]), "+" + seconds(since(row[name])), who, text]).sort((a, b) => a[0] - b[0]);
  return { number: row.incident, title: "Incident " + row.incident + ": " + row.kind + " at " + row.master,
    lanes: [...new Set(spans.lane)], spans, failed: {}, story, ending: "", why: [], extent: [-0.1 * last, 1.05 * last], view: [-0.1 * last, 1.05 * last] };
}

class Incidents {
  constructor(place, data) {
    this.data = data;
    this.rows = rowsOf(data.columns);
    this.order = this.rows.map((_, k) => k);
    [this.first, this.key, this.up, this.word] = [0, "incident", true, ""];
    this.filter = element("input", { type: "search", id: "find", "aria-label": "Find incidents by a word", input: () => {
      this.word = this.filter.value.toLowerCase(); this.first = 0; this.choose(); } });
    this.count = element("span", { role: "status" });
    this.body = element("tbody", {});
    const heads = LISTED.map((name) => element("th", { scope: "col", "data-key": name },
      element("button", { type: "button", click: () => this.sort(name) }, data.words[name])));
    this.table = element("table", {}, element("caption", {}, "Incidents"),
      element("thead", {}, element("tr", {}, ...heads)), this.body);
    const turn = (label, by) => element("button", { type: "button", click: () => {
      this.first = Math.max(0, Math.min(this.first + by * PAGE, Math.floor(Math.max(0, this.shown.length - 1) / PAGE) * PAGE)); this.list(); } }, label);
    this.detail = element("div", { id: "incident", "aria-live": "off" });
    const apart = Object.keys(data.details).map(Number).map((number) =>
      element("button", { type: "button", "data-apart": number, click: () => this.show(number) }, String(number)));
    place.append(element("div", { class: "row", role: "group", "aria-label": "Incidents taken apart" }, "Taken apart: ", ...apart),
      element("div", { class: "row" }, element("label", { for: "find" }, "Find "), this.filter,
      turn("Previous", -1), turn("Next", 1), this.count, csvLink(data.columns, "incidents")),
      element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Incidents" }, this.table), this.detail);
    this.sort("incident");
  }

  sort(key) {
    this.up = key === this.key ? !this.up : true;
    if (!this.shown) this.up = true;
    this.key = key;
    const value = (k) => this.rows[k][key];
    this.order.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      return ((typeof x === "number" ? x - y : x.localeCompare(y)) || a - b) * (this.up ? 1 : -1);
    });
    for (const head of this.table.tHead.rows[0].cells)
      head.setAttribute("aria-sort", head.dataset.key === key ? (this.up ? "ascending" : "descending") : "none");
    this.first = 0;
    this.choose();
  }

  choose() {
    const has = (row) => ["incident", "cell", "master", "kind", "outcome"].some((name) => String(row[name]).toLowerCase().includes(this.word));
    this.shown = this.word ? this.order.filter((k) => has(this.rows[k])) : this.order;
    this.list();
  }

  list() {
    const some = this.shown.slice(this.first, this.first + PAGE);
    this.body.replaceChildren(...some.map((k) => {
      const row = this.rows[k];
      const cells = LISTED.slice(1).map((name) => element("td", {}, name.endsWith("_s") ? seconds(row[name]) : String(row[name])));
      const full = row.incident in this.data.details;
      const button = element("button", { type: "button", "data-incident": row.incident, "aria-label": "Show incident " + row.incident,
        click: () => this.show(row.incident) }, row.incident + (full ? " \u2605" : ""));
      return element("tr", { class: this.current === row.incident ? "chosen" : null }, element("th", { scope: "row" }, button), ...cells);
    }));
    const last = this.first + some.length;
    this.count.textContent = some.length ? (this.first + 1) + " to " + last + " of " + this.shown.length : "none";
  }

  async show(number) {
    this.current = number;
    this.list();
    for (const button of document.querySelectorAll("[data-apart]"))
      button.setAttribute("aria-pressed", Number(button.dataset.apart) === number);
    const row = this.rows.find((one) => one.incident === number);
    const full = this.data.details[number];
    const detail = full || coarse(row);
    const story = new Story(detail);
    const lane = element("div", {});
    const more = full ? [] : [element("p", {}, "This is what its row says. The whole story: ", element("code", {},
      this.data.command.replace("{}", number)))];
    this.detail.replaceChildren(element("h3", { tabindex: "-1" }, detail.title), ...more, lane,
      ...[detail.ending, ...detail.why].filter(Boolean).map((text) => element("p", {}, text)), story.list,
      csvLink(detail.spans, "incident-" + number));
    story.timeline = new Timeline(lane, detail.title);
    await story.timeline.draw(detail, story);
    this.detail.dataset.number = number;
    say(detail.title);
    return story.timeline;
  }
}

async function start() {
  await drawAll();
  const place = document.getElementById("incidents");
  if (place) {
    const incidents = new Incidents(place, DATA.incidents);
    const first = Object.keys(DATA.incidents.details).map(Number)[0];
    if (first !== undefined) await incidents.show(first);
  }
  document.documentElement.dataset.ready = "yes";
}
start();
