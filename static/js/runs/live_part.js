// The part of a run's page that refreshes itself: keeps open details, the focus and the scroll
// position.

export function mount(el) {
  let saved = null;

  const before = (event) => {
    if (event.detail.target !== el) return;
    saved = {
      opened: [...el.querySelectorAll("details")].map((details) => details.open),
      focused: document.activeElement && el.contains(document.activeElement) ? document.activeElement.id : "",
      log: scrollOf(el.querySelector("#log")),
    };
  };

  const after = (event) => {
    if (event.detail.target !== el || !saved) return;
    [...el.querySelectorAll("details")].forEach((details, index) => {
      details.open = Boolean(saved.opened[index]);
    });
    if (saved.focused) document.getElementById(saved.focused)?.focus({ preventScroll: true });
    follow(el.querySelector("#log"), saved.log);
    saved = null;
  };

  follow(el.querySelector("#log"), null);
  el.addEventListener("htmx:beforeSwap", before);
  el.addEventListener("htmx:afterSwap", after);
  return () => {
    el.removeEventListener("htmx:beforeSwap", before);
    el.removeEventListener("htmx:afterSwap", after);
  };
}

// null: scrolled to the end, and stays there as lines arrive.
function scrollOf(log) {
  if (!log) return null;
  const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  return isAtEnd ? null : log.scrollTop;
}

function follow(log, at) {
  if (log) log.scrollTop = at ?? log.scrollHeight;
}
