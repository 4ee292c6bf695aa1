// The page of the local workspace: one person's look at it, kept fresh by waiting for changes.

import { renderBlocks, valueOf } from "./blocks.js";
import { confirmed, Modals, showJson } from "./dialogs.js";
import { byId, h } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { parse, render } from "./mrkdwn.js";

const QUICK_REACTIONS = ["eyes", "white_check_mark"];

class Page {
  constructor(session, directory) {
    this.session = session;
    this.users = new Map(directory.users.map((user) => [user.id, user]));
    this.groups = new Map(directory.usergroups.map((group) => [group.id, group]));
    const linked = location.pathname.match(/^\/archives\/([A-Z0-9]+)\/p(\d{10})(\d{6})$/);
    this.user = sessionStorage.getItem("user") || "U0LEE";
    if (!this.users.has(this.user)) this.user = this.people()[0].id;
    this.channel = linked ? linked[1] : "C0INCIDENTS";
    this.highlight = linked ? `${linked[2]}.${linked[3]}` : "";
    const thread = new URLSearchParams(location.search).get("thread_ts");
    this.thread = linked && thread ? thread : "";
    this.home = false;
    this.state = null;
    this.seen = {};
    this.failures = new Map();
    this.notes = [];
    this.drawn = new Map();
    this.pushed = null;
    this.errorsSeen = 0;
    this.storyDismissed = "";
    this.modals = new Modals(this);
    this.names = {
      user: (id) => this.users.get(id)?.profile.display_name,
      channel: (id) => this.state?.channels.find((channel) => channel.id === id)?.name,
      group: (id) => this.groups.get(id)?.handle,
    };
  }

  people() {
    return [...this.users.values()].filter((user) => !user.is_bot && !user.deleted);
  }

  // --- talking to the sandbox

  async get(path) {
    const response = await fetch(path, { headers: { Accept: "application/json" } });
    if (!response.ok) throw Object.assign(new Error(`${path}: ${response.status}`), { status: response.status });
    return response.json();
  }

