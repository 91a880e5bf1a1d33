// The list of keyboard shortcuts, opened by its button and by "?".

import { isTyping } from "js/site/typing";

export function mount(el) {
  const dialog = document.getElementById(el.dataset.target);
  const open = () => {
    if (!dialog.open) dialog.showModal();
  };
  const onKey = (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
    event.preventDefault();
    open();
  };
  el.addEventListener("click", open);
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
