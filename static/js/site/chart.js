// Reads a chart's numbers from its table: at the pointer or the finger, and at the place that the
// arrow keys move while the chart has the focus. Other charts with the same x-axis show a line there.

const SVG = "http://www.w3.org/2000/svg";
const KEYS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
let shown = null; // { chart, index, isByKeys }
let kept = null; // the same, of a chart that htmx is replacing

export function mount(el) {
  const chart = chartOf(el);
  const { plot } = chart;
  const onPointer = (event) => {
    const at = xAt(chart, event.clientX);
    show(chart, nearest(chart, at), false);
  };
  const onKey = (event) => {
    if (event.key === "Escape") return hide();
    const step = KEYS[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = shown?.chart === chart ? shown.index : chart.rows.length;
    show(chart, Math.min(Math.max(from + step, 0), chart.rows.length - 1), true);
  };
  const onFocus = () => {
    if (plot.matches(":focus-visible") && shown?.chart !== chart) show(chart, chart.rows.length - 1, true);
  };
  const onBlur = () => {
    if (shown?.chart === chart && !kept) hide();
  };
  plot.addEventListener("pointerdown", onPointer);
  plot.addEventListener("pointermove", onPointer);
  plot.addEventListener("keydown", onKey);
  plot.addEventListener("focus", onFocus);
  plot.addEventListener("blur", onBlur);
  if (kept && kept.name === nameOf(el)) restore(chart);
}

document.addEventListener("pointerover", (event) => {
  if (shown && !shown.isByKeys && !event.target.closest(".chart-plot")) hide();
});
document.documentElement.addEventListener("pointerleave", (event) => {
  if (event.pointerType === "mouse" && shown && !shown.isByKeys) hide();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const el = shown?.chart.el;
  kept = null;
  if (!event.detail.shouldSwap || !el || !event.detail.target.contains(el)) return;
  const { x } = shown.chart.rows[shown.index];
  kept = { x, name: nameOf(el), isByKeys: shown.isByKeys, hasFocus: document.activeElement === shown.chart.plot };
  shown = null;
});

function chartOf(el) {
  const rows = [...el.querySelectorAll("tbody tr")]
    .map((tr) => ({ x: Number(tr.dataset.x), cells: [...tr.cells] }))
    .filter((row) => row.cells.some((cell) => cell.dataset.y));
  return { el, rows, ...frameOf(el.querySelector(".chart-plot")) };
}

function frameOf(plot) {
  const [low, high, left, right, top, bottom] = plot.dataset.frame.split(" ").map(Number);
  return { plot, svg: plot.querySelector("svg"), low, high, left, right, top, bottom };
}

// Charts of one page, in order, with the same columns, are the same before and after a swap.
function nameOf(el) {
  const place = [...document.querySelectorAll(".chart")].indexOf(el);
  return `${place} ${el.querySelector("thead").textContent}`;
}

function restore(chart) {
  const { x, isByKeys, hasFocus } = kept;
  show(chart, nearest(chart, x), isByKeys);
  if (hasFocus) chart.plot.focus({ preventScroll: true });
  kept = null;
}

function pixelOf(chart, x) {
  if (chart.high === chart.low) return (chart.left + chart.right) / 2;
  return chart.left + ((x - chart.low) / (chart.high - chart.low)) * (chart.right - chart.left);
}

function xAt(chart, clientX) {
  const box = chart.svg.getBoundingClientRect();
  const px = ((clientX - box.left) / box.width) * chart.svg.viewBox.baseVal.width;
  return chart.low + ((px - chart.left) / (chart.right - chart.left)) * (chart.high - chart.low);
}

function nearest(chart, x) {
  let best = 0;
  chart.rows.forEach((row, index) => {
    if (Math.abs(row.x - x) < Math.abs(chart.rows[best].x - x)) best = index;
  });
  return best;
}

function show(chart, index, isByKeys) {
  if (shown?.chart === chart && shown.index === index) return;
  hide();
  shown = { chart, index, isByKeys };
  const { plot, svg } = chart;
  const { x } = chart.rows[index];
  svg.append(marks(chart, x, readings(chart, index)));
  for (const other of sameAxis(plot)) {
    const its = frameOf(other);
    if (x >= its.low && x <= its.high) its.svg.append(marks(its, x, []));
  }
  write(chart, index);
}

function hide() {
  if (!shown) return;
  for (const mark of document.querySelectorAll(".chart-marks")) mark.remove();
  shown.chart.plot.querySelector(".chart-readout").replaceChildren();
  shown = null;
}

function sameAxis(plot) {
  const axis = plot.dataset.axis;
  if (!axis) return [];
  const plots = [...document.querySelectorAll(".chart-plot")];
  return plots.filter((other) => other !== plot && other.dataset.axis === axis);
}

// The number of each curve at this row; of a curve without one here, the number before it.
function readings(chart, index) {
  const heads = [...chart.el.querySelectorAll("thead th")];
  return heads.slice(1).flatMap((head, place) => {
    const curve = chart.svg.querySelector(`[data-column="${place + 1}"]`);
    let at = index;
    if (!curve?.hasAttribute("data-dots")) while (at > 0 && !chart.rows[at].cells[place + 1].dataset.y) at -= 1;
    const cell = chart.rows[at].cells[place + 1];
    if (!cell.dataset.y) return [];
    return [{
      name: head.textContent.trim(),
      value: cell.textContent,
      series: curve?.dataset.series ?? "1",
      x: chart.rows[at].x,
      y: Number(cell.dataset.y),
      at: at === index ? "" : chart.rows[at].cells[0].textContent,
    }];
  });
}

function marks(chart, x, dots) {
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", "chart-marks");
  const line = document.createElementNS(SVG, "line");
  const across = pixelOf(chart, x).toFixed(1);
  for (const [name, value] of Object.entries({ x1: across, x2: across, y1: chart.top, y2: chart.bottom })) {
    line.setAttribute(name, value);
  }
  group.append(line);
  for (const dot of dots) {
    const circle = document.createElementNS(SVG, "circle");
    circle.dataset.series = dot.series;
    for (const [name, value] of Object.entries({ cx: pixelOf(chart, dot.x).toFixed(1), cy: dot.y, r: 4 })) {
      circle.setAttribute(name, value);
    }
    group.append(circle);
  }
  return group;
}

function write(chart, index) {
  const { plot, rows, svg } = chart;
  const readout = plot.querySelector(".chart-readout");
  const head = chart.el.querySelector("thead th").textContent.trim();
  const share = pixelOf(chart, rows[index].x) / svg.viewBox.baseVal.width;
  readout.style.left = `${(share * 100).toFixed(1)}%`;
  readout.dataset.side = share > 0.5 ? "left" : "right";
  readout.replaceChildren(
    piece("readout-x", `${head}: ${rows[index].cells[0].textContent}`),
    ...readings(chart, index).map((one) => {
      const line = piece("readout-line", "");
      line.dataset.series = one.series;
      const value = document.createElement("strong");
      value.textContent = one.value;
      line.append(`${one.name} `, value);
      if (one.at) line.append(` ${readout.dataset.at} ${one.at}`);
      return line;
    }),
  );
}

function piece(name, text) {
  const line = document.createElement("span");
  line.className = name;
  line.textContent = text;
  return line;
}
