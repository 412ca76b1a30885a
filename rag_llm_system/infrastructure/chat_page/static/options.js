// What a question is asked with besides its words: filters, the number of passages, the deadline.
import * as api from "./api.js";
import { byId, make } from "./dom.js";

const KEPT = "rag.options";
const FILTERS = { author_full_name: "authors", category: "categories", platform: "platforms" };
const NUMBERS = ["k", "deadline_s"];
const WORDS = { k: (value) => `${value} passages`, deadline_s: (value) => `within ${value} s` };

export class Options {
  constructor() {
    this.form = byId("composer");
    const kept = this.kept();
    for (const name of Object.keys(FILTERS)) this.offer(name, [], kept[name]);
    for (const name of NUMBERS) this.form.elements[name].value = kept[name] ?? "";
    this.form.addEventListener("change", () => this.changed());
    // a field that is folded away cannot say what is wrong with it
    this.form.addEventListener("invalid", () => (byId("options").open = true), true);
    byId("clear-options").onclick = () => this.clear();
    this.changed();
  }

  /** Offers what the index has; without an answer the choice stays as it is. */
  async load() {
    try {
      const known = await api.filters();
      for (const [name, list] of Object.entries(FILTERS)) this.offer(name, known[list], this.value(name));
    } catch (error) {
      if (!(error instanceof api.Failure)) throw error;
    }
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

  /** The fields of a request. */
  request() {
    const filters = Object.fromEntries(
      Object.keys(FILTERS).map((name) => [name, this.value(name)]).filter(([, value]) => value),
    );
    const numbers = NUMBERS.map((name) => [name, this.value(name)]).filter(([, value]) => value);
    return { filters, ...Object.fromEntries(numbers.map(([name, value]) => [name, Number(value)])) };
  }

  /** The chosen filters for people. */
  filters() {
    return Object.keys(FILTERS).map((name) => this.value(name)).filter(Boolean).join(", ");
  }

  clear() {
    for (const name of [...Object.keys(FILTERS), ...NUMBERS]) this.form.elements[name].value = "";
    this.changed();
  }

  changed() {
    const numbers = NUMBERS.filter((name) => this.value(name)).map((name) => WORDS[name](this.value(name)));
    const chosen = [this.filters(), ...numbers].filter(Boolean).join(", ");
    byId("options-chosen").textContent = chosen ? `: ${chosen}` : "";
    const values = [...Object.keys(FILTERS), ...NUMBERS].map((name) => [name, this.value(name)]);
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
