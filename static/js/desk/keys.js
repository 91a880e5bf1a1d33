// Keyboard shortcuts of the desk. They do not fire while somebody types or with a modifier key.

import { undo } from "js/desk/undo";
import { isTyping } from "js/typing";

/**
 * The letter or digit of a key on most layouts: a French digit needs no Shift, and a Cyrillic or
 * Greek letter counts by its position.
 */
export function meaning(event) {
  const key = event.key.toLowerCase();
  if (/^[a-z0-9]$/.test(key)) return key;
  const [, digit, letter] = /^(?:Digit(\d)|Key([A-Z]))$/.exec(event.code) ?? [];
  if (digit && !event.shiftKey) return digit;
  const isForeign = key.length === 1 && key > "\u007f";
  return letter && isForeign ? letter.toLowerCase() : event.key;
}

/**
 * `commands` maps keys to actions; `beside` and `finish` are parts of the page; `leave` moves the
 * focus out of a text; `signal` removes the listener.
 */
export function keys({ commands, beside, finish, leave, signal }) {
  const all = { ...commands, u: undo };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    if ((event.metaKey || event.ctrlKey) && event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (event.repeat) return;
      if (beside.isDialogOpen()) event.target.closest("dialog")?.querySelector("[data-kind=primary]")?.click();
      else finish.next();
      return;
    }
    if (beside.isDialogOpen()) return;
    if (event.key === "Escape") return escape(event);
    if (isTyping(event.target) || event.metaKey || event.ctrlKey || event.altKey) return;
    const command = all[meaning(event)];
    if (!command || event.repeat) return;
    event.preventDefault();
    command();
  }, { signal });

  function escape(event) {
    if (finish.isOpen()) finish.clear();
    else if (isTyping(event.target)) leave(event.target);
    else if (!beside.closePanel()) leave(event.target);
  }
}
