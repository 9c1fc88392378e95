/** The Settings dialog: what the user chooses, and where what cannot be done without is entered. */

import { block } from "./dock.js";
import { element, field, keepFocus, urlIn } from "./elements.js";
import { Failure } from "./failures.js";
import { Hosts } from "./hosts.js";
import { offerLanguages, offerMicrophones, offerModels, offerVoices, STAGES } from "./offer.js";
import { forget, remember, remembers, restore } from "./remembered.js";
import { Secret } from "./secret.js";
import { explainFields, weighPrompt } from "./validity.js";

/** @import {Offer, StageName} from "./offer.js" */
/** @import {Speaker} from "./speaker.js" */

/**
 * `tokens` says whether users have tokens of the service's instead of keys, and `remedies` what can be
 * chosen here against what a stage's host refuses.
 * @typedef {{headers: Record<string, string>, fields: Record<string, string>, tokens: boolean,
 *   remedies: Record<string, string[]>, microphone: string}} Chosen
 */

export class Settings {
  #dialog = /** @type {HTMLDialogElement} */ (element("settings"));
  /** @type {Offer} */
  #offer;
  #speaker;
  #key;
  #hosts;
  /** How often a key was entered or forgotten: the same once more may be another try. */
  #entered = 0;
  /** What was sent as the dialog opened. @type {Record<string, string>} */
  #before;
  /** What had the focus then. @type {Element | null} */
  #opener = null;

