// Removes a toast after six seconds, or after data-stays-s. It stays while hovered or focused, and
// errors stay until closed.

const STAYS_MS = 6000;

export function mount(el) {
  if (el.dataset.kind === "error" || el.closest("[data-flow=static]")) return undefined;
  const stays = Number(el.dataset.staysS) * 1000 || STAYS_MS;
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => el.remove(), stays);
  };
  const hold = () => clearTimeout(timer);
  for (const name of ["pointerenter", "focusin"]) el.addEventListener(name, hold);
  for (const name of ["pointerleave", "focusout"]) el.addEventListener(name, wait);
  wait();
  return hold;
}
