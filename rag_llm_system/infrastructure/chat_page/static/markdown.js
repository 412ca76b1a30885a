// Markdown of an answer as DOM nodes: paragraphs, headings, lists, quotes, code. What it does not know is shown as text.
import { make } from "./dom.js";
import { inline } from "./inline.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*)$/;
const ITEM = /^(\s*)(?:([-*+])|(\d{1,6})[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const MAX_DEPTH = 5;

/** Blocks of a text from a line on: {kind, lines, start}, start being the first character. */
export function blocks(text, from = 0) {
  const found = [];
  let block = null;
  let blank = false;
  let at = from;
  for (const line of text.slice(from).split("\n")) {
    const kind = kindOf(line, block, blank);
    if (kind === "more") block.lines.push(line);
    else if (kind !== "blank") found.push((block = { kind, lines: [line], start: at }));
    if (block?.kind === "code" && kind === "more" && closes(line, block)) block.closed = true;
    blank = kind === "blank";
    if (blank && block?.kind === "list") block.lines.push("");
    at += line.length + 1;
  }
  return found;
}

function kindOf(line, block, blank) {
  if (block?.kind === "code" && !block.closed) return "more";
  if (line.trim() === "") return "blank";
  if (block?.kind === "list" && (ITEM.test(line) ? sameList(line, block) : !blank || /^\s{2,}/.test(line))) {
    if (!HEADING.test(line) && !(FENCE.test(line) && !/^\s/.test(line))) return "more";
  }
  if (FENCE.test(line)) return "code";
  if (HEADING.test(line)) return "heading";
  if (ITEM.test(line)) return "list";
  if (QUOTE.test(line)) return block?.kind === "quote" && !blank ? "more" : "quote";
  return block?.kind === "paragraph" && !blank ? "more" : "paragraph";
}

/** An item without indentation of another kind begins another list. */
function sameList(line, block) {
  const [first, next] = [ITEM.exec(block.lines[0]), ITEM.exec(line)];
  return next[1].length > first[1].length || Boolean(first[3]) === Boolean(next[3]);
}

function closes(line, block) {
  const fence = FENCE.exec(block.lines[0])[1];
  return line.trim().startsWith(fence) && line.trim().replaceAll(fence[0], "") === "";
}

/** The element of one block. */
export function rendered(block, citation, depth = 0) {
  return MAKERS[block.kind](block.lines, citation, depth, block);
}

const MAKERS = {
  paragraph: (lines, citation) => make("p", { dir: "auto" }, inline(lines.join("\n").trim(), citation)),
  heading: (lines, citation) => {
    const [, marks, text] = HEADING.exec(lines[0]);
    // the page's title is h1, the question h2
    return make(`h${Math.min(6, marks.length + 2)}`, { dir: "auto" }, inline(text.replace(/\s#+\s*$/, "").trim(), citation));
  },
  code: (lines, _citation, _depth, { closed }) => {
    const code = make("code", {}, lines.slice(1, closed ? -1 : undefined).join("\n"));
    return make("pre", { tabIndex: 0, dir: "ltr" }, code);
  },
  quote: (lines, citation) => {
    const text = lines.map((line) => QUOTE.exec(line)?.[1] ?? line).join("\n");
    return make("blockquote", { dir: "auto" }, inline(text, citation));
  },
  list: (lines, citation, depth) => {
    const first = ITEM.exec(lines[0]);
    const made = items(lines, first[1].length).map((item) => make("li", {}, content(item, citation, depth + 1)));
    return first[3]
      ? make("ol", { dir: "auto", start: Number(first[3]) }, made)
      : make("ul", { dir: "auto" }, made);
  },
};

/** The lines of each item, without the marker and the indentation it asks for. */
function items(lines, indent) {
  const found = [];
  let width = 0;
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= indent + 1) {
      width = line.length - item[4].length;
      found.push([item[4]]);
    } else {
      const spaces = line.length - line.trimStart().length;
      found.at(-1).push(line.slice(Math.min(spaces, width)));
    }
  }
  return found;
}

function content(lines, citation, depth) {
  if (depth > MAX_DEPTH) return inline(lines.join("\n").trim(), citation);
  const made = blocks(lines.join("\n")).map((block) => rendered(block, citation, depth));
  const [first, ...rest] = made;
  return first?.tagName === "P" ? [...first.childNodes, ...rest] : made;
}
