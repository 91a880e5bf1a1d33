// Copies the text of the element named by data-target, and briefly confirms it on the button.

const SAYS_MS = 2000;

export function mount(el) {
  const words = el.textContent;
  el.hidden = false;
  el.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(el.dataset.target).textContent.trim());
    el.textContent = el.dataset.done;
    setTimeout(() => {
      el.textContent = words;
    }, SAYS_MS);
  });
}
