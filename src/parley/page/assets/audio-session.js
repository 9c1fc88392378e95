/** Tells iPhones what sound is for; other browsers do not ask. */

/**
 * Unless it is told of a playback, an iPhone takes WebAudio for a game's and lets the ring switch
 * silence it; while it is told so, it gives no microphone. (W3C Audio Session, Safari 16.4.) Where
 * both are wanted at once, a playback changes nothing.
 * @param {"auto" | "playback" | "play-and-record"} type
 */
export function use(type) {
  const { audioSession } = /** @type {{audioSession?: {type: string}}} */ (navigator);
  if (!audioSession) return;
  if (type === "playback" && audioSession.type === "play-and-record") return;
  audioSession.type = type;
}
