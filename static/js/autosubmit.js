// A filter bar that follows its fields. Its button is then of no use.

export function mount(form) {
  form.querySelector("[data-autosubmit-button]").hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("formdata", (event) => {
    // Empty fields would only lengthen the address.
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}
