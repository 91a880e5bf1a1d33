// Offers this browser's time zone next to a select of time zones.

export function mount(el) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const select = document.getElementById(el.dataset.target);
  const isListed = [...select.options].some((option) => option.value === zone);
  if (!isListed || select.value === zone) return;
  el.hidden = false;
  el.querySelector("[data-zone]").textContent = zone;
  el.addEventListener("click", () => {
    select.value = zone;
    el.hidden = true;
  });
}
