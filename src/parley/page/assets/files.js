/** Audio files instead of the microphone: dropped onto the page, or chosen. */

/**
 * @param {HTMLInputElement} input
 * @param {(file: File) => void} send
 */
export function takeFiles(input, send) {
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) send(file);
    input.value = ""; // So that the same file can be chosen again.
  });

  // Elements are entered before the ones around them are left.
  let depth = 0;
  const enter = (/** @type {number} */ change) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dropping", depth > 0);
  };
  // Text that is dragged into a field is the browser's matter.
  /** @param {string} kind @param {(event: DragEvent) => void} handle */
  const onFiles = (kind, handle) =>
    document.addEventListener(kind, (event) => {
      const drag = /** @type {DragEvent} */ (event);
      if (drag.dataTransfer?.types.includes("Files")) handle(drag);
    });
  onFiles("dragenter", () => enter(1));
  onFiles("dragleave", () => enter(-1));
  onFiles("dragover", (event) => event.preventDefault());
  onFiles("drop", (event) => {
    event.preventDefault();
    enter(-depth);
    const file = event.dataTransfer?.files[0];
    if (file) send(file);
  });
}
