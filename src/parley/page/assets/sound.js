/** A reply's speech: read as it arrives, kept outside of the page's memory once it is all there. */

import { PcmReader, toWav, WavReader } from "./pcm.js";

/** @import {AudioData} from "./events.js" */

/** How much speech is kept, in bytes: an hour and a half. The oldest goes first. */
const MOST_BYTES = 256 * 1024 * 1024;
const WAV_HEADER_BYTES = 44;

export class Sound {
  /** @type {Int16Array<ArrayBuffer>[]} */
  #pieces = [];
  #reader;
  /** The whole as a WAV file; browsers keep large files on the disk. @type {Blob | null} */
  file = null;

  /** @param {"pcm" | "wav"} format of what arrives */
  constructor(format) {
    this.#reader = format === "pcm" ? new PcmReader() : new WavReader();
  }

  /** Whether any of it is there. */
  get begun() {
    return this.#pieces.length > 0 || this.file !== null;
  }

  /** The samples of the next piece; a WAV file's come with its last. @param {AudioData} piece */
  async read({ data, last }) {
    const samples = await this.#reader.read(data, last);
    if (samples.length) this.#pieces.push(samples);
    return samples;
  }

  /** Keep all of it as a file. */
  keep() {
    if (this.#pieces.length) this.file = toWav(this.#pieces);
    this.#pieces = [];
  }

  /** Keep nothing. */
  drop() {
    this.file = null;
  }

  /** All samples of what was kept. */
  async samples() {
    const bytes = await this.file?.slice(WAV_HEADER_BYTES).arrayBuffer();
    return new Int16Array(bytes ?? new ArrayBuffer());
  }
}

/**
 * Drop the oldest sounds until the rest is no larger than what is kept.
 * @param {Sound[]} sounds from the oldest to the last, which stays
 */
export function limit(sounds, most = MOST_BYTES) {
  let rest = sounds.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
  for (const sound of sounds.slice(0, -1)) {
    if (rest <= most) return;
    rest -= sound.file?.size ?? 0;
    sound.drop();
  }
}
