// Draws the charts of the chosen view. All counts and all words are in `data`; nothing is counted here.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const language = document.documentElement.lang;
const config = { displaylogo: false, displayModeBar: false, responsive: true };

function chosen(...selects) {
  return selects.map((id) => byId(id)?.value ?? "").join("|");
}

function showFigures() {
  const view = data.figures[chosen("group", "value")];
  byId("figures").querySelectorAll("dd").forEach((cell, n) => { cell.textContent = view ? view[n] : "–"; });
  const status = byId("status");
  if (status) status.textContent = view ? data.people_shown.replace("{people}", view[0]) : data.too_few;
}

function showChart(chart) {
  const section = byId(chart.name);
  const view = chart.views[chosen("group", "value", `${chart.name}-choice`)];
  const isKnown = data.figures[chosen("group", "value")] !== undefined;
  section.querySelector(".scroll").hidden = !view;
  section.querySelector("details").hidden = !view;
  const nothing = section.querySelector(".nothing");
  nothing.hidden = Boolean(view);
  nothing.textContent = isKnown ? chart.nothing : data.too_few;
  if (!view) return;
  const traces = chart.traces.map((trace, n) => ({ ...trace, ...view[n] }));
  const layout = structuredClone({ ...data.layout, ...chart.layout });
  for (const axis of ["xaxis", "yaxis"]) layout[axis] = { ...data.axis, ...layout[axis] };
  layout.height = chart.height + chart.row_height * traces[0].y.length;
  const plot = section.querySelector(".plot");
  // Plotly alone lets the place collapse when the window is resized.
  plot.style.height = `${layout.height}px`;
  Plotly.react(plot, traces, layout, config);
  fillTable(section.querySelector("table"), chart, traces);
}

function fillTable(table, chart, traces) {
  const shown = (value) => (typeof value === "number" ? value.toLocaleString(language) : value ?? "");
  // Bars that lie are drawn from bottom to top.
  const [first] = traces;
  const lies = first.type === "heatmap" || first.orientation === "h";
  const names = first.type === "heatmap" ? first.x : traces.map((trace) => trace.name);
  const rows = (lies ? first.y : first.x).map((category, n) => [
    category,
    ...(first.type === "heatmap"
      ? first.text[n]
      : traces.map((trace) => (trace.text ?? trace.customdata ?? (lies ? trace.x : trace.y))[n])),
  ]);
  if (lies) rows.reverse();
  const head = table.createTHead();
  const body = table.tBodies[0] ?? table.createTBody();
  head.replaceChildren(line([chart.categories, ...names].map((name) => cell("th", name, "col"))));
  body.replaceChildren(...rows.map(([category, ...cells]) =>
    line([cell("th", category, "row"), ...cells.map((value) => cell("td", shown(value)))])));
}

function line(cells) {
  const row = document.createElement("tr");
  row.append(...cells);
  return row;
}

function cell(kind, text, scope) {
  const element = document.createElement(kind);
  // Labels are escaped for Plotly, which reads some HTML.
  element.innerHTML = text;
  if (scope) element.scope = scope;
  return element;
}

function show() {
  showFigures();
  data.charts.forEach(showChart);
}

// Paper does not resize charts by itself. In pixels, what page.css leaves of a page.
const PRINT_WIDTH = 620;

function setWidth(layout) {
  document.querySelectorAll(".scroll:not([hidden]) .plot").forEach((plot) => Plotly.relayout(plot, layout));
}

document.querySelectorAll("select").forEach((select) => select.addEventListener("change", show));
addEventListener("beforeprint", () => setWidth({ width: PRINT_WIDTH }));
addEventListener("afterprint", () => setWidth({ width: null, autosize: true }));
show();
