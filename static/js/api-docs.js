// Swagger UI on the page of the API. It asks with the session and the CSRF token of whoever looks, and calls no other host.

export function mount(element) {
  const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  window.SwaggerUIBundle({
    url: element.dataset.schema,
    domNode: element,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    syntaxHighlight: { activated: true },
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (request.method !== "GET") request.headers["X-CSRFToken"] = csrf;
      return request;
    },
  });
}
