// Asks for the API key of a server that wants one.
import { currentKey, useKey } from "./api.js";
import { byId, part } from "./dom.js";

/** True when a key was given, false when the reader thought better of it. */
export function askForKey() {
  const dialog = byId("key");
  const form = dialog.querySelector("form");
  part(dialog, "why").textContent = currentKey()
    ? "The server did not accept this key. Enter another one."
    : "This server answers only with an API key.";
  form.reset();
  part(dialog, "cancel").onclick = () => dialog.close("");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    let given = false;
    form.onsubmit = () => {
      useKey(form.elements.key.value.trim());
      form.reset(); // the page's document does not hold it longer than needed
      given = true;
    };
    dialog.onclose = () => resolve(given);
  });
}
