// Markdown within a line, as DOM nodes: code, bold, italics, links to the web, and citations.
import { make, webLink } from "./dom.js";

const MAX_DEPTH = 4;
// Each alternative reads a bounded piece, so that no text takes long
const SPECIAL =
  /(?<code>`+)|(?<strong>\*\*)|(?<emphasis>\*)|\[(?<n>\d{1,4})\](?!\()|\[(?<text>[^[\]\n]{1,300})\]\((?<link>https?:\/\/[^\s()<>]{1,1000}(?:\([^\s()<>]{0,200}\)[^\s()<>]{0,200})?)\)|(?<bare>https?:\/\/[^\s<>"`*\\]{1,1000})|\\(?<escaped>[\\`*_[\](){}#+.!-])|(?<newline>\n)/g;
const AFTER_A_LINK = /[.,;:!?'")\]}]+$/;

/** Nodes for a text; citation(n) gives the element for [n], or null where there is no such source. */
export function inline(text, citation, depth = 0) {
  const nodes = [];
  const closers = new Closers(text);
  let shown = 0;
  let found;
  const special = new RegExp(SPECIAL);
  while ((found = special.exec(text))) {
    const made = element(found, text, closers, citation, depth);
    if (!made) continue;
    if (found.index > shown) nodes.push(text.slice(shown, found.index));
    nodes.push(made.node);
    special.lastIndex = shown = made.end;
  }
  if (shown < text.length) nodes.push(text.slice(shown));
  return nodes;
}

function element(found, text, closers, citation, depth) {
  const { code, strong, emphasis, n, text: label, link, bare, escaped, newline } = found.groups;
  const end = found.index + found[0].length;
  if (newline) return { node: make("br"), end };
  if (escaped) return { node: escaped, end };
  if (n) {
    const node = citation(Number(n));
    return node && { node, end };
  }
  if (link) return { node: webLink(link, label), end };
  if (bare) {
    const address = bare.replace(AFTER_A_LINK, "");
    return { node: webLink(address), end: found.index + address.length };
  }
  const marker = code ?? strong ?? emphasis;
  const close = closers.after(marker, end);
  if (close < 0) return code ? { node: code, end } : null;
  const inner = text.slice(end, close);
  if (code) return { node: make("code", {}, inner.replace(/^ (.*[^ ].*) $/, "$1")), end: close + code.length };
  if (depth >= MAX_DEPTH || /^\s|\s$/.test(inner)) return null;
  const tag = strong ? "strong" : "em";
  return { node: make(tag, {}, inline(inner, citation, depth + 1)), end: close + marker.length };
}

/** Where the next marker of a kind stands; a kind that has none left is not looked for again. */
class Closers {
  constructor(text) {
    this.text = text;
    this.none = new Set();
  }

  after(marker, start) {
    if (this.none.has(marker)) return -1;
    const character = marker[0];
    let at = start;
    while ((at = this.text.indexOf(marker, at)) >= 0) {
      let run = at;
      while (this.text[run] === character) run += 1;
      // a run of another length is another marker
      if (run - at === marker.length && at > start) return at;
      at = run;
    }
    this.none.add(marker);
    return -1;
  }
}
