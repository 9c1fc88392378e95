/** What stays to be read in a turn of what is not whole there, or was not heard. */

/** @import {Failure} from "./failures.js" */
/** @import {Turn} from "./turn.js" */

export const UNHEARD = "None of it was heard.";
/** Where the voice ended before the reply did, to be read, and to be saved. */
export const ENDINGS = {
  stopped: ["The voice stopped here; the rest was not heard then.", "stopped here"],
  broken: ["Its speech broke off here: the rest can only be read.", "its speech broke off here"],
};
export const CANCELLED = "It was cancelled here; more of it may have been to come.";

/** @type {Record<string, string>} */
const REASONS = {
  api_key_missing: "a key was missing",
  api_key_asked: "a key was missing",
  api_key_rejected: "the key was refused",
  api_key_unusable: "the key cannot be one",
  token_missing: "an access token was missing",
  token_rejected: "the access token was refused",
  token_unusable: "the access token cannot be one",
  operator_key_missing: "the service has no key",
  operator_key_rejected: "the service's key was refused",
  quota_exhausted: "no credit was left",
  operator_quota_exhausted: "no credit was left",
  rate_limited: "no more calls were allowed",
  overloaded: "every place was taken",
  base_url_refused: "the service may not call its host",
  upstream_rejected: "the AI service refused it",
  not_allowed: "the AI service does not allow it",
  upstream_unavailable: "the AI service failed or could not be reached",
  upstream_timeout: "the AI service took too long",
  upstream_malformed: "what the AI service sent cannot be used",
  deadline_exceeded: "it took too long",
  text_incomplete: "a limit or a filter ended it",
  interrupted: "the service was stopped",
  internal_error: "the service failed",
  unreachable: "the service could not be reached",
  cut: "the connection was cut",
};

/**
 * What a turn lacks whose answer is over, in sentences: a reply, its end, its voice.
 * @param {Failure | null} failure what failed, if anything did
 * @param {Failure | null | undefined} end the same as the service told at the end of its answer, if that came
 * @param {Turn} turn
 * @param {boolean} broken whether it says already where its voice broke off
 */
export function shortcomings(failure, end, { reply, whole, sound }, broken) {
  const reason = REASONS[failure?.code ?? ""] ?? "it failed";
  if (!reply) return [`No answer: ${reason}.`];
  const early = failure?.endsText;
  const told = [];
  if (early) told.push("The model ended it early, at a limit or a filter.");
  else if (end?.stage === "text") told.push("It broke off here: its end never came.");
  else if (!whole) told.push("It broke off here; more of it may have been to come.");
  if (!sound.begun)
    told.push(failure && !early ? `Not spoken: ${reason}.` : "Nothing in it can be spoken.");
  else if (failure?.ofSpeech && !broken) told.push("Its speech broke off before its end.");
  return told;
}
