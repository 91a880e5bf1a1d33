// Answers submitted while the server was unreachable. They are stored in this browser and sent from
// any page of the desk once the server answers.

import { say } from "js/app";
import { backoff, pause, post } from "js/desk/submit/requests";

const nameOf = (person) => `preferably.outbox.${person}.`;

/** Stores the form's current values; `page` is where the rater can see the answer again. */
export function keep(person, lease, form, page) {
  const fields = [...new FormData(form)].filter(([name]) => name !== "step");
  const at = new Date().toTimeString().slice(0, 5);
  try {
    localStorage.setItem(nameOf(person) + lease, JSON.stringify({ url: form.action, page, fields, at }));
    return true;
  } catch {
    return false;
  }
}

export function drop(person, lease) {
  localStorage.removeItem(nameOf(person) + lease);
}

/** Sends the stored answers, except the one for the item open on this page. */
export async function flush(person, sentences, { except = "" } = {}) {
  const wait = backoff();
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(nameOf(person)))) {
    const lease = key.slice(nameOf(person).length);
    if (lease === except) continue;
    const stored = JSON.parse(localStorage.getItem(key));
    let answer = await send(stored);
    while (answer.kind === "silent") {
      await pause(wait.next());
      answer = await send(stored);
    }
    if (answer.kind === "signed-out") return;
    localStorage.removeItem(key);
    const isStored = answer.kind === "ok" && answer.data.next;
    if (isStored) localStorage.removeItem(`preferably.draft.${person}.${lease}`);
    report(sentences, isStored, stored);
  }
}

// "stop": do not reserve a new item, since the rater may be on another page.
function send(stored) {
  const body = new FormData();
  for (const [name, value] of stored.fields) body.append(name, value);
  body.set("step", "stop");
  return post(stored.url, body);
}

function report(sentences, isStored, stored) {
  const template = sentences.querySelector(`template[data-say=${isStored ? "late-stored" : "late-look"}]`).content;
  if (isStored) return say(template.textContent.trim().replace("{at}", stored.at));
  const line = document.createElement("p");
  line.className = "desk-notice";
  line.role = "status";
  line.append(template.cloneNode(true));
  line.querySelector("a").href = stored.page;
  sentences.prepend(line);
}

export function mount(el) {
  flush(el.dataset.person, el);
}
