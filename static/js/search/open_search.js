// The link to the search: a click or "/" opens its dialog, or focuses the field on the search page
// itself.

import { isTyping } from "js/site/typing";

export function mount(link) {
  const dialog = document.getElementById(link.dataset.target);

  function open() {
    if (document.querySelector("dialog[open]")) return;
    const field = document.querySelector("main [name=q][data-search]") ?? dialog.querySelector("[data-search]");
    if (dialog.contains(field)) dialog.showModal(); // the dialog restores the focus when it closes
    field.focus();
    field.select();
  }
  const onClick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // open in a new tab or window
    event.preventDefault();
    open();
  };
  const onKey = (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.isComposing || event.defaultPrevented || isTyping(event.target)) return;
    event.preventDefault();
    open();
  };
  link.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
