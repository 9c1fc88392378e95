/** Keeps the screen awake, in browsers that can. */

let wanted = false;
/** @type {WakeLockSentinel | null} */
let lock = null;

// The browser takes it away as the page is hidden.
document.addEventListener("visibilitychange", () => {
  if (wanted && document.visibilityState === "visible") ask();
});

/** @param {boolean} awake whether the screen is to stay awake */
export function keepAwake(awake) {
  if (awake === wanted) return;
  wanted = awake;
  if (awake) return ask();
  lock?.release().catch(() => {});
  lock = null;
}

async function ask() {
  // A battery that is low, say: the conversation goes on all the same.
  const given = await navigator.wakeLock?.request("screen").catch(() => null);
  if (!given) return;
  if (wanted) lock = given;
  else given.release().catch(() => {});
}
