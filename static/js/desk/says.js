// Sentences for the rater, written and translated in the page: <template data-say="name"> in the desk.

export function says(desk) {
  const sentences = new Map([...desk.querySelectorAll("template[data-say]")].map((el) => [el.dataset.say, el]));
  const bar = desk.querySelector("[data-trouble]");
  const text = (name, values = {}) =>
    Object.entries(values).reduce((sentence, [key, value]) => sentence.replace(`{${key}}`, value), sentences.get(name).content.textContent.trim());
  return {
    text,
    content: (name) => sentences.get(name).content.cloneNode(true),
    /** Shows a trouble until it is over; "" ends it. */
    trouble(name) {
      if (!name && !bar.dataset.said) return; // what the server said stays
      bar.hidden = !name;
      bar.dataset.said = name;
      if (name) bar.replaceChildren(sentences.get(name).content.cloneNode(true));
    },
  };
}
