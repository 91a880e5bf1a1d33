// Shows the preview as soon as a file is chosen, as the field's help says.

export function mount(form) {
  const file = form.querySelector('[type="file"]');
  file?.addEventListener("change", () => form.requestSubmit(form.querySelector('[name="preview"]')));
}
