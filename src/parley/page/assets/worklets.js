/** Loads what runs on the audio thread. */

/** How often that went wrong. */
let failures = 0;

/**
 * Load a worklet. Firefox remembers of an address that it could not be loaded, so that another try asks
 * at another one.
 * @param {BaseAudioContext} context
 * @param {string} name its file's
 */
export async function addWorklet(context, name) {
  const url = new URL(`./${name}.js${failures ? `?${failures}` : ""}`, import.meta.url);
  try {
    await context.audioWorklet.addModule(url);
  } catch (error) {
    failures += 1;
    throw error;
  }
}
