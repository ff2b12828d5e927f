// The page: its colours, and tables that are sorted by a press on a heading.
const theme = document.getElementById("theme");
theme.addEventListener("change", () => {
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

function sortTable(table, place) {
  const heads = [...table.tHead.rows[0].cells];
  const up = heads[place].getAttribute("aria-sort") !== "ascending";
  const key = (row) => {
    const cell = row.cells[place];
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
  };
  const missing = (value) => value === "" || value === "-";
  const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
  rows.sort(([a], [b]) => {
    if (typeof a === "number" && typeof b === "number") return up ? a - b : b - a;
    // What is missing stands below whatever the order.
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    return up ? a.localeCompare(b) : b.localeCompare(a);
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
  heads.forEach((head, k) => head.setAttribute("aria-sort", k === place ? (up ? "ascending" : "descending") : "none"));
  say("Sorted by " + heads[place].textContent + (up ? ", ascending" : ", descending"));
}

for (const table of document.querySelectorAll("main table")) {
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = head.querySelector("button");
    if (button) button.addEventListener("click", () => sortTable(table, place));
  });
}