  async post(act, body) {
    const response = await fetch(`/sandbox/${act}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Sandbox-Token": this.session.csrf },
      body: JSON.stringify({ user: this.user, ...body }),
    });
    const answer = await response.json();
    if (answer.error) this.toast(answer.error, "error");
    this.refresh();
    return answer;
  }

  async refresh() {
    if (this.refreshing) { this.again = true; return; }
    this.refreshing = true;
    do {
      this.again = false;
      const query = new URLSearchParams({ user: this.user });
      if (!this.home) query.set("channel", this.channel);
      try {
        this.state = await this.get(`/sandbox/state?${query}`);
        this.draw();
      } catch (error) {
        if (error.status !== 409) throw error;
        this.channel = (await this.get(`/sandbox/channels?user=${this.user}`)).channels[0].id;
        this.thread = "";
        this.again = true;
      }
    } while (this.again);
    this.refreshing = false;
  }

  async follow() {
    for (;;) {
      try {
        await this.get(`/sandbox/changes?since=${this.state ? this.state.revision : 0}`);
        await this.refresh();
      } catch {
        this.refreshing = false;
        byId("link-state").className = "link-state off";
        byId("link-state").textContent = "the local workspace has stopped";
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    }
  }

  // --- choosing what to look at

  look(channel) {
    this.home = channel === "home";
    if (this.home) this.post("home", {});
    else this.channel = channel;
    this.thread = "";
    this.drawn.clear();
    byId("messages").replaceChildren();
    this.closeMenu();
    this.refresh();
  }

  openThread(ts) {
    this.thread = ts;
    this.draw();
    // Where fingers point, focus would bring up a keyboard over what is to be read.
    if (matchMedia("(hover: hover)").matches) byId("thread").querySelector("textarea")?.focus();
  }

  closeMenu() {
    byId("frame").classList.remove("menu-open");
    byId("menu-toggle").setAttribute("aria-expanded", "false");
  }

  // --- drawing

  draw() {
    const channel = this.state.channels.find((entry) => entry.id === this.channel);
    this.drawSidebar();
    this.drawLink();
    this.drawTitle(channel);
    if (this.home) this.drawHome();
    else this.drawMessages(channel);
    this.drawThread();
    this.drawComposer(channel);
    this.drawPushes();
    this.drawStory();
    this.drawLog();
    this.modals.show(this.state.modals);
  }

  drawLink() {
    const count = this.state.connections;
    const link = byId("link-state");
    link.className = `link-state ${count ? "on" : "off"}`;
    link.textContent = count ? `${this.session.app.name} is connected${count > 1 ? ` ×${count}` : ""}` : `${this.session.app.name} is not connected`;
  }

  drawSidebar() {
    const { channels } = this.state;
    const key = JSON.stringify([this.user, this.channel, this.home, channels.map((c) => [c.id, c.latest, c.joined, c.is_ext_shared, c.is_archived]), this.seen]);
    if (!this.home) this.seen[`${this.user} ${this.channel}`] = channels.find((c) => c.id === this.channel)?.latest || "";
    if (key === this.sidebarKey) return;
    this.sidebarKey = key;
    const item = (id, text, mark, unread, current) => h("li", {},
      h("button", { type: "button", class: `nav ${unread ? "unread" : ""} ${current ? "current" : ""}`, "aria-current": current ? "page" : null, "data-channel": id, onclick: () => this.look(id) },
        h("span", { class: "mark", "aria-hidden": "true" }, mark), h("span", { class: "nav-text" }, text), unread && h("span", { class: "dot", "aria-label": "unread" })));
    const isUnread = (c) => c.latest > (this.seen[`${this.user} ${c.id}`] || "") && !(c.id === this.channel && !this.home);
    const rooms = channels.filter((c) => !c.is_im);
    const direct = channels.filter((c) => c.is_im);
    byId("sidebar").replaceChildren(
      h("div", { class: "team" }, h("span", { class: "team-mark", "aria-hidden": "true" }, "S"), h("span", {}, this.session.team.name)),
      h("h2", {}, "Channels"),
      h("ul", {}, rooms.map((c) => item(c.id, c.name, c.is_private ? "🔒" : "#", isUnread(c), c.id === this.channel && !this.home))),
      h("h2", {}, "Direct messages"),
      h("ul", {}, direct.length
        ? direct.map((c) => item(c.id, this.session.app.name, "✓", isUnread(c), c.id === this.channel && !this.home))
        : h("li", { class: "nothing" }, "none yet")),
      ...(this.session.app.home_tab ? [h("h2", {}, "Apps"), h("ul", {}, item("home", `${this.session.app.name} · Home`, "⌂", false, this.home))] : []));
  }

  // Outside the frame, so that it is there on a phone too, whatever is open.
  offerPeople() {
    const switcher = byId("user-switch");
    switcher.append(...[...this.users.values()].filter((user) => !user.is_bot).map((user) =>
      h("option", { value: user.id, disabled: user.deleted }, `${user.profile.real_name} · ${user.profile.title}`)));
    switcher.value = this.user;
    switcher.addEventListener("change", () => this.become(switcher.value));
  }

  become(user) {
    this.user = user;
    sessionStorage.setItem("user", user);
    this.drawn.clear();
    this.failures.clear();
    this.modals.remove();
    byId("messages").replaceChildren();
    if (this.home) this.post("home", {});
    this.refresh();
  }

  drawTitle(channel) {
    const title = this.home ? `${this.session.app.name} · Home` : channel.is_im ? this.session.app.name : `# ${channel.name}`;
    const shared = channel?.is_ext_shared ? "Shared with another organisation · " : "";
    byId("channel-title").textContent = title;
    byId("channel-topic").textContent = this.home ? "What the app shows to you alone" : channel.is_im ? "A direct conversation with the app" : shared + channel.topic.value;
    document.title = `${title} · local workspace`;
  }

  drawHome() {
    const { home } = this.state;
    const list = byId("messages");
    const key = JSON.stringify(home);
    if (this.homeKey === key && list.querySelector(".home")) return;
    this.homeKey = key;
    list.replaceChildren(h("div", { class: "home" }, home
      ? renderBlocks(home.blocks, this.viewSurface(home))
      : h("p", { class: "empty" }, `${this.session.app.name} has not published its Home tab for you.`)));
  }

  drawMessages(channel) {
    const list = byId("messages");
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80 || !list.childElementCount;
    const nodes = this.reconcile(this.state.messages, "channel");
    if (!nodes.length) nodes.push(this.empty(channel));
    nodes.push(...this.notes.filter((note) => note.where === `${this.user} ${this.channel}`).slice(-3).map((note) => note.node));
    place(list, nodes);
    const target = this.highlight && list.querySelector(`[data-ts="${this.highlight}"]`);
    if (target) {
      target.classList.add("highlight");
      target.scrollIntoView({ block: "center" });
      this.highlight = "";
    } else if (atEnd) list.scrollTop = list.scrollHeight;
  }

  empty(channel) {
    return h("div", { class: "empty" }, h("p", { class: "empty-title" }, channel.is_im ? `This is the start of your conversation with ${this.session.app.name}` : `This is the start of #${channel.name}`),
      h("p", {}, channel.joined ? "Messages of the app and of people show up here." : "You look at this channel without being in it."));
  }

  // Only messages that changed get a new node, so that an open menu or a half-chosen option survives others' messages.
  reconcile(messages, where) {
    const nodes = [];
    let day = "";
    let previous = null;
    for (const message of messages) {
      const date = new Date(Number(message.ts) * 1000);
      const today = date.toDateString();
      if (where === "channel" && today !== day) {
        day = today;
        nodes.push(this.once(`day ${today}`, today, () => h("div", { class: "day" }, h("span", {}, date.toLocaleDateString("en", { weekday: "long", month: "long", day: "numeric" })))));
        previous = null;
      }
      const follows = previous && previous.user === message.user && !message.blocks && !message.is_ephemeral && !previous.is_ephemeral && Number(message.ts) - Number(previous.ts) < 300 && !previous.reply_count;
      const key = JSON.stringify([message, follows, this.failureKey(message), this.user]);
      nodes.push(this.once(`${where} ${message.ts}`, key, () => this.messageNode(message, where, follows)));
      previous = message;
    }
    return nodes;
  }

  once(name, key, make) {
    const known = this.drawn.get(name);
    if (known && known.key === key) return known.node;
    const node = make();
    this.drawn.set(name, { key, node });
    return node;
  }

  messageNode(message, where, follows) {
    const author = this.users.get(message.user);
    const when = new Date(Number(message.ts) * 1000);
    const body = h("div", { class: "body" });
    if (message.blocks) body.append(...renderBlocks(message.blocks, this.messageSurface(message)));
    else if (message.text) body.append(h("div", { class: "text" }, render(parse(message.text), this.names)));
    if (message.edited) body.append(h("span", { class: "edited" }, "(edited)"));
    for (const file of message.files || []) {
      body.append(h("a", { class: "file", href: `/sandbox/files/${file.id}`, target: "_blank" },
        h("span", { class: "file-mark", "aria-hidden": "true" }, "≡"), h("span", {}, h("strong", {}, file.title || file.name), h("small", {}, `${file.name} · ${file.size.toLocaleString("en")} bytes`))));
    }
    if (message.reactions) {
      body.append(h("div", { class: "reactions" }, message.reactions.map((reaction) => h("button", {
        type: "button", class: `reaction ${reaction.users.includes(this.user) ? "mine" : ""}`,
        title: reaction.users.map((id) => this.names.user(id)).join(", "),
        onclick: () => this.react(message, reaction.name, reaction.users.includes(this.user)),
      }, emojiNode(reaction.name), h("span", {}, String(reaction.count))))));
    }
    if (where === "channel" && message.replies.length) {
      const last = new Date(Number(message.replies[message.replies.length - 1].ts) * 1000);
      const faces = [...new Set(message.replies.map((reply) => reply.user))].slice(0, 4);
      body.append(h("button", { type: "button", class: `replies ${this.thread === message.ts ? "open" : ""}`, onclick: () => this.openThread(message.ts) },
        faces.map((id) => avatar(this.users.get(id), "tiny")), h("strong", {}, `${message.replies.length} ${message.replies.length === 1 ? "reply" : "replies"}`), h("span", {}, `last at ${clock(last)}`)));
    }
    return h("article", { class: `message ${follows ? "follows" : ""} ${message.is_ephemeral ? "ephemeral" : ""}`, "data-ts": message.ts },
      h("div", { class: "gutter" }, follows ? h("time", { class: "small-time" }, clock(when)) : avatar(author)),
      h("div", { class: "content" },
        message.is_ephemeral && h("div", { class: "only-you" }, h("span", { "aria-hidden": "true" }, "◉"), " Only visible to you"),
        !follows && h("div", { class: "byline" },
          h("strong", {}, author.profile.real_name), author.is_bot && h("span", { class: "app-tag" }, "APP"),
          author.is_stranger && h("span", { class: "app-tag" }, "OTHER ORG"), author.is_restricted && h("span", { class: "app-tag" }, "GUEST"),
          h("time", { datetime: when.toISOString(), title: when.toString() }, clock(when)),
          message.subtype === "thread_broadcast" && h("span", { class: "broadcasted" }, "also sent to the channel")),
        body),
      this.tools(message, where));
  }

  tools(message, where) {
    const shortcuts = this.session.app.shortcuts.filter((entry) => entry.kind === "message");
    const menu = h("details", { class: "overflow" }, h("summary", { "aria-label": "More about this message", title: "More" }, "⋯"),
      h("div", { class: "menu", role: "menu" },
        shortcuts.map((entry) => h("button", { type: "button", role: "menuitem", onclick: () => { menu.open = false; this.run("shortcut", { callback_id: entry.callback_id, channel: this.channel, ts: message.ts }); } }, entry.name)),
        h("button", { type: "button", role: "menuitem", onclick: () => { menu.open = false; showJson(`Message ${message.ts}`, bare(message)); } }, "Raw JSON"),
        h("button", { type: "button", role: "menuitem", onclick: () => { menu.open = false; this.copyLink(message); } }, "Copy link")));
    return h("div", { class: "tools" },
      !message.is_ephemeral && QUICK_REACTIONS.map((name) => h("button", { type: "button", class: "icon-button", "aria-label": `React with ${name}`, onclick: () => this.react(message, name, false) }, emojiNode(name))),
      where === "channel" && !message.is_ephemeral && h("button", { type: "button", class: "icon-button", "aria-label": "Reply in thread", title: "Reply in thread", onclick: () => this.openThread(message.ts) }, "↩"),
      menu);
  }

  async copyLink(message) {
    await navigator.clipboard?.writeText(`${location.origin}/archives/${this.channel}/p${message.ts.replace(".", "")}`);
    this.toast("Link copied");
  }

  react(message, name, remove) {
    return this.post("react", { channel: this.channel, ts: message.ts, name, remove });
  }

  failureKey(message) {
    return [...this.failures].filter(([key]) => key.startsWith(`${message.ts} `)).join();
  }

  messageSurface(message) {
    const key = (block, element) => `${message.ts} ${block.block_id} ${element.action_id}`;
    return {
      id: message.ts, names: this.names, people: this.people(), user: this.user,
      held: (block, element) => valueOf(message.values[block.block_id]?.[element.action_id]),
      type: () => {},
      failure: (block, element) => this.failures.get(key(block, element)),
      act: async (block, element, value, button) => {
        const confirm = element.confirm ? await confirmed(element.confirm) : false;
        if (element.confirm && !confirm) return;
        if (element.url) window.open(element.url, "_blank", "noopener,noreferrer");
        if (button) { button.classList.add("busy"); button.setAttribute("aria-busy", "true"); }
        const outcome = await this.post("click", { channel: this.channel, ts: message.ts, action_id: element.action_id, block_id: block.block_id, value, confirm });
        if (button) { button.classList.remove("busy"); button.removeAttribute("aria-busy"); }
        if (outcome.shown) this.failures.set(key(block, element), outcome.shown);
        else this.failures.delete(key(block, element));
        this.refresh();
      },
    };
  }

  viewSurface(view) {
    return {
      id: view.id, names: this.names, people: this.people(), user: this.user,
      held: (block, element) => valueOf(view.state.values[block.block_id]?.[element.action_id]),
      type: () => {},
      act: async (block, element, value) => {
        const confirm = element.confirm ? await confirmed(element.confirm) : false;
        if (element.confirm && !confirm) return;
        if (element.url) window.open(element.url, "_blank", "noopener,noreferrer");
        await this.run("click", { view_id: view.id, action_id: element.action_id, block_id: block.block_id, value, confirm });
      },
    };
  }

  // An act whose failure Slack tells in a line of its own.
  async run(act, body) {
    const outcome = await this.post(act, body);
    if (outcome.shown) this.toast(outcome.shown, "error");
    return outcome;
  }

  drawThread() {
    const panel = byId("thread");
    const parent = !this.home && this.state.messages.find((message) => message.ts === this.thread);
    panel.hidden = !parent;
    byId("frame").classList.toggle("thread-open", Boolean(parent));
    if (!parent) { this.threadDrawn = ""; return; }
    if (this.threadDrawn !== parent.ts) {
      this.threadDrawn = parent.ts;
      const list = h("div", { class: "messages", role: "log", "aria-label": "Thread" });
      panel.replaceChildren(
        h("div", { class: "panel-head" }, h("h2", {}, "Thread"), h("button", { type: "button", class: "icon-button", "aria-label": "Close the thread", onclick: () => { this.thread = ""; this.draw(); } }, "✕")),
        list, this.composerForm((text) => this.post("message", { channel: this.channel, text, thread_ts: this.thread }), "Reply…", false));
    }
    const list = panel.querySelector(".messages");
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80 || !list.childElementCount;
    const replies = this.reconcile(parent.replies, "thread");
    place(list, [
      ...this.reconcile([parent], "parent"),
      this.once(`count ${parent.ts}`, String(replies.length), () => h("div", { class: "day" }, h("span", {}, `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`))),
      ...replies,
    ]);
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  // --- writing

  drawComposer(channel) {
    const composer = byId("composer");
    const why = this.home ? "home" : !channel.joined ? "outside" : channel.is_im && !this.session.app.messages_tab ? "off" : "";
    const key = `${this.user} ${this.channel} ${why}`;
    if (this.composerKey === key) return;
    this.composerKey = key;
    composer.hidden = why === "home";
    if (why === "outside") composer.replaceChildren(h("p", { class: "composer-note" }, "You are not in this channel."));
    else if (why === "off") composer.replaceChildren(h("p", { class: "composer-note" }, "Sending messages to this app has been turned off."));
    else {
      const form = this.composerForm((text) => this.say(text), `Message ${channel?.is_im ? this.session.app.name : `#${channel?.name}`}`, true);
      composer.replaceChildren(...form.childNodes);
      composer.onsubmit = form.onsubmit;
    }
  }

  async say(text) {
    if (!text.startsWith("/")) return this.post("message", { channel: this.channel, text });
    const outcome = await this.post("command", { channel: this.channel, text });
    if (outcome.shown) this.note(outcome.shown);
    return outcome;
  }

  note(text) {
    const node = h("div", { class: "slackbot", role: "alert" }, h("span", { class: "only-you" }, "◉ Only visible to you"), h("p", {}, text));
    this.notes.push({ node, where: `${this.user} ${this.channel}` });
    this.refresh();
  }

  composerForm(send, placeholder, commands) {
    const box = h("textarea", { id: commands ? "composer-text" : null, rows: "1", placeholder, "aria-label": placeholder, "aria-autocomplete": "list" });
    const list = h("ul", { class: "suggestions", role: "listbox", hidden: true });
    let offers = [];
    let chosen = 0;
    const offer = () => {
      offers = this.offersFor(box.value.slice(0, box.selectionStart), commands);
      chosen = Math.min(chosen, Math.max(0, offers.length - 1));
      list.hidden = !offers.length;
      list.replaceChildren(...offers.map((entry, index) => h("li", { role: "option", "aria-selected": String(index === chosen), class: index === chosen ? "chosen" : "", onmousedown: (event) => { event.preventDefault(); take(index); } },
        h("strong", {}, entry.text), entry.hint && h("code", {}, entry.hint), h("span", {}, entry.about))));
    };
    const take = (index) => {
      const { insert, from } = offers[index];
      box.value = `${box.value.slice(0, from)}${insert} ${box.value.slice(box.selectionStart)}`;
      offers = [];
      list.hidden = true;
      box.focus();
      grow();
    };
    const grow = () => { box.style.height = "auto"; box.style.height = `${Math.min(180, box.scrollHeight)}px`; };
    const submit = async (event) => {
      event?.preventDefault();
      const text = box.value.trim();
      if (!text) return;
      box.value = "";
      grow();
      offer();
      const outcome = await send(text);
      if (outcome.error) box.value = text;
    };
    box.addEventListener("input", () => { grow(); offer(); });
    box.addEventListener("blur", () => { list.hidden = true; });
    box.addEventListener("keydown", (event) => {
      if (!list.hidden && offers.length) {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
          chosen = (chosen + (event.key === "ArrowDown" ? 1 : offers.length - 1)) % offers.length;
          event.preventDefault();
          offer();
          return;
        }
        const complete = box.value.slice(0, box.selectionStart).endsWith(offers[chosen].text);
        if (event.key === "Tab" || (event.key === "Enter" && !complete)) { event.preventDefault(); take(chosen); return; }
        if (event.key === "Escape") { list.hidden = true; return; }
      }
      if (event.key === "Enter" && !event.shiftKey) submit(event);
    });
    const form = h("form", { class: "composer" }, list, h("div", { class: "composer-box" }, box, h("button", { type: "submit", class: "send", "aria-label": "Send" }, "➤")));
    form.onsubmit = submit;
    return form;
  }

  offersFor(before, commands) {
    const slash = commands && before.match(/^\/[a-z0-9_-]*$/);
    if (slash) {
      return this.session.app.commands.filter((entry) => entry.name.startsWith(slash[0])).map((entry) => ({ text: entry.name, hint: entry.usage_hint, about: entry.description, insert: entry.name, from: 0 }));
    }
    const mention = before.match(/(?:^|\s)@([a-z0-9_-]*)$/);
    if (!mention) return [];
    return [...this.users.values()].filter((user) => !user.deleted && user.name.startsWith(mention[1])).slice(0, 6)
      .map((user) => ({ text: `@${user.name}`, hint: "", about: user.profile.real_name, insert: `@${user.name}`, from: before.length - mention[1].length - 1 }));
  }

  // --- around the conversation

  drawPushes() {
    const { pushes } = this.state;
    const last = pushes[pushes.length - 1];
    const bar = byId("push");
    bar.hidden = !last || this.home;
    if (!last) { this.pushed ??= ""; return; }
    const id = `${last.channel} ${last.ts}`;
    if (this.pushed === id) return;
    const channel = this.state.channels.find((entry) => entry.id === last.channel);
    const where = channel ? (channel.is_im ? "direct message" : `#${channel.name}`) : "elsewhere";
    const text = last.text ? render(parse(last.text), this.names) : h("em", {}, "no text: a phone would show nothing useful");
    bar.replaceChildren(h("span", { class: "push-label" }, "On a phone"), h("strong", {}, `${this.session.app.name} · ${where}`), h("span", { class: "push-text" }, text));
    this.pushed = id;
  }

  drawStory() {
    const { story } = this.state;
    const strip = byId("story");
    const key = JSON.stringify(story);
    strip.hidden = !story.text || this.storyDismissed === key;
    byId("stage").classList.toggle("has-story", !strip.hidden);
    if (strip.hidden || this.storyKey === key) return;
    this.storyKey = key;
    const fold = h("button", { type: "button", class: "icon-button fold", onclick: () => this.foldStory(!strip.classList.contains("folded")) });
    strip.replaceChildren(
      h("div", { class: "panel-head" }, h("h2", {}, "The story"), h("span", { class: "spacer" }), fold, h("button", { type: "button", class: "icon-button", "aria-label": "Hide the story", onclick: () => { this.storyDismissed = key; this.drawStory(); } }, "✕")),
      h("div", { class: "text" }, render(parse(story.text), this.names)),
      h("div", { class: "story-actions" }, story.actions.map((action) => this.storyAction(action))));
    this.foldStory(false);
  }

  // Only a small window shows a folded story differently: there it would cover what happens.
  foldStory(folded) {
    const strip = byId("story");
    strip.classList.toggle("folded", folded);
    const button = strip.querySelector(".fold");
    button.textContent = folded ? "▾" : "▴";
    button.setAttribute("aria-label", folded ? "Show the story" : "Fold the story");
  }

  storyAction(action) {
    if (action.href) return h("a", { class: "button", href: action.href }, action.label);
    const said = h("small", { class: "said", role: "status" });
    const button = h("button", { type: "button", class: "button primary", onclick: async () => {
      button.disabled = true;
      said.textContent = "";
      try {
        const response = await fetch(action.path, { method: action.method || "POST", headers: { "X-Sandbox-Token": this.session.csrf } });
        if (response.ok) this.foldStory(true);
        else said.textContent = `That did not work (${response.status}).`;
      } finally {
        button.disabled = false;
      }
    } }, action.label);
    return h("div", {}, button, said);
  }

  drawLog() {
    const panel = byId("log");
    const entries = this.state.log;
    const errors = entries.filter((entry) => entry.level === "error" && entry.n > this.errorsSeen).length;
    const badge = byId("log-errors");
    badge.hidden = !errors;
    badge.textContent = String(errors);
    if (panel.hidden) return;
    this.errorsSeen = entries.length ? entries[entries.length - 1].n : 0;
    badge.hidden = true;
    if (!panel.childElementCount) {
      panel.append(
        h("div", { class: "panel-head" }, h("h2", {}, "Event log"), h("button", { type: "button", class: "icon-button", "aria-label": "Close the event log", onclick: () => this.toggleLog() }, "✕")),
        h("details", { class: "faults" }, h("summary", {}, "Make trouble"), h("div", { class: "fault-buttons" }, FAULTS.map(([label, body]) =>
          h("button", { type: "button", class: "button", onclick: () => this.switch(label, body) }, label)))),
        h("ol", { class: "entries" }));
    }
    const list = panel.querySelector(".entries");
    place(list, entries.toReversed().map((entry) => this.once(`log ${entry.n}`, "", () => this.entryNode(entry))));
  }

  entryNode(entry) {
    const detail = h("pre", { tabindex: "0" });
    const node = h("details", {}, h("summary", {}, h("time", {}, clock(new Date(entry.at * 1000), true)), h("span", { class: "kind" }, entry.kind), h("span", { class: "entry-title" }, entry.title)), detail);
    node.addEventListener("toggle", async () => {
      if (!node.open || detail.textContent) return;
      const { entries } = await this.get(`/sandbox/log?since=${entry.n - 1}`);
      detail.textContent = entries.length && entries[0].n === entry.n ? JSON.stringify(entries[0].detail, null, 2) : "no longer kept";
    });
    return h("li", { class: entry.level }, node);
  }

  toggleLog() {
    const panel = byId("log");
    panel.hidden = !panel.hidden;
    byId("log-toggle").setAttribute("aria-pressed", String(!panel.hidden));
    byId("frame").classList.toggle("log-open", !panel.hidden);
    if (this.state) this.drawLog();
  }

  async switch(label, body) {
    const response = await fetch("/sandbox/switches", { method: "POST", headers: { "Content-Type": "application/json", "X-Sandbox-Token": this.session.csrf }, body: JSON.stringify(body) });
    this.toast(response.ok ? label : "That switch did not work", response.ok ? "" : "error");
  }

  toast(text, level = "") {
    const node = h("div", { class: `toast ${level}`, role: level === "error" ? "alert" : "status" }, text);
    byId("toasts").append(node);
    setTimeout(() => node.remove(), 6000);
  }
}

const FAULTS = [
  ["Drop the connection", { disconnect: "drop" }],
  ["Ask to reconnect", { disconnect: "refresh_requested" }],
  ["429 on the next edit", { rate_limited_next: { "chat.update": 1 } }],
  ["429 on the next post", { rate_limited_next: { "chat.postMessage": 1 } }],
  ["Lose the next post's answer", { lose_answer_next: { "chat.postMessage": 1 } }],
  ["Acknowledgements 4 s late", { ack_delay: 4 }],
  ["Acknowledgements on time", { ack_delay: 0 }],
];

function clock(date, seconds = false) {
  return date.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hourCycle: "h23" });
}

