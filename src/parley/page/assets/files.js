/** Audio files instead of the microphone: dropped onto the page, or chosen. */

import { element, isCovered } from "./elements.js";

const ONE = "Drop it, and it is sent.";
const SEVERAL = "One file is sent at a time: drop them, and the first recording is.";

/**
 * @param {HTMLInputElement} input which is not seen: browsers name it by words of their own
 * @param {HTMLElement} button what opens it
 * @param {(file: File, others: number) => void} send takes a file, and how many came with it
 */
export function takeFiles(input, button, send) {
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) send(file, 0);
    input.value = ""; // So that the same file can be chosen again.
  });

  // Elements are entered before the ones around them are left.
  let depth = 0;
  const enter = (/** @type {number} */ change) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dropping", depth > 0 && !isCovered());
  };
  // Text that is dragged into a field is the browser's matter.
  /** @param {string} kind @param {(event: DragEvent) => void} handle */
  const onFiles = (kind, handle) =>
    document.addEventListener(kind, (event) => {
      const drag = /** @type {DragEvent} */ (event);
      if (drag.dataTransfer?.types.includes("Files")) handle(drag);
    });
  onFiles("dragenter", ({ dataTransfer }) => {
    const files = [...(dataTransfer?.items ?? [])].filter(({ kind }) => kind === "file");
    element("drop").textContent = files.length > 1 ? SEVERAL : ONE;
    enter(1);
  });
  onFiles("dragleave", () => enter(-1));
  onFiles("dragover", (event) => {
    event.preventDefault(); // The browser would leave the page and show the file.
    // Nothing is dropped then, nor sent behind them.
    if (isCovered() && event.dataTransfer) event.dataTransfer.dropEffect = "none";
  });
  onFiles("drop", (event) => {
    event.preventDefault();
    enter(-depth);
    const files = [...(event.dataTransfer?.files ?? [])];
    const file = files.find((one) => isOffered(one, input.accept)) ?? files[0];
    if (file) send(file, files.length - 1);
  });
}

/**
 * Whether a chooser of files that accepts these kinds offers the file.
 * @param {File} file
 * @param {string} accept as an input has it
 */
function isOffered({ name, type }, accept) {
  return accept.split(",").some((kind) => {
    if (kind.startsWith(".")) return name.toLowerCase().endsWith(kind);
    return kind.endsWith("/*") ? type.startsWith(kind.slice(0, -1)) : type === kind;
  });
}
