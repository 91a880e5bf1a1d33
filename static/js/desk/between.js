// The desk without an item, after "Submit and stop" or when nothing is left. The last answer can
// still be taken back.

import { meaning } from "js/desk/keys";
import { login as mountLogin } from "js/desk/login";
import { says } from "js/desk/says";
import { send as mountSend } from "js/desk/send";
import { undo } from "js/desk/undo";
import { isTyping } from "js/site/typing";

export function mount(el) {
  const life = new AbortController();
  const { signal } = life;
  const say = says(el);
  const login = mountLogin({ desk: el, say, signal });
  mountSend({ say, login, signal });
  el.addEventListener("click", (event) => {
    if (event.target.closest("[data-do=close]")) event.target.closest("dialog").close();
  }, { signal });
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.metaKey || event.ctrlKey || event.altKey || event.repeat || meaning(event) !== "u") return;
    undo();
  }, { signal });
  return () => life.abort();
}
