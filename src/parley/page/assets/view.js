/** What is seen and announced beside the turns: the state, failures, notes. */

import { block, show, showMuted } from "./dock.js";
import { element, keepFocus } from "./elements.js";
import { wayDown } from "./sight.js";
import { Standing } from "./standing.js";
import { copy, save } from "./take-along.js";
import { Turn } from "./turn.js";

/** @import {Failure} from "./failures.js" */
/** @import {Microphone} from "./microphone.js" */
/** @import {State} from "./states.js" */

/** How far from its end, in pixels, the page may be scrolled and still follow the conversation. */
const NEAR_THE_END = 120;
const AGAIN = "Try again";

export class View {
  #log = element("conversation");
  #template = /** @type {HTMLTemplateElement} */ (element("turn"));
  /** @type {() => void} */
  #again = () => {};
  /** What is told. @type {Failure | null} */
  #failure = null;
  /** What the button for another try says, once there is no wait. */
  #words = AGAIN;
  #standing = new Standing((failure, left) => this.#count(failure, left));
  #lost = false;
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
    this.#tell(failure.sentence);
    this.#words = words;
    element("try-again").textContent = failure.retryAfter ? `${words} now` : words;
    element("try-again").hidden = !again || failure.inRecording;
    element("mend-settings").hidden = !failure.offersSettings;
    element("try-again")[failure.settingsFirst ? "before" : "after"](element("mend-settings"));
    this.lose(failure.isLost);
    this.#standing.add(failure);
    this.follow(); // What is told takes room from the conversation.
  }

  /** The last that only Settings mend, if it stands: whatever is said before they do is said in vain. */
  get asked() {
    return this.#standing.asked;
  }

  /** An event of an answer came, so that what it is of works. @param {string} event its name */
  answered(event) {
    if (event === "transcript") this.lose(false);
    this.#standing.show(event);
  }

  /** Such failures of the microphone are mended. @param {RegExp} codes */
  mend(codes) {
    if (codes.test(this.told)) this.calm("The microphone is allowed");
    this.#standing.mend(({ code }) => codes.test(code));
  }

  /** Tell of the failure no longer; what stands, stands. */
  forgive() {
    const { activeElement: focused } = document;
    this.#failure = null;
    this.#tell("");
    for (const button of ["try-again", "mend-settings"]) element(button).hidden = true;
    keepFocus(focused);
  }

  /**
   * Settings were changed: what they were to blame for is no longer true.
   * @param {Set<string>} changed see `isMendedBy`
   * @param {Failure | null} missing what lacks now
   */
  settingsChanged(changed, missing) {
    this.#standing.mend((failure) => failure.isMendedBy(changed));
    if (!this.#failure?.isMendedBy(changed)) return;
    const again = element("try-again").hidden ? null : this.#again;
    if (missing) this.fail(missing, again, this.#words);
    else this.calm("Settings were changed");
  }

  /** The code of the failure that is told, blank where none is. */
  get told() {
    return this.#failure?.code ?? "";
  }

  /** Whether the service is known to be out of reach. */
  get isLost() {
    return this.#lost;
  }

  /** Say whether the service is out of reach; it is until it answers, whatever is told. */
  lose(lost = true) {
    this.#lost = lost;
    block("lost", lost);
  }

  /**
   * What failed may work now: say so where it can be tried again.
   * @param {string} why
   * @param {() => void} [vain] the try that has nothing left to do
   */
  calm(why, vain) {
    if (element("try-again").hidden || this.#again === vain) return this.forgive();
    const { activeElement: focused } = document;
    this.#failure = null;
    element("try-again").textContent = this.#words;
    this.#tell(`${why}: ${this.#words.toLowerCase()}.`, "status"); // Nothing failed.
    element("mend-settings").hidden = true;
    keepFocus(focused, element("try-again"));
  }

  /**
   * @param {string} words
   * @param {"alert" | "status"} role
   */
  #tell(words, role = "alert") {
    const alert = element("alert");
    [alert.role, alert.ariaLive, alert.textContent] = [role, null, words];
  }

  /**
   * Show how long there is still to wait; who hears the page is told at the beginning and the end.
   * @param {Failure} failure
   * @param {number} left in seconds
   */
  #count(failure, left) {
    if (this.#failure !== failure) return;
    if (!left) return this.calm("The wait is over");
    element("alert").ariaLive = "off";
    element("alert").textContent = failure.waiting(left);
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
    const way = wayDown(this.#log.lastElementChild);
    if (way > 0) document.documentElement.scrollTop += way;
  }

  /** Notice where the user scrolls to. What grows below moves nothing, however fast it does. */
  #scrolled() {
    const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
    const near = scrollHeight - clientHeight - scrollTop < NEAR_THE_END;
    if (near || scrollTop < this.#scrollTop) this.#following = near;
    this.#scrollTop = scrollTop;
  }

  /** Take the conversation away, and offer back what there is of it. @param {boolean} any whether there is */
  clear(any) {
    if (any) this.#cleared = [...this.#log.childNodes];
    this.#log.replaceChildren();
    this.#greet(true);
    // The offer stands at the top, in a low window behind the dock.
    const [offer, dock] = ["undo", "footer"].map((one) => element(one).getBoundingClientRect());
    document.documentElement.scrollTop += offer.bottom - dock.top;
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
