// Makes <details> behave like a menu: closes on Escape, on a click elsewhere and when it loses the
// focus.

export function mount(el) {
  const summary = el.querySelector("summary");
  const onKey = (event) => {
    if (event.key !== "Escape" || !el.open) return;
    el.open = false;
    summary.focus();
  };
  const onLeave = (event) => {
    if (event.relatedTarget && !el.contains(event.relatedTarget)) el.open = false;
  };
  const onClick = (event) => {
    if (!el.contains(event.target)) el.open = false;
  };
  el.addEventListener("keydown", onKey);
  el.addEventListener("focusout", onLeave);
  document.addEventListener("click", onClick);
  return () => document.removeEventListener("click", onClick);
}
