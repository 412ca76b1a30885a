// One question and its answer: kept as plain data, shown by TurnView.
import { Failure } from "./api.js";
import { DOCUMENTS, FILMS, named, wordsOf } from "./assistants.js";
import { announce, byId, counted, facts, make, part } from "./dom.js";
import { copyButton } from "./entries.js";
import { showFeedback } from "./feedback.js";
import { citation, listSources } from "./sources.js";
import { StreamedText } from "./streamed.js";

const STOPPED = "Stopped before the end.";
let turnsShown = 0;

/** A question that was not answered yet; conditions is the text of the filters it is asked with. */
export function asked(question, conditions, assistant) {
  return { question, conditions, assistant, answer: "", sources: [], status: "stopped", failure: "", feedback: null };
}

/** Who is asked in a conversation: it has one assistant from its first question on; null before that. */
export function assistantOf({ turns }) {
  return turns.length > 0 ? named(turns[0].assistant ?? DOCUMENTS) : null;
}

/** Takes over what the server said, whatever is missing in it. */
export function learn(turn, body) {
  const list = (value) => (Array.isArray(value) ? value : []);
  const texts = (value) => list(value).filter((one) => typeof one === "string");
  if (Array.isArray(body.sources)) turn.sources = body.sources.filter((one) => Number.isInteger(one?.n));
  if (typeof body.answer === "string") turn.answer = body.answer;
  for (const name of ["model", "index_version", "trace_id", "compliance_status"]) {
    if (typeof body[name] === "string") turn[name] = body[name];
  }
  if ("confidence" in body) turn.confidence = body.confidence ?? null;
  if ("timings_s" in body) turn.timings = Object.entries(body.timings_s ?? {}).filter(([, s]) => Number.isFinite(s));
  if ("notes" in body) turn.notes = texts(body.notes);
  if ("skipped" in body) turn.skipped = texts(body.skipped);
  if ("question" in body) turn.condensed = typeof body.question === "string" ? body.question : "";
  const conditions = list(body.interpretation?.conditions ?? body.interpretation);
  if ("interpretation" in body) turn.understood = texts(conditions.map((one) => one?.label ?? one));
}

export class TurnView {
  /** handlers: open(sources, n, button), retry(), keep(), seen(title). */
  constructor(turn, handlers) {
    this.turn = turn;
    this.handlers = handlers;
    this.words = wordsOf(turn.assistant);
    this.element = byId("turn-template").content.firstElementChild.cloneNode(true);
    this.text = new StreamedText(part(this.element, "answer"), (n) => this.citation(n));
    turnsShown += 1;
    const question = part(this.element, "question");
    question.id = `asked-${turnsShown}`;
    question.textContent = turn.question;
    this.element.setAttribute("aria-labelledby", question.id);
    part(this.element, "retry").onclick = () => handlers.retry();
  }

  /** As it was kept. */
  restore() {
    this.text.finish(this.turn.answer);
    this.understood();
    if (this.turn.status === "done") this.showEnd();
    else this.showFailure(this.turn.failure || STOPPED);
  }

  begin() {
    this.began = performance.now();
    this.element.setAttribute("aria-busy", "true");
    this.progress(this.words.searching);
    announce(this.words.searching);
  }

  progress(text) {
    const line = part(this.element, "progress");
    line.hidden = text === "";
    line.textContent = text;
  }

  found(data) {
    learn(this.turn, data);
    this.understood();
    this.progress(`Found ${counted(this.turn.sources.length, this.words.found)}, writing`);
  }

  add(piece) {
    if (typeof piece !== "string") return;
    if (this.turn.answer === "") announce("The answer begins");
    this.turn.answer += piece;
    this.text.add(piece);
  }

  done(body) {
    const known = numbers(this.turn);
    learn(this.turn, body);
    this.turn.status = "done";
    this.turn.seconds = (performance.now() - this.began) / 1000;
    this.text.finish(this.turn.answer, { anew: numbers(this.turn) !== known });
    this.understood();
    this.showEnd();
    const words = this.turn.answer.split(/\s+/).filter(Boolean).length;
    const sources = counted(this.turn.sources.length, this.turn.assistant === FILMS ? "film" : "source");
    announce(`The answer is complete: ${counted(words, "word")}, ${sources}`);
  }

