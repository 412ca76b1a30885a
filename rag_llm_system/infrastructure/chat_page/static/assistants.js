// Who answers: what each assistant is asked and said to do, and the choice among those that are there.
import { byId, make } from "./dom.js";

const KEPT = "rag.assistant";
export const DOCUMENTS = "documents";
export const FILMS = "movies";

const WORDS = {
  documents: {
    name: "Documents",
    placeholder: "Ask about your documents",
    searching: "Searching your documents",
    found: "passage",
    nothing: "Nothing was found for this. Try other words, or fewer filters.",
    welcome:
      "Ask in your own words. The answer is written from your indexed documents, and each number in it opens the passage it comes from.",
    examples: ({ authors }) => authors.slice(0, 2).map((author) => `What does ${author} write about?`),
  },
  code: {
    name: "Code",
    placeholder: "Ask about your code",
    searching: "Searching your code",
    found: "snippet",
    nothing: "No code was found for this. Try other words, or the name of a function.",
    welcome: "Ask how something works, or where it is done. The answer names files and lines, and each number in it opens the code.",
    examples: () => ["How does authentication work?", "Where are errors turned into messages?", "What happens at the start?"],
  },
  movies: {
    name: "Films",
    placeholder: "What would you like to watch?",
    searching: "Looking through the films",
    found: "film",
    nothing: "No film fits all of this. Ask for less at once.",
    welcome: "Say what you are in the mood for. Only films that are in the index are recommended, and none that you have seen.",
    examples: () => ["I want a dark sci-fi movie like Inception.", "A comedy from the 90s with Bill Murray", "Something thoughtful for tonight"],
  },
};

/** One that this page knows, whatever was kept. */
export function named(assistant) {
  return Object.hasOwn(WORDS, assistant) ? assistant : DOCUMENTS;
}

export function wordsOf(assistant) {
  return WORDS[named(assistant)];
}

/** What is shown before the first question; ask(question) asks one of the examples. */
export function welcome(assistant, known, ask) {
  const { welcome: text, examples } = wordsOf(assistant);
  byId("welcome-text").textContent = text;
  const example = (question) => make("li", {}, make("button", { type: "button", dir: "auto", onclick: () => ask(question) }, question));
  byId("examples").replaceChildren(...examples(known).map(example));
}

/** The row of choices; hidden while there is nothing to choose. */
export class Chooser {
  /** changed() is called when the reader chose, and when what can be chosen became another. */
  constructor(changed) {
    this.changed = changed;
    this.group = byId("assistants");
    this.radios = [...this.group.querySelectorAll("input")];
    this.select(kept());
    this.group.addEventListener("change", () => {
      keep(this.chosen);
      this.changed();
    });
  }

  get chosen() {
    return this.radios.find((radio) => radio.checked)?.value ?? DOCUMENTS;
  }

  /** Those that the server has; an assistant that is not among them is not chosen any more. */
  offer(names) {
    for (const radio of this.radios) radio.closest("label").hidden = !names.includes(radio.value);
    this.group.hidden = names.length < 2;
    if (!names.includes(this.chosen)) this.select(DOCUMENTS);
    this.changed();
  }

  /** For a conversation that is shown again; what the reader chose last stays the choice for the next visit. */
  show(assistant) {
    const radio = this.radios.find((one) => one.value === assistant);
    if (radio && !radio.closest("label").hidden) this.select(assistant);
    this.changed();
  }

  select(assistant) {
    for (const radio of this.radios) radio.checked = radio.value === assistant;
  }
}

function kept() {
  try {
    return named(localStorage.getItem(KEPT));
  } catch {
    return DOCUMENTS;
  }
}

function keep(assistant) {
  try {
    localStorage.setItem(KEPT, assistant);
  } catch {
    // storage is switched off or full: it lasts until the page is left
  }
}
