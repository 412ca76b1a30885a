// The sources of an answer: the list below it, and the panel that shows one with its passage.
import { byId, counted, facts, make, part, webLink } from "./dom.js";
import { highlighted } from "./highlight.js";

const SHOWN_AT_FIRST = 8;
// What a cosine similarity of sentence encoders means, roughly: unrelated texts are below 0.3
const SIMILARITY = [
  [0.7, "very close"],
  [0.5, "close"],
  [0.3, "related"],
  [-Infinity, "distant"],
];
const NARROW = "(max-width: 64rem)";

export function similarity(score) {
  if (!Number.isFinite(score)) return "";
  return `${SIMILARITY.find(([least]) => score >= least)[1]} (${score.toFixed(2)})`;
}

export function titleOf(source) {
  return source.title || source.source_file || source.link || `Source ${source.n}`;
}

function place(source) {
  const lines = source.lines ? `lines ${source.lines}` : "";
  return [source.source_file, lines].filter(Boolean).join(", ");
}

/** The list below an answer, what it cites first; open(n, button) shows one. */
export function listSources(view, sources, open) {
  const ordered = [...sources.filter((one) => one.cited), ...sources.filter((one) => !one.cited)];
  const items = (some) => some.map((source) => make("li", {}, entry(source, open)));
  const cited = sources.filter((one) => one.cited).length;
  part(view, "sources-title").textContent = `${counted(sources.length, "source")}, ${cited} cited`;
  part(view, "source-list").replaceChildren(...items(ordered.slice(0, SHOWN_AT_FIRST)));
  const rest = ordered.slice(SHOWN_AT_FIRST);
  const button = part(view, "all-sources");
  button.hidden = rest.length === 0;
  button.textContent = `Show ${rest.length} more`;
  button.onclick = () => {
    const added = items(rest);
    part(view, "source-list").append(...added);
    button.hidden = true;
    added[0].querySelector("button").focus();
  };
  part(view, "sources").hidden = sources.length === 0;
}

function entry(source, open) {
  const button = make(
    "button",
    { type: "button", className: "source" },
    make("span", { className: "number" }, String(source.n)),
    make("bdi", { className: "title" }, titleOf(source)),
    make("span", { className: "quiet" }, [source.cited ? "cited" : "not cited", similarity(source.score)].filter(Boolean).join(", ")),
  );
  button.setAttribute("aria-expanded", "false");
  button.dataset.n = source.n;
  button.onclick = () => open(source.n, button);
  return button;
}

/** The button that stands for [n] in an answer. */
export function citation(source, open) {
  const button = make("button", { type: "button", className: "citation", title: titleOf(source) }, String(source.n));
  button.setAttribute("aria-label", `Source ${source.n}: ${titleOf(source)}`);
  button.setAttribute("aria-expanded", "false");
  button.dataset.n = source.n;
  button.onclick = () => open(source.n, button);
  return button;
}

/** The one panel of the page: beside the text where there is room, over it on a phone. */
export class SourcePanel {
  constructor() {
    this.dialog = byId("source");
    this.opener = null;
    this.sources = [];
    part(this.dialog, "close").onclick = () => this.close();
    part(this.dialog, "previous").onclick = () => this.step(-1);
    part(this.dialog, "next").onclick = () => this.step(1);
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.dialog.open && !this.dialog.matches(":modal")) this.close();
    });
    matchMedia(NARROW).addEventListener("change", () => this.close());
  }

  /** The button that opened it closes it. */
  toggle(sources, n, opener) {
    if (this.dialog.open && this.opener === opener) {
      this.close();
      return;
    }
    this.mark(opener);
    this.sources = sources;
    this.show(sources.findIndex((one) => one.n === n));
    if (!this.dialog.open) {
      if (matchMedia(NARROW).matches) this.dialog.showModal();
      else this.dialog.show();
    }
    byId("source-title").focus();
  }

  step(by) {
    this.show(this.at + by);
    byId("source-title").focus();
  }

  show(at) {
    this.at = at;
    const source = this.sources[at];
    byId("source-title").replaceChildren(
      make("span", { className: "number" }, String(source.n)),
      " ",
      make("bdi", {}, titleOf(source)),
    );
    part(this.dialog, "link").replaceChildren(source.link ? webLink(source.link) : "");
    facts(part(this.dialog, "facts"), [
      ["File", place(source)],
      ["Section", Array.isArray(source.headings) ? source.headings.join(" › ") : ""],
      ["Category", source.category],
      ["Similarity", similarity(source.score)],
      ["In the answer", source.cited ? "cited" : "not cited"],
    ]);
    this.showPassage(source);
    part(this.dialog, "previous").disabled = at === 0;
    part(this.dialog, "next").disabled = at === this.sources.length - 1;
  }

  showPassage({ passage, quote }) {
    const box = part(this.dialog, "passage");
    const nodes = passage && quote ? highlighted(passage, quote) : null;
    if (nodes) box.replaceChildren(...nodes);
    else if (passage && quote) box.replaceChildren(make("mark", {}, quote), "\n\n", passage);
    else box.replaceChildren(quote ? make("mark", {}, quote) : passage || "");
    box.scrollTop = 0;
    const mark = box.querySelector("mark");
    // only the box is scrolled, not the page below it
    if (mark) box.scrollTop = mark.offsetTop - box.clientHeight / 4;
  }

  close() {
    const opener = this.opener;
    if (this.dialog.open) this.dialog.close();
    this.mark(null);
    if (opener?.isConnected) opener.focus();
  }

  mark(opener) {
    this.opener?.setAttribute("aria-expanded", "false");
    this.opener = opener;
    opener?.setAttribute("aria-expanded", "true");
  }
}
