// Swagger UI on the API page. It uses the reader's session and CSRF token, and calls no other host.

const dark = matchMedia("(prefers-color-scheme: dark)");

// Swagger switches to dark mode by a class; we use an attribute, or the system's setting.
function followTheme() {
  const chosen = document.documentElement.dataset.theme;
  document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : dark.matches);
}

export function mount(element) {
  const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const observer = new MutationObserver(followTheme);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  dark.addEventListener("change", followTheme);
  followTheme();
  window.SwaggerUIBundle({
    url: element.dataset.schema,
    domNode: element,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (request.method !== "GET") request.headers["X-CSRFToken"] = csrf;
      return request;
    },
  });
  return () => {
    observer.disconnect();
    dark.removeEventListener("change", followTheme);
    document.documentElement.classList.remove("dark-mode");
  };
}
