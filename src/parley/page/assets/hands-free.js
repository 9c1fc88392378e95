/** A conversation without a hand: who speaks is heard, answered, and heard again (see states.js). */

import { showVoice } from "./dock.js";
import { Ear } from "./ear.js";
import { asFailure, Failure } from "./failures.js";
import { toWav } from "./pcm.js";
import { isHandsFree, STATES } from "./states.js";
import { RATE } from "./voice-model.js";
import { keepAwake } from "./wake-lock.js";

/** @import {Session} from "./session.js" */
/** @import {State} from "./states.js" */
/** @import {Heard} from "./utterances.js" */

/** After so long without a voice the microphone is closed. */
const ALONE_MILLISECONDS = 5 * 60_000;

export class HandsFree {
  /** The microphone while it is open. @type {Ear | null} */
  ear = null;
  /** What was said, and not yet answered. @type {Int16Array<ArrayBuffer>[]} */
  #said = [];
  /** @type {ReturnType<typeof setTimeout> | null} */
  #alone = null;

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    session.onstate = (state) => this.#enter(state);
    session.resume = async () => {
      // Where there is no microphone it is sent all the same, and the conversation ends.
      const ends = session.state !== "paused" || /^microphone_/.test(session.view.told);
      return ends || this.#open("talk", true);
    };
  }

  /** Whether a conversation is under way. */
  get isOn() {
    return isHandsFree(this.session.state);
  }

  /** The switch: begin a conversation, or end it. */
  async toggle() {
    if (this.isOn) this.session.stop();
    else await this.#open("converse");
  }

  /** Talk, while a conversation is under way: close the microphone for a while, or open it again. */
  async talk() {
    if (!STATES[this.session.state].open) await this.#open("talk");
    else this.session.begin("talk");
  }

  /** Pause, if there is anything to pause, and say why; what was said is kept. @param {string} code a failure's */
  pause(code) {
    const { session, ear } = this;
    const { next } = STATES[session.state];
    if (!next.pause) return;
    const said = [...(next.transcript ? this.#said : []), ...(ear?.hears ? ear.heard : [])];
    if (said.length) session.keep(() => session.send(recordingOf(said)));
    session.fail(new Failure(code), undefined, true);
  }

  /**
   * Whether the microphone is open then.
   * @param {"converse" | "talk"} how
   * @param {boolean} tries whether what only Settings mend is tried once more
   */
  async #open(how, tries = false) {
    const { session } = this;
    /** @type {AbortSignal | null} */
    let signal = null;
    try {
      // What is missing is told before anything is said in vain, and ends nothing.
      const microphone = session.microphone(tries);
      signal = session.begin(how);
      if (!signal) return false;
      const ear = await Ear.open(microphone, () => session.speaker.decibels);
      if (signal.aborted) {
        ear.close();
        return false;
      }
      this.ear = ear;
      ear.onheard = (heard) => this.#hear(ear, heard);
      ear.onlost = (code) => this.pause(code);
      session.enter("arrives");
      session.view.mend(/^microphone_/);
      return true;
    } catch (error) {
      const failure = asFailure(error, "microphone_busy");
      if (!signal?.aborted) session.fail(failure, undefined, how === "talk");
      return false;
    }
  }

  /**
   * @param {Ear} ear
   * @param {Heard} heard
   */
  #hear(ear, heard) {
    const { session } = this;
    if (heard === "said") {
      // Who goes on before the answer comes had not finished; to a file nobody adds.
      const how = STATES[session.state].next.added && this.#said.length ? "added" : "sent";
      this.#said = how === "added" ? [...this.#said, ...ear.said] : ear.said;
      session.send(recordingOf(this.#said), how);
    } else {
      if (heard === "voice") session.view.forgive(); // What was told before is over.
      session.enter(heard);
      showVoice(heard === "voice");
    }
  }

  /** What a state means for the microphone, the loudspeaker and the screen. @param {State} state */
  #enter(state) {
    const { open = false } = STATES[state];
    if (!open) {
      this.ear?.close();
      this.ear = null;
    }
    keepAwake(open);
    this.session.speaker.hold(["interrupted", "withheld"].includes(state));
    if (state === "reading") this.#said = [];
    // Who speaks already as a reply begins keeps it from being heard.
    if (this.ear?.hears) {
      this.session.enter(state === "replying" ? "ahead" : "voice");
      showVoice(true);
    }
    this.#await(state);
  }

  /** Wait for a voice, though not for ever; a noise prolongs nothing. @param {State} state */
  #await(state) {
    if (state === "awaiting") {
      this.#alone ??= setTimeout(() => {
        this.#alone = null;
        if (this.session.state === "awaiting") this.pause("conversation_alone");
      }, ALONE_MILLISECONDS);
    } else if (state !== "voice") {
      clearTimeout(this.#alone ?? undefined);
      this.#alone = null;
    }
  }
}

/** What is sent of what was said. @param {Int16Array<ArrayBuffer>[]} said */
function recordingOf(said) {
  return { recording: toWav(said, RATE), fileName: "recording.wav" };
}
