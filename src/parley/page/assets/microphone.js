/** The microphone: opened for one recording, and given back after it. */

import { AudioInput, pause } from "./audio-input.js";
import { Failure } from "./failures.js";
import { decibelsAt } from "./levels.js";

/**
 * What is recorded, by name: Firefox's own default is Ogg, which the service refuses; Safari has MP4.
 * @type {[string, string][]}
 */
const KINDS = [
  ["audio/webm;codecs=opus", "recording.webm"],
  ["audio/mp4", "recording.mp4"],
];
const BITS_PER_SECOND = 48_000;
/** How long is waited for the first sound that is not silence. */
const SOUND_MILLISECONDS = 600;

export class Microphone {
  /** Called when it is muted or unmuted, here or by the system. */
  onmuted = () => {};
  /** @type {Blob[]} */
  #pieces = [];
  #muted = false;
  #began = performance.now();
  /** For how long it has listened, where it is muted. @type {number | null} */
  #heard = null;

  /**
   * @param {AudioInput} input
   * @param {string} type
   * @param {string} fileName
   */
  constructor(input, type, fileName) {
    this.fileName = fileName;
    this.input = input;
    this.recorder = new MediaRecorder(input.stream, {
      mimeType: type,
      audioBitsPerSecond: BITS_PER_SECOND,
    });
    this.recorder.ondataavailable = ({ data }) => this.#pieces.push(data);
    /** Resolves once all that was recorded is kept, and nothing more will be. */
    this.stopped = new Promise((resolve) => {
      this.recorder.onstop = resolve;
    });
    input.watch({ lose: () => this.#stop(), mute: () => this.#tell() });
    if (input.silenced) this.#heard = 0;
    this.analyser = new AnalyserNode(input.context, { fftSize: 1024 });
    input.source.connect(this.analyser);
    this.recorder.start();
  }

  /**
   * Ask for the microphone and begin to record; resolves once sound arrives. Throws a Failure.
   * @param {string} device the one that is wanted, blank for the system's choice
   */
  static async open(device) {
    const kind = KINDS.find(([type]) => globalThis.MediaRecorder?.isTypeSupported(type));
    if (navigator.mediaDevices && !kind) throw new Failure("recorder_missing");
    const input = await AudioInput.open(device, "auto");
    const microphone = new Microphone(input, .../** @type {[string, string]} */ (kind));
    await microphone.#arrives();
    return microphone;
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    for (const track of this.input.stream.getTracks()) track.enabled = !muted;
    this.#tell();
  }

  /** Whether the system, or a switch on the device, mutes it. */
  get silenced() {
    return this.input.silenced;
  }

  /** How long it has listened, in milliseconds: not while it is muted. */
  get milliseconds() {
    return this.#heard ?? performance.now() - this.#began;
  }

  /** How loud it is at the moment, in decibels below the loudest. */
  get decibels() {
    if (this.input.context.state !== "running") return Number.NEGATIVE_INFINITY; // It hears nothing.
    return decibelsAt(this.analyser);
  }

  /** What was recorded, once it has stopped. */
  get recording() {
    return new Blob(this.#pieces, { type: this.recorder.mimeType });
  }

  /** Stop, give the microphone back, and return the recording. */
  async finish() {
    this.#stop();
    await this.stopped;
    this.input.close();
    return this.recording;
  }

  /** Stop, and forget what was recorded; nothing where it has finished. */
  cancel() {
    this.recorder.ondataavailable = null;
    this.#stop();
    this.input.close();
  }

  /** Wait until something is heard; a room may be as silent as no microphone, though not for long. */
  async #arrives() {
    const until = performance.now() + SOUND_MILLISECONDS;
    while (this.decibels === Number.NEGATIVE_INFINITY && performance.now() < until) await pause(20);
  }

  /** It is muted, or is no more. */
  #tell() {
    const { milliseconds } = this;
    this.#began = performance.now() - milliseconds;
    this.#heard = this.muted || this.silenced ? milliseconds : null;
    this.onmuted();
  }

  #stop() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
  }
}
