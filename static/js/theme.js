// Sets the stored theme before the first paint. A classic script in <head>, so that nothing flashes.
(() => {
  const stored = localStorage.getItem("theme");
  if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
})();
