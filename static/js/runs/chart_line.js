// Draws a line through all charts of a run at the pointer's position in one of them.

const SVG = "http://www.w3.org/2000/svg";

export function mount(el) {
  const lines = [];
  for (const svg of el.querySelectorAll(".chart svg")) {
    const line = document.createElementNS(SVG, "line");
    line.setAttribute("class", "hover-line");
    line.setAttribute("y1", "14");
    line.setAttribute("y2", String(svg.viewBox.baseVal.height - 26));
    line.setAttribute("visibility", "hidden");
    svg.prepend(line);
    lines.push([svg, line]);
  }

  const show = (event) => {
    const svg = event.target.closest(".chart svg");
    if (!svg) return hide();
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    if (x < 48) return hide();
    for (const [, line] of lines) {
      line.setAttribute("x1", x.toFixed(1));
      line.setAttribute("x2", x.toFixed(1));
      line.setAttribute("visibility", "visible");
    }
  };

  const hide = () => {
    for (const [, line] of lines) line.setAttribute("visibility", "hidden");
  };

  el.addEventListener("pointermove", show);
  el.addEventListener("pointerleave", hide);
  return () => {
    el.removeEventListener("pointermove", show);
    el.removeEventListener("pointerleave", hide);
  };
}
