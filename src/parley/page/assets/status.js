/** The state in plain words, and what to say where it lasts. */

import { element } from "./elements.js";

/** @import {State} from "./session.js" */

/** @type {Record<State, string>} */
const WORDS = {
  idle: "Ready",
  starting: "Opening the microphone",
  listening: "Listening",
  hearing: "Hearing what you said",
  thinking: "Thinking",
  speaking: "Speaking",
};

const LONG_MILLISECONDS = 6000;
/** @type {Partial<Record<State, string>>} */
const WHEN_LONG = {
  starting: "Waiting for the microphone: does the browser ask you to allow it?",
  hearing: "Still hearing what you said; the first answer can take a while",
  thinking: "Still thinking; the first answer can take a while",
};

/** @type {ReturnType<typeof setTimeout> | undefined} */
let patience;

/** @param {State} state */
export function tell(state) {
  clearTimeout(patience);
  document.body.dataset.state = state;
  say(WORDS[state]);
  const words = WHEN_LONG[state];
  if (words) patience = setTimeout(() => say(words), LONG_MILLISECONDS);
}

/** Tell, while it listens, that the microphone is muted, or no longer. @param {boolean} muted */
export function tellMuted(muted) {
  say(muted ? "Muted" : WORDS.listening);
}

/** @param {string} words */
function say(words) {
  element("status").textContent = words;
}
