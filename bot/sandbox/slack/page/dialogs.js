// The dialogs of the page: an app's modals, an element's confirmation, and a message's raw JSON.

import { renderBlocks, renderText, valueOf } from "./blocks.js";
import { h } from "./dom.js";

const names = { user: () => "", channel: () => "", group: () => "" };

// Asks as the element's confirm object says; resolves to true when the person accepts.
export function confirmed(confirm) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "dialog confirm", "aria-label": confirm.title.text },
      h("h2", {}, renderText(confirm.title, names)),
      h("div", { class: "text" }, renderText(confirm.text, names)),
      h("div", { class: "dialog-buttons" },
        h("button", { type: "button", class: "button", onclick: () => dialog.close("no") }, renderText(confirm.deny, names)),
        h("button", { type: "button", class: `button ${confirm.style || "primary"}`, onclick: () => dialog.close("yes") }, renderText(confirm.confirm, names))));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function showJson(title, value) {
  const dialog = h("dialog", { class: "dialog raw", "aria-label": title },
    h("div", { class: "dialog-head" }, h("h2", {}, title), h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
    h("pre", { tabindex: "0" }, JSON.stringify(value, null, 2)));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// Shows the top of the person's stack of modals. What was typed stays until the view is submitted or closed.
export class Modals {
  constructor(page) {
    this.page = page;
    this.dialog = null;
    this.shown = "";
    this.drafts = new Map();
    this.errors = {};
    this.trouble = "";
  }

  show(views) {
    const top = views[views.length - 1];
    for (const id of this.drafts.keys()) if (!views.some((view) => view.id === id)) this.drafts.delete(id);
    const key = top ? `${top.id} ${top.hash} ${views.length}` : "";
    if (key === this.shown) return;
    this.shown = key;
    this.errors = {};
    this.trouble = "";
    if (top) this.draw(top, views);
    else this.remove();
  }

  remove() {
    if (this.dialog) this.dialog.remove();
    this.dialog = null;
    this.shown = "";
  }

  draft(view) {
    if (!this.drafts.has(view.id)) this.drafts.set(view.id, {});
    return this.drafts.get(view.id);
  }

  draw(view, views) {
    const draft = this.draft(view);
    const keep = (block, element, value) => { (draft[block.block_id] ||= {})[element.action_id] = value; };
    const surface = {
      id: view.id, names: this.page.names, people: this.page.people(), user: this.page.user,
      held: (block, element) => draft[block.block_id]?.[element.action_id] ?? valueOf(view.state.values[block.block_id]?.[element.action_id]),
      type: keep,
      error: (block) => this.errors[block.block_id],
      act: async (block, element, value) => {
        if (element.type !== "button" && element.type !== "overflow") keep(block, element, value);
        if (block.type === "input" && !block.dispatch_action) return;
        const confirm = element.confirm ? await confirmed(element.confirm) : false;
        if (element.confirm && !confirm) return;
        const outcome = await this.page.post("click", { view_id: view.id, action_id: element.action_id, block_id: block.block_id, value, confirm });
        if (outcome.shown) this.complain(outcome.shown, view, views);
      },
    };
    const submit = async (event) => {
      event.preventDefault();
      const button = this.dialog.querySelector(".submit");
      if (!button) return;
      button.disabled = true;
      const outcome = await this.page.post("submit", { view_id: view.id, values: draft });
      button.disabled = false;
      if (outcome.shown) this.complain(outcome.shown, view, views);
      else if (Object.keys(outcome.errors || {}).length) {
        this.errors = outcome.errors;
        this.trouble = "";
        this.draw(view, views);
        const wrong = this.dialog.querySelector(".wrong input, .wrong textarea, .wrong select");
        if (wrong) wrong.focus();
      }
    };
    const close = (all) => this.page.post("close", { view_id: view.id, all });
    const scrolled = this.dialog ? this.dialog.querySelector(".modal-body")?.scrollTop : 0;
    const content = h("form", { onsubmit: submit, novalidate: true },
      h("div", { class: "dialog-head" },
        views.length > 1 && h("button", { type: "button", class: "icon-button", "aria-label": "Back", onclick: () => close(false) }, "‹"),
        h("span", { class: "app-mark", "aria-hidden": "true" }, "✓"),
        h("h2", {}, renderText(view.title, this.page.names)),
        h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => close(true) }, "✕")),
      h("div", { class: "modal-body" }, renderBlocks(view.blocks, surface)),
      this.trouble && h("div", { class: "trouble", role: "alert" }, this.trouble),
      h("div", { class: "dialog-buttons" },
        h("button", { type: "button", class: "button", onclick: () => close(false) }, view.close ? renderText(view.close, this.page.names) : "Close"),
        view.submit && h("button", { type: "submit", class: "button primary submit" }, renderText(view.submit, this.page.names))));
    if (!this.dialog) {
      this.dialog = h("dialog", { class: "dialog modal", oncancel: (event) => { event.preventDefault(); this.closeTop(); } });
      document.body.append(this.dialog);
      this.dialog.showModal();
    }
    this.closeTop = () => close(false);
    this.dialog.setAttribute("aria-label", view.title.text);
    this.dialog.replaceChildren(content);
    content.querySelector(".modal-body").scrollTop = scrolled || 0;
    const first = content.querySelector(".modal-body input, .modal-body textarea, .modal-body select");
    if (first) first.focus();
  }

  complain(text, view, views) {
    this.trouble = text;
    this.draw(view, views);
  }
}
