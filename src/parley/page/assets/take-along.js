/** What is taken from the page: files that are saved, texts that are copied. */

const COPIED_MILLISECONDS = 2000;

/**
 * Have the browser save a file.
 * @param {Blob} file
 * @param {string} name
 */
export function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The download has taken the file by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Copy a text, and say so on the button.
 * @param {string} text
 * @param {HTMLElement} button
 */
export async function copy(text, button) {
  const words = await navigator.clipboard.writeText(text).then(
    () => "Copied",
    () => "The browser copies nothing",
  );
  button.textContent = words;
  setTimeout(() => {
    button.textContent = "Copy";
  }, COPIED_MILLISECONDS);
}
