/** What the microphone hears, on the audio thread: passed on in blocks of 32 ms at 16 kHz. */

import { Resampler } from "./resampler.js";

const [BLOCK, RATE] = [512, 16_000];

class Ear extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE);
    /** @type {number[]} */
    this.block = [];
    this.closed = false;
    this.port.onmessage = () => {
      this.closed = true;
    };
  }

  /** @param {Float32Array[][]} inputs */
  process([[samples]]) {
    if (samples) this.block.push(...this.resampler.take(samples));
    while (this.block.length >= BLOCK) {
      const block = Float32Array.from(this.block.splice(0, BLOCK));
      this.port.postMessage(block, [block.buffer]);
    }
    return !this.closed;
  }
}

registerProcessor("ear", Ear);
