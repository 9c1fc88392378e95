/** What can go wrong, each with one sentence that says what to do. */

import { NAMES } from "./offer.js";

/** Said where a recording is sent while a conversation is paused, which goes on by hand; it stays to be read. */
export const ENDED = "Conversation ended here: a recording was sent while it was paused.";

/** By code: the browser's own failures, and the service's where the page knows better words. */
export const SENTENCES = {
  insecure:
    "Browsers give the microphone to secure pages only: open this page over https, or on localhost.",
  microphone_missing: "No microphone was found: connect one, then try again.",
  microphone_refused:
    "The microphone is blocked: allow it for this page in the browser, then try again.",
  microphone_busy:
    "The microphone cannot be opened: close other programs that use it, then try again.",
  microphone_lost: "The microphone was lost: connect or allow it again, then press Talk.",
  conversation_missing:
    "The conversation cannot begin, since this page could not be loaded whole: check the connection, then load it again.",
  conversation_lost: "The microphone was lost: connect or allow it again, then press Go on.",
  conversation_taken:
    "Something else has taken the microphone, a call perhaps: press Go on once it is free.",
  conversation_elsewhere:
    "Another tab with this page began to listen or to speak: press Go on to talk here.",
  speaking_elsewhere:
    "Another tab with this page began to listen or to speak, so this one stopped.",
  conversation_alone: "Nobody has spoken for five minutes: press Go on to be heard again.",
  recorder_missing:
    "This browser records neither WebM nor MP4: drop an audio file here, or use another browser.",
  let_go_early:
    "The microphone was not open yet: hold Talk until Listening is shown above it, then speak.",
  nothing_recorded: "Nothing was recorded: hold Talk while you speak, or tap it before and after.",
  sound_held: "The browser holds the sound back: press any key, or click anywhere, to hear it.",
  sound_missing: "This browser cannot play the speech: read the reply, or use another browser.",
  loudspeaker_missing:
    "No sound can be played: connect a loudspeaker, then press Hear again. The reply can be read.",
  sound_insecure:
    "Browsers play the speech on secure pages only: open this page over https, or on localhost.",
  unreachable: "The service cannot be reached: check the connection, then try again.",
  cut: "The connection was cut; what was said so far is kept: try again.",
  unreadable: "The service did not answer as expected: try again in a moment.",
  api_key_missing: "An API key is needed: enter yours in Settings, then try again.",
  api_key_asked: "The AI service asks for an API key: enter one in Settings, then try again.",
  api_key_rejected: "The API key was refused: check it in Settings, then try again.",
  token_missing: "An access token is needed: enter yours in Settings, then try again.",
  api_key_unusable:
    "No API key has spaces, or letters other than A to Z and a to z: check yours in Settings, then try again.",
  token_rejected: "The access token was refused: check it in Settings, then try again.",
  token_unusable:
    "No access token has spaces, or letters other than A to Z and a to z: check yours in Settings, then try again.",
  operator_key_missing:
    "This service has no key for the AI service: tell whoever runs this service, and try again once it is mended.",
  operator_key_rejected:
    "The AI service refused this service's own key: tell whoever runs this service, and try again once it is mended.",
  operator_quota_exhausted:
    "This service's account at the AI service has no credit left: tell whoever runs this service, and try again once it is mended.",
  base_url_refused:
    "The service may not call this base URL: change it in Settings, under Advanced, then try again.",
  audio_too_large: "The recording is too large: send at most 25 MB.",
  audio_too_large_in_file: "This file is too large: send one of at most 25 MB.",
  audio_unsupported:
    "What this file holds is no audio of a supported kind: send mp3, mp4, mpeg, m4a, wav or webm.",
  file_unreadable: "This file cannot be read: send another one.",
  audio_empty: "This file is empty: send another one.",
  no_speech: "No speech was recognised: speak closer to the microphone, and press Talk again.",
  no_speech_in_voice: "No words were recognised: say it again, closer to the microphone.",
  no_speech_in_interruption:
    "No words were recognised in what interrupted the reply: press Hear again to hear it, or speak on.",
  no_speech_in_file: "No speech was recognised in this file: send another one.",
  rate_limited: "The AI service allows no more calls at the moment. Wait, then try again.",
  upstream_unavailable_in_reply:
    "The AI service broke off amid its reply; what was said so far is kept: try again.",
  upstream_unavailable_in_speech:
    "The voice broke off amid the reply, which can be read to its end: ask again for another.",
  overloaded: "Every place is taken at the moment.",
};

/**
 * The page's own sentence, if it has one.
 * @param {string} code
 * @param {string} stage
 * @returns {string | undefined}
 */
export function sentenceFor(code, stage) {
  const name = /** @type {Record<string, string>} */ (NAMES)[stage];
  if (/^api_key_(missing|asked)$/.test(code) && name) {
    return `The host for "${name}" asks for a key: enter it in Settings, under "${name}", then try again.`;
  }
  if (code === "api_key_rejected" && name) {
    return `The key for "${name}" was refused: check it in Settings, under "${name}", then try again.`;
  }
  if (code === "api_key_unusable" && name) {
    return `No key for "${name}" has spaces, or letters other than A to Z and a to z: check it in Settings, then try again.`;
  }
  if (code === "base_url_refused" && name) {
    return `The service may not call the host for "${name}": change it in Settings, then try again.`;
  }
  if (code === "rate_limited" && name) return undefined; // Whose limit it is, the service's words tell.
  return /** @type {Record<string, string>} */ (SENTENCES)[code];
}
