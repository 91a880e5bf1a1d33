// Messages for the rater, translated in the page: <template data-say="name"> in the desk.

export function messages(desk) {
  const sentences = new Map([...desk.querySelectorAll("template[data-say]")].map((el) => [el.dataset.say, el]));
  const bar = desk.querySelector("[data-trouble]");
  const lasting = new Map(); // messages that stay until they are removed: name -> its nodes
  if (bar.textContent.trim()) lasting.set("page", [...bar.childNodes]); // sent by the server
  let problem = null; // the current problem
  const content = (name) => sentences.get(name).content.cloneNode(true);
  const text = (name, values = {}) =>
    Object.entries(values).reduce((sentence, [key, value]) => sentence.replace(`{${key}}`, value), sentences.get(name).content.textContent.trim());

  function draw() {
    const shown = [...lasting.values(), ...(problem ? [problem] : [])];
    bar.hidden = shown.length === 0;
    bar.replaceChildren(...shown.flatMap((nodes) => [...nodes, " "]));
  }

  return {
    text,
    content,
    /** Shows a problem; "" removes it. */
    trouble(name) {
      if (!name && !problem) return;
      problem = name ? [...content(name).childNodes] : null;
      draw();
    },
    /** Shows why the server refused a request, in its own words if it sent some. */
    refusal({ data }) {
      problem = data?.error ? [document.createTextNode(data.error)] : [...content("refused").childNodes];
      draw();
    },
    /** Shows a message until `over` removes it. A message about the lease replaces the server's. */
    lasts(name) {
      if (name === "stored" || name === "taken") lasting.delete("page");
      if (lasting.has(name)) return;
      lasting.set(name, [...content(name).childNodes]);
      draw();
    },
    /** Removes lasting messages. */
    over(...names) {
      if (names.filter((name) => lasting.delete(name)).length) draw();
    },
  };
}
