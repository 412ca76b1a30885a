// What the film assistant knows of the reader: a panel to read, tell and take back.
import * as api from "./api.js";
import { announce, byId, make, part } from "./dom.js";
import { askForKey } from "./key.js";

const KEPT = "rag.user";
let userOfThisPage = "";

/** A name for this browser, unless the reader gave one. */
export function user() {
  let kept = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch {
    // storage is switched off: the name lasts until the page is left
  }
  return kept || userOfThisPage || useName(`reader-${randomWord()}`);
}

function useName(name) {
  userOfThisPage = name;
  try {
    localStorage.setItem(KEPT, name);
  } catch {
    // as above
  }
  return name;
}

function randomWord() {
  const random = crypto.getRandomValues(new Uint32Array(3));
  return Array.from(random, (word) => word.toString(36)).join("");
}

/** "I have seen" is what the server reads as a film seen. */
export function tellSeen(title) {
  return api.addPreference(user(), `I have seen ${title}`);
}

export class TastePanel {
  constructor() {
    this.dialog = byId("taste");
    this.opener = byId("show-taste");
    this.list = part(this.dialog, "kept");
    this.add = part(this.dialog, "add");
    this.name = part(this.dialog, "name");
    this.opener.onclick = () => this.open();
    part(this.dialog, "close").onclick = () => this.dialog.close();
    this.add.onsubmit = (event) => {
      event.preventDefault();
      this.tell(this.add.elements.text.value.trim());
    };
    this.name.onsubmit = (event) => {
      event.preventDefault();
      this.rename(this.name.elements.user.value.trim());
    };
  }

  open() {
    this.name.elements.user.value = user();
    this.dialog.showModal();
    this.add.elements.text.focus();
    return this.load();
  }

  async load() {
    await this.tried(async () => this.show(await api.preferences(user())));
  }

  async tell(text) {
    if (!text) return;
    const added = await this.tried(() => api.addPreference(user(), text));
    if (!added) return;
    this.add.reset();
    announce("Noted");
    await this.load();
  }

  async forget(preference) {
    const removed = await this.tried(async () => {
      await api.removePreference(user(), preference.id);
      return true;
    });
    if (!removed) return;
    await this.load();
    announce("Removed");
    // the focused button is gone
    (this.list.querySelector("button") ?? this.add.elements.text).focus();
  }

  async rename(name) {
    if (!name || name === user()) return;
    useName(name);
    await this.load();
    announce(`The taste of ${name}`);
  }

  /** What an action gives; a failure is one line, after the key was asked for where it is needed. */
  async tried(action) {
    const line = part(this.dialog, "failure");
    line.hidden = true;
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof api.Failure)) throw error;
      if (error.kind === "key" && (await askForKey())) return this.tried(action);
      line.textContent = error.message;
      line.hidden = false;
      return null;
    }
  }

  show(kept) {
    this.list.replaceChildren(...kept.map((one) => this.entry(one)));
    part(this.dialog, "none").hidden = kept.length > 0;
  }

  entry(preference) {
    const kind = preference.kind === "seen" ? make("span", { className: "tag" }, "Seen") : "";
    const remove = make("button", { type: "button", className: "plain remove", title: "Remove" }, "×");
    remove.setAttribute("aria-label", `Remove: ${preference.text}`);
    remove.onclick = () => this.forget(preference);
    return make("li", {}, kind, make("span", { dir: "auto" }, preference.text), remove);
  }
}
