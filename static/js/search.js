// The link to the search: a click or "/" opens its dialog; on the page of the search itself they go to its field.

import { isTyping } from "js/typing";

export function mount(link) {
  const dialog = document.getElementById(link.dataset.target);

  function open() {
    if (document.querySelector("dialog[open]")) return;
    const field = document.querySelector("main [name=q][data-search]") ?? dialog.querySelector("[data-search]");
    if (dialog.contains(field)) dialog.showModal(); // gives the focus back when it closes
    field.focus();
    field.select();
  }
  const onClick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // a window of its own
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
