/** One turn as the conversation shows it: what was said, the reply as it is heard, its times. */

import { Reply } from "./reply.js";
import { ENDINGS, reasonOf, SHORTCOMINGS } from "./shortcomings.js";
import { Sound } from "./sound.js";
import { Spoken } from "./spoken.js";
import { Timing } from "./timing.js";

/** @import {ServiceEvent} from "./events.js" */
/** @import {Failure} from "./failures.js" */

/** How often its times are drawn while they grow: a long reply has hundreds of bars. */
const DRAWN_MILLISECONDS = 250;

/** @typedef {"replay" | "save" | "copy"} Action */

export class Turn {
  transcript = "";
  reply = "";
  spoken = new Spoken();
  /** Whether nothing more of it will be heard. */
  settled = false;
  /** How many characters of the reply were heard; all of them where it was not cut. */
  #cut = Infinity;
  /** Who ended its sound there. @type {keyof typeof ENDINGS} */
  #ending = "stopped";
  #timing = new Timing();
  #shown;
  /** Whether the service has told all of it: before that, nothing says which word is the last. */
  #done = false;
  /** When its times were drawn last. */
  #drawn = 0;

  /**
   * @param {HTMLElement} log
   * @param {HTMLTemplateElement} template
   * @param {"pcm" | "wav"} format of its speech
   */
  constructor(log, template, format) {
    const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    this.sound = new Sound(format);
    this.#shown = new Reply(this.#part(".reply"));
    log.append(fragment);
  }

  /**
   * Take the next event; returns the samples that it brought.
   * @param {ServiceEvent} event
   */
  async take(event) {
    let samples = new Int16Array();
    const { name, data } = event;
    if (name === "transcript") this.transcript = this.#part(".said").textContent = data.text;
    if (name === "text") this.reply += data.delta;
    if (name === "segment") {
      this.spoken.begin(data.text);
      this.#tellVoice(data.voice, data.asked);
    }
    if (name === "audio") {
      samples = await this.sound.read(data);
      this.spoken.add(samples.length, data.last);
    }
    if (name === "done") this.#done = true;
    this.#timing.add(event);
    return samples;
  }

