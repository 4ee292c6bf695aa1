// Block Kit as DOM nodes. `surface` says what happens when a person uses an element:
//   names: user(id), channel(id), group(id) -> text;  people: the users that selects offer
//   act(block, element, value): a click or choice;  held(block, element): the value shown now
//   failure(block, element): Slack's warning beside an element, or null;  user: who looks

import { anchor, h } from "./dom.js";
import { renderMarkdown } from "./markdown.js";
import { emojiNode } from "./emoji.js";
import { formatDate, parse, parsePlain, render } from "./mrkdwn.js";

export function renderText(object, names) {
  const tokens = object.type === "mrkdwn" ? parse(object.text, { verbatim: object.verbatim === true }) : parsePlain(object.text);
  return render(tokens, names);
}

export function renderBlocks(blocks, surface) {
  return blocks.map((block) => {
    const draw = BLOCKS[block.type];
    return draw ? draw(block, surface) : h("div", { class: "unplayed" }, `${block.type}: not drawn here`);
  });
}

const BLOCKS = {
  section(block, surface) {
    const body = h("div", { class: "section-body" });
    if (block.text) body.append(h("div", { class: "text" }, renderText(block.text, surface.names)));
    if (block.fields) {
      body.append(h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "text" }, renderText(field, surface.names)))));
    }
    const accessory = block.accessory && h("div", { class: "accessory" }, renderElement(block, block.accessory, surface));
    return h("div", { class: "block section" }, body, accessory);
  },
  header: (block, { names }) => h("h3", { class: "block header" }, renderText(block.text, names)),
  divider: () => h("hr", { class: "block" }),
  context: (block, surface) =>
    h("div", { class: "block context" }, block.elements.map((element) =>
      element.type === "image" ? picture(element, "small") : h("span", { class: "text" }, renderText(element, surface.names)))),
  actions: (block, surface) => h("div", { class: "block actions" }, block.elements.map((element) => renderElement(block, element, surface))),
  image: (block, { names }) =>
    h("figure", { class: "block" }, block.title && h("figcaption", {}, renderText(block.title, names)), picture(block, "large")),
  input: (block, surface) => inputBlock(block, surface),
  rich_text: (block, { names }) => h("div", { class: "block rich" }, block.elements.map((element) => richElement(element, names))),
  markdown: (block) => h("div", { class: "block markdown text" }, renderMarkdown(block.text)),
};

function picture(image, size) {
  const url = image.image_url || "";
  if (url.startsWith(location.origin + "/")) return h("img", { class: `picture ${size}`, src: url, alt: image.alt_text });
  return h("span", { class: `picture-placeholder ${size}`, role: "img", "aria-label": image.alt_text, title: "The local workspace loads nothing from other places" }, image.alt_text);
}

// --- rich text

function richElement(element, names) {
  const spans = () => element.elements.map((span) => richSpan(span, names));
  switch (element.type) {
    case "rich_text_section": return h("p", { class: "rich-section" }, spans());
    case "rich_text_quote": return h("blockquote", {}, spans());
    case "rich_text_preformatted": return h("pre", {}, spans());
    case "rich_text_list":
      return h(element.style === "ordered" ? "ol" : "ul", { class: `indent-${Math.min(4, element.indent || 0)}`, start: element.offset ? String(element.offset + 1) : null },
        element.elements.map((item) => h("li", {}, item.elements.map((span) => richSpan(span, names)))));
  }
  return h("div", { class: "unplayed" }, element.type);
}

function richSpan(span, names) {
  const style = span.style || {};
  let node;
  switch (span.type) {
    case "text": node = document.createTextNode(span.text); break;
    case "link": node = anchor(span.url, span.text || span.url); break;
    case "emoji": node = emojiNode(span.name); break;
    case "user": node = h("span", { class: "mention" }, `@${names.user(span.user_id) || span.user_id}`); break;
    case "usergroup": node = h("span", { class: "mention" }, `@${names.group(span.usergroup_id) || span.usergroup_id}`); break;
    case "channel": node = h("span", { class: "mention" }, `#${names.channel(span.channel_id) || span.channel_id}`); break;
    case "broadcast": node = h("span", { class: "mention broadcast" }, `@${span.range}`); break;
    case "date": node = h("time", { title: span.fallback }, formatDate(span.timestamp, span.format)); break;
    default: return h("span", { class: "unplayed" }, span.type);
  }
  for (const [name, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]]) {
    if (style[name]) node = h(tag, {}, node);
  }
  return node;
}

// --- elements

function renderElement(block, element, surface) {
  const draw = ELEMENTS[element.type];
  if (!draw) return h("span", { class: "unplayed" }, element.type);
  const node = draw(block, element, surface);
  const failure = surface.failure && surface.failure(block, element);
  return failure ? h("span", { class: "failed" }, node, h("span", { class: "failure", role: "alert" }, failure)) : node;
}

const label = (element) => (element.placeholder ? element.placeholder.text : "Choose an option");

function choose(block, element, surface, options) {
  const held = surface.held(block, element) || "";
  const select = h("select", {
    class: "select", "aria-label": label(element), "data-action": element.action_id,
    onchange: () => surface.act(block, element, select.value || null),
  }, h("option", { value: "" }, label(element)), options);
  select.value = held;
  return select;
}

