// Keys of the desk. A command never fires while somebody types, nor with a modifier held.

import { isTyping } from "js/typing";

/** `commands` maps a key to what it does; `beside` and `finish` are the page's own parts; `leave` takes the focus out of a text; `signal` ends it. */
export function keys({ commands, beside, finish, leave, signal }) {
  const all = { ...commands, u: undo };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    if ((event.metaKey || event.ctrlKey) && event.key === "Enter" && !event.shiftKey && !beside.isDialogOpen()) {
      event.preventDefault();
      if (!event.repeat) finish.next();
      return;
    }
    if (beside.isDialogOpen()) return;
    if (event.key === "Escape") return escape(event);
    if (isTyping(event.target) || event.metaKey || event.ctrlKey || event.altKey) return;
    const command = all[event.key] ?? all[event.key.toLowerCase()];
    if (!command || event.repeat) return;
    event.preventDefault();
    command();
  }, { signal });

  /** While the toast stands that offers it. */
  function undo() {
    document.querySelector("#toasts [data-undo-key]")?.closest("form").requestSubmit();
  }

  function escape(event) {
    if (finish.isOpen()) finish.clear();
    else if (isTyping(event.target)) leave(event.target);
    else if (!beside.closePanel()) leave(event.target);
  }
}
