// What was typed into a form outlives the end of the session: each form that is sent is kept in this
// tab until the next page shows. If that is the log-in, the form is filled in again after it.

import { say } from "js/app";

const KEY = "preferably.sent";
const NOT_KEPT = "[type=password], [type=file], [name=csrfmiddlewaretoken]";
const FILLED = "input:not([type=hidden]), select, textarea";

/** `main` names the person in data-person; on the log-in's pages there is nobody. */
export function mount(main) {
  const { person } = main.dataset;
  const kept = load();
  if (!person) return kept && store({ ...kept, isLoggedOut: true });
  sessionStorage.removeItem(KEY);
  if (kept?.isLoggedOut && kept.person === person && kept.page === page()) fill(kept, main.dataset.filled);
  const life = new AbortController();
  // Before any script of the page, which may send the form by itself.
  document.addEventListener("submit", ({ target }) => keep(target, person), { capture: true, signal: life.signal });
  return () => life.abort();
}

const page = () => location.pathname + location.search;
const formsTo = (action) => [...document.forms].filter((form) => form.method === "post" && form.getAttribute("action") === action);
const fieldsOf = (form) => [...form.elements].filter((field) => field.name && !field.matches(NOT_KEPT));

function keep(form, person) {
  if (form.method !== "post" || !form.querySelector(FILLED)) return;
  const action = form.getAttribute("action");
  const fields = fieldsOf(form).map(({ name, type, value, checked, selectedOptions }) => ({
    name, type, value, checked, values: selectedOptions && [...selectedOptions].map((option) => option.value),
  }));
  store({ person, page: page(), action, index: formsTo(action).indexOf(form), fields });
}

// Hidden fields too: they say which version of something was on the page when it was typed, so that
// somebody else's later change is noticed.
function fill({ action, index, fields }, sentence) {
  const form = formsTo(action)[index];
  if (!form) return;
  const open = fieldsOf(form);
  for (const field of fields) {
    const at = open.findIndex(({ name, type, value }) => name === field.name && type === field.type && (!isChoice(type) || value === field.value));
    if (at >= 0) set(open.splice(at, 1)[0], field);
  }
  form.closest("details:not([open])")?.setAttribute("open", "");
  form.closest("dialog:not([open])")?.showModal();
  form.querySelector(FILLED)?.focus();
  say(sentence);
}

const isChoice = (type) => type === "radio" || type === "checkbox";

function set(control, { value, checked, values }) {
  if (isChoice(control.type) ? control.checked === checked : control.value === value && !control.multiple) return;
  if (isChoice(control.type)) control.checked = checked;
  else if (values) for (const option of control.options) option.selected = values.includes(option.value);
  else control.value = value;
  control.dispatchEvent(new Event("input", { bubbles: true }));
  control.dispatchEvent(new Event("change", { bubbles: true }));
}

function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function store(kept) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // The browser has no space: the form is sent as it is.
  }
}
