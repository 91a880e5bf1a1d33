// Shows the next item, which the server sends with the response to a submit, in place of the last
// one. It becomes a page in the browser's history.

import { mountAll, unmountAll } from "js/app";

// A toast shown by a script a moment ago stays, unless it reports an error.
const STAYS = ".toast[data-said]:not([data-kind=error])";

let shown = location.pathname;

// Back and forward lead to other items, so load those pages again. A jump within this page is not
// one of them.
window.addEventListener("popstate", () => location.pathname === shown || location.reload());

/** Replaces the open item with the one in `html` (labeling/desk/item_fragment.html). */
export function goOn(address, html) {
  const fragment = document.createElement("template");
  fragment.innerHTML = html; // rendered by our own server
  if (address !== location.pathname) history.pushState(null, "", address);
  shown = location.pathname;
  for (const part of fragment.content.querySelectorAll("[data-place]")) {
    const place = document.querySelector(part.dataset.place);
    clear(place);
    place.append(...part.childNodes);
    mountAll(place);
  }
  const old = document.querySelector(".desk");
  const next = fragment.content.querySelector(".desk");
  unmountAll(old);
  old.replaceWith(next);
  window.htmx.process(next);
  window.scrollTo(0, 0);
  mountAll(next);
}

function clear(place) {
  for (const old of [...place.childNodes]) {
    if (old instanceof Element) {
      if (old.matches(STAYS)) continue;
      unmountAll(old);
    }
    old.remove();
  }
}