  stopped() {
    this.text.flush();
    this.showFailure(STOPPED);
    announce("Stopped");
  }

  failed(line) {
    Object.assign(this.turn, { status: "failed", failure: line });
    this.text.flush();
    this.showFailure(line);
    announce(line);
  }

  showFailure(line) {
    this.settled();
    const paragraph = part(this.element, "failure");
    paragraph.firstElementChild.textContent = line;
    paragraph.hidden = false;
    this.list();
  }

  showEnd() {
    this.settled();
    if (this.turn.sources.length === 0) {
      const paragraph = part(this.element, "failure");
      paragraph.firstElementChild.textContent = this.words.nothing;
      paragraph.hidden = false;
    }
    const notes = this.turn.notes ?? [];
    part(this.element, "notes").replaceChildren(...notes.map((note) => make("li", { dir: "auto" }, note)));
    part(this.element, "notes").hidden = notes.length === 0;
    this.list();
    this.showDetails();
    if (this.turn.trace_id) showFeedback(this.element, this.turn, this.handlers.keep);
    else part(this.element, "feedback").hidden = true;
    part(this.element, "after").hidden = false;
  }

  settled() {
    this.element.removeAttribute("aria-busy");
    this.progress("");
  }

  list() {
    const open = (n, button) => this.open(n, button);
    listSources(this.element, this.turn.sources, { open, seen: (title, button) => this.seen(title, button) });
  }

  /** The button says what became of it. */
  async seen(title, button) {
    button.disabled = true;
    try {
      await this.handlers.seen(title);
      button.textContent = "Noted as seen";
      announce(`${title} is noted as seen`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      button.disabled = false;
      button.textContent = "Not noted, try again";
      announce(error.message);
    }
  }

  understood() {
    const { conditions, understood = [], condensed, question } = this.turn;
    const said = [
      condensed && condensed !== question ? `Asked as: ${condensed}` : "",
      understood.length > 0 ? `Understood: ${understood.join(", ")}` : "",
      conditions ? `Filters: ${conditions}` : "",
    ].filter(Boolean);
    const line = part(this.element, "understood");
    line.textContent = said.join(" · ");
    line.hidden = said.length === 0;
  }

  showDetails() {
    const { confidence, timings = [], skipped, model, seconds } = this.turn;
    const { index_version: index, trace_id: trace, compliance_status: policy } = this.turn;
    // some stages are parts of others, so their sum would say nothing
    const total = timings.find(([stage]) => stage === "total")?.[1] ?? seconds;
    const said = [
      confidence ? `Confidence ${confidence.level} (${Number(confidence.value).toFixed(2)})` : "",
      Number.isFinite(total) ? `${total.toFixed(2)} s` : "",
      "details",
    ].filter(Boolean);
    part(this.element, "summary").textContent = said.join(" · ");
    facts(part(this.element, "facts"), [
      ["Model", model],
      ["Index", index],
      ["Policy", policy === "compliant" ? "" : policy],
      ["Skipped", (skipped ?? []).join(", ")],
      ["Trace", trace ? copyable(trace) : ""],
    ]);
    const stages = timings.filter(([stage]) => stage !== "total");
    if (Number.isFinite(total)) stages.push(["total", total]);
    const row = ([stage, s]) =>
      make("tr", {}, make("th", { scope: "row" }, stage.replaceAll("_", " ")), make("td", {}, s.toFixed(3)));
    part(this.element, "timings").tBodies[0].replaceChildren(...stages.map(row));
    part(this.element, "timings").hidden = timings.length === 0;
  }

  citation(n) {
    const source = this.turn.sources.find((one) => one.n === n);
    return source ? citation(source, (number, button) => this.open(number, button)) : null;
  }

  open(n, button) {
    this.handlers.open(this.turn.sources, n, button);
  }
}

function numbers(turn) {
  return turn.sources.map((source) => source.n).join();
}

function copyable(text) {
  const code = make("code", {}, text);
  return make("span", {}, code, " ", copyButton(text, "Copy the trace id", code));
}
