// Sets the stored look before the first paint. A classic script in <head>, so that nothing flashes.
(() => {
  for (const [name, values] of [["theme", ["light", "dark"]], ["face", ["serif"]]]) {
    const stored = localStorage.getItem(name);
    if (values.includes(stored)) document.documentElement.dataset[name] = stored;
  }
})();
