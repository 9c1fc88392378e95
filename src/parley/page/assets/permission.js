/** Notices that the user allows the microphone which the browser has blocked. */

/** @import {View} from "./view.js" */

/** Take back that it is blocked, once it is not. @param {View} view */
export async function heedPermission(view) {
  const permission = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
  permission?.addEventListener("change", () => {
    if (permission.state !== "denied") view.mend(/^microphone_refused/);
  });
}
