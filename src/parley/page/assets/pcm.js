/** PCM as the service sends it: 24 kHz, 16 bit, mono, little-endian. */

export const SAMPLE_RATE = 24_000;

/** Puts pieces of one stream together: a piece may end in the middle of a sample. */
export class PcmReader {
  /** @type {Uint8Array} */
  #odd = new Uint8Array();

  /**
   * The whole samples of the next piece.
   * @param {string} base64
   */
  read(base64) {
    const piece = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bytes = new Uint8Array(this.#odd.length + piece.length);
    bytes.set(this.#odd);
    bytes.set(piece, this.#odd.length);
    const whole = bytes.length - (bytes.length % 2);
    this.#odd = bytes.slice(whole);
    const view = new DataView(bytes.buffer, 0, whole);
    return Int16Array.from({ length: whole / 2 }, (_, index) => view.getInt16(2 * index, true));
  }
}

/**
 * The samples as a WAV file.
 * @param {Int16Array<ArrayBuffer>[]} pieces
 */
export function toWav(pieces) {
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
  header.setUint32(24, SAMPLE_RATE, true);
  header.setUint32(28, 2 * SAMPLE_RATE, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  header.setUint32(40, bytes, true);
  // Browsers run on little-endian machines alone.
  return new Blob([header, ...pieces], { type: "audio/wav" });
}
