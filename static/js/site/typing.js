// Whether a key pressed there enters text instead of a shortcut.

const TEXTLESS = new Set(["button", "checkbox", "color", "file", "radio", "range", "reset", "submit"]);

export function isTyping(target) {
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input") && !TEXTLESS.has(target.type);
}
