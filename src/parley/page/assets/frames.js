/** Draws no more often than the screen does, and lets it. */

/** Work that goes on for longer is seen to. */
const LONG_MILLISECONDS = 8;

/**
 * Calls `draw` at the next frame, however often it was asked for: words come faster than frames.
 * @param {() => void} draw
 */
export function onceAFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** What lets the browser draw and react where it is awaited amid long work; timers sleep in hidden tabs. */
export function pauses() {
  const { port1, port2 } = new MessageChannel();
  let since = performance.now();
  return async () => {
    if (performance.now() - since < LONG_MILLISECONDS) return;
    await new Promise((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(null);
    });
    since = performance.now();
  };
}
