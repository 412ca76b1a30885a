// Finds a quote in the passage it was taken from, whatever white space stands between its words.
import { make } from "./dom.js";

/** Nodes of the passage with the quoted parts in <mark>; null where the quote is not in it. */
export function highlighted(passage, quote) {
  const places = quotedIn(passage, quote);
  if (places.length === 0) return null;
  const nodes = [];
  let shown = 0;
  for (const [start, end] of places) {
    nodes.push(passage.slice(shown, start), make("mark", {}, passage.slice(start, end)));
    shown = end;
  }
  return [...nodes, passage.slice(shown)];
}

/** [start, end) of each part of the quote; an ellipsis in it stands for words left out. */
export function quotedIn(passage, quote) {
  const { text, places } = withoutSpace(passage);
  const found = [];
  let from = 0;
  for (const piece of quote.split(/…|\.\.\./)) {
    const sought = withoutSpace(piece).text;
    if (!sought) continue;
    const at = text.indexOf(sought, from);
    if (at < 0) return [];
    from = at + sought.length;
    found.push([places[at], places[from - 1] + 1]);
  }
  return found;
}

/** The text without white space, and where each of its characters stood. */
function withoutSpace(whole) {
  const places = [];
  let text = "";
  for (let at = 0; at < whole.length; at += 1) {
    if (/\s/.test(whole[at])) continue;
    text += whole[at];
    places.push(at);
  }
  return { text, places };
}
