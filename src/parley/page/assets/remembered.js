/** Choices that are remembered on this device, in the browser's storage; never a key. */

import { element, field } from "./elements.js";

const NAME = "parley";
/** Fields, each by what it is set to where nothing was chosen. @type {Record<string, string | boolean>} */
const USUAL = {
  voice: "",
  language: "",
  system_prompt: "",
  microphone: "",
  speed: "1",
  silence: false,
};

/** Fill the fields with what was chosen the last time, and say whether that is possible. */
export function restore() {
  if (!store(localStored()))
    element("what-is-remembered").textContent = "This browser remembers no choices.";
  const values = { ...USUAL, ...stored() };
  for (const id of Object.keys(USUAL)) set(id, values[id]);
}

/** Whether there is something to forget. */
export function remembers() {
  return Boolean(localStored());
}

/** Remember what the fields say. */
export function remember() {
  const values = Object.fromEntries(Object.keys(USUAL).map((id) => [id, get(id)]));
  const chosen = Object.entries(values).filter(([id, value]) => value !== USUAL[id]);
  store(chosen.length ? JSON.stringify(Object.fromEntries(chosen)) : null);
}

/** Have the fields say what they say where nothing was chosen, and remember nothing. */
export function forget() {
  for (const [id, value] of Object.entries(USUAL)) set(id, value);
  store(null);
}

/** @param {string} id */
function get(id) {
  return id === "silence" ? field(id).checked : field(id).value;
}

/**
 * @param {string} id
 * @param {string | boolean} value
 */
function set(id, value) {
  const control = field(id);
  if (id === "silence") {
    control.checked = Boolean(value);
    return;
  }
  control.value = String(value);
  // A microphone is not listed before it was allowed.
  if (control instanceof HTMLSelectElement && control.value !== value) {
    if (id === "microphone") control.append(new Option("The one that you chose", String(value)));
    control.value = id === "microphone" ? String(value) : String(USUAL[id]);
  }
}

/** What is stored, as it is. */
function localStored() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

/** @returns {Record<string, string | boolean>} */
function stored() {
  try {
    return JSON.parse(localStored() ?? "{}");
  } catch {
    return {}; // Something else's.
  }
}

/** Store the text, or nothing; false in a browser that stores nothing. @param {string | null} text */
function store(text) {
  try {
    if (text) localStorage.setItem(NAME, text);
    else localStorage.removeItem(NAME);
    return true;
  } catch {
    return false;
  }
}
