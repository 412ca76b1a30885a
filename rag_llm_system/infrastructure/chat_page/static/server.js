// Watches whether the server can answer, and says so in one line while it cannot.
import { readiness } from "./api.js";
import { byId } from "./dom.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
const LINES = {
  loading: () => "The server is loading its models. This page goes on by itself when it is ready.",
  failed: (error) => `The server could not start${error ? `: ${error}` : "; its log says why."}`,
  unreachable: (error) => `The server does not answer${error ? `: ${error}` : "."} This page tries again by itself.`,
};

export class ServerWatch {
  /** onReady is called each time the server becomes ready. */
  constructor(onReady) {
    this.onReady = onReady;
    this.line = byId("server");
    this.line.querySelector("button").onclick = () => this.check();
    this.waitMs = FIRST_WAIT_MS;
    this.timer = 0;
    this.status = "";
  }

  async check() {
    clearTimeout(this.timer);
    const { status, error } = await readiness();
    clearTimeout(this.timer); // a second check may have ended in the meantime
    const before = this.status;
    this.status = status;
    this.show(LINES[status]?.(error) ?? "");
    if (status === "ready") {
      this.waitMs = FIRST_WAIT_MS;
      if (before !== "ready") this.onReady();
      return status;
    }
    this.timer = setTimeout(() => this.check(), this.waitMs);
    this.waitMs = Math.min(LONGEST_WAIT_MS, this.waitMs * 1.5);
    return status;
  }

  show(text) {
    const words = this.line.querySelector("span");
    // screen readers say a changed line; the same one again is no news
    if (words.textContent !== text) words.textContent = text;
    this.line.hidden = text === "";
    this.line.querySelector("button").hidden = text === "";
  }
}
