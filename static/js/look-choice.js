// A choice of how pages look: the theme, or the face that texts are read in. Kept in this browser, since a person may want
// another one on another screen. An empty value is what the system, or the style, says.

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
