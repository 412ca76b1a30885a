// The sources of an answer: the list below it, and the panel that shows one with its passage.
import { byId, counted, facts, make, part, webLink } from "./dom.js";
import { copyButton, entry, filmOf, isCode, isFilm, languageOf, placeOf, similarity, titleOf } from "./entries.js";
import { highlighted } from "./highlight.js";

const SHOWN_AT_FIRST = 8;
const NARROW = "(max-width: 64rem)";

function place(source) {
  const lines = source.lines ? `lines ${source.lines}` : "";
  return [source.source_file, lines].filter(Boolean).join(", ");
}

/** The list below an answer, what it cites first; handlers: open(n, button) shows one, seen(title, button). */
export function listSources(view, sources, handlers) {
  const ordered = [...sources.filter((one) => one.cited), ...sources.filter((one) => !one.cited)];
  const items = (some) => some.map((source) => make("li", {}, entry(source, handlers)));
  const cited = sources.filter((one) => one.cited).length;
  const films = sources.length > 0 && sources.every(isFilm);
  const title = films ? counted(sources.length, "film") : `${counted(sources.length, "source")}, ${cited} cited`;
  part(view, "sources-title").textContent = title;
  part(view, "source-list").classList.toggle("films", films);
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
    part(this.dialog, "link").replaceChildren(source.link && !onlyNames(source) ? webLink(source.link) : "");
    facts(part(this.dialog, "facts"), [
      ["File", isCode(source) ? copyablePlace(source) : place(source)],
      ["Language", isCode(source) ? languageOf(source) : ""],
      ["Year", isFilm(source) ? filmOf(source).year : ""],
      ["Section", Array.isArray(source.headings) ? source.headings.join(" › ") : ""],
      ["Category", source.category],
      ["Similarity", similarity(source.score)],
      ["In the answer", source.cited ? "cited" : "not cited"],
    ]);
    this.showPassage(source);
    part(this.dialog, "previous").disabled = at === 0;
    part(this.dialog, "next").disabled = at === this.sources.length - 1;
  }

  showPassage(source) {
    const { passage, quote } = source;
    const box = part(this.dialog, "passage");
    box.classList.toggle("code", isCode(source));
    box.dir = isCode(source) ? "ltr" : "auto";
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

/** Whether the link only tells sources apart: that of a file on the server, or of a film that has no page. */
function onlyNames(source) {
  return isCode(source) || (isFilm(source) && source.link.startsWith("film:"));
}

function copyablePlace(source) {
  const code = make("code", {}, placeOf(source));
  return make("span", {}, code, " ", copyButton(placeOf(source), `Copy ${placeOf(source)}`, code));
}
