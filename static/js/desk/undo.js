// The key of the toast that offers to take an answer back, while it stands.

import { meaning } from "js/desk/keys";
import { isTyping } from "js/typing";

export function undo() {
  document.querySelector("[data-undo-key]")?.closest("form").requestSubmit();
}

/** On a page without an item: the desk, after "Submit and stop". */
export function mount() {
  const onKey = (event) => {
    if (isTyping(event.target) || event.metaKey || event.ctrlKey || event.altKey || event.repeat || meaning(event) !== "u") return;
    undo();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
