// What a question is asked with besides its words: filters, the number of passages, the deadline.
import * as api from "./api.js";
import { DOCUMENTS, wordsOf } from "./assistants.js";
import { byId, counted, make } from "./dom.js";

const KEPT = "rag.options";
// The fields of each assistant's filters, and the lists that they offer
const FILTERS = {
  documents: { author_full_name: "authors", category: "categories", platform: "platforms" },
  code: { repository: "repositories" },
  movies: {},
};
const LISTS = Object.assign({}, ...Object.values(FILTERS));
const NUMBERS = ["k", "deadline_s"];

export class Options {
  constructor() {
    this.form = byId("composer");
    this.assistant = DOCUMENTS;
    const kept = this.kept();
    for (const name of Object.keys(LISTS)) this.offer(name, [], kept[name]);
    for (const name of NUMBERS) this.form.elements[name].value = kept[name] ?? "";
    this.form.addEventListener("change", () => this.changed());
    // a field that is folded away cannot say what is wrong with it
    this.form.addEventListener("invalid", () => (byId("options").open = true), true);
    byId("clear-options").onclick = () => this.clear();
    this.changed();
  }

  /** Offers what the index has and gives it; without an answer the choice stays as it is, and this gives null. */
  async load() {
    let known = null;
    try {
      known = await api.filters();
      for (const [name, list] of Object.entries(LISTS)) this.offer(name, known[list], this.value(name));
    } catch (error) {
      if (!(error instanceof api.Failure)) throw error;
    }
    this.changed();
    return known;
  }

  /** Only what can be said to this assistant; the other choices stay for the others. */
  show(assistant) {
    this.assistant = assistant;
    for (const name of Object.keys(LISTS)) {
      this.form.elements[name].closest("label").hidden = !(name in FILTERS[assistant]);
    }
    byId("options-name").textContent = Object.keys(FILTERS[assistant]).length > 0 ? "Filters" : "Options";
    this.changed();
  }

  /** The choice stays even where the index does not name it any more: it is shown, and can be changed. */
  offer(name, values, chosen = "") {
    const all = chosen && !values.includes(chosen) ? [chosen, ...values] : values;
    const select = this.form.elements[name];
    select.replaceChildren(new Option("Any", ""), ...all.map((value) => make("option", { value }, value)));
    select.value = chosen;
  }

  value(name) {
    return this.form.elements[name].value;
  }

  /** The fields of a request to an assistant. */
  request(assistant) {
    const filters = Object.fromEntries(
      Object.keys(FILTERS[assistant]).map((name) => [name, this.value(name)]).filter(([, value]) => value),
    );
    const numbers = NUMBERS.map((name) => [name, this.value(name)]).filter(([, value]) => value);
    return { filters, ...Object.fromEntries(numbers.map(([name, value]) => [name, Number(value)])) };
  }

  /** The chosen filters for people. */
  filters(assistant) {
    return Object.keys(FILTERS[assistant]).map((name) => this.value(name)).filter(Boolean).join(", ");
  }

  clear() {
    for (const name of [...Object.keys(LISTS), ...NUMBERS]) this.form.elements[name].value = "";
    this.changed();
  }

  changed() {
    const [k, seconds] = NUMBERS.map((name) => this.value(name));
    const numbers = [k && counted(k, wordsOf(this.assistant).found), seconds && `within ${seconds} s`];
    const chosen = [this.filters(this.assistant), ...numbers].filter(Boolean).join(", ");
    byId("options-chosen").textContent = chosen ? `: ${chosen}` : "";
    const values = [...Object.keys(LISTS), ...NUMBERS].map((name) => [name, this.value(name)]);
    try {
      localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(values)));
    } catch {
      // storage is switched off or full: they last until the page is left
    }
  }

  kept() {
    try {
      return JSON.parse(localStorage.getItem(KEPT)) ?? {};
    } catch {
      return {};
    }
  }
}
