// A text that grows: finished blocks are made once, only the last ones again with each piece.
import { blocks, rendered } from "./markdown.js";

// Making the last block again may take at most this part of the time, so that a huge one never blocks the page
const SHARE_OF_TIME = 0.25;

export class StreamedText {
  /** citation(n) gives the element for [n], or null. */
  constructor(element, citation) {
    this.element = element;
    this.citation = citation;
    this.timer = 0;
    this.tookMs = 0;
    this.clear("");
  }

  clear(text) {
    this.text = text;
    this.live = []; // {block, element} of what may still change
    this.start = 0; // where these begin in the text
    this.element.replaceChildren();
  }

  add(piece) {
    this.text += piece;
    this.timer ||= setTimeout(() => this.flush(), Math.max(16, this.tookMs / SHARE_OF_TIME));
  }

  /** The whole text, shown anew where the pieces were not the same. */
  finish(text, { anew = false } = {}) {
    if (anew || text !== this.text) this.clear(text);
    this.flush();
  }

  /** Shows all that was added. */
  flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    const began = performance.now();
    const made = blocks(this.text, this.start).map((block, i) => {
      // an element that stays is not touched: nobody loses a selection or the focus in it
      const before = this.live[i];
      return before && same(before.block, block) ? before : { block, element: rendered(block, this.citation) };
    });
    const kept = new Set(made.map((one) => one.element));
    for (const { element } of this.live) if (!kept.has(element)) element.remove();
    for (const { element } of made) if (element.parentNode !== this.element) this.element.append(element);
    this.live = made.slice(made.length - this.unfinished(made));
    this.start = this.live[0]?.block.start ?? this.start;
    this.tookMs = performance.now() - began;
  }

  /** How many blocks the next piece may change: a line without its end may still turn out to belong to the one before. */
  unfinished(made) {
    const last = made.at(-1)?.block;
    return Math.min(made.length, last && !this.text.includes("\n", last.start) ? 2 : 1);
  }
}

function same(one, other) {
  if (one.kind !== other.kind || one.closed !== other.closed || one.lines.length !== other.lines.length) return false;
  return one.lines.every((line, i) => line === other.lines[i]);
}
