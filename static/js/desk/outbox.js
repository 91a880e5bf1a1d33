// Answers that were finished while the server was silent. They lie in this browser and are sent from any page of the desk, once it answers.

import { say } from "js/app";
import { backoff, pause, post } from "js/desk/post";

const nameOf = (person) => `preferably.outbox.${person}.`;

/** `form` as it is now; `page` is where to look at it again. */
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

/** Sends what lies here, except for the item that is open on this page. */
export async function flush(person, sentences, { except = "" } = {}) {
  const wait = backoff();
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(nameOf(person)))) {
    const lease = key.slice(nameOf(person).length);
    if (lease === except) continue;
    const kept = JSON.parse(localStorage.getItem(key));
    let answer = await send(kept);
    while (answer.kind === "silent") {
      await pause(wait.next());
      answer = await send(kept);
    }
    if (answer.kind === "signed-out") return;
    localStorage.removeItem(key);
    const isStored = answer.kind === "ok" && answer.data.next;
    if (isStored) localStorage.removeItem(`preferably.draft.${person}.${lease}`);
    tell(sentences, isStored, kept);
  }
}

// "stop": nothing new is taken for somebody who may be on another page.
function send(kept) {
  const body = new FormData();
  for (const [name, value] of kept.fields) body.append(name, value);
  body.set("step", "stop");
  return post(kept.url, body);
}

function tell(sentences, isStored, kept) {
  const template = sentences.querySelector(`template[data-say=${isStored ? "late-stored" : "late-look"}]`).content;
  if (isStored) return say(template.textContent.trim().replace("{at}", kept.at));
  const line = document.createElement("p");
  line.className = "desk-notice";
  line.role = "status";
  line.append(template.cloneNode(true));
  line.querySelector("a").href = kept.page;
  sentences.prepend(line);
}

export function mount(el) {
  flush(el.dataset.person, el);
}
