// The part of a run's page that renews itself: what a person has opened, focused or scrolled stays as it was.

export function mount(el) {
  let kept = null;

  const before = (event) => {
    if (event.detail.target !== el) return;
    kept = {
      opened: [...el.querySelectorAll("details")].map((details) => details.open),
      focused: document.activeElement && el.contains(document.activeElement) ? document.activeElement.id : "",
      log: scrollOf(el.querySelector("#log")),
    };
  };

  const after = (event) => {
    if (event.detail.target !== el || !kept) return;
    [...el.querySelectorAll("details")].forEach((details, index) => {
      details.open = Boolean(kept.opened[index]);
    });
    if (kept.focused) document.getElementById(kept.focused)?.focus({ preventScroll: true });
    follow(el.querySelector("#log"), kept.log);
    kept = null;
  };

  follow(el.querySelector("#log"), null);
  el.addEventListener("htmx:beforeSwap", before);
  el.addEventListener("htmx:afterSwap", after);
  return () => {
    el.removeEventListener("htmx:beforeSwap", before);
    el.removeEventListener("htmx:afterSwap", after);
  };
}

// null: at the end, and to be kept there as lines arrive.
function scrollOf(log) {
  if (!log) return null;
  const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  return isAtEnd ? null : log.scrollTop;
}

function follow(log, at) {
  if (log) log.scrollTop = at ?? log.scrollHeight;
}
