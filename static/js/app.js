// Mounts behaviours: <el data-behavior="site/menu"> loads js/site/menu.js and calls its mount(el)
// once per element, on the first page and after every swap. mount may return a function, which is
// called before the element is removed.

const unmounts = new WeakMap();

async function mountOne(el) {
  if (unmounts.has(el)) return;
  const undo = [];
  unmounts.set(el, undo);
  for (const name of el.dataset.behavior.split(/\s+/).filter(Boolean)) {
    const module = await import(`js/${name}`);
    if (!el.isConnected) return;
    const unmount = module.mount(el);
    if (unmount) undo.push(unmount);
  }
  el.dataset.mounted = "";
}

export function mountAll(root) {
  if (root.matches?.("[data-behavior]")) mountOne(root);
  for (const el of root.querySelectorAll("[data-behavior]")) mountOne(el);
}

/** Call it before a script removes `root`; htmx reports its own swaps. */
export function unmountAll(root) {
  if (root.matches("[data-behavior]")) unmountOne(root);
  for (const el of root.querySelectorAll("[data-behavior]")) unmountOne(el);
}

function unmountOne(el) {
  for (const undo of unmounts.get(el) ?? []) undo();
  unmounts.delete(el);
}

document.addEventListener("htmx:load", (event) => mountAll(event.detail.elt));
document.addEventListener("htmx:beforeCleanupElement", (event) => unmountOne(event.detail.elt));
// What no event of a person has caused is no use of the site: a page left open must not keep its
// person logged in.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.detail.triggeringEvent) event.detail.headers["X-Polls"] = "1";
});
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    // A polling fragment retries by itself: a toast for each failure would bury the page.
    if (event.detail.elt.hasAttribute("data-polls")) return;
    say(document.body.dataset.failure, "error");
  });
}

// Shows a toast from a script: say("Saved", "success").
export function say(message, kind = "info") {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.behavior = "site/toast";
  toast.dataset.kind = kind;
  toast.dataset.said = ""; // shown by a script, not by the server's page
  const words = document.createElement("p");
  words.textContent = message;
  toast.append(words);
  document.getElementById("toasts").append(toast);
  mountOne(toast);
}

mountAll(document.body);
