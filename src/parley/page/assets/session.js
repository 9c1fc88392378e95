/** The conversation: listens, sends, speaks, and can be interrupted at any moment. */

import { asFailure, Failure } from "./failures.js";
import { onceAFrame } from "./frames.js";
import { History } from "./history.js";
import { Microphone } from "./microphone.js";
import { ask } from "./service.js";
import { askWithin } from "./shortening.js";
import { Speaker } from "./speaker.js";

/** @import {Chosen} from "./settings.js" */
/** @import {View} from "./view.js" */
/** @import {Turn} from "./turn.js" */
/** @import {SpeakerPlayback} from "./speaker.js" */

/** @typedef {"idle" | "starting" | "listening" | "hearing" | "thinking" | "speaking"} State */
/** @typedef {{recording: Blob, fileName: string}} Recorded */

export class Session {
  /** @type {State} */
  state = "idle";
  /** @type {Microphone | null} */
  microphone = null;
  #history = new History();
  #speaker = new Speaker();
  /** What goes on at the moment; aborting it ends and settles it. */
  #current = new AbortController();
  /** @type {Turn | null} */
  #last = null;
  /** What a microphone that was lost had recorded. @type {Recorded | null} */
  #unsent = null;

  /**
   * @param {View} view
   * @param {() => Chosen} chosen what Settings say at the moment; throws a Failure where a key lacks
   */
  constructor(view, chosen) {
    this.view = view;
    this.chosen = chosen;
  }

  /** Allow sound; browsers ask that this be called in a gesture. */
  wake() {
    this.#speaker.wake();
  }

