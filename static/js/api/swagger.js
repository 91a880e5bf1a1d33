// Swagger UI on the API page. It uses the reader's session and CSRF token, and calls no other host.

const dark = matchMedia("(prefers-color-scheme: dark)");

// Swagger switches to dark mode by a class; we use an attribute, or the system's setting.
function followTheme() {
  const chosen = document.documentElement.dataset.theme;
  document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : dark.matches);
}

/**
 * Swagger's own layout has a second <main> and a heading that we do not show, and its links to an
 * operation are inside the button that opens it.
 */
function accessible({ React: { createElement: h } }) {
  const Layout = ({ getComponent, specSelectors }) => {
    const [Assets, Errors, Authorize, Operations, Models] = [
      getComponent("SvgAssets"),
      ...["errors", "AuthorizeBtnContainer", "operations", "Models"].map((name) => getComponent(name, true)),
    ];
    const isReady = specSelectors.loadingStatus() === "success";
    const parts = isReady ? [h("div", { className: "scheme-container" }, h(Authorize)), h(Operations), h(Models)] : [];
    return h("div", { className: "swagger-ui" }, h(Assets), h(Errors), ...parts);
  };
  const Link = () => ({ text }) => h("span", null, text);
  return { components: { Layout }, wrapComponents: { DeepLink: Link } };
}

// Swagger forgets the names of some controls, and no key scrolls its code.
function complete(docs) {
  for (const pre of docs.querySelectorAll("pre:not([tabindex])")) pre.tabIndex = 0;
  for (const control of docs.querySelectorAll("[data-param-name] :is(select, input, textarea)"))
    control.ariaLabel ??= control.closest("[data-param-name]").dataset.paramName;
  for (const text of docs.querySelectorAll("textarea:not([aria-label])")) text.ariaLabel = "Request body";
  for (const button of docs.querySelectorAll(".close-modal:not([aria-label])")) button.ariaLabel = "Close";
}

export function mount(element) {
  const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const observer = new MutationObserver(followTheme);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  dark.addEventListener("change", followTheme);
  followTheme();
  const additions = new MutationObserver(() => complete(element));
  additions.observe(element, { childList: true, subtree: true });
  window.SwaggerUIBundle({
    url: element.dataset.schema,
    domNode: element,
    presets: [window.SwaggerUIBundle.presets.apis],
    plugins: [accessible],
    layout: "Layout",
    deepLinking: true,
    docExpansion: "none", // all 250 operations at once take seconds
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    syntaxHighlight: { theme: "obsidian" }, // the default has numbers with a contrast of 3 : 1
    requestInterceptor: (request) => {
      if (request.method !== "GET") request.headers["X-CSRFToken"] = csrf;
      return request;
    },
  });
  return () => {
    observer.disconnect();
    additions.disconnect();
    dark.removeEventListener("change", followTheme);
    document.documentElement.classList.remove("dark-mode");
  };
}
