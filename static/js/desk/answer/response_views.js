// Views of each response: rendered, raw, or compared word by word with another. Side by side they
// scroll together.

import { fragment } from "js/desk/submit/requests";

const APART = "preferably.scrolling"; // "apart" if each text scrolls by itself in this browser

export function views({ desk, cards, record }) {
  const letters = cards.map((card) => card.dataset.letter);

  async function show(card, view) {
    const letter = card.dataset.letter;
    const button = card.querySelector("[data-view=diff]");
    if (view === "diff") await compare(card, letter, button);
    for (const part of card.querySelectorAll("[data-shown]")) part.hidden = part.dataset.shown !== view;
    for (const other of card.querySelectorAll("[data-view]")) other.setAttribute("aria-pressed", String(other.dataset.view === view));
    record.viewed(letter, view);
  }

  // Each click compares with the next of the other responses.
  async function compare(card, letter, button) {
    const others = letters.filter((other) => other !== letter);
    const to = others[(others.indexOf(button.dataset.to) + 1) % others.length];
    button.dataset.to = to;
    button.dataset.words ??= button.textContent;
    button.textContent = `${button.dataset.words} ${to}`;
    const html = await fragment(`${desk.dataset.diffUrl}?of=${letter}&to=${to}`);
    card.querySelector("[data-shown=diff]").innerHTML = html ?? ""; // escaped by our own server
  }

  function cycle(card) {
    const now = card.querySelector("[data-view][aria-pressed=true]").dataset.view;
    return show(card, { read: "raw", raw: "diff", diff: "read" }[now]);
  }

  for (const card of cards) {
    card.addEventListener("click", (event) => {
      const button = event.target.closest("[data-view]");
      if (button) show(card, button.dataset.view);
    });
  }
  const together = scrollTogether(cards.map((card) => card.querySelector("[data-text]")));
  return { cycle, together };
}

/**
 * Scrolls all responses together. Returns a function that switches this on and off; this browser
 * remembers it.
 */
function scrollTogether(texts) {
  const button = document.querySelector("[data-do=together]"); // a conversation has none
  let isOn = localStorage.getItem(APART) === null;
  button?.setAttribute("aria-pressed", String(isOn));
  function toggle() {
    isOn = !isOn;
    button?.setAttribute("aria-pressed", String(isOn));
    if (isOn) localStorage.removeItem(APART);
    else localStorage.setItem(APART, "apart");
  }
  button?.addEventListener("click", toggle);

  let leader = null;
  let rest = 0;
  const lead = (text) => () => (leader = text);
  for (const text of texts) {
    for (const kind of ["pointerenter", "wheel", "focus", "touchstart"]) text.addEventListener(kind, lead(text), { passive: true });
    text.addEventListener("scroll", () => {
      if (!isOn || leader !== text) return;
      cancelAnimationFrame(rest);
      rest = requestAnimationFrame(() => {
        const share = text.scrollTop / Math.max(1, text.scrollHeight - text.clientHeight);
        for (const other of texts) {
          if (other !== text) other.scrollTop = share * (other.scrollHeight - other.clientHeight);
        }
      });
    }, { passive: true });
  }
  return toggle;
}
