// The choice of theme or reading typeface. Stored in this browser, since people may want another
// one on another screen. An empty value follows the system, or the stylesheet.

export function mount(el) {
  el.hidden = false;
  const { name } = el.querySelector("input");
  const stored = localStorage.getItem(name) ?? "";
  for (const input of el.querySelectorAll("input")) {
    input.checked = input.value === stored;
    input.addEventListener("change", () => choose(name, input.value));
  }
}

function choose(name, value) {
  if (value === "") {
    localStorage.removeItem(name);
    delete document.documentElement.dataset[name];
  } else {
    localStorage.setItem(name, value);
    document.documentElement.dataset[name] = value;
  }
}
