/** What is seen and announced beside the turns: the state, failures, notes. */

import { element } from "./elements.js";
import { tell, tellMuted } from "./status.js";
import { Turn } from "./turn.js";

/** @import {Failure} from "./failures.js" */
/** @import {State} from "./session.js" */

/** How far from its end, in pixels, the page may be scrolled and still follow the conversation. */
const NEAR_THE_END = 120;
/** Where the voice stays in a reply that is longer than the window, as a share of its height. */
const VOICE_FROM_TOP = 0.25;

export class View {
  #log = element("conversation");
  #template = /** @type {HTMLTemplateElement} */ (element("turn"));
  /** @type {() => void} */
  #again = () => {};
  #following = true;
  #scrollTop = 0;

  /** @param {{replay: () => void, openSettings: () => void}} actions what its buttons do */
  constructor(actions) {
    this.actions = actions;
    document.addEventListener("scroll", () => this.#scrolled());
    element("try-again").addEventListener("click", () => this.#again());
    element("mend-settings").addEventListener("click", () => actions.openSettings());
  }

  /** @param {State} state */
  enter(state) {
    tell(state);
    element("mute").setAttribute("aria-pressed", "false");
    element("mute").hidden = state !== "listening";
  }

  /** Show, while it listens, that the microphone is muted, or no longer. @param {boolean} muted */
  mute(muted) {
    element("mute").setAttribute("aria-pressed", String(muted));
    tellMuted(muted);
  }

  /**
   * Say what failed and what to do.
   * @param {Failure} failure
   * @param {() => void} [again] does it once more
   * @param {string} [words] what the button for it says
   */
  fail(failure, again, words = "Try again") {
    this.#again = again ?? (() => {});
    element("alert").textContent = failure.sentence;
    element("try-again").textContent = words;
    element("try-again").hidden = !again || failure.inRecording;
    element("mend-settings").hidden = !failure.inSettings;
    this.follow(); // What is told takes room from the conversation.
  }

  /** Take the failure away. */
  forgive() {
    element("alert").textContent = "";
    for (const button of ["try-again", "mend-settings"]) element(button).hidden = true;
  }

  /** Say something in the conversation. @param {string} text */
  note(text) {
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = text;
    const turns = this.#log.querySelectorAll(".turn");
    this.#log.insertBefore(note, turns[turns.length - 1] ?? null);
  }

  /** A new turn at the end of the conversation. */
  addTurn() {
    const turn = new Turn(this.#log, this.#template);
    turn.on("replay", this.actions.replay);
    turn.on("save", () => save(turn.toWav(), "reply.wav"));
    this.#greet(false);
    this.follow(true);
    return turn;
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
    const page = document.documentElement;
    // Its first line; a span without text has one, too, but no width.
    const [unheard] = this.#log.lastElementChild?.querySelector(".ahead")?.getClientRects() ?? [];
    const voice = unheard?.width
      ? unheard.top - VOICE_FROM_TOP * page.clientHeight
      : page.scrollHeight;
    if (voice > 0) page.scrollTop += voice;
  }

  /** Notice where the user scrolls to. What grows below moves nothing, however fast it does. */
  #scrolled() {
    const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
    const near = scrollHeight - clientHeight - scrollTop < NEAR_THE_END;
    if (near || scrollTop < this.#scrollTop) this.#following = near;
    this.#scrollTop = scrollTop;
  }

  /** Take the conversation away. */
  clear() {
    this.#log.replaceChildren();
    this.#greet(true);
  }

  /** @param {boolean} empty whether there is no conversation yet */
  #greet(empty) {
    element("greeting").hidden = !empty;
    element("clear").hidden = empty;
  }
}

/**
 * @param {Blob} file
 * @param {string} name
 */
function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The download has taken the file by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
