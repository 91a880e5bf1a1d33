// A button that opens the dialog named by data-target.

export function mount(el) {
  el.addEventListener("click", () => document.getElementById(el.dataset.target).showModal());
}
