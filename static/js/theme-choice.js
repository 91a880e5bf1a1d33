// The three-way choice of theme. Kept in this browser, since a person may want another one on another screen.

export function mount(el) {
  el.hidden = false;
  const stored = localStorage.getItem("theme") ?? "system";
  for (const input of el.querySelectorAll("input")) {
    input.checked = input.value === stored;
    input.addEventListener("change", () => choose(input.value));
  }
}

function choose(theme) {
  if (theme === "system") {
    localStorage.removeItem("theme");
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem("theme", theme);
    document.documentElement.dataset.theme = theme;
  }
}
