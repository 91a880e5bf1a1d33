// The next item comes with the answer to the last one and takes its place: for the address, the way back and a reload it is a page.

import { mountAll, unmountAll } from "js/app";

// A toast that a script has shown a moment ago is still being read. It leaves by itself, but for one that says that something failed.
const STAYS = ".toast[data-said]:not([data-kind=error])";

let shown = location.pathname;

// Back and forward lead to other items: those pages are asked for anew. A jump within this one is none of them.
window.addEventListener("popstate", () => location.pathname === shown || location.reload());

/** Puts the item of `html` (labeling/desk/item_fragment.html) in the place of the one that is open. */
export function goOn(address, html) {
  const came = document.createElement("template");
  came.innerHTML = html; // rendered by our own server
  history.pushState(null, "", address);
  shown = location.pathname;
  for (const part of came.content.querySelectorAll("[data-place]")) {
    const place = document.querySelector(part.dataset.place);
    clear(place);
    place.append(...part.childNodes);
    mountAll(place);
  }
  const old = document.querySelector(".desk");
  const next = came.content.querySelector(".desk");
  unmountAll(old);
  old.replaceWith(next);
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