const optionNode = (option) => h("option", { value: option.value }, option.text.text);

function ticks(block, element, surface, type) {
  const held = surface.held(block, element) || (type === "checkbox" ? [] : "");
  const group = h("div", { class: "ticks", role: "group", "data-action": element.action_id });
  const name = `${surface.id}-${block.block_id}-${element.action_id}`;
  for (const option of element.options) {
    const box = h("input", {
      type, name, value: option.value, checked: type === "checkbox" ? held.includes(option.value) : held === option.value,
      onchange: () => {
        const chosen = [...group.querySelectorAll("input:checked")].map((input) => input.value);
        surface.act(block, element, type === "checkbox" ? chosen : chosen[0]);
      },
    });
    group.append(h("label", {}, box, h("span", {}, renderText(option.text, surface.names),
      option.description && h("small", {}, renderText(option.description, surface.names)))));
  }
  return group;
}

function several(block, element, surface, options) {
  const held = surface.held(block, element) || [];
  const select = h("select", {
    class: "select several", multiple: true, size: String(Math.min(6, options.length)), "aria-label": label(element), "data-action": element.action_id,
    onchange: () => surface.act(block, element, [...select.selectedOptions].map((option) => option.value)),
  }, options);
  for (const option of select.options) option.selected = held.includes(option.value);
  return select;
}

function typed(block, element, surface, type) {
  const attributes = {
    class: "typed", "data-action": element.action_id, "aria-label": block.label ? block.label.text : label(element),
    placeholder: element.placeholder ? element.placeholder.text : null,
    value: surface.held(block, element) || "",
    oninput: (event) => surface.type(block, element, event.target.value),
    onchange: (event) => surface.act(block, element, event.target.value),
  };
  if (element.multiline) return h("textarea", { ...attributes, rows: "4" });
  return h("input", { type, ...attributes });
}

const people = (surface) => surface.people.map((user) => h("option", { value: user.id }, user.real_name || user.name));
const grouped = (element) =>
  element.option_groups
    ? element.option_groups.map((group) => h("optgroup", { label: group.label.text }, group.options.map(optionNode)))
    : element.options.map(optionNode);

const ELEMENTS = {
  button(block, element, surface) {
    if (element.visible_to_user_ids && !element.visible_to_user_ids.includes(surface.user)) return document.createTextNode("");
    const button = h("button", {
      type: "button", class: `button ${element.style || ""}`, "data-action": element.action_id,
      "aria-label": element.accessibility_label, onclick: () => surface.act(block, element, null, button),
    }, renderText(element.text, surface.names), element.url && h("span", { class: "out", "aria-hidden": "true" }, "↗"));
    return button;
  },
  overflow(block, element, surface) {
    const menu = h("div", { class: "menu", role: "menu" }, element.options.map((option) =>
      h("button", { type: "button", role: "menuitem", "data-value": option.value, onclick: () => { details.open = false; surface.act(block, element, option.value); } },
        renderText(option.text, surface.names), option.description && h("small", {}, renderText(option.description, surface.names)))));
    const details = h("details", { class: "overflow", "data-action": element.action_id },
      h("summary", { "aria-label": "More actions" }, "⋯"), menu);
    details.addEventListener("keydown", (event) => { if (event.key === "Escape") { details.open = false; details.firstChild.focus(); } });
    return details;
  },
  static_select: (block, element, surface) => choose(block, element, surface, grouped(element)),
  users_select: (block, element, surface) => choose(block, element, surface, people(surface)),
  multi_static_select: (block, element, surface) => several(block, element, surface, grouped(element)),
  multi_users_select: (block, element, surface) => several(block, element, surface, people(surface)),
  radio_buttons: (block, element, surface) => ticks(block, element, surface, "radio"),
  checkboxes: (block, element, surface) => ticks(block, element, surface, "checkbox"),
  plain_text_input: (block, element, surface) => typed(block, element, surface, "text"),
  number_input: (block, element, surface) => typed(block, element, surface, "text"),
  email_text_input: (block, element, surface) => typed(block, element, surface, "email"),
  url_text_input: (block, element, surface) => typed(block, element, surface, "url"),
  datepicker: (block, element, surface) => typed(block, element, surface, "date"),
  timepicker: (block, element, surface) => typed(block, element, surface, "time"),
  image: (block, element) => picture(element, "thumb"),
};

function inputBlock(block, surface) {
  const error = surface.error && surface.error(block);
  return h("div", { class: `block input ${error ? "wrong" : ""}`, "data-block": block.block_id },
    h("div", { class: "label" }, renderText(block.label, surface.names), block.optional && h("span", { class: "optional" }, "(optional)")),
    renderElement(block, block.element, surface),
    error && h("div", { class: "error", role: "alert" }, error),
    block.hint && h("div", { class: "hint" }, renderText(block.hint, surface.names)));
}

// The plain value of an element's entry in state.values, as the JSON API takes it back.
export function valueOf(held) {
  if (!held) return null;
  if ("value" in held) return held.value;
  if ("selected_option" in held) return held.selected_option && held.selected_option.value;
  if ("selected_options" in held) return held.selected_options.map((option) => option.value);
  return held.selected_user ?? held.selected_users ?? held.selected_date ?? held.selected_time ?? null;
}
