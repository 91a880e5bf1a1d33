// The desk without an item, after "Submit and stop" or when nothing is left. The last answer can
// still be taken back.

import { meaning } from "js/desk/page/keys";
import { login as mountLogin } from "js/desk/submit/sign_in_again";
import { messages } from "js/desk/page/messages";
import { itemActions } from "js/desk/submit/item_actions";
import { undo } from "js/desk/page/undo";
import { isTyping } from "js/site/typing";

export function mount(el) {
  const life = new AbortController();
  const { signal } = life;
  const say = messages(el);
  const login = mountLogin({ desk: el, say, signal });
  itemActions({ say, login, signal });
  el.addEventListener("click", (event) => {
    if (event.target.closest("[data-do=close]")) event.target.closest("dialog").close();
  }, { signal });
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.metaKey || event.ctrlKey || event.altKey || event.repeat || meaning(event) !== "u") return;
    undo();
  }, { signal });
  return () => life.abort();
}
