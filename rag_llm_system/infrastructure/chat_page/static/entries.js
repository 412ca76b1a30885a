// How a source is shown: a passage by its title, code by its file and lines, a film as a card.
import { announce, make } from "./dom.js";

// What a cosine similarity of sentence encoders means, roughly: unrelated texts are below 0.3
const SIMILARITY = [
  [0.7, "very close"],
  [0.5, "close"],
  [0.3, "related"],
  [-Infinity, "distant"],
];
const LANGUAGES = {
  bash: "Shell", c: "C", cc: "C++", cfg: "Configuration", cpp: "C++", cs: "C#", css: "CSS", go: "Go", h: "C", hpp: "C++",
  html: "HTML", java: "Java", js: "JavaScript", json: "JSON", jsx: "JavaScript", kt: "Kotlin", lua: "Lua", md: "Markdown",
  mjs: "JavaScript", php: "PHP", py: "Python", pyi: "Python", rb: "Ruby", rs: "Rust", scala: "Scala", sh: "Shell",
  sql: "SQL", swift: "Swift", toml: "TOML", ts: "TypeScript", tsx: "TypeScript", yaml: "YAML", yml: "YAML",
};
const CODE = new Set(["code", "repositories"]);
const MAX_SNIPPET_LINES = 5;
const TITLE_AND_YEAR = /^(.+?)\s*\((\d{4})\)$/s;

export function similarity(score) {
  if (!Number.isFinite(score)) return "";
  return `${SIMILARITY.find(([least]) => score >= least)[1]} (${score.toFixed(2)})`;
}

export function isCode(source) {
  return CODE.has(source.category) && Boolean(source.source_file);
}

export function isFilm(source) {
  return source.category === "movies";
}

/** As editors and compilers write it. */
export function placeOf(source) {
  return source.lines ? `${source.source_file}:${source.lines}` : source.source_file;
}

export function titleOf(source) {
  if (isCode(source)) return placeOf(source);
  return source.title || source.source_file || source.link || `Source ${source.n}`;
}

export function languageOf(source) {
  const ending = /\.(\w+)$/.exec(source.source_file)?.[1].toLowerCase() ?? "";
  return Object.hasOwn(LANGUAGES, ending) ? LANGUAGES[ending] : "";
}

/** {title, year} of a film; the year is "" where its title does not end with one. */
export function filmOf(source) {
  const [, title, year] = TITLE_AND_YEAR.exec(source.title ?? "") ?? [null, titleOf(source), ""];
  return { title, year };
}

/** An entry of the list below an answer; handlers: open(n, button), seen(title). */
export function entry(source, handlers) {
  if (isFilm(source)) return film(source, handlers);
  const button = opening(source, handlers, [
    number(source),
    make("bdi", { className: isCode(source) ? "title place" : "title" }, titleOf(source)),
    make("span", { className: "quiet" }, [source.cited ? "cited" : "not cited", similarity(source.score)].filter(Boolean).join(", ")),
  ]);
  return isCode(source) ? code(source, button) : [button];
}

function number(source) {
  return make("span", { className: "number" }, String(source.n));
}

function opening(source, { open }, children) {
  const button = make("button", { type: "button", className: "source" }, children);
  button.setAttribute("aria-expanded", "false");
  button.dataset.n = source.n;
  button.onclick = () => open(source.n, button);
  return button;
}

/** What the answer cites shows its lines at once. */
function code(source, button) {
  const head = make("div", { className: "code-head" }, button, copyButton(placeOf(source), `Copy ${placeOf(source)}`));
  if (!source.cited || !source.quote) return [head];
  const lines = source.quote.split("\n");
  const shown = lines.slice(0, MAX_SNIPPET_LINES).join("\n") + (lines.length > MAX_SNIPPET_LINES ? "\n…" : "");
  const language = languageOf(source);
  return [
    head,
    make(
      "div",
      { className: "snippet", dir: "ltr" },
      language ? make("span", { className: "tag" }, language) : "",
      make("pre", {}, make("code", {}, shown)),
    ),
  ];
}

function film(source, handlers) {
  const { title, year } = filmOf(source);
  const card = opening(source, handlers, [
    number(source),
    make("bdi", { className: "title" }, title),
    make("span", { className: "year" }, year),
    make("span", { className: "plot", dir: "auto" }, source.quote ?? ""),
    make("span", { className: "quiet" }, similarity(source.score)),
  ]);
  card.classList.add("film");
  const seen = make("button", { type: "button", className: "plain" }, "Seen it");
  seen.setAttribute("aria-label", `Seen it: ${title}`);
  seen.onclick = () => handlers.seen(title, seen);
  return [card, seen];
}

/** Copies a text; where a page may not, or there is no secure context, the text is selected to be copied by hand. */
export function copyButton(text, label, shown = null) {
  const button = make("button", { type: "button", className: "plain" }, "Copy");
  button.setAttribute("aria-label", label);
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      announce("Copied");
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(shown ?? button.parentElement.querySelector(".title"));
      announce("Selected");
    }
  };
  return button;
}
