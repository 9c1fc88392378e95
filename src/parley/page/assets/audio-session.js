/** Tells iPhones what sound is for; other browsers do not ask. */

/**
 * Unless it is told of a playback, an iPhone takes WebAudio for a game's and lets the ring switch
 * silence it; while it is told so, it gives no microphone. (W3C Audio Session, Safari 16.4.)
 * @param {"auto" | "playback"} type
 */
export function use(type) {
  const { audioSession } = /** @type {{audioSession?: {type: string}}} */ (navigator);
  if (audioSession) audioSession.type = type;
}
