/** The microphone: opened for one recording, and given back after it. */

import { use } from "./audio-session.js";
import { Failure } from "./failures.js";

/**
 * What is recorded, by name: Firefox's own default is Ogg, which the service refuses; Safari has MP4.
 * @type {[string, string][]}
 */
const KINDS = [
  ["audio/webm;codecs=opus", "recording.webm"],
  ["audio/mp4", "recording.mp4"],
];
const BITS_PER_SECOND = 48_000;

/** getUserMedia's errors (Media Capture and Streams, 10.2), by what the user can do. */
const REFUSALS = /** @type {Record<string, string>} */ ({
  NotAllowedError: "microphone_refused",
  SecurityError: "microphone_refused",
  NotFoundError: "microphone_missing",
  OverconstrainedError: "microphone_missing",
});

export class Microphone {
  /** @type {Blob[]} */
  #pieces = [];
  #muted = false;

  /**
   * @param {MediaStream} stream
   * @param {string} type
   * @param {string} fileName
   */
  constructor(stream, type, fileName) {
    this.fileName = fileName;
    this.stream = stream;
    this.recorder = new MediaRecorder(stream, {
      mimeType: type,
      audioBitsPerSecond: BITS_PER_SECOND,
    });
    this.recorder.ondataavailable = ({ data }) => this.#pieces.push(data);
    /** Resolves once all that was recorded is kept, and nothing more will be. */
    this.stopped = new Promise((resolve) => {
      this.recorder.onstop = resolve;
    });
    // A device that is unplugged, or leave that is withdrawn. Chromium's recorder does not notice.
    for (const track of stream.getTracks()) track.onended = () => this.#stop();
    this.context = new AudioContext();
    this.analyser = new AnalyserNode(this.context, { fftSize: 1024 });
    this.context.createMediaStreamSource(stream).connect(this.analyser);
    this.recorder.start();
  }

  /** Ask for the microphone and begin to record. Throws a Failure. */
  static async open() {
    if (!navigator.mediaDevices) throw new Failure("insecure");
    const kind = KINDS.find(([type]) => globalThis.MediaRecorder?.isTypeSupported(type));
    if (!kind) throw new Failure("recorder_missing");
    use("auto");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      throw new Failure(REFUSALS[name] ?? "microphone_busy");
    }
    return new Microphone(stream, ...kind);
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    for (const track of this.stream.getTracks()) track.enabled = !muted;
  }

  /** How loud it is at the moment, in decibels below the loudest. */
  get decibels() {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    return 10 * Math.log10(power);
  }

  /** What was recorded, once it has stopped. */
  get recording() {
    return new Blob(this.#pieces, { type: this.recorder.mimeType });
  }

  /** Stop, give the microphone back, and return the recording. */
  async finish() {
    this.#stop();
    await this.stopped;
    this.#close();
    return this.recording;
  }

  /** Stop, and forget what was recorded; nothing where it has finished. */
  cancel() {
    this.recorder.ondataavailable = null;
    this.#stop();
    this.#close();
  }

  #stop() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
  }

  #close() {
    for (const track of this.stream.getTracks()) track.stop();
    if (this.context.state !== "closed") this.context.close();
  }
}