  /** Talk: listen, whatever goes on; or, while listening, send what was said. */
  async talk() {
    if (this.state === "listening") return this.finish();
    const signal = this.#begin("starting");
    try {
      this.chosen();
      const microphone = await Microphone.open();
      if (signal.aborted) return microphone.cancel();
      signal.addEventListener("abort", () => microphone.cancel());
      this.microphone = microphone;
      this.#enter("listening");
      microphone.stopped.then(() => this.#lose(microphone));
    } catch (error) {
      if (!signal.aborted) this.#failToListen(asFailure(error, "microphone_busy"));
    }
  }

  /** While listening, send what was said. */
  async finish() {
    const microphone = this.microphone;
    if (this.state !== "listening" || !microphone) return;
    this.#enter("hearing");
    const { signal } = this.#current;
    const recording = await microphone.finish();
    if (signal.aborted) return;
    if (recording.size) await this.send({ recording, fileName: microphone.fileName });
    else this.#fail(new Failure("nothing_recorded"));
  }

  /** Stop whatever goes on: the microphone, the request, the sound. */
  stop() {
    this.#unsent = null;
    this.#begin("idle");
  }

  /** Stop, and forget what was said. */
  clear() {
    this.stop();
    this.#history.clear();
    this.#last = null;
    this.view.clear();
  }

  /** Send a recording and take its answer to the end. @param {Recorded} recorded */
  async send(recorded) {
    const signal = this.#begin("hearing");
    this.#unsent = null;
    this.#last?.offer(false);
    const before = this.#history.entries;
    const turn = this.view.addTurn();
    /** @type {SpeakerPlayback | null} */
    let playback = null;
    const heard = () => turn.spoken.characters(playback?.heard ?? 0);
    const refresh = onceAFrame(() => {
      if (turn.settled) return;
      turn.show(heard());
      this.view.follow();
    });
    signal.addEventListener("abort", () => {
      playback?.stop();
      turn.cut(heard());
      this.#settle(turn, turn.reply.slice(0, heard()));
    });
    /** @type {Failure | null} */
    let failure = null;
    /** @type {Failure | null} */
    let silent = null;
    try {
      for await (const event of this.#answer(recorded, signal)) {
        const samples = turn.take(event);
        if (samples.length && !playback && !silent) {
          try {
            playback = await this.#play(signal);
            playback.onprogress = refresh;
          } catch (error) {
            silent = asFailure(error, "sound_missing"); // The rest can be read.
          }
        }
        if (signal.aborted) break;
        playback?.add(samples);
        if (event.name === "transcript") this.#enter("thinking");
        refresh();
      }
    } catch (error) {
      failure = asFailure(error, "unreadable");
    }
    failure ??= silent;
    await playback?.drain();
    if (signal.aborted) return playback?.stop();
    turn.show(turn.reply.length);
    if (failure?.code === "text_incomplete") turn.markIncomplete();
    this.#current = new AbortController();
    this.#settle(turn, turn.reply);
    if (!failure || failure.code === "text_incomplete") return this.#enter("idle");
    this.#fail(failure, () => {
      // The model is told of what was said once, not once for each try.
      this.#history.entries = before;
      this.send(recorded);
    });
  }

  /** Let the last reply be heard again. */
  async replay() {
    const turn = this.#last;
    if (!turn) return;
    const signal = this.#begin("speaking");
    try {
      const playback = await this.#play(signal);
      signal.addEventListener("abort", () => playback.stop());
      for (const piece of turn.sound) playback.add(piece);
      await playback.drain();
      if (!signal.aborted) this.#enter("idle");
    } catch (error) {
      if (!signal.aborted) this.#fail(asFailure(error, "sound_missing"));
    }
  }

  /** Nobody stopped the microphone, but it did. @param {Microphone} microphone */
  #lose(microphone) {
    if (this.state !== "listening" || this.microphone !== microphone) return;
    const { recording, fileName } = microphone;
    if (recording.size) this.#unsent = { recording, fileName };
    this.#failToListen(new Failure("microphone_lost"));
  }

  /** Offer what a lost microphone had recorded, if any. @param {Failure} failure */
  #failToListen(failure) {
    const unsent = this.#unsent;
    if (unsent) this.#fail(failure, () => this.send(unsent), "Send what was recorded");
    else this.#fail(failure);
  }

  /**
   * The answer's events.
   * @param {Recorded} recorded
   * @param {AbortSignal} signal
   */
  #answer(recorded, signal) {
    const question = () => {
      const chosen = this.chosen();
      const fields = { ...chosen.fields, history: this.#history.json };
      return ask({ ...recorded, ...chosen, fields, signal });
    };
    return askWithin(this.#history, question, (sentence) => this.view.note(sentence));
  }

  /** A playback whose first sound changes the state. @param {AbortSignal} signal */
  async #play(signal) {
    const playback = await this.#speaker.open();
    playback.begun.then(() => {
      if (signal.aborted) return;
      this.view.forgive();
      this.#enter("speaking");
    });
    const held = await this.#speaker.held();
    if (held && !signal.aborted) this.view.fail(new Failure("sound_held"));
    return playback;
  }

  /**
   * Remember a turn for the model, and offer its speech.
   * @param {Turn} turn
   * @param {string} heard
   */
  #settle(turn, heard) {
    turn.settled = true;
    this.#history.add(turn.transcript, heard);
    if (!turn.transcript) this.view.removeTurn(turn);
    if (turn.sound.length) {
      if (this.#last) this.#last.sound = []; // Only the last is heard again; hours would be large.
      this.#last = turn;
    }
    this.#last?.offer(true);
    this.view.follow();
  }

  /** End and settle what goes on, and begin something else. @param {State} state */
  #begin(state) {
    this.#current.abort();
    this.#current = new AbortController();
    this.microphone = null;
    this.view.forgive();
    this.#enter(state);
    return this.#current.signal;
  }

  /**
   * @param {Failure} failure
   * @param {() => void} [again] does it once more
   * @param {string} [words] what the button for it says
   */
  #fail(failure, again, words) {
    this.#begin("idle");
    this.view.fail(failure, again, words);
  }

  /** @param {State} state */
  #enter(state) {
    this.state = state;
    this.view.enter(state);
  }
}
