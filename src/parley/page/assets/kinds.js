/** Which codes of failures are of one kind. */

/** Codes whose remedy is in Settings. */
export const IN_SETTINGS = new Set([
  "api_key_missing",
  "api_key_asked",
  "api_key_rejected",
  "api_key_unusable",
  "token_missing",
  "token_rejected",
  "token_unusable",
  "base_url_refused",
]);

/** Codes of what keeps everybody from talking until it is mended, beside those that Settings mend. */
export const BLOCKING = /^(insecure|recorder_missing|microphone_(missing|refused|busy))$/;

/** Codes of what may keep the next question from being answered until somebody mends it elsewhere. */
export const LASTING =
  /^(operator_.*|quota_exhausted|upstream_rejected|not_allowed|microphone_lost)$/;

/** Codes that the same recording would meet again. */
export const IN_RECORDING = new Set([
  "audio_too_large",
  "audio_too_large_in_file",
  "audio_unsupported",
  "audio_empty",
  "no_speech",
  "no_speech_in_file",
  "no_speech_in_voice",
  "no_speech_in_interruption",
  "file_unreadable",
]);

/** What a stage is told of Settings, beside its model. @type {Record<string, string[]>} */
export const TOLD = { stt: ["language"], text: ["system_prompt"], tts: ["voice"] };
