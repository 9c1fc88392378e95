"""What a page has shown since the last gesture and what failed in it."""

NOTE = """
if (!window.shown) {
  window.shown = [];
  const latest = new Map();
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      if (!target.matches?.("#status, #how, button")) continue;
      for (const { textContent } of addedNodes) {
        if (latest.get(target) !== textContent) window.shown.push([target, textContent]);
        latest.set(target, textContent);
      }
    }
  }).observe(document, { childList: true, subtree: true });
  const forget = () => { window.shown.length = 0; };
  for (const gesture of ["pointerdown", "keydown", "change", "drop"]) {
    addEventListener(gesture, forget, { capture: true });
  }
  // A pointer's click comes after what its press has led to.
  addEventListener("click", ({ detail }) => detail || forget(), { capture: true });
}
"""
"""Notes what the state, the hint and the buttons read, however shortly; gestures begin anew."""

SEEN = """
const at = window.shown.findIndex(([target, text]) => target.matches(place) && text === words);
window.shown.splice(0, at + 1);
return at >= 0 || [...document.querySelectorAll(place)].some((one) => one.textContent === words);
"""
"""Whether `place` reads `words`, or has since the last gesture and what was asked before."""

ERRORS = """
window.failed ??= [];
addEventListener("error", (event) => { if (event.message) failed.push(event.message); });
addEventListener("unhandledrejection", ({ reason }) => failed.push(String(reason)));
addEventListener("securitypolicyviolation", ({ violatedDirective }) => {
  failed.push(violatedDirective);
});
const { error } = console;
console.error = (...words) => { failed.push(words.join(" ")); error(...words); };
// Where Firefox is asked for this while a worklet plays, it stops for ever now and then.
if (navigator.userAgent.includes("Firefox/")) {
  const get = () => { failed.push("outputLatency"); };
  Object.defineProperty(AudioContext.prototype, "outputLatency", { get });
}
"""
"""Notes what fails in a page, in `failed`."""
