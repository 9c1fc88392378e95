/** Which characters of a reply were heard, by how many samples of its speech were. */

/** How long a character takes, in samples, while a segment's length is not known: 15 a second. */
const SAMPLES_PER_CHARACTER = 1600;

/** @import {SpeakerPlayback} from "./speaker.js" */

const words = new Intl.Segmenter(undefined, { granularity: "word" });

export class Spoken {
  /** @type {{text: string, samples: number, complete: boolean}[]} */
  #segments = [];
  /** What plays it, or did so last. @type {SpeakerPlayback | null} */
  playback = null;

  /** How many characters were heard when it was played last. */
  get heard() {
    return this.characters(this.playback?.heard ?? 0);
  }

  /** The same by all that was played, once that is over. */
  get played() {
    return this.characters(this.playback?.played ?? 0);
  }

  /** @param {string} text the characters of the reply that the next segment covers */
  begin(text) {
    this.#segments.push({ text, samples: 0, complete: false });
  }

  /**
   * @param {number} samples how many more the last segment has
   * @param {boolean} complete whether these are its last
   */
  add(samples, complete) {
    const segment = this.#segments.at(-1);
    if (!segment) return;
    segment.samples += samples;
    segment.complete = complete;
  }

  /**
   * How many characters of the reply were heard, to the end of a word.
   * @param {number} samples how many were heard of all
   */
  characters(samples) {
    let heard = 0;
    let rest = samples;
    for (const { text, samples: length, complete } of this.#segments) {
      if (complete && rest >= length) {
        heard += text.length;
        rest -= length;
        continue;
      }
      const whole = complete ? length : Math.max(length, text.length * SAMPLES_PER_CHARACTER);
      return heard + wordsWithin(text, (text.length * rest) / whole);
    }
    return heard;
  }
}

/**
 * The length of the text's whole words within so many characters, with the marks that follow the last.
 * @param {string} text
 * @param {number} characters
 */
function wordsWithin(text, characters) {
  let end = 0;
  for (const { index, segment, isWordLike } of words.segment(text)) {
    const follows = end > 0 && !isWordLike && segment.trim();
    if (index + segment.length > characters && !follows) break;
    end = index + segment.length;
  }
  return end;
}
