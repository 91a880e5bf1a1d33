// Saves drafts: in this browser at every change, on the server after two seconds without typing. Of
// two copies the one with more changes is newer; clocks are not compared.

import { again, backoff, post } from "js/desk/submit/requests";
import { fill, read } from "js/desk/answer/form_fields";

const PAUSE_MS = 2000;
const KEPT_MS = 30 * 24 * 3600 * 1000;

/** `prepare(fields)` is called before the form is filled, to create missing fields. */
export function draft({ desk, form, say, record, signal, prepare = () => {} }) {
  const prefix = `preferably.draft.${desk.dataset.person}.`;
  const version = Number(desk.dataset.version); // of the answer being corrected, or 0
  const { lease, round } = desk.dataset; // the round: which set of answers of a turn is shown
  const key = prefix + lease + (version ? `.v${version}` : "") + (round ? `.r${round}` : "");
  const saved = document.querySelector("[data-saved]");
  const wait = backoff();
  let revision = Number(desk.dataset.revision) || 0;
  let onServer = revision;
  let wasSilent = false;
  let timer = 0;
  let isDone = false;

  function restore() {
    dropOld(prefix);
    const local = load(key);
    if (local && local.revision >= revision) record.restore(local.record);
    if (!local || !(local.revision > revision)) return false;
    revision = local.revision;
    prepare(local.fields);
    fill(form, local.fields);
    later(PAUSE_MS);
    return true;
  }

  function changed() {
    if (isDone) return;
    revision += 1;
    keep();
    later(PAUSE_MS);
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify({ revision, at: Date.now(), fields: read(form), record: record.value() }));
    } catch {
      say.trouble("browser-full");
    }
  }

  function later(ms) {
    clearTimeout(timer);
    timer = setTimeout(save, ms);
  }

  async function save() {
    if (isDone || !desk.dataset.draftUrl) return;
    const sent = revision;
    const answer = await post(desk.dataset.draftUrl, JSON.stringify({ revision, version, fields: read(form), record: JSON.stringify(record.value()) }));
    if (isDone) return;
    if (answer.kind === "ok" && answer.data.is_stored) {
      say.lasts("stored");
    } else if (answer.kind === "ok") {
      wait.reset();
      say.trouble("");
      onServer = sent;
      if (wasSilent) again();
      wasSilent = false;
      saved.textContent = say.text("saved", { at: answer.data.saved });
      if (sent !== revision) later(PAUSE_MS);
    } else if (answer.kind === "signed-out") {
      say.trouble("signed-out");
      later(10_000);
    } else if (answer.kind === "silent") {
      const seconds = wait.next();
      wasSilent = true;
      say.trouble("offline");
      later(seconds * 1000);
    } else {
      say.refusal(answer);
    }
  }

  form.addEventListener("formdata", (event) => event.formData.set("revision", revision));
  document.addEventListener("desk:signed-in", () => revision > 0 && later(0), { signal });

  /** The answer is stored or dropped: removes the local draft and stops saving. */
  function clear() {
    isDone = true;
    clearTimeout(timer);
    localStorage.removeItem(key);
  }

  /** Saves changes that are still waiting for a pause in typing. */
  async function flush() {
    if (revision !== onServer) await save();
  }

  window.addEventListener("pagehide", () => !isDone && revision > 0 && load(key) && keep(), { signal });
  return { restore, changed, clear, flush };
}

function load(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function dropOld(prefix) {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(prefix) && Date.now() - (load(key)?.at ?? 0) > KEPT_MS) localStorage.removeItem(key);
  }
}
