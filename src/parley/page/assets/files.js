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
  document.addEventListener("dragenter", () => enter(1));
  document.addEventListener("dragleave", () => enter(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    enter(-depth);
    const file = event.dataTransfer?.files[0];
    if (file) send(file);
  });
}
