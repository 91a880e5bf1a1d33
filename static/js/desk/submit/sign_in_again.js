// Signs in again in a dialog after the session ended behind an open page. Fires "desk:signed-in"
// for waiting requests.

import { post, token } from "js/desk/submit/requests";

export function login({ desk, say, signal }) {
  const dialog = desk.querySelector("[data-login]");
  const form = dialog.querySelector("form");
  const problem = dialog.querySelector("[data-login-problem]");

  function open() {
    if (document.querySelector("dialog[open]")) return;
    dialog.showModal();
    (form.elements.login.value ? form.elements.password : form.elements.login).focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // Sets a new CSRF cookie if the old one went with the session. Reading the page ends the request.
    await fetch(form.action).then((page) => page.text()).catch(() => null);
    const answer = await post(form.action, new FormData(form));
    // A failed login answers with its own page, a successful one redirects.
    const isIn = answer.kind === "signed-out";
    problem.hidden = isIn;
    problem.textContent = isIn ? "" : say.text(answer.kind === "silent" ? "offline" : "login-failed");
    form.elements.password.value = "";
    if (!isIn) return form.elements.password.focus();
    for (const input of document.querySelectorAll("[name=csrfmiddlewaretoken]")) input.value = token();
    dialog.close();
    say.trouble("");
    document.dispatchEvent(new Event("desk:signed-in"));
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-do=sign-in]")) return;
    event.preventDefault();
    open();
  }, { signal });
  return { open };
}
