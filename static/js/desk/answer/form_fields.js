// A form's answer as {name: [text, …]}, the format of drafts on the server and in the browser.

const OWN = /^(rank-|preference$|rate-|reason$|strength$|all_bad$|edit$|edit_of$|text$|turn-|keeps-|sources$)/;
const KEPT = /^round$/; // says what a draft is about, and is never filled in

export function read(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) {
    if (OWN.test(name) || KEPT.test(name)) (fields[name] ??= []).push(value);
  }
  return fields;
}

export function fill(form, fields) {
  for (const control of form.elements) {
    if (!OWN.test(control.name)) continue;
    const values = fields[control.name] ?? [];
    if (control.type === "radio" || control.type === "checkbox") control.checked = values.includes(control.value);
    else control.value = values[0] ?? "";
  }
}
