// Ranking by drag and drop: drop a response's header at the start (before), middle (tie) or end
// (after) of another card.

export function drag({ cards, put }) {
  let dragged = null;

  function whereOn(card, event) {
    const box = card.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const along = document.dir === "rtl" ? 1 - share : share;
    return along < 0.33 ? "before" : along > 0.67 ? "after" : "level";
  }

  function clear() {
    for (const card of cards) delete card.dataset.drop;
  }

  for (const card of cards) {
    const head = card.querySelector(".desk-letter");
    head.draggable = true;
    head.addEventListener("dragstart", (event) => {
      dragged = card;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", card.dataset.letter);
    });
    head.addEventListener("dragend", () => {
      dragged = null;
      clear();
    });
    card.addEventListener("dragover", (event) => {
      if (!dragged || dragged === card) return;
      event.preventDefault();
      clear();
      card.dataset.drop = whereOn(card, event);
    });
    card.addEventListener("drop", (event) => {
      if (!dragged || dragged === card) return;
      event.preventDefault();
      put(dragged.dataset.letter, card.dataset.letter, whereOn(card, event));
    });
  }
}
