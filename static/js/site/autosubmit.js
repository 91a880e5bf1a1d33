// Submits a filter bar whenever one of its fields changes, and hides its button.

export function mount(form) {
  form.querySelector("[data-autosubmit-button]").hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("formdata", (event) => {
    // Leave empty fields out of the URL.
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}
