// Puts the page together: asks, shows the answer as it is written, keeps the conversation.
import { Failure, ask } from "./api.js";
import { Chooser, FILMS, welcome, wordsOf } from "./assistants.js";
import { historyOf, keep, started } from "./conversations.js";
import { announce, byId } from "./dom.js";
import { askForKey } from "./key.js";
import { Options } from "./options.js";
import { ServerWatch } from "./server.js";
import { Sidebar } from "./sidebar.js";
import { SourcePanel } from "./sources.js";
import { TastePanel, tellSeen, user } from "./taste.js";
import { TurnView, asked, assistantOf } from "./turn.js";

const NEAR_THE_END_PX = 120;

const question = byId("question");
const options = new Options();
const panel = new SourcePanel();
const taste = new TastePanel();
const server = new ServerWatch(() => learn());
let known = { authors: [] };
let conversation = started();
let running = null; // the AbortController of the answer under way
const sidebar = new Sidebar({ choose: show, started: () => show(started()), current: () => conversation.id });
const chooser = new Chooser(() => adapt());

/** What the server has: who can be asked, and by which filters. */
async function learn() {
  const told = await options.load();
  if (!told) return;
  known = told;
  chooser.offer(known.assistants);
}

/** Everything that depends on who is asked next. */
function adapt() {
  const assistant = chooser.chosen;
  options.show(assistant);
  question.placeholder = wordsOf(assistant).placeholder;
  welcome(assistant, known, (example) => submit(example));
  taste.opener.hidden = assistant !== FILMS;
  byId("anew").hidden = !startsAnew();
}

/** A conversation has one assistant; a question to another one begins the next. */
function startsAnew() {
  return ![null, chooser.chosen].includes(assistantOf(conversation));
}

/** Shows a conversation; an answer under way in another one ends. */
function show(chosen) {
  running?.abort();
  panel.close();
  conversation = chosen;
  const views = conversation.turns.map((turn) => viewOf(turn));
  byId("turns").replaceChildren(...views.map((view) => view.element));
  for (const view of views) view.restore();
  byId("welcome").hidden = views.length > 0;
  sidebar.show();
  chooser.show(assistantOf(conversation) ?? chooser.chosen);
  views.at(-1)?.element.scrollIntoView({ block: "start" });
  focusQuestion();
}

function viewOf(turn) {
  const home = conversation;
  const view = new TurnView(turn, {
    open: (sources, n, button) => panel.toggle(sources, n, button),
    retry: () => again(view),
    keep: () => save(home),
    seen: tellSeen,
  });
  return view;
}

function save(changed) {
  if (!keep(changed)) announce("This conversation is too large to be kept in this browser.");
  sidebar.show();
}

function submit(text) {
  if (!text) return;
  if (running) {
    announce("An answer is being written. Stop it, or wait for its end.");
    return;
  }
  question.value = "";
  if (startsAnew()) show(started());
  const assistant = chooser.chosen;
  const turn = asked(text, options.filters(assistant), assistant);
  conversation.turns.push(turn);
  const view = viewOf(turn);
  byId("turns").append(view.element);
  byId("welcome").hidden = true;
  view.element.scrollIntoView({ block: "start" });
  answer(view);
}

/** The same question once more, with the filters as they are now. */
function again(view) {
  if (running) return;
  const place = conversation.turns.indexOf(view.turn);
  const assistant = assistantOf(conversation);
  const turn = asked(view.turn.question, options.filters(assistant), assistant);
  conversation.turns[place] = turn;
  const next = viewOf(turn);
  panel.close();
  view.element.replaceWith(next.element);
  focusQuestion();
  answer(next);
}

async function answer(view) {
  const home = conversation;
  const before = home.turns.slice(0, home.turns.indexOf(view.turn));
  const { question: query, assistant } = view.turn;
  const request = { query, assistant, ...options.request(assistant), passages: true, history: historyOf(before) };
  if (assistant === FILMS) request.user = user();
  const controller = new AbortController();
  running = controller;
  working(true);
  view.begin();
  save(home); // the question is not lost when the page is left
  let failure = null;
  try {
    await written(view, request, controller.signal);
  } catch (error) {
    failure = error;
    const follow = atTheEnd();
    if (error.name === "AbortError") view.stopped();
    else showFailure(view, error);
    if (follow) toTheEnd();
  }
  save(home);
  if (running !== controller) return;
  running = null;
  working(false);
  if (failure instanceof Failure) await recover(view, failure);
}

async function written(view, request, signal) {
  for await (const { type, data } of ask(request, signal)) {
    const follow = atTheEnd();
    if (type === "sources") view.found(data);
    else if (type === "token") view.add(data?.text);
    else view.done(data);
    if (follow) toTheEnd();
  }
}

function showFailure(view, error) {
  if (error instanceof Failure) {
    view.failed(error.message);
    return;
  }
  view.failed("The page failed to show this answer; the browser's console says why.");
  console.error(error);
}

/** Does what can be done about a failure: asks for the key, waits for the server. */
async function recover(view, failure) {
  if (failure.kind === "key" && (await askForKey())) {
    learn();
    again(view);
  } else if (failure.kind === "unreachable" || failure.kind === "unavailable") {
    // what was asked while the server was loading is asked again when it is there
    if ((await server.check()) === "loading") whenReady(() => again(view), view);
  }
}

function whenReady(then, view) {
  const load = server.onReady;
  server.onReady = () => {
    server.onReady = load;
    load();
    if (view.element.isConnected) then();
  };
}

function working(is) {
  const stopHadFocus = document.activeElement === byId("stop");
  byId("send").hidden = is;
  byId("stop").hidden = !is;
  if (!is && stopHadFocus) question.focus();
}

function toTheEnd() {
  scrollTo({ top: document.documentElement.scrollHeight });
}

function atTheEnd() {
  const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
  return scrollHeight - clientHeight - scrollTop < NEAR_THE_END_PX;
}

/** Not where it would unfold a keyboard over half of the screen. */
function focusQuestion() {
  if (matchMedia("(pointer: fine)").matches) question.focus({ preventScroll: true });
}

function darkNow() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function showTheme() {
  byId("dark").setAttribute("aria-pressed", String(darkNow()));
}

byId("dark").onclick = () => {
  const theme = darkNow() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("rag.theme", theme);
  } catch {
    // storage is switched off: it lasts until the page is left
  }
  showTheme();
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);

byId("composer").onsubmit = (event) => {
  event.preventDefault();
  submit(question.value.trim());
  focusQuestion();
};
question.onkeydown = (event) => {
  // Enter also ends the choice of a character in many languages' input
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("composer").requestSubmit();
};
byId("stop").onclick = () => running?.abort();

adapt();
showTheme();
focusQuestion();
server.check();
