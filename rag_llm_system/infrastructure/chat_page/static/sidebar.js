// The list of conversations, and the ways to leave one.
import { all, forget, forgetAll, titleOf, watch } from "./conversations.js";
import { DOCUMENTS, wordsOf } from "./assistants.js";
import { byId, make } from "./dom.js";
import { assistantOf } from "./turn.js";

const NARROW = "(max-width: 48rem)";

export class Sidebar {
  /** handlers: choose(conversation), started(); current() gives the id of the one that is shown. */
  constructor(handlers) {
    this.handlers = handlers;
    this.nav = byId("conversations");
    this.toggle = byId("show-conversations");
    this.toggle.onclick = () => this.unfold(this.toggle.getAttribute("aria-expanded") === "false");
    byId("new-chat").onclick = () => {
      this.unfold(false);
      handlers.started();
    };
    byId("delete-all").onclick = () => {
      if (!confirm("Delete all conversations of this browser?")) return;
      forgetAll();
      handlers.started();
    };
    this.nav.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !matchMedia(NARROW).matches) return;
      this.unfold(false);
      this.toggle.focus();
    });
    watch(() => this.show());
    this.show();
  }

  /** On a narrow page the list is folded away; elsewhere this changes nothing. */
  unfold(open) {
    this.toggle.setAttribute("aria-expanded", String(open));
    this.nav.classList.toggle("unfolded", open);
  }

  show() {
    const kept = all();
    byId("conversation-list").replaceChildren(...kept.map((one) => this.entry(one)));
    byId("no-conversations").hidden = kept.length > 0;
    byId("delete-all").hidden = kept.length === 0;
  }

  entry(conversation) {
    const title = titleOf(conversation);
    const assistant = assistantOf(conversation);
    const tag = assistant === DOCUMENTS ? "" : make("span", { className: "tag" }, wordsOf(assistant).name);
    const open = make("button", { type: "button", className: "conversation" }, tag, make("span", { dir: "auto" }, title));
    if (conversation.id === this.handlers.current()) open.setAttribute("aria-current", "true");
    open.onclick = () => {
      this.unfold(false);
      this.handlers.choose(conversation);
    };
    const remove = make("button", { type: "button", className: "plain remove", title: "Delete" }, "×");
    remove.setAttribute("aria-label", `Delete the conversation: ${title}`);
    remove.onclick = () => this.remove(conversation, title);
    return make("li", {}, open, remove);
  }

  remove(conversation, title) {
    if (!confirm(`Delete this conversation?\n${title}`)) return;
    forget(conversation.id);
    if (conversation.id === this.handlers.current()) this.handlers.started();
    else this.show();
    // the focused button is gone
    (byId("conversation-list").querySelector("button") ?? byId("new-chat")).focus();
  }
}
