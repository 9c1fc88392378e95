/** What is seen and announced beside the turns: the state, failures, notes. */

import { block, show, showMuted } from "./dock.js";
import { element, keepFocus } from "./elements.js";
import { Turn } from "./turn.js";

/** @import {Failure} from "./failures.js" */
/** @import {Microphone} from "./microphone.js" */
/** @import {State} from "./states.js" */

/** How far from its end, in pixels, the page may be scrolled and still follow the conversation. */
const NEAR_THE_END = 120;
/** Where the voice stays in a reply that is longer than the window, as a share of its height. */
const VOICE_FROM_TOP = 0.25;
const COPIED_MILLISECONDS = 2000;
const AGAIN = "Try again";

export class View {
  #log = element("conversation");
  #template = /** @type {HTMLTemplateElement} */ (element("turn"));
  /** @type {() => void} */
  #again = () => {};
  /** @type {Failure | null} */
  #failure = null;
  /** The last that asked for a key; it is missing, told or not, until another is set. @type {Failure | null} */
  asked = null;
  /** @type {ChildNode[]} */
  #cleared = [];
  #following = true;
  #scrollTop = 0;

  /** @param {(failure: Failure | null) => void} openSettings where the failure can be mended */
  constructor(openSettings) {
    document.addEventListener("scroll", () => this.#scrolled());
    element("try-again").addEventListener("click", () => this.#again());
    element("mend-settings").addEventListener("click", () => openSettings(this.#failure));
  }

  /** @param {State} state */
  enter(state) {
    show(state);
    element("mute").setAttribute("aria-pressed", "false");
  }

  /** Show, while it listens, whether the microphone is muted. @param {Microphone} microphone */
  mute(microphone) {
    showMuted(microphone);
  }

  /**
   * Say what failed and what to do.
   * @param {Failure} failure
   * @param {(() => void) | null} [again] does it once more
   * @param {string} [words] what the button for it says
   */
  fail(failure, again, words = AGAIN) {
    this.#failure = failure;
    this.#again = again ?? (() => {});
    element("alert").role = "alert";
    element("alert").textContent = failure.sentence;
    element("try-again").textContent = words;
    element("try-again").hidden = !again || failure.inRecording;
    element("mend-settings").hidden = !failure.offersSettings;
    block("failure", failure.blocks);
    if (failure.code === "api_key_asked") this.#ask(failure);
    this.follow(); // What is told takes room from the conversation.
  }

  /** @param {Failure | null} asked */
  #ask(asked) {
    this.asked = asked;
    block("asked", asked !== null);
  }

  /** Take the failure away. */
  forgive() {
    const { activeElement: focused } = document;
    this.#failure = null;
    element("alert").textContent = "";
    element("alert").role = "alert";
    block("failure", false);
    for (const button of ["try-again", "mend-settings"]) element(button).hidden = true;
    keepFocus(focused);
  }

  /**
   * Settings were changed: what they were to blame for is no longer true.
   * @param {boolean} keys whether a key or a host was
   */
  settingsChanged(keys) {
    if (keys) this.#ask(null);
    const { offersSettings = false, inSettings = false } = this.#failure ?? {};
    if (!(keys ? offersSettings : offersSettings && !inSettings)) return;
    if (element("try-again").hidden) return this.forgive();
    const { activeElement: focused } = document;
    element("alert").role = "status"; // Nothing failed.
    block("failure", false);
    element("alert").textContent = `Settings were changed: ${AGAIN.toLowerCase()}.`;
    element("try-again").textContent = AGAIN;
    element("mend-settings").hidden = true;
    keepFocus(focused, element("try-again"));
  }

  /** Say something in the conversation. @param {string} text */
  note(text) {
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = text;
    const turns = this.#log.querySelectorAll(".turn");
    this.#log.insertBefore(note, turns[turns.length - 1] ?? null);
  }

  /**
   * A new turn at the end of the conversation.
   * @param {"pcm" | "wav"} format of its speech
   * @param {{replay: (turn: Turn) => void}} actions
   */
  addTurn(format, { replay }) {
    this.#ask(null);
    const turn = new Turn(this.#log, this.#template, format);
    turn.on("replay", () => replay(turn));
    turn.on("save", () => turn.sound.file && save(turn.sound.file, "reply.wav"));
    turn.on("copy", (button) => copy(turn.text, button));
    this.#greet(false);
    this.follow(true);
    return turn;
  }

  /** What was cleared is not offered any more. */
  keepCleared() {
    this.#cleared = [];
  }

  /** Take a turn away in which nothing was heard. @param {Turn} turn */
  removeTurn(turn) {
    turn.element.remove();
    this.#greet(this.#log.childElementCount === 0);
  }

  /**
   * Keep the conversation's end in sight, or what is being heard where both have no room; unless the
   * user looks at something above it. Never back: who reads ahead of the voice is left alone.
   */
  follow(always = false) {
    this.#following ||= always;
    if (!this.#following) return;
    // Where the dock scrolls, too, its end is not where a failure's first words stand.
    if (element("alert").textContent && document.body.classList.contains("tall"))
      return element("failure").scrollIntoView({ block: "start" });
    const page = document.documentElement;
    const last = this.#log.lastElementChild;
    const top = element("header").getBoundingClientRect().bottom;
    // Its first line; an empty text has a box, too, but no width. Once it was stopped, the sentence that says so
    // stays in sight, and all below it that has room.
    const stopped = last?.querySelector(".stopped")?.getBoundingClientRect();
    const [unheard] = last?.querySelector(".ahead:not(:empty)")?.getClientRects() ?? [];
    const end = page.scrollHeight - page.clientHeight - page.scrollTop;
    let way = end;
    if (stopped) way = Math.min(end, stopped.top - top - stopped.height);
    else if (unheard?.width) way = unheard.top - VOICE_FROM_TOP * page.clientHeight;
    if (way > 0) page.scrollTop += way;
  }

  /** Notice where the user scrolls to. What grows below moves nothing, however fast it does. */
  #scrolled() {
    const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
    const near = scrollHeight - clientHeight - scrollTop < NEAR_THE_END;
    if (near || scrollTop < this.#scrollTop) this.#following = near;
    this.#scrollTop = scrollTop;
  }

  /** Take the conversation away, and offer it back. */
  clear() {
    this.#cleared = [...this.#log.childNodes];
    this.#log.replaceChildren();
    this.#greet(true);
    document.documentElement.scrollTop = 0; // The offer stands there.
  }

  /** Bring back what was cleared. */
  restore() {
    this.#log.append(...this.#cleared);
    this.#cleared = [];
    this.#greet(false);
    this.follow(true);
  }

  /** @param {boolean} empty whether there is no conversation yet */
  #greet(empty) {
    const { activeElement: focused } = document;
    element("greeting").hidden = !empty;
    for (const button of ["clear", "open-export"]) element(button).hidden = empty;
    element("cleared").hidden = !empty || this.#cleared.length === 0;
    keepFocus(focused, element(element("cleared").hidden ? "talk" : "undo"));
  }
}

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
async function copy(text, button) {
  const words = await navigator.clipboard.writeText(text).then(
    () => "Copied",
    () => "The browser copies nothing",
  );
  button.textContent = words;
  setTimeout(() => {
    button.textContent = "Copy";
  }, COPIED_MILLISECONDS);
}
