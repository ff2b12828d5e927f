"use strict";
// Figures: drawn from the page's data, each with its data as a table and as CSV.
const DATA = JSON.parse(document.getElementById("data").textContent);
const CONFIG = {
  background: "transparent", font: "system-ui, 'DejaVu Sans', sans-serif", view: { stroke: null },
  axis: { labelColor: "var(--ink)", titleColor: "var(--faint)", gridColor: "var(--line)", domainColor: "var(--faint)",
    tickColor: "var(--faint)", titleFontWeight: "normal", labelFontSize: 12, titleFontSize: 12, gridOpacity: 0.6, aria: false },
  legend: { labelColor: "var(--ink)", titleColor: "var(--faint)", labelFontSize: 12, aria: false },
  title: { aria: false }, text: { color: "var(--ink)" }, tick: { color: "var(--ink)" }, rule: { color: "var(--ink)" }, mark: { aria: false },
};

function element(tag, attributes, ...parts) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...parts);
  return made;
}

function say(text) { document.getElementById("said").textContent = text; }

function rowsOf(columns) {
  const names = Object.keys(columns);
  const rows = [];
  for (let k = 0; k < (names.length ? columns[names[0]].length : 0); k++) {
    const row = {};
    for (const name of names) row[name] = columns[name][k];
    rows.push(row);
  }
  return rows;
}

function csv(columns) {
  const names = Object.keys(columns);
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    const text = String(value);
    return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  const lines = [names.map(cell).join(",")];
  for (let k = 0; k < (names.length ? columns[names[0]].length : 0); k++)
    lines.push(names.map((name) => cell(columns[name][k])).join(","));
  return lines.join("\n") + "\n";
}

function csvLink(columns, name) {
  // Made when it is asked for: a page may have ten thousand incidents.
  return element("button", { type: "button", class: "csv", click: () => {
    const url = URL.createObjectURL(new Blob([csv(columns)], { type: "text/csv" }));
    element("a", { href: url, download: name + ".csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  } }, "Data as CSV");
}

function dataTable(columns, title) {
  const names = Object.keys(columns);
  const count = names.length ? columns[names[0]].length : 0;
  const most = 200;
  const table = element("table", {}, element("caption", {}, title),
    element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)))));
  const body = element("tbody", {});
  for (let k = 0; k < Math.min(count, most); k++)
    body.append(element("tr", {}, ...names.map((name) => element("td", {}, columns[name][k] === null ? "" : String(columns[name][k])))));
  table.append(body);
  const rest = count > most ? [element("p", {}, "The first " + most + " of " + count + " rows; all are in the CSV.")] : [];
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": title }, table, ...rest);
}

function underFigure(columns, title, name) {
  const details = element("details", {}, element("summary", {}, "Data as a table"));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(dataTable(columns, title));
  });
  return element("div", { class: "row" }, csvLink(columns, name), details);
}

function fitted(spec, width) {
  // Legends below a figure have as many columns as there is room for, and labels no wider than it.
  const fit = (legend) => {
    const label = Math.min(legend.labelLimit || 180, width - 40);
    const columns = Math.max(1, Math.min(legend.columns || 6, Math.floor(width / (label + 30))));
    return { ...legend, columns, labelLimit: legend.labelLimit ? label : undefined };
  };
  // Names beside a figure take at most two fifths of it.
  const names = (axis) => ({ ...axis, labelLimit: Math.min(axis.labelLimit, Math.round(0.4 * width)) });
  return JSON.parse(JSON.stringify(spec, (key, value) =>
    key === "legend" && value && value.orient === "bottom" ? fit(value) :
    key === "axis" && value && value.labelLimit ? names(value) : value));
}

async function draw(place, spec, columns, about) {
  const whole = { $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: "container",
    description: about, config: CONFIG, ...fitted(spec, place.clientWidth),
    data: { name: "rows", values: rowsOf(columns) } };
  const drawn = await vegaEmbed(place, whole, { renderer: "svg", actions: false, logLevel: 1 });
  const picture = place.querySelector("svg");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", about);
  return drawn.view;
}

async function drawAll() {
  for (const figure of document.querySelectorAll("figure[data-figure]")) {
    const one = DATA.figures[figure.dataset.figure];
    const about = figure.querySelector("figcaption p").textContent;
    figure.append(underFigure(one.columns, one.title, figure.dataset.figure));
    figure.view = await draw(figure.querySelector(".chart"), one.spec, one.columns, one.title + ". " + about);
  }
}
