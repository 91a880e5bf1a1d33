// A stop of the tour: takes the focus and outlines what it is about. Escape ends the tour, unless it
// closes something else or leaves a field.

import { isTyping } from "js/site/typing";

export function mount(card) {
  const subject = card.parentElement.querySelector(card.dataset.outlined);
  subject?.toggleAttribute("data-outlined-by-tour", true);
  card.focus();
  const onKey = (event) => {
    if (event.key !== "Escape" || isTyping(event.target)) return;
    if (document.querySelector("dialog[open], details.menu[open]")) return;
    card.querySelector("form").requestSubmit();
  };
  // Before the menu, which is closed once it has handled the key.
  document.addEventListener("keydown", onKey, { capture: true });
  return () => document.removeEventListener("keydown", onKey, { capture: true });
}
