/** Draws no more often than the screen does. */

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
