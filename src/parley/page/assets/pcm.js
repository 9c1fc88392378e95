/** PCM as the service sends it: 24 kHz, 16 bit, mono, little-endian. */

export const SAMPLE_RATE = 24_000;

/** Puts pieces of PCM together: a piece may end in the middle of a sample. */
export class PcmReader {
  /** @type {Uint8Array} */
  #odd = new Uint8Array();

  /**
   * The whole samples of the next piece.
   * @param {string} base64
   */
  read(base64) {
    const bytes = joined([this.#odd, decoded(base64)]);
    const whole = bytes.length - (bytes.length % 2);
    this.#odd = bytes.slice(whole);
    // Browsers run on little-endian machines alone.
    return new Int16Array(bytes.buffer, 0, whole / 2);
  }
}

/** Puts the pieces of WAV files together, one file after the other. */
export class WavReader {
  /** @type {Uint8Array[]} */
  #pieces = [];

  /**
   * The file's samples, at our rate, with its last piece; none before. Rejects where it is no file.
   * @param {string} base64
   * @param {boolean} last
   */
  async read(base64, last) {
    this.#pieces.push(decoded(base64));
    if (!last) return new Int16Array();
    const file = joined(this.#pieces);
    this.#pieces = [];
    const decoder = new OfflineAudioContext(1, 1, SAMPLE_RATE);
    const sound = await decoder.decodeAudioData(file.buffer);
    const floats = sound.getChannelData(0);
    return Int16Array.from(floats, (sample) => Math.max(-1, Math.min(1, sample)) * 32_767);
  }
}

/** @param {string} base64 */
function decoded(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  // A reply of 3,000 words is 60 MB: `from` with a function takes ten times longer.
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** @param {Uint8Array[]} pieces */
function joined(pieces) {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * The samples as a WAV file.
 * @param {Int16Array<ArrayBuffer>[]} pieces
 * @param {number} rate samples a second
 */
export function toWav(pieces, rate = SAMPLE_RATE) {
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const header = new DataView(new ArrayBuffer(44));
  const words = [
    [0, "RIFF"],
    [8, "WAVE"],
    [12, "fmt "],
    [36, "data"],
  ];
  for (const [offset, word] of /** @type {[number, string][]} */ (words)) {
    for (let index = 0; index < 4; index += 1)
      header.setUint8(offset + index, word.charCodeAt(index));
  }
  header.setUint32(4, 36 + bytes, true);
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, 1, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, 2 * rate, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  header.setUint32(40, bytes, true);
  return new Blob([header, ...pieces], { type: "audio/wav" });
}
