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

  // Widths are read once, and line breaks counted from them: asking the browser after each change
  // would lay out the whole page a hundred times.
  function fold() {
    width = el.clientWidth;
    for (const part of parts) part.toggleAttribute("data-folded", false);
    button.hidden = false;
    write();
    const shown = parts.filter((part) => !part.hidden);
    const linesOf = measure([...shown, button]);
    button.hidden = linesOf(shown) <= LINES;
    if (button.hidden || isOpen) return;
    const foldable = shown.filter((part) => !part.querySelector("input:checked"));
    const folded = choose(foldable, (out) => linesOf([...shown.filter((part) => !out.has(part)), button]) <= LINES);
    for (const part of folded) part.toggleAttribute("data-folded", true);
    write();
    correct(foldable);
  }

  // Folds from the last on until the lines suffice, then shows whatever still fits into a gap.
  function choose(foldable, fits) {
    const folded = new Set();
    for (const part of foldable.toReversed()) {
      if (fits(folded)) break;
      folded.add(part);
    }
    for (const part of [...folded].reverse()) {
      folded.delete(part);
      if (!fits(folded)) folded.add(part);
    }
    return folded;
  }

  // The button has grown with the number in it, and that may have started another line.
  function correct(foldable) {
    for (const part of foldable.toReversed()) {
      if (part.hasAttribute("data-folded")) continue;
      if (lines() <= LINES) return;
      part.toggleAttribute("data-folded", true);
      write();
    }
  }

  // Returns a function that counts the lines of some of `all`, as wide as they are now.
  function measure(all) {
    const gap = parseFloat(getComputedStyle(el).columnGap);
    const widths = new Map(all.map((part) => [part, part.getBoundingClientRect().width]));
    return (some) => {
      let n = 0;
      let end = Infinity;
      for (const part of some) {
        end += gap + widths.get(part);
        if (end <= width) continue;
        n += 1;
        end = widths.get(part);
      }
      return n;
    };
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
      if (el.clientWidth !== width) fold();
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
