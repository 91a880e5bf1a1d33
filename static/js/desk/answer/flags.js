// Folds a response's flags to the two lines that fit, and puts the rest behind "more". A ticked flag
// stays visible, and moving the focus to a folded one unfolds all flags of its response.

const LINES = 2;

export function flags({ cards, signal }) {
  const groups = cards.map((card) => card.querySelector("[data-flags]")).filter(Boolean).map(group);
  const resize = new ResizeObserver((entries) => {
    for (const { target } of entries) groups.find((one) => one.el === target).fit();
  });
  for (const { el } of groups) resize.observe(el);
  signal.addEventListener("abort", () => resize.disconnect());
  return {
    redraw: () => groups.forEach((one) => one.redraw()),
    show: (stop) => groups.find((one) => one.el.contains(stop))?.show(stop),
  };
}

function group(el) {
  const button = el.querySelector("[data-do=flags]");
  const parts = [...el.children].filter((part) => part !== button);
  let isOpen = false;
  let width = 0;
  let asked = "";

  function fold() {
    for (const part of parts) part.toggleAttribute("data-folded", false);
    button.hidden = true;
    const shown = parts.filter((part) => !part.hidden);
    if (lines() <= LINES) return;
    button.hidden = false;
    write();
    if (!isOpen) fill(shown.filter((part) => !part.querySelector("input:checked")));
    write();
  }

  // Folds from the last on until the lines suffice, then shows whatever still fits into a gap.
  function fill(foldable) {
    const folded = [];
    for (const part of foldable.reverse()) {
      if (lines() <= LINES) break;
      part.toggleAttribute("data-folded", true);
      folded.unshift(part);
      write();
    }
    for (const part of folded) {
      part.toggleAttribute("data-folded", false);
      if (lines() > LINES) part.toggleAttribute("data-folded", true);
    }
  }

  // Chips of one line may differ in height, so middles are compared.
  function lines() {
    const middles = [...el.children].filter((part) => part.offsetParent).map((part) => part.offsetTop + part.offsetHeight / 2);
    return middles.sort((a, b) => a - b).filter((middle, place) => !place || middle - middles[place - 1] > 8).length;
  }

  function write() {
    const n = parts.filter((part) => part.hasAttribute("data-folded") && part.matches(".flag")).length;
    button.firstElementChild.textContent = isOpen ? button.dataset.less : button.dataset.more.replace("{n}", n);
    button.setAttribute("aria-expanded", String(isOpen));
  }

  function open(isWanted) {
    isOpen = isWanted;
    fold();
  }

  button.addEventListener("click", () => {
    const first = parts.find((part) => part.hasAttribute("data-folded"));
    open(!isOpen);
    if (isOpen) first?.querySelector("input, summary")?.focus();
  });

  return {
    el,
    fit() {
      if (el.clientWidth === width) return;
      width = el.clientWidth;
      fold();
    },
    redraw() {
      const now = parts.map((part) => Number(part.hidden)).join("");
      if (now === asked) return;
      asked = now;
      fold();
    },
    show(stop) {
      if (stop.closest("[data-folded]")) open(true);
    },
  };
}
