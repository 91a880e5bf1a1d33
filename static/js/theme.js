// Applies the stored theme and typeface before the first paint. A classic script in <head>, to
// avoid a flash.
(() => {
  for (const [name, values] of [["theme", ["light", "dark"]], ["face", ["serif"]]]) {
    const stored = localStorage.getItem(name);
    if (values.includes(stored)) document.documentElement.dataset[name] = stored;
  }
})();
