// Keys of the review page: a letter focuses that response's rank, a digit sets it, Ctrl or ⌘ +
// Enter saves and continues.

import { isTyping } from "js/site/typing";

export function mount(form) {
  const selectOf = (letter) => form.querySelector(`[data-letter="${letter}"] select`);

  function onKey(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-submit]"));
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || (isTyping(event.target) && event.target.tagName !== "SELECT")) return;
    const select = /^[a-z]$/i.test(event.key) ? selectOf(event.key.toUpperCase()) : null;
    if (select) {
      event.preventDefault();
      select.focus();
      select.scrollIntoView({ block: "nearest" });
    }
  }

  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
