// Requests to the RAG API, and its errors as one line each.
import { Silence, events } from "./sse.js";

const KEY = "rag.key";
const MAX_LINE_CHARS = 400;
let keyOfThisPage = "";

/** What went wrong, in one line. kind: unreachable, key, busy, deadline, unavailable, refused or broken. */
export class Failure extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** Kept for this tab only: sessionStorage ends with it. */
export function useKey(key) {
  keyOfThisPage = key;
  try {
    sessionStorage.setItem(KEY, key);
  } catch {
    // storage is switched off: the key lasts until the page is left
  }
}

export function currentKey() {
  try {
    return sessionStorage.getItem(KEY) ?? keyOfThisPage;
  } catch {
    return keyOfThisPage;
  }
}

/** {status: "ready" | "loading" | "failed" | "unreachable", error} */
export async function readiness() {
  try {
    const response = await fetch("ready", { headers: { Accept: "application/json" }, cache: "no-store" });
    if (response.ok) return { status: "ready", error: "" };
    const body = await readJson(response);
    const status = body?.status === "failed" ? "failed" : body?.status === "loading" ? "loading" : "unreachable";
    return { status, error: said(body) };
  } catch {
    return { status: "unreachable", error: "" };
  }
}

/** {authors, categories, platforms, assistants, repositories}, each a list of texts. */
export async function filters() {
  const body = await readJson(await send("filters", { method: "GET" }));
  const texts = (list) => (Array.isArray(list) ? list.filter((one) => typeof one === "string" && one) : []);
  const names = ["authors", "categories", "platforms", "assistants", "repositories"];
  return Object.fromEntries(names.map((name) => [name, texts(body?.[name])]));
}

/** A list of {id, kind, text}. */
export async function preferences(user) {
  const body = await readJson(await send(`preferences?${new URLSearchParams({ user })}`, { method: "GET", what: "name" }));
  const list = Array.isArray(body?.preferences) ? body.preferences : [];
  return list.filter((one) => typeof one?.id === "string" && typeof one.text === "string");
}

export async function addPreference(user, text) {
  return readJson(await send("preferences", { method: "POST", body: JSON.stringify({ user, text }), what: "preference" }));
}

export async function removePreference(user, id) {
  const path = `preferences/${encodeURIComponent(id)}?${new URLSearchParams({ user })}`;
  await send(path, { method: "DELETE", what: "removal" });
}

export async function sendFeedback(traceId, score, comment) {
  await send("feedback", { method: "POST", body: JSON.stringify({ trace_id: traceId, score, comment }) });
}

/** Yields {type: "sources" | "token" | "done", data}, the last one always done; throws Failure, or AbortError. */
export async function* ask(request, signal) {
  const response = await send("rag", {
    method: "POST",
    body: JSON.stringify({ ...request, stream: true }),
    accept: "text/event-stream",
    signal,
  });
  if ((response.headers.get("Content-Type") ?? "").startsWith("application/json")) {
    yield { type: "done", data: whole(await readJson(response)) };
    return;
  }
  try {
    for await (const event of events(response.body)) {
      const data = parsed(event.data);
      if (event.type === "error") throw failure(data?.status ?? 500, data, null);
      if (event.type === "done") {
        yield { type: "done", data: whole(data) };
        return;
      }
      if (["sources", "token"].includes(event.type)) yield { type: event.type, data };
    }
  } catch (error) {
    if (error instanceof Failure || error.name === "AbortError") throw error;
    if (error instanceof Silence) throw new Failure("unreachable", "The server has gone silent.");
    throw new Failure("unreachable", "The connection broke off before the answer's end.");
  }
  throw new Failure("broken", "The answer broke off before its end.");
}

async function send(path, { method, body, signal, accept = "application/json", what = "question" }) {
  const headers = { Accept: accept };
  if (body) headers["Content-Type"] = "application/json";
  const key = currentKey();
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, { method, body, signal, headers, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("unreachable", "The server does not answer. Is it running?");
  }
  if (response.ok) return response;
  throw failure(response.status, await readJson(response), response.headers.get("Retry-After"), what);
}

function failure(status, body, retryAfter, what = "question") {
  const line = said(body);
  const because = line ? `: ${line}` : ".";
  if (status === 401) return new Failure("key", `The server refuses this without a valid API key${because}`);
  if (status === 429) return new Failure("busy", `Too many requests at the moment. Try again ${when(retryAfter)}.`);
  if (status === 504) return new Failure("deadline", `The time for this answer is over${because}`);
  if (status === 503) return new Failure("unavailable", `The server cannot answer right now${because}`);
  if (status >= 500) return new Failure("broken", `The server failed${because}`);
  return new Failure("refused", `The server did not accept this ${what} (${status})${because}`);
}

function when(retryAfter) {
  const seconds = Number(retryAfter ?? NaN);
  if (Number.isFinite(seconds)) return `in ${Math.max(1, Math.ceil(seconds))} s`;
  const date = new Date(retryAfter ?? NaN);
  return Number.isNaN(date.getTime()) ? "in a moment" : `at ${date.toLocaleTimeString()}`;
}

function said(body) {
  const error = body?.error?.message ?? body?.error ?? body?.detail;
  return typeof error === "string" ? error.slice(0, MAX_LINE_CHARS) : "";
}

async function readJson(response) {
  try {
    return JSON.parse(await response.text());
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure("broken", "The server's answer could not be read.");
  }
}

function whole(body) {
  if (typeof body?.answer !== "string") throw new Failure("broken", "The server's answer could not be read.");
  return body;
}
