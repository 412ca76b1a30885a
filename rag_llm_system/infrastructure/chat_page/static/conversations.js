// Conversations in localStorage, one entry each, so that two tabs do not overwrite one another's.

const PREFIX = "rag.conversation.";
const MAX_KEPT = 50;
const MAX_TURNS_SENT = 3;
const MAX_SENT_CHARS = 2000; // of each message
const MAX_TITLE_CHARS = 80;
const deleted = new Set(); // an answer that ends after its conversation was deleted does not bring it back

export function started() {
  // randomUUID is there in secure contexts only, and the page may be served over plain HTTP in a local network
  const random = crypto.getRandomValues(new Uint32Array(4));
  return { id: Array.from(random, (word) => word.toString(36)).join(""), updated: Date.now(), turns: [] };
}

export function titleOf(conversation) {
  const title = conversation.turns[0]?.question.replace(/\s+/g, " ") ?? "";
  return title.length > MAX_TITLE_CHARS ? `${title.slice(0, MAX_TITLE_CHARS)}…` : title;
}

/** The newest first. */
export function all() {
  return keys().map(read).filter(Boolean).sort((a, b) => b.updated - a.updated);
}

/** Keeps it; when the browser's space is used up, the oldest others go, then the passages. False: not kept. */
export function keep(conversation) {
  if (deleted.has(conversation.id)) return true;
  conversation.updated = Date.now();
  const others = all().filter((one) => one.id !== conversation.id);
  for (const old of others.splice(MAX_KEPT - 1)) remove(old.id);
  while (!written(conversation)) {
    const oldest = others.pop();
    if (!oldest) return written(withoutPassages(conversation));
    remove(oldest.id);
  }
  return true;
}

export function forget(id) {
  deleted.add(id);
  remove(id);
}

function remove(id) {
  withStorage((storage) => storage.removeItem(PREFIX + id));
}

export function forgetAll() {
  for (const key of keys()) forget(key.slice(PREFIX.length));
}

/** Calls back when another tab changed one. */
export function watch(changed) {
  addEventListener("storage", (event) => {
    if (event.key === null || event.key.startsWith(PREFIX)) changed();
  });
}

/** What a follow-up sends along: the last answered turns, each text cut. */
export function historyOf(turns) {
  return turns
    .filter((turn) => turn.answer)
    .slice(-MAX_TURNS_SENT)
    .flatMap((turn) => [
      { role: "user", content: turn.question.slice(0, MAX_SENT_CHARS) },
      { role: "assistant", content: turn.answer.slice(0, MAX_SENT_CHARS) },
    ]);
}

function keys() {
  return withStorage((storage) => Object.keys(storage).filter((key) => key.startsWith(PREFIX))) ?? [];
}

function read(key) {
  const text = withStorage((storage) => storage.getItem(key));
  try {
    const conversation = JSON.parse(text);
    const whole = conversation?.turns?.length > 0 && conversation.turns.every((turn) => typeof turn.question === "string");
    return whole ? { ...conversation, id: key.slice(PREFIX.length) } : null;
  } catch {
    return null; // not ours, or cut off
  }
}

function written(conversation) {
  return withStorage((storage) => {
    storage.setItem(PREFIX + conversation.id, JSON.stringify(conversation));
    return true;
  });
}

function withoutPassages(conversation) {
  const without = (turn) => ({ ...turn, sources: (turn.sources ?? []).map((source) => ({ ...source, passage: "" })) });
  return { ...conversation, turns: conversation.turns.map(without) };
}

/** Undefined where storage is switched off or full. */
function withStorage(use) {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}