  /**
   * @param {Offer} offer
   * @param {(changed: Set<string>) => void} onchange called with the fields that are sent otherwise from now
   *   on, and "keys" where other keys or hosts are
   * @param {Speaker} speaker is told at once how fast to speak
   */
  constructor(offer, onchange, speaker) {
    this.#offer = offer;
    this.#speaker = speaker;
    const refresh = () => this.#refresh();
    const enter = () => {
      this.#entered += 1;
      refresh();
    };
    this.#key = new Secret("key", enter, offer.tokens ? "token" : "key");
    this.#hosts = new Hosts(enter);
    for (const stage of STAGES) offerModels(stage, offer.stages[stage]);
    offerLanguages();
    if (offer.tokens) {
      element("key-label").textContent = "Access token";
      element("kind-of-key").textContent = "an access token";
    }
    for (const id of ["base_url-row", "hosts"]) element(id).hidden = offer.tokens;
    restore();
    // Another tab has chosen, or forgotten.
    addEventListener("storage", () => {
      restore();
      refresh();
    });
    this.#dialog.addEventListener("input", () => {
      remember();
      refresh();
      element("forgotten").textContent = "";
    });
    // A browser points to what is wrong only where it is unfolded.
    const unfold = (/** @type {Event} */ { target }) =>
      this.#unfold(/** @type {Element} */ (target));
    this.#dialog.addEventListener("invalid", unfold, { capture: true });
    element("forget").addEventListener("click", () => {
      forget();
      refresh();
      element("forgotten").textContent = "What was chosen before is forgotten.";
      keepFocus(element("forget"), element("forgotten"));
    });
    this.#dialog.addEventListener("close", () => {
      this.#key.take(true);
      this.#hosts.takeKeys();
      for (const url of this.#urls) {
        if (url.validity.valid) continue;
        url.value = url.defaultValue;
        url.dispatchEvent(new Event("change"));
      }
      refresh();
      keepFocus(this.#opener);
      const sent = Object.entries(this.#sent);
      const changed = sent.filter(([name, value]) => value !== this.#before[name]);
      if (changed.length) onchange(new Set(changed.map(([name]) => name)));
    });
    explainFields(this.#dialog);
    this.#refresh();
    this.#before = this.#sent;
  }

  /** Open the dialog, at the field that mends the failure where one does. @param {Failure | null} failure */
  open(failure = null) {
    this.#before = this.#sent;
    this.#opener = document.activeElement;
    for (const url of this.#urls) url.defaultValue = url.value;
    offerMicrophones();
    this.#dialog.showModal();
    const stage = STAGES.find((name) => name === failure?.stage);
    element(this.#lacksKey ? "key" : "settings-title").focus();
    if (failure?.ofHost)
      return this.#show(stage && this.#hosts.has(stage) ? `${stage}_base_url` : "base_url");
    if (!failure?.code.startsWith("api_key_")) return;
    if (stage && failure.ofStage) return this.#show(`${stage}_key`);
    element("key-row").hidden = false; // Even where the service asks for none, its upstream may.
    this.#show("key");
  }

  /** Have a field filled in. @param {string} id */
  #show(id) {
    this.#unfold(element(id));
    field(id).focus();
  }

  /** @param {Element} control */
  #unfold(control) {
    for (const one of this.#dialog.querySelectorAll("details")) one.open ||= one.contains(control);
  }

  /** How fast replies are spoken: 1 is as they come. */
  get speed() {
    return Number(field("speed").value);
  }

  /** Whether silence ends a tap. */
  get endBySilence() {
    return field("silence").checked;
  }

  /** The failure of whatever is sent before a key or a token is entered, if one lacks. */
  get missing() {
    const { tokens } = this.#offer;
    return this.#lacksKey ? new Failure(tokens ? "token_missing" : "api_key_missing") : null;
  }

  get #lacksKey() {
    const { key_required: required, tokens, stages } = this.#offer;
    if (this.#key.value || !required) return false;
    const main = this.#mainUrl;
    const served = (/** @type {StageName} */ stage) =>
      this.#hosts.has(stage) || this.#hosts.hasKey(stage) || (stages[stage].own_host && !main);
    return tokens || !STAGES.every(served);
  }

  /** What to send. Throws a Failure where a key is needed and there is none. @returns {Chosen} */
  chosen() {
    if (this.missing) throw this.missing;
    return {
      headers: this.#headers,
      fields: this.#fields,
      tokens: this.#offer.tokens,
      remedies: Object.fromEntries(STAGES.map((stage) => [stage, this.#remedy(stage)])),
      microphone: field("microphone").value,
    };
  }

  get #headers() {
    return {
      "X-OpenAI-API-Key": this.#key.value,
      "X-OpenAI-Base-URL": this.#mainUrl,
      ...this.#hosts.headers,
    };
  }

  get #fields() {
    const fields = ["voice", "language", "system_prompt"]
      .filter((name) => !element(`${name}-row`).hidden)
      .map((name) => [name, field(name).value]);
    const models = STAGES.map((stage) => [`${stage}_model`, this.#modelName(stage)]);
    return /** @type {Record<string, string>} */ (Object.fromEntries([...fields, ...models]));
  }

  get #sent() {
    return { ...this.#fields, keys: JSON.stringify([this.#headers, this.#entered]) };
  }

  /** Show what is needed with what is chosen, and nothing else. */
  #refresh() {
    const { key_required: required } = this.#offer;
    // Another host may need a key in any case.
    element("key-row").hidden = !(required || this.#key.value || this.#mainUrl);
    block("key", this.#lacksKey);
    this.#speaker.hasten(this.speed);
    for (const stage of STAGES) {
      element(`${stage}_model-row`).hidden = !this.#hasChoice(stage) || this.#hosts.has(stage);
    }
    this.#hosts.refresh();
    weighPrompt();
    element("forget").hidden = !remembers();
    const chosen = STAGES.some((stage) => field(`${stage}_model`).value.trim());
    element("advanced-used").hidden = !(this.#hosts.used || this.#mainUrl || chosen);
    const any = STAGES.some((stage) => !element(`${stage}_model-row`).hidden);
    element("advanced").hidden = this.#offer.tokens && !any;
    offerVoices(this.#model("tts")?.voices ?? []);
    element("language-row").hidden = !(this.#model("stt")?.language ?? true);
  }

  /** Whether the service has more than one model for a stage. @param {StageName} stage */
  #hasChoice(stage) {
    const { models, open } = this.#offer.stages[stage];
    return open || models.length > 1;
  }

  /** What can be chosen here against what a stage's host refuses. @param {StageName} stage */
  #remedy(stage) {
    const own = this.#hosts.has(stage);
    const model = own || this.#hasChoice(stage);
    const can = { voice: stage === "tts", model, host: own || this.#mainUrl };
    return Object.entries(can).flatMap(([noun, is]) => (is ? [noun] : []));
  }

  get #mainUrl() {
    return urlIn("base_url");
  }

  /** The fields for base URLs. */
  get #urls() {
    return /** @type {NodeListOf<HTMLInputElement>} */ (
      this.#dialog.querySelectorAll("input[type=url]")
    );
  }

  /** The name to send, blank for the default. @param {StageName} stage */
  #modelName(stage) {
    if (this.#hosts.has(stage)) return this.#hosts.model(stage);
    return field(`${stage}_model`).value.trim();
  }

  /** The listed model that a stage would use. @param {StageName} stage */
  #model(stage) {
    const { default: usual, models } = this.#offer.stages[stage];
    return models.find((model) => model.name === (this.#modelName(stage) || usual));
  }
}
