// Selects the text of a field when it gets the focus, so that typing replaces it: suggestions only
// fit what is in the field.

export function mount(el) {
  el.addEventListener("focus", () => el.select());
}
