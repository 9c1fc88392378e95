/** The conversation: sends what was said, speaks the answer, and can be interrupted at any moment (see states.js). */

import { asFailure, Failure, inPlace } from "./failures.js";
import { onceAFrame } from "./frames.js";
import { quietOthers } from "./other-tabs.js";
import { ENDED } from "./sentences.js";
import { ask } from "./service.js";
import { askWithin } from "./shortening.js";
import { Speaker } from "./speaker.js";
import { isHandsFree, STATES } from "./states.js";
import { Transcript } from "./transcript.js";

/** @import {Entry} from "./history.js" */
/** @import {Chosen} from "./settings.js" */
/** @import {Recorded} from "./service.js" */
/** @import {Happening, State} from "./states.js" */
/** @import {View} from "./view.js" */
/** @import {Turn} from "./turn.js" */

export class Session {
  /** Changed by `enter` alone. @type {State} */
  #state = "idle";
  /** Called with each state. @type {(state: State) => void} */
  onstate = () => {};
  /** Called where the connection was cut: the service may be gone. */
  oncut = () => {};
  /** Opens the microphone of a conversation that is paused; false where it cannot. */
  resume = async () => true;
  /** What was not answered, until it is no longer wanted. @type {{send: () => void, words: string} | null} */
  #unsent = null;
  transcript;
  speaker = new Speaker();
  /** What goes on at the moment; aborting it ends and settles it. */
  #current = new AbortController();
  /** What speech is asked for as: an upstream may have PCM of another rate than ours alone. */
  #format = /** @type {"pcm" | "wav"} */ ("pcm");

  /**
   * @param {View} view
   * @param {() => Chosen} chosen what Settings say at the moment; throws a Failure where a key lacks
   * @param {() => number} speed how fast replies are spoken
   */
  constructor(view, chosen, speed) {
    this.view = view;
    this.chosen = chosen;
    this.speed = speed;
    this.transcript = new Transcript(view, (turn) => this.replay(turn));
  }

  get state() {
    return this.#state;
  }

  /** Which microphone is wanted. Throws a Failure where what it hears could not be sent, unless that is tried. */
  microphone(tries = false) {
    if (this.view.asked && !tries) throw this.view.asked;
    return this.chosen().microphone;
  }

  /** Offer, whatever fails, to send what was not answered. @param {() => void} send @param {boolean} [isFile] */
  keep(send, isFile) {
    this.#unsent = { send, words: isFile ? "Send the file again" : "Send what was recorded" };
  }

  /** Tells when what goes on at the moment was ended. */
  get signal() {
    return this.#current.signal;
  }

  /** Stop whatever goes on: the microphone, the request, the sound. */
  stop() {
    this.#unsent = null;
    this.view.forgive();
    this.begin("stop");
  }

