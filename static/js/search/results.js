// Keyboard navigation of search results: arrows move between results and the field; Enter in the
// field opens the first result.

export function mount(form) {
  const field = form.querySelector("[data-search]");
  const part = form.querySelector("[data-found]");
  const status = form.querySelector("[role=status]");
  const links = () => [...part.querySelectorAll("a")];
  const isCurrent = () => part.querySelector("[data-q]")?.dataset.q === field.value.trim().replace(/\s+/g, " ");

  form.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = links();
    const at = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && all.length) {
      all[Math.min(at + 1, all.length - 1)].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      (all[at - 1] ?? field).focus();
    } else if (event.key === "Enter" && document.activeElement === field && isCurrent() && all.length) {
      all[0].click();
    } else {
      if (at >= 0 && (event.key.length === 1 || event.key === "Backspace")) field.focus(); // so that the key is typed into the field
      return;
    }
    event.preventDefault();
  });
  let hadFocus = false;
  form.addEventListener("htmx:beforeSwap", () => (hadFocus = part.contains(document.activeElement)));
  form.addEventListener("htmx:afterSwap", () => {
    if (hadFocus) field.focus();
    status.textContent = part.querySelector("[data-said]")?.dataset.said ?? "";
    part.scrollTop = 0;
  });
}
