// Sentences for the rater, written and translated in the page: <template data-say="name"> in the desk.

export function says(desk) {
  const sentences = new Map([...desk.querySelectorAll("template[data-say]")].map((el) => [el.dataset.say, el]));
  const bar = desk.querySelector("[data-trouble]");
  const lasting = new Map(); // what holds until something else is known: name -> its nodes
  if (bar.textContent.trim()) lasting.set("page", [...bar.childNodes]); // what the server said
  let passing = null; // what is wrong just now
  const content = (name) => sentences.get(name).content.cloneNode(true);
  const text = (name, values = {}) =>
    Object.entries(values).reduce((sentence, [key, value]) => sentence.replace(`{${key}}`, value), sentences.get(name).content.textContent.trim());

  function draw() {
    const said = [...lasting.values(), ...(passing ? [passing] : [])];
    bar.hidden = said.length === 0;
    bar.replaceChildren(...said.flatMap((nodes) => [...nodes, " "]));
  }

  return {
    text,
    content,
    /** Shows a trouble until it is over; "" ends it. */
    trouble(name) {
      if (!name && !passing) return;
      passing = name ? [...content(name).childNodes] : null;
      draw();
    },
    /** What the server answered to something that it did not take, in its own words where it has some. */
    refusal({ data }) {
      passing = data?.error ? [document.createTextNode(data.error)] : [...content("refused").childNodes];
      draw();
    },
    /** Stands whatever comes and goes beside it; said of the lease, it takes the place of what the page said. */
    lasts(name) {
      if (name === "stored" || name === "taken") lasting.delete("page");
      if (lasting.has(name)) return;
      lasting.set(name, [...content(name).childNodes]);
      draw();
    },
    /** It holds no longer. */
    over(...names) {
      if (names.filter((name) => lasting.delete(name)).length) draw();
    },
  };
}
