// Tells the stylesheet how high the line at the bottom of the page is, so that what has the focus
// scrolls to above it.

export function mount(el) {
  const root = document.documentElement;
  const size = new ResizeObserver(() => root.style.setProperty("--bottom-line", `${el.offsetHeight}px`));
  size.observe(el);
  return () => {
    size.disconnect();
    root.style.removeProperty("--bottom-line");
  };
}