  /**
   * Send a recording and take its answer to the end.
   * @param {Recorded} recorded
   * @param {"file" | "sent" | "added"} how `added` where it holds what was sent just before, and more
   * @param {{turn: Turn, before: readonly Entry[]}} [tried] the turn in which it failed, and what came before
   */
  async send(recorded, how = "file", tried) {
    const { state } = this;
    const signal = this.begin(how);
    if (!signal) return;
    this.#unsent = null;
    const { history } = this.transcript;
    const { entries } = history;
    // The model is told of what was said once, not once for each try.
    const before = tried?.before ?? entries;
    history.entries = before;
    const settle = (/** @type {string} */ reply) => {
      if (!turn.transcript) history.entries = entries; // What was tried before stays.
      this.transcript.settle(turn, reply);
    };
    const turn = this.transcript.add(this.#format);
    if (isHandsFree(state) && !isHandsFree(this.state)) this.view.note(ENDED);
    const refresh = onceAFrame(() => {
      if (turn.settled) return;
      turn.refresh();
      this.view.follow();
    });
    signal.addEventListener("abort", () => {
      if (signal.reason === "added") return this.transcript.remove(turn);
      turn.cut(turn.spoken.heard);
      // What has failed while the rest was still spoken stays so.
      if (failure) turn.conclude(failure);
      else turn.cancel();
      settle(turn.reply.slice(0, turn.spoken.heard));
    });
    let [failure, silent] = /** @type {(Failure | null)[]} */ ([null, null]);
    try {
      for await (const event of this.#answer(recorded, signal)) {
        const samples = await turn.take(event);
        if (signal.aborted) break;
        this.view.answered(event.name);
        if (event.name === "transcript") {
          if (tried && !tried.turn.reply) this.transcript.remove(tried.turn);
          this.enter("transcript");
        }
        if (event.name === "text" && !silent) this.enter("written");
        if (samples.length && !turn.spoken.playback && !silent) {
          try {
            await this.#play(turn, signal, refresh);
          } catch (error) {
            silent = asFailure(error, "sound_missing"); // The rest can be read.
            this.enter("silent");
          }
        }
        turn.spoken.playback?.add(samples);
        refresh();
      }
    } catch (error) {
      failure = asFailure(error, "unreadable");
    }
    await turn.spoken.playback?.drain();
    if (signal.aborted) return;
    const mute = silent ?? turn.spoken.playback?.failure ?? null;
    turn.end(failure, Boolean(mute));
    failure ??= mute;
    this.#current = new AbortController();
    settle(turn.reply);
    if (!failure || (failure.endsText && turn.reply)) return this.enter("done");
    const again = async () => {
      this.keep(again, recorded.isFile);
      // A conversation that had to wait goes on; why it cannot has been told.
      if (!(await this.resume())) return;
      this.send(recorded, "file", turn.transcript ? { turn, before } : tried);
    };
    if (failure.asksForWav && this.#format === "pcm") {
      this.#format = "wav";
      this.transcript.remove(turn);
      history.entries = before;
      return again();
    }
    failure = inPlace(failure, { recorded, turn, before: state, now: this.state });
    if (failure.inSettings) this.keep(again, recorded.isFile); // Talk tells of it anew.
    this.fail(failure, again, failure.makesWait, failure.asks ? "Ask again" : undefined);
  }

  /** Let a reply be heard again. @param {Turn} turn */
  async replay(turn) {
    const signal = this.begin("replay");
    if (!signal) return;
    signal.addEventListener("abort", () => this.transcript.endAgain(turn, false));
    try {
      const refresh = onceAFrame(() => turn.refresh());
      const playback = await this.#play(turn, signal, refresh);
      playback.add(await turn.sound.samples());
      await playback.drain();
      if (signal.aborted) return;
      if (playback.failure) throw playback.failure;
      this.transcript.endAgain(turn, true);
      this.enter("done");
    } catch (error) {
      if (!signal.aborted) this.fail(asFailure(error, "sound_missing"));
    }
  }

  /** The answer's events. @param {Recorded} recorded @param {AbortSignal} signal */
  #answer(recorded, signal) {
    const { history } = this.transcript;
    const question = () => {
      const chosen = this.chosen();
      const fields = { ...chosen.fields, audio_format: this.#format, history: history.json };
      return ask({ ...recorded, ...chosen, fields, signal });
    };
    return askWithin(history, question, (sentence) => this.view.note(sentence));
  }

  /**
   * A playback of the turn's that ends with the signal; its sound, and the want of it, change the state.
   * @param {Turn} turn
   * @param {AbortSignal} signal
   * @param {() => void} onprogress
   */
  async #play(turn, signal, onprogress) {
    const playback = await this.speaker.open(this.speed(), signal, {
      begun: () => {
        this.view.forgive();
        turn.sounds();
        this.enter("sound");
      },
      dry: () => this.enter("dry"),
      held: () => {
        this.enter("held");
        this.view.fail(new Failure("sound_held"));
      },
    });
    playback.onprogress = onprogress;
    turn.spoken.playback = playback;
    return playback;
  }

  /** End and settle what goes on, and begin something else, if it can begin now. @param {Happening} what */
  begin(what) {
    if (!STATES[this.state].next[what]) return null;
    this.#current.abort(what);
    this.#current = new AbortController();
    this.view.forgive();
    this.enter(what);
    return this.#current.signal;
  }

  /**
   * Tell of a failure; what was recorded and not sent can still be.
   * @param {Failure} failure
   * @param {() => void} [again] does it once more
   * @param {boolean} pauses whether nothing can go on before the user has done something
   * @param {string} [words] what the button for it says
   */
  fail(failure, again, pauses = failure.inSettings, words) {
    this.begin(pauses && STATES[this.state].next.pause ? "pause" : "fail");
    this.view.fail(failure, again ?? this.#unsent?.send, again ? words : this.#unsent?.words);
    if (failure.code === "cut") this.oncut();
  }

  /** Go where this leads, if it leads anywhere now. @param {Happening} what */
  enter(what) {
    const next = STATES[this.state].next[what];
    if (!next) return;
    this.#state = next;
    if (["listening", "speaking"].includes(STATES[next].looks ?? next)) quietOthers();
    this.view.enter(next);
    this.onstate(next);
  }
}
