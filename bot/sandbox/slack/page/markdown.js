// The markdown of a markdown block: headings, lists, quotes, code and the usual inline styles, as DOM nodes.

import { anchor, h } from "./dom.js";

const LIST = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/;

export function renderMarkdown(text) {
  const lines = text.split("\n");
  const nodes = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    const heading = line.match(/^(#{1,6})\s+(.*)$/);
    if (/^\s*```/.test(line)) {
      const code = [];
      for (at += 1; at < lines.length && !/^\s*```/.test(lines[at]); at++) code.push(lines[at]);
      at += 1;
      nodes.push(h("pre", {}, code.join("\n")));
    } else if (heading) {
      nodes.push(h("p", { class: `md-heading md-h${heading[1].length}`, role: "heading", "aria-level": String(heading[1].length + 2) }, inline(heading[2])));
      at += 1;
    } else if (/^\s*([-*_])\s*(\1\s*){2,}$/.test(line)) {
      nodes.push(h("hr"));
      at += 1;
    } else if (/^>/.test(line)) {
      const quoted = [];
      while (at < lines.length && /^>/.test(lines[at])) quoted.push(lines[at++].replace(/^> ?/, ""));
      nodes.push(h("blockquote", {}, renderMarkdown(quoted.join("\n"))));
    } else if (LIST.test(line)) {
      const ordered = /\d/.test(line.match(LIST)[2]);
      const items = [];
      while (at < lines.length && LIST.test(lines[at])) {
        const [, indent, , body] = lines[at++].match(LIST);
        items.push(h("li", { class: `indent-${Math.min(4, Math.floor(indent.length / 2))}` }, inline(body)));
      }
      nodes.push(h(ordered ? "ol" : "ul", {}, items));
    } else if (!line.trim()) {
      at += 1;
    } else {
      const paragraph = [];
      while (at < lines.length && lines[at].trim() && !/^(#{1,6}\s|>|\s*```)/.test(lines[at]) && !LIST.test(lines[at])) paragraph.push(lines[at++]);
      nodes.push(h("p", {}, inline(paragraph.join("\n"))));
    }
  }
  return nodes;
}

const INLINE = [
  [/^`([^`\n]+)`/, (m) => h("code", {}, m[1])],
  [/^\*\*([^\s*](?:[^\n]*?[^\s*])?)\*\*/, (m) => h("strong", {}, inline(m[1]))],
  [/^~~([^\n]+?)~~/, (m) => h("s", {}, inline(m[1]))],
  [/^\*([^\s*][^*\n]*)\*/, (m) => h("em", {}, inline(m[1]))],
  [/^_([^\s_][^_\n]*)_(?!\w)/, (m) => h("em", {}, inline(m[1]))],
  [/^!?\[([^\]\n]+)\]\((https?:[^()\s]+|mailto:[^()\s]+)\)/, (m) => anchor(m[2], inline(m[1]))],
  [/^https?:\/\/[^\s<>)]+/, (m) => anchor(m[0], m[0])],
  [/^\n/, () => h("br")],
];

function inline(text) {
  const nodes = [];
  let plain = "";
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const escaped = rest.match(/^\\([\\`*_~[\]()#+.!>-])/);
    const rule = escaped ? null : INLINE.find(([pattern]) => pattern.test(rest));
    if (rule) {
      const match = rest.match(rule[0]);
      nodes.push(plain, rule[1](match));
      plain = "";
      at += match[0].length;
    } else {
      plain += escaped ? escaped[1] : text[at];
      at += escaped ? 2 : 1;
    }
  }
  return [...nodes, plain];
}
