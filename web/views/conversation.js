// A conversation by its id: its turns, those of other tabs too, and the form of the next one.

import { call, post } from "../api.js";
import { element, failure } from "../dom.js";
import { deletion } from "../parts/deletion.js";
import { libraryPicker } from "../parts/picker.js";
import { questionForm } from "../parts/question.js";
import { Turns } from "../parts/turns.js";
import { t } from "../text.js";
import { linkTo } from "./libraries.js";

const EVERY_MS = 2000;
const NOT_FOUND = 404;
const UNAVAILABLE = 503;

/** Show a conversation, and renew it until the view is left or the conversation has ended. */
export async function showConversation(main, id, signal) {
  const conversation = new Conversation(id, signal);
  main.append(...conversation.nodes);
  await conversation.begin();
  conversation.goOn();
}

class Conversation {
  constructor(id, signal) {
    this.path = `/conversations/${encodeURIComponent(id)}`;
    this.signal = signal;
    this.library = element("p");
    this.turns = new Turns(signal);
    this.notice = element("div");
    this.next = element("section");
    this.nodes = [element("h1", {}, t("Conversation")), this.library, this.turns.node, this.notice, this.next];
  }

  async begin() {
    try {
      await this.renew();
      this.turns.showLast();
    } catch (error) {
      if (error.status !== UNAVAILABLE) throw error;
      this.notify(error); // a worker that comes later knows the turns
    }
  }

  async goOn() {
    while (!this.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      if (document.hidden || this.signal.aborted) continue;
      try {
        await this.renew();
      } catch (error) {
        if (this.signal.aborted) return;
        this.notify(error);
        if (error.status === NOT_FOUND) return this.end();
      }
    }
  }

  async renew() {
    const conversation = await call("GET", this.path, undefined, this.signal);
    if (!this.next.hasChildNodes()) await this.showNext(conversation);
    this.notice.replaceChildren();
    this.turns.show(conversation.turns);
  }

  /** Show the library, the form of the next question, and what ends the conversation. */
  async showNext({ id, library }) {
    const ask = async (question, key) => {
      await post("/query", { library, ...question, conversation_id: id }, key);
      await this.renew();
      this.turns.showLast();
    };
    let picker = null;
    if (library === null) picker = await libraryPicker(null, this.signal);
    else this.library.replaceChildren(t("Library"), ": ", await nameOf(library, this.signal));
    const form = questionForm(ask, { before: picker?.node, disabled: picker?.isEmpty });
    this.next.replaceChildren(element("h2", {}, t("Next question")), form, ending(this.path));
  }

  /** Show a failure; the same one again is not announced again. */
  notify(error) {
    if (this.notice.firstChild?.textContent !== error.message) this.notice.replaceChildren(failure(error));
  }

  end() {
    this.notice.append(element("p", {}, t("The conversation has ended. Its questions stay under their own addresses.")));
    for (const each of this.next.querySelectorAll("button")) each.disabled = true;
  }
}

/** Return a link to a library, or that there is none. */
async function nameOf(library, signal) {
  try {
    const { id, name } = await call("GET", `/libraries/${encodeURIComponent(library)}`, undefined, signal);
    return linkTo(id, name);
  } catch (error) {
    if (error.status !== NOT_FOUND) throw error;
    return element("span", { class: "failure" }, error.message);
  }
}

function ending(path) {
  return deletion(path, {
    summary: t("End the conversation"),
    text: t("Its turns are deleted for good. Its questions stay, and each is deleted by itself."),
    label: t("End it"),
    next: "#/ask",
    attributes: { class: "danger" },
  });
}