  /**
   * Show which part of the reply was heard, and which is still to come.
   * @param {number} characters
   */
  show(characters) {
    this.#part(".spoken").hidden = !this.reply;
    this.#shown.show(this.reply, characters);
    const now = performance.now();
    if (this.settled || now - this.#drawn < DRAWN_MILLISECONDS) return;
    this.#drawn = now;
    this.#drawTiming();
  }

  /**
   * Say that the sound ended here, before the reply did.
   * @param {number} characters
   */
  cut(characters) {
    this.show(characters);
    this.#timing.whole = this.#done;
    this.#timing.unheard = characters === 0;
    if (this.reply && !this.#shown.endsSentence && !this.#done) this.#shown.markIncomplete();
    if (characters >= this.reply.trimEnd().length) return;
    this.#cut = characters;
    this.element.classList.add("cut");
    this.#shown.cut(ENDINGS[this.#ending][0]);
  }

  /**
   * Say that its speech failed here.
   * @param {number} characters
   */
  breakOff(characters) {
    this.#ending = "broken";
    this.cut(characters);
  }

  /**
   * Its speech was heard again to its end: what it was cut short by then is cut no more, or later.
   * @param {number} samples how long the speech is
   */
  hearAgain(samples) {
    const heard = this.spoken.characters(samples);
    if (heard <= this.#cut || !Number.isFinite(this.#cut)) return;
    this.#cut = Infinity;
    this.element.classList.remove("cut");
    this.#shown.uncut();
    this.cut(heard);
  }

  /** The reply's end is missing: an ellipsis says so. */
  markIncomplete() {
    this.#timing.whole = false;
    this.#shown.markIncomplete();
  }

  /** Say that it was cancelled, where that may have left out some of it. */
  cancel() {
    if (!this.reply) this.#note("No answer: it was cancelled.");
    else if (!this.#done) this.#note(SHORTCOMINGS.cancelled);
  }

  /**
   * Say in its place why there is no reply, or why it ends early or cannot be heard.
   * @param {Failure | null} failure what failed, if anything did
   * @param {boolean} whole whether all of the reply's text is there
   */
  conclude(failure, whole) {
    if (!this.reply) return this.#note(`No answer: ${reasonOf(failure)}.`);
    const early = failure?.code === "text_incomplete";
    if (!whole) this.markIncomplete();
    if (!whole) this.#note(SHORTCOMINGS[early ? "early" : "broken"]);
    if (!this.sound.begun)
      this.#note(failure && !early ? `Not spoken: ${reasonOf(failure)}.` : SHORTCOMINGS.wordless);
    // Where it broke off, that is said in place.
    else if (failure?.ofSpeech && !(this.#ending === "broken" && Number.isFinite(this.#cut)))
      this.#note(SHORTCOMINGS.mute);
  }

  /** @param {string} words */
  #note(words) {
    const note = document.createElement("p");
    note.className = "missed";
    note.dir = "ltr";
    note.textContent = words;
    this.#part(this.reply ? ".reply" : ".said").parentElement?.append(note);
    return note;
  }

  /**
   * Say once that another voice speaks than was asked for, if any was.
   * @param {string} voice
   * @param {string} [asked]
   */
  #tellVoice(voice, asked) {
    if (!asked || asked === voice || this.element.querySelector(".voice")) return;
    const note = this.#note(`Spoken by ${voice}: the model has no voice named ${asked}.`);
    note.classList.add("voice");
  }

  /** Offer what can be done with it, now that it is over. */
  settle() {
    this.settled = true;
    this.sound.keep();
    this.#drawTiming();
    this.offer();
  }

  /** Offer to hear the reply again and to save it where there is sound, and to copy what was said. */
  offer() {
    this.#part(".again").hidden = !this.transcript;
    this.#align();
    this.#part("[data-action=copy]").hidden = !navigator.clipboard;
    // On an insecure page there is no player.
    const plays = "audioWorklet" in BaseAudioContext.prototype && isSecureContext;
    this.#part("[data-action=replay]").hidden = !(this.sound.file && plays);
    this.#part("[data-action=save]").hidden = !this.sound.file;
  }

  /** Have what belongs to the text run from the side where the text begins. */
  #align() {
    const { direction } = getComputedStyle(this.#part(this.reply ? ".reply" : ".said"));
    for (const part of [".again", ".timing"]) this.#part(part).dir = direction;
  }

  /** Say whether its reply is heard again at the moment. @param {boolean} heard */
  markHeard(heard) {
    this.element.classList.toggle("heard-again", heard);
    this.#part(".spoken .who").textContent = heard ? "Reply, heard again now" : "Reply";
  }

  /** Fold its times into one figure: another turn has come. */
  fold() {
    /** @type {HTMLDetailsElement} */ (this.#part(".timing")).open = false;
  }

  /** The turn as text. */
  get text() {
    const [heard, rest] = [this.reply.slice(0, this.#cut), this.reply.slice(this.#cut)];
    const unheard =
      rest && `[${heard.trim() && `${ENDINGS[this.#ending][1]}; `}not heard:] ${rest.trim()}`;
    const reply = `${heard.trim()} ${unheard}`.trim() + this.#shown.ellipsis;
    const notes = [...this.element.querySelectorAll(".missed")].map(
      ({ textContent }) => `(${textContent})\n`,
    );
    return `You: ${this.transcript.trim()}\n${reply && `Reply: ${reply}\n`}${notes.join("")}`;
  }

  /**
   * @param {Action} action
   * @param {(button: HTMLElement) => void} handler
   */
  on(action, handler) {
    const button = this.#part(`[data-action=${action}]`);
    button.addEventListener("click", () => handler(button));
  }

  /** Draw its times, once they say how long an answer took. */
  #drawTiming() {
    if (!this.reply || !(this.settled || this.#timing.sounds)) return;
    this.#part(".timing").hidden = false;
    this.#align();
    for (const [kind, words] of Object.entries(this.#timing.legend)) {
      const place = this.#part(`.timing :is(summary, .legend) .${kind}`);
      place.textContent = words;
      place.hidden = !words;
    }
    this.#timing.draw(/** @type {SVGElement} */ (this.element.querySelector(".timing svg")));
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.element.querySelector(selector));
  }
}
