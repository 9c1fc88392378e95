/** Tells when somebody has spoken and then fallen silent. */

const SILENCE_MILLISECONDS = 1500;
/** How far a voice stands above the room, and what is too quiet to be one, in decibels. */
const ABOVE_ROOM = 10;
const QUIETEST_VOICE = -50;
/** How fast the estimate of the room follows a room that grows louder, in decibels a second. */
const ROOM_RISE = 3;

export class Quiet {
  #room = Number.POSITIVE_INFINITY;
  #spoken = false;
  #lastVoice = 0;
  #lastTime = 0;

  /**
   * Take the level at a moment; true once there was a voice and then 1.5 s without one.
   * @param {number} decibels
   * @param {number} now in milliseconds
   */
  hears(decibels, now) {
    const level = Math.max(decibels, -100);
    const rise = this.#lastTime ? (ROOM_RISE * (now - this.#lastTime)) / 1000 : 0;
    this.#room = Math.min(level, this.#room + rise);
    this.#lastTime = now;
    if (level > Math.max(QUIETEST_VOICE, this.#room + ABOVE_ROOM)) {
      this.#spoken = true;
      this.#lastVoice = now;
    }
    return this.#spoken && now - this.#lastVoice >= SILENCE_MILLISECONDS;
  }
}
