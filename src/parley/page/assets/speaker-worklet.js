/** The player on the audio thread: pieces are queued, and played one after the other without a gap. */

import { Samples } from "./samples.js";
import { Stretch } from "./stretch.js";

/** How often it is told how much was played: every 1,024 samples, 43 ms. */
const REPORT_SAMPLES = 1024;

class Player extends AudioWorkletProcessor {
  /** @param {{processorOptions?: {speed?: number}}} options */
  constructor({ processorOptions: { speed = 1 } = {} }) {
    super();
    const queue = new Samples();
    /** What is played: the queue itself, or the same faster or slower. */
    this.source = speed === 1 ? queue : new Stretch(queue, speed);
    this.reported = 0;
    this.complete = false;
    this.stopped = false;
    /** Whether it waits, and whether it has fallen silent for that. */
    this.held = false;
    this.silent = false;
    this.port.onmessage = ({ data }) => {
      if (data.samples) queue.push(data.samples);
      this.complete ||= Boolean(data.complete);
      this.stopped ||= Boolean(data.stop);
      this.held = data.held ?? this.held;
    };
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, [[output]]) {
    if (!this.silent) this.source.fill(output, this.complete);
    const { taken } = this.source;
    // A cut in mid-wave clicks, so that the last 5 ms fade.
    if (this.stopped || this.held)
      output.forEach((sample, index) => {
        output[index] = sample * (1 - index / output.length);
      });
    this.silent = this.held;
    const drained = this.stopped || (this.complete && this.source.empty && !this.held);
    const first = taken > 0 && this.reported === 0;
    if (drained || first || taken - this.reported >= REPORT_SAMPLES) {
      this.reported = taken;
      this.port.postMessage({ played: taken, drained });
    }
    return !drained;
  }
}

registerProcessor("player", Player);
