// A rating form's questions: the arrows move a row without asking the server, and a row's line follows
// its label. Without JavaScript the arrows post the form.

export function mount(section) {
  const rows = section.querySelector("[data-rows]");

  function number() {
    [...rows.querySelectorAll("[data-row]")].forEach((row, place) => {
      row.querySelector("[name$=-ORDER]").value = place + 1;
    });
  }

  rows.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("[data-row]");
    const other = button.dataset.move === "up" ? row.previousElementSibling : row.nextElementSibling;
    if (other?.matches("[data-row]")) {
      if (button.dataset.move === "up") other.before(row);
      else other.after(row);
      number();
    }
    // At an end the button hides, so the other one takes the focus.
    const stays = getComputedStyle(button).visibility !== "hidden";
    (stays ? button : row.querySelector(`[data-move]:not([data-move=${button.dataset.move}])`)).focus();
  });

  rows.addEventListener("input", (event) => {
    if (!event.target.name?.endsWith("-label")) return;
    event.target.closest("[data-row]").querySelector("[data-label]").textContent = event.target.value;
  });
}
