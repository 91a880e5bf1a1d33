// Offers this browser's time zone next to the field for one.

export function mount(el) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const field = document.getElementById(el.dataset.target);
  const isListed = [...field.list.options].some((option) => option.value === zone);
  if (!isListed || field.value === zone) return;
  el.hidden = false;
  el.querySelector("[data-zone]").textContent = zone;
  el.addEventListener("click", () => {
    field.value = zone;
    el.hidden = true;
  });
}
