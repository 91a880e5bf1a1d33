// A link to a drawing in SVG saves it as PNG instead. Without scripts it stays a link to the SVG.

const SCALE = 2;

export function mount(link) {
  link.querySelector("[data-format]").textContent = "PNG";
  const save = async (event) => {
    event.preventDefault();
    const drawing = new Image();
    drawing.src = link.href;
    await drawing.decode();
    const canvas = document.createElement("canvas");
    canvas.width = drawing.naturalWidth * SCALE;
    canvas.height = drawing.naturalHeight * SCALE;
    canvas.getContext("2d").drawImage(drawing, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => {
      const saved = document.createElement("a");
      saved.href = URL.createObjectURL(blob);
      saved.download = link.download.replace(/svg$/, "png");
      saved.click();
      URL.revokeObjectURL(saved.href);
    }, "image/png");
  };
  link.addEventListener("click", save);
  return () => link.removeEventListener("click", save);
}
