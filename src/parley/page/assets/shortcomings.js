/** What stays to be read in a turn of what is not whole there, or was not heard. */

/** @import {Failure} from "./failures.js" */

export const UNHEARD = "None of it was heard.";
/** Where the voice ended before the reply did, to be read, and to be saved. */
export const ENDINGS = {
  stopped: ["The voice stopped here; the rest was not heard then.", "stopped here"],
  broken: ["Its speech broke off here: the rest can only be read.", "its speech broke off here"],
};
export const SHORTCOMINGS = {
  early: "The model ended it early, at a limit or a filter.",
  broken: "It broke off here: its end never came.",
  cancelled: "It was cancelled here; more of it may have been to come.",
  mute: "Its speech broke off before its end.",
  wordless: "Nothing in it can be spoken.",
};

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

/** Why something failed, in a few words. @param {Failure | null} failure */
export function reasonOf(failure) {
  return REASONS[failure?.code ?? ""] ?? "it failed";
}
