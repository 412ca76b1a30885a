// Thumbs up and down with an optional comment; both can be changed later.
import { sendFeedback } from "./api.js";
import { part } from "./dom.js";

/** Wires a turn's buttons; keep() stores the turn once the server took the verdict. */
export function showFeedback(view, turn, keep) {
  const buttons = { 1: part(view, "up"), 0: part(view, "down") };
  const form = part(view, "comment");
  const state = part(view, "feedback-state");
  form.elements.comment.value = turn.feedback?.comment ?? "";
  show();

  async function send(score, comment) {
    state.textContent = "Sending";
    try {
      await sendFeedback(turn.trace_id, score, comment);
    } catch (error) {
      show();
      state.textContent = `Not sent. ${error.message}`;
      return;
    }
    turn.feedback = { score, comment };
    keep();
    show();
  }

  function show() {
    const score = turn.feedback?.score;
    for (const [value, button] of Object.entries(buttons)) {
      button.setAttribute("aria-pressed", String(Number(value) === score));
    }
    form.hidden = score === undefined;
    if (score === undefined) state.textContent = "";
    else state.textContent = turn.feedback.comment ? "Noted, with your comment." : "Noted, thank you.";
  }

  for (const [value, button] of Object.entries(buttons)) {
    button.onclick = () => send(Number(value), turn.feedback?.comment ?? "");
  }
  form.onsubmit = (event) => {
    event.preventDefault();
    send(turn.feedback.score, form.elements.comment.value.trim());
  };
}