function avatar(user, size = "") {
  if (!user) return h("span", { class: `avatar ${size}` });
  if (user.is_bot) return h("span", { class: `avatar bot ${size}`, "aria-hidden": "true" }, "✓");
  const tint = [...user.id].reduce((sum, char) => sum + char.charCodeAt(0), 0) % 6;
  return h("span", { class: `avatar tint-${tint} ${size}`, "aria-hidden": "true" }, user.profile.real_name[0]);
}

function bare({ replies, version, values, ...message }) {
  return message;
}

// Makes the children of `parent` exactly `nodes`, touching only what differs.
function place(parent, nodes) {
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] || null);
  });
  while (parent.children.length > nodes.length) parent.lastElementChild.remove();
}

const [session, directory] = await Promise.all(["/sandbox/session", "/sandbox/users"].map(async (path) => (await fetch(path)).json()));
const page = new Page(session, directory);
byId("phone-toggle").addEventListener("click", (event) => {
  const on = byId("stage").classList.toggle("phone");
  event.currentTarget.setAttribute("aria-pressed", String(on));
});
byId("log-toggle").addEventListener("click", () => page.toggleLog());
byId("menu-toggle").addEventListener("click", (event) => {
  const open = byId("frame").classList.toggle("menu-open");
  event.currentTarget.setAttribute("aria-expanded", String(open));
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.overflow[open]")) if (!menu.contains(event.target)) menu.open = false;
});
page.offerPeople();
await page.refresh();
page.follow();
