// Asks the browser for a passkey, puts it into the form's field “credential” and sends the form.
// data-act is "create" or "get"; the options are in the JSON of data-target, or come from the
// form's address.

import { say } from "js/app";

export function mount(el) {
  const { form } = el;
  el.addEventListener("click", async (event) => {
    event.preventDefault();
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
      say(el.dataset.unable, "error");
      return;
    }
    try {
      const { publicKey } = await options(el);
      const credential = await ACTS[el.dataset.act](publicKey, form);
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch {
      // The person has cancelled, or the device has no passkey that fits.
      say(el.dataset.failure, "error");
    }
  });
}

async function options(el) {
  if (el.dataset.target) return JSON.parse(document.getElementById(el.dataset.target).textContent);
  const response = await fetch(el.form.action, { headers: { Accept: "application/json" } });
  return (await response.json()).request_options;
}

const ACTS = {
  create: (told, form) => {
    // With it, the passkey opens the site by itself: it is stored with the person's id, and asks
    // for a finger or a PIN.
    const isAlone = form.elements.passwordless.checked;
    told.authenticatorSelection = {
      ...told.authenticatorSelection,
      residentKey: isAlone ? "required" : "discouraged",
      requireResidentKey: isAlone,
      userVerification: isAlone ? "required" : told.authenticatorSelection.userVerification,
    };
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(told);
    return navigator.credentials.create({ publicKey });
  },
  get: (told) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(told);
    return navigator.credentials.get({ publicKey });
  },
};
