/** What is seen of the state: its words, and what the buttons beside it do. */

import { element, keepFocus } from "./elements.js";
import { HEARS, isHandsFree, STATES } from "./states.js";

/** @import {State} from "./states.js" */
/** @import {Microphone} from "./microphone.js" */

const LATE_MILLISECONDS = 6000;
const NOTHING = "Listening, but no sound comes from the microphone: is it switched on?";
const SILENCED = "Your system mutes the microphone: nothing is heard until it is unmuted there";
/** How it ends that it listens while Talk is held. */
const HOLDS = {
  key: "Let go to send. Escape cancels.",
  pointer: "Let go to send. Slide off to cancel.",
  off: "Let go to cancel.",
};
/** The same, by what Talk was or is pressed with. */
const ENDS = {
  tap: "Tap Send when you have said it.",
  silent: "Tap Send, or fall silent, when you have said it.",
  ...HOLDS,
};
/** @typedef {keyof typeof ENDS} Press */

/** For so long, in milliseconds, a click where Stop was is meant for Stop: the switch takes none. */
const LATE_CLICK = 600;

/**
 * What keeps everybody from talking: a failure, the service out of reach, a key that lacks, or one that the
 * AI service asked for. Beside those, what may keep others from answering: a wait, and what has failed.
 */
const obstacles = { failure: false, lost: false, key: false, asked: false };
const doubts = { waits: false, doubted: false };
/** @type {Press} */
let pressed = "tap";

/** @type {State} */
let shown = "idle";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let patience;

/** Show the state. @param {State} state */
export function show(state) {
  const { late, talk, stop = "", looks = state, next } = STATES[state];
  const { activeElement: focused } = document;
  clearTimeout(patience);
  shown = state;
  document.body.dataset.state = looks;
  for (const button of document.querySelectorAll("[data-action=replay]"))
    button.ariaDisabled = String(!next.replay);
  document.body.classList.remove("deaf");
  tell(statusOf(state));
  if (late) patience = setTimeout(() => tell(late), LATE_MILLISECONDS);
  element("talk-word").textContent = talk;
  element("stop").textContent = stop;
  if (!stop && !element("stop").hidden) {
    const { classList } = element("converse");
    classList.add("late");
    setTimeout(() => classList.remove("late"), LATE_CLICK);
  }
  element("stop").hidden = !stop;
  element("converse").hidden = Boolean(stop);
  element("converse").setAttribute("aria-checked", String(isHandsFree(state)));
  element("mute").hidden = state !== "listening";
  element("choose").hidden = state === "listening" || isHandsFree(state);
  element("how").textContent = hintOf(state);
  if (state === "listening") explain(pressed);
  keepFocus(focused);
}

/** Say what goes on, also in Settings, which hide it. @param {string} words */
function tell(words) {
  element("status").textContent = words;
  element("meanwhile").textContent = `Meanwhile: ${words}`;
  element("meanwhile").hidden = shown === "idle";
}

/**
 * Say whether something keeps everybody from talking.
 * @param {keyof typeof obstacles} what
 * @param {boolean} blocked
 */
export function block(what, blocked) {
  obstacles[what] = blocked;
  refresh();
}

/**
 * Say whether something may keep the next question from being answered.
 * @param {keyof typeof doubts} what
 * @param {boolean} is
 */
export function doubt(what, is) {
  doubts[what] = is;
  refresh();
}

function refresh() {
  element("needs-key").hidden = !(obstacles.key || obstacles.asked);
  document.body.classList.toggle("blocked", isBlocked());
  document.body.classList.toggle("doubted", doubts.waits || doubts.doubted);
  const words = statusOf(shown);
  if (!STATES[shown].blocked) return;
  if (element("status").textContent !== words) tell(words);
  element("how").textContent = hintOf(shown);
}

function isBlocked() {
  return Object.values(obstacles).includes(true);
}

/** @param {State} state */
function statusOf(state) {
  const { status, blocked = status, lost = blocked, waits = status, doubted } = STATES[state];
  if (obstacles.lost) return lost;
  if (isBlocked()) return blocked;
  if (doubts.waits) return waits;
  return (doubts.doubted && doubted) || status;
}

/** What to do; where nobody can talk, what is told of it says that. @param {State} state */
function hintOf(state) {
  const { blocked, how = "" } = STATES[state];
  return blocked && isBlocked() ? "" : how;
}

/** Show that somebody speaks while something else goes on, or does no more. @param {boolean} heard */
export function showVoice(heard) {
  const { meanwhile } = STATES[shown];
  if (!meanwhile) return;
  if (!heard) return show(shown);
  clearTimeout(patience);
  document.body.dataset.state = "listening";
  tell(HEARS);
  element("how").textContent = meanwhile;
}

/** Say, while it listens, what ends it. @param {Press} press what Talk is pressed with */
export function explain(press) {
  pressed = press;
  if (shown !== "listening") return;
  // While Talk is held, it alone ends what was begun.
  for (const other of ["stop", "mute"]) element(other).hidden = press in HOLDS;
  element("talk-word").textContent = press === "off" ? "Cancel" : STATES[shown].talk;
  element("how").textContent = ENDS[press];
}

/** Whether Talk is held, so that nothing else sends what is said. */
export function isHeld() {
  return pressed in HOLDS;
}

/** Show, while it listens, whether anything is heard. @param {Microphone} microphone */
export function showMuted({ muted, silenced }) {
  element("mute").setAttribute("aria-pressed", String(muted));
  const words = muted ? "Muted" : STATES.listening.status;
  document.body.classList.toggle("deaf", muted || silenced);
  tell(silenced ? SILENCED : words);
  const before = "Send sends what was heard before.";
  const how = muted ? `Tap Mute again to be heard. ${before}` : silenced ? before : ENDS[pressed];
  element("how").textContent = isHeld() ? ENDS[pressed] : how;
}

/** Show, while it is said to listen, whether the microphone gives anything at all. @param {boolean} gives */
export function showGiving(gives) {
  const { status } = STATES[shown];
  const [words, instead] = gives ? [status, NOTHING] : [NOTHING, status];
  if (status !== STATES.listening.status || element("status").textContent !== instead) return;
  document.body.classList.toggle("deaf", !gives);
  tell(words);
}

/** Show for how long it has listened. @param {number | null} milliseconds null where it does not */
export function showTime(milliseconds) {
  const seconds = Math.floor((milliseconds ?? 0) / 1000);
  const rest = String(seconds % 60).padStart(2, "0");
  const text = milliseconds === null ? "" : `${Math.floor(seconds / 60)}:${rest}`;
  const place = element("talk-time");
  if (place.textContent !== text) place.textContent = text;
}
