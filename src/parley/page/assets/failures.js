/** What can go wrong, what it is called where it happened, and what can be done about it. */

import { saying } from "./advice.js";
import { BLOCKING, IN_RECORDING, IN_SETTINGS, LASTING, TOLD } from "./kinds.js";
import { NAMES } from "./offer.js";
import { SENTENCES, sentenceFor } from "./sentences.js";
import { isHandsFree } from "./states.js";

/** @import {Recorded} from "./service.js" */
/** @import {State} from "./states.js" */
/** @import {Turn} from "./turn.js" */

/** The header of the main key; the service's sentence names it where that key is missing. */
const MAIN_KEY = "X-OpenAI-API-Key";

/** What failures are where users have tokens. @type {Record<string, string>} */
const WITH_TOKENS = {
  "api_key_missing of a request": "token_missing",
  "api_key_rejected of a request": "token_rejected",
  api_key_missing: "operator_key_missing",
  api_key_rejected: "operator_key_rejected",
  api_key_unusable: "token_unusable",
  quota_exhausted: "operator_quota_exhausted",
};

/** Up to so many seconds, or minutes, are told as such. */
const MOST = 90;
/** Where a sentence says to wait. */
const WAIT = /\bWait, then\b/;
/** Where a sentence says to try again; not where it quotes somebody. */
const TRY = /\b(t)ry(?= again\b[^"]*$)/i;
/** Where a sentence says that the reply can be read. */
const READ = /\b(can be read|read the reply)\b/;

/** A failure that the user is told of. */
export class Failure extends Error {
  /**
   * @param {string} code one of SENTENCES, or of the service's
   * @param {object} [told] what the service said
   * @param {string} [told.message] its own sentence, used where SENTENCES has none
   * @param {string} [told.stage] what failed
   * @param {boolean} [told.ofStage] whether the key in question is the stage's own
   * @param {number} [told.retryAfter] seconds to wait
   * @param {number} [told.upstreamStatus] what the upstream answered
   * @param {string[]} [told.remedy] what can be chosen in Settings against what the stage's host refuses
   * @param {boolean} [told.language] whether a language was chosen there
   * @param {boolean} [told.keyed] whether a key of the user's was sent
   */
  constructor(code, told = {}) {
    const { message = "", stage = "", retryAfter, upstreamStatus } = told;
    const { ofStage = code !== "api_key_rejected" && !message.includes(MAIN_KEY) } = told;
    super(sentenceFor(code, ofStage ? stage : "") ?? saying(code, { ...told, message, stage }));
    this.code = code;
    this.told = told;
    /** Whether a key that is missing or refused is the stage's own. */
    this.ofStage = ofStage;
    this.stage = stage;
    this.retryAfter = retryAfter;
    this.upstreamStatus = upstreamStatus;
    /** Whether another try is another question, which the sentence then says. */
    this.asks = false;
  }

  /** The sentence, with the wait where one is known. */
  get sentence() {
    return this.waiting(this.retryAfter);
  }

  /** The sentence with what is left of the wait. @param {number} [seconds] */
  waiting(seconds) {
    const wait = seconds ? `Wait ${inWords(seconds)}, then` : "Wait, then";
    const has = !seconds || WAIT.test(this.message);
    const told = has ? this.message.replace(WAIT, wait) : `${this.message} ${wait} try again.`;
    if (!this.asks) return told;
    const asks = told.replace(TRY, (_, letter) => (letter === "T" ? "Ask" : "ask"));
    return this.ofSpeech && !READ.test(asks) ? `${asks} This reply can be read.` : asks;
  }

  /**
   * The same in the words that are true of what was sent: where users have tokens, a key that an upstream
   * refused is not theirs, nor is an account where they named neither key nor host; else it may be the
   * stage's own. Nobody's key was refused where none was sent.
   * @param {{tokens: boolean, headers: Record<string, string>, fields: Record<string, string>,
   *   remedies: Record<string, string[]>}} sent
   */
  of({ tokens, headers, fields, remedies }) {
    const { code, stage, told } = this;
    const named = Object.keys(headers).filter((name) => headers[name].trim());
    const has = (/** @type {RegExp} */ pattern) => named.some((name) => pattern.test(name));
    const theirs = WITH_TOKENS[stage === "request" ? `${code} of a request` : code];
    const unnamed = code === "quota_exhausted" && !has(new RegExp(`^x-(openai|${stage})-`, "i"));
    const forbidden = code === "api_key_rejected" && told.upstreamStatus === 403;
    if ((tokens || unnamed) && theirs && !forbidden) return new Failure(theirs, { stage });
    const own = has(new RegExp(`^x-${stage}-(api-key|base-url)$`, "i"));
    const keyed = has(new RegExp(`^x-${own ? stage : "openai"}-api-key$`, "i"));
    const refused = code === "api_key_rejected" && !forbidden;
    const asks = refused ? !keyed : code === "api_key_missing" && stage in NAMES;
    return new Failure(forbidden ? "not_allowed" : asks ? "api_key_asked" : code, {
      ...told,
      keyed: keyed && !tokens,
      ...(refused && { ofStage: own }),
      remedy: remedies[stage],
      language: Boolean(fields.language),
    });
  }

  /** The same of a file, of which no microphone is to blame. */
  ofFile() {
    return this.#where("file");
  }

  /** The same in a conversation, where nothing has to be pressed. @param {boolean} cuts whether it cut a reply short */
  inConversation(cuts = false) {
    return this.#where(cuts ? "interruption" : "voice");
  }

  /** The same in the words that are true there, if it has such. @param {"file" | "voice" | "interruption" | "reply" | "speech"} place */
  #where(place) {
    const code = `${this.code}_in_${place}`;
    return code in SENTENCES ? new Failure(code) : this;
  }

  /** The same where a part of the reply, or of its speech, was there already. @param {"reply" | "speech"} what */
  amid(what) {
    return this.told.message?.includes(", saying: ") ? this : this.#where(what);
  }

  /** Whether the upstream's speech could be played if it were asked for as WAV. */
  get asksForWav() {
    return this.code === "upstream_malformed" && /\bask for wav\b/i.test(this.told.message ?? "");
  }

  /** Whether the recording itself is at fault, so that sending it again is of no use. */
  get inRecording() {
    return IN_RECORDING.has(this.code);
  }

  /** Whether the service itself is out of reach. */
  get isLost() {
    return this.code === "unreachable";
  }

  /** Whether the address of a host, as the user named it, is what may be wrong. */
  get ofHost() {
    const typed = this.told.remedy?.includes("host");
    const missed = this.code === "upstream_unavailable" || this.message.includes("its host (404)");
    return this.code === "base_url_refused" || Boolean(typed && missed);
  }

  /** Whether it is one of the AI service, which other settings may mend. */
  get ofAi() {
    return this.stage in NAMES;
  }

  /** Whether it is one of the speech alone: the reply's text is whole. */
  get ofSpeech() {
    return this.stage === "tts";
  }

  /** Whether a limit or a filter ended the reply, of which all that came is spoken. */
  get endsText() {
    return this.code === "text_incomplete";
  }

  /** Whether nobody can talk before it is mended: Talk tells of it again. */
  get blocks() {
    return this.inSettings || BLOCKING.test(this.code);
  }

  /** Whether who asks anew is likely to meet it again, though only a try can tell. */
  get lasts() {
    return LASTING.test(this.code) || this.ofHost;
  }

  /** Whether it stays so when it is told no longer, until it is mended. */
  get stands() {
    return this.blocks || this.lasts || Boolean(this.retryAfter);
  }

  /** Whether its sentence names Settings before another try. */
  get settingsFirst() {
    return /^(?!.*\b(try|ask) again\b.*\bin Settings\b).*\bin Settings\b/i.test(this.sentence);
  }

  /**
   * Whether other choices may have mended it.
   * @param {Set<string>} changed the fields that were, and "keys" where a key or a host was
   */
  isMendedBy(changed) {
    const { code, stage, told } = this;
    if (changed.has("keys")) return this.offersSettings || this.ofAi;
    if (!this.ofAi || this.inSettings || code.endsWith("quota_exhausted")) return false;
    // No voice ends a wait, nor is there another model for it.
    const fields = this.retryAfter || told.upstreamStatus === 404 ? [] : (TOLD[stage] ?? []);
    return [`${stage}_model`, ...fields].some((field) => changed.has(field));
  }

  /** Whether Settings is where to mend it. */
  get inSettings() {
    return IN_SETTINGS.has(this.code);
  }

  /** Whether it is of no use to speak on: for a while, or before the user has done something. */
  get makesWait() {
    return this.inSettings || this.isLost || Boolean(this.retryAfter);
  }

  /** Whether Settings is where it may be mended. */
  get offersSettings() {
    return this.inSettings || this.message.endsWith(" in Settings.");
  }
}

/** How long that is, rounded up. @param {number} seconds */
function inWords(seconds) {
  const [count, unit] =
    seconds <= MOST
      ? [seconds, "second"]
      : seconds <= MOST * 60
        ? [seconds / 60, "minute"]
        : [seconds / 3600, "hour"];
  return new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long" }).format(
    Math.ceil(count),
  );
}

/**
 * The Failure that `error` is, or means.
 * @param {unknown} error
 * @param {string} code what anything else means
 */
export function asFailure(error, code) {
  return error instanceof Failure ? error : new Failure(code);
}

/**
 * The failure in the words that are true of the question in which it happened.
 * @param {Failure} failure
 * @param {{recorded: Recorded, turn: Turn, before: State, now: State}} question the turn that came of what was
 *   recorded, and the states in which it began and ends
 */
export function inPlace(failure, { recorded, turn, before, now }) {
  let told = isHandsFree(now) ? failure.inConversation(before === "interrupted") : failure;
  if (turn.reply && !turn.whole) told = told.amid("reply");
  if (told.ofSpeech && turn.sound.begun) told = told.amid("speech");
  if (recorded.isFile) told = told.ofFile();
  // Where the reply can be read, another try is another question.
  told.asks = Boolean(turn.reply && turn.whole);
  return told;
}
