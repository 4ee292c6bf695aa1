// Slack's mrkdwn: `parse` turns text into plain tokens, `render` turns tokens into DOM nodes.
// Source: docs "Formatting text for app surfaces" (escapes, links, mentions, dates, styles).

import { anchor, h } from "./dom.js";
import { emojiNode, isEmoji } from "./emoji.js";

const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
const word = /[\p{L}\p{N}]/u;

// Plain text: only emoji shortcodes mean anything.
export function parsePlain(text) {
  const tokens = [];
  let rest = 0;
  for (const match of text.matchAll(/:([a-z0-9_+'-]+):/g)) {
    if (!isEmoji(match[1])) continue;
    if (match.index > rest) tokens.push({ kind: "text", text: text.slice(rest, match.index) });
    tokens.push({ kind: "emoji", name: match[1] });
    rest = match.index + match[0].length;
  }
  if (rest < text.length) tokens.push({ kind: "text", text: text.slice(rest) });
  return tokens;
}

export function parse(text, { verbatim = false } = {}) {
  const tokens = [];
  let rest = 0;
  for (const match of text.matchAll(/```\n?([\s\S]+?)\n?```/g)) {
    tokens.push(...parseLines(text.slice(rest, match.index), verbatim));
    tokens.push({ kind: "pre", children: parsePre(match[1]) });
    rest = match.index + match[0].length;
  }
  let tail = text.slice(rest);
  if (rest > 0) tail = tail.replace(/^\n/, "");
  tokens.push(...parseLines(tail, verbatim));
  return tokens;
}

// Inside code only links and escapes are read.
function parsePre(text) {
  return text.split(/(<https?:[^<>|]+(?:\|[^<>]*)?>)/).filter(Boolean).map((part) => {
    const link = part.match(/^<(https?:[^|>]+)(?:\|([^>]*))?>$/);
    if (!link) return { kind: "text", text: unescape(part) };
    return { kind: "link", url: unescape(link[1]), children: [{ kind: "text", text: unescape(link[2] || link[1]) }] };
  });
}

function parseLines(text, verbatim) {
  const tokens = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const quoted = [];
    while (at < lines.length && /^(&gt;|>)/.test(lines[at])) quoted.push(lines[at++].replace(/^(&gt;|>) ?/, ""));
    if (quoted.length) tokens.push({ kind: "quote", children: parseInline(quoted.join("\n"), verbatim) });
    if (at >= lines.length) break;
    if (at > 0 && !quoted.length) tokens.push({ kind: "break" });
    tokens.push(...parseInline(lines[at], verbatim));
  }
  return tokens;
}

const STYLES = { "*": "bold", _: "italic", "~": "strike" };

function parseInline(text, verbatim) {
  const tokens = [];
  let plain = "";
  const flush = () => {
    if (plain) tokens.push({ kind: "text", text: unescape(plain) });
    plain = "";
  };
  const push = (token) => {
    flush();
    tokens.push(token);
  };
  for (let at = 0; at < text.length; ) {
    const char = text[at];
    const rest = text.slice(at);
    const before = at > 0 ? text[at - 1] : "";
    let match;
    if (char === "\n") {
      push({ kind: "break" });
      at += 1;
    } else if (char === "<" && (match = rest.match(/^<([^<>\n]+)>/))) {
      push(reference(match[1]));
      at += match[0].length;
    } else if (char === "`" && (match = rest.match(/^`([^`\n]+)`/))) {
      push({ kind: "code", text: unescape(match[1]) });
      at += match[0].length;
    } else if (STYLES[char] && !word.test(before) && (match = styled(rest, char))) {
      push({ kind: STYLES[char], children: parseInline(match, verbatim) });
      at += match.length + 2;
    } else if (char === ":" && (match = rest.match(/^:([a-z0-9_+'-]+):/)) && isEmoji(match[1])) {
      push({ kind: "emoji", name: match[1] });
      at += match[0].length;
    } else if (!verbatim && char === "h" && !word.test(before) && (match = rest.match(/^https?:\/\/[^\s<>|]+/))) {
      const url = match[0].replace(/[.,:;!?)'"*_~]+$/, "");
      push({ kind: "link", url: unescape(url), children: [{ kind: "text", text: unescape(url) }] });
      at += url.length;
    } else {
      plain += char;
      at += 1;
    }
  }
  flush();
  return tokens;
}

// The text between two markers, when they stand at the edges of words on one line.
function styled(rest, marker) {
  for (let end = rest.indexOf(marker, 1); end > 0; end = rest.indexOf(marker, end + 1)) {
    const inner = rest.slice(1, end);
    if (inner.includes("\n")) return null;
    if (inner && !/^\s|\s$/.test(inner) && !word.test(rest[end + 1] || "") && inner[0] !== marker) return inner;
  }
  return null;
}

function reference(body) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? "" : unescape(body.slice(bar + 1));
  let match;
  if ((match = target.match(/^@([UW][A-Z0-9]+)$/))) return { kind: "user", id: match[1], label };
  if ((match = target.match(/^#([CG][A-Z0-9]+)$/))) return { kind: "channel", id: match[1], label };
  if ((match = target.match(/^!subteam\^(S[A-Z0-9]+)$/))) return { kind: "group", id: match[1], label };
  if ((match = target.match(/^!(here|channel|everyone)$/))) return { kind: "broadcast", range: match[1] };
  if ((match = target.match(/^!date\^(\d+)\^([^^]+)(?:\^(.+))?$/))) {
    return { kind: "date", timestamp: Number(match[1]), format: unescape(match[2]), url: match[3] || "", fallback: label };
  }
  if (/^(https?:\/\/|mailto:)/i.test(target)) {
    return { kind: "link", url: unescape(target), children: [{ kind: "text", text: label || unescape(target) }] };
  }
  return { kind: "text", text: unescape(`<${body}>`) };
}

// Dates appear in the reader's own time zone.
export function formatDate(timestamp, format, now = Date.now()) {
  const when = new Date(timestamp * 1000);
  const say = (options) => new Intl.DateTimeFormat("en", options).format(when);
  const days = Math.round((new Date(when).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 86_400_000);
  const near = { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
  const seconds = Math.max(0, Math.round(now / 1000 - timestamp));
  const ago = seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
  const parts = {
    date_num: () => say({ year: "numeric", month: "2-digit", day: "2-digit" }),
    date: () => say({ year: "numeric", month: "long", day: "numeric" }),
    date_short: () => say({ year: "numeric", month: "short", day: "numeric" }),
    date_long: () => say({ weekday: "long", year: "numeric", month: "long", day: "numeric" }),
    date_pretty: () => near || parts.date(),
    date_short_pretty: () => near || parts.date_short(),
    date_long_pretty: () => near || parts.date_long(),
    time: () => say({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    time_secs: () => say({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
    ago: () => `${ago} ago`,
  };
  return format.replace(/\{([a-z_]+)\}/g, (all, name) => (Object.hasOwn(parts, name) ? parts[name]() : all));
}

// `names` answers user(id), channel(id) and group(id) with what to show.
export function render(tokens, names) {
  const inside = (token) => render(token.children, names);
  return tokens.map((token) => {
    switch (token.kind) {
      case "text": return document.createTextNode(token.text);
      case "break": return h("br");
      case "bold": return h("strong", {}, inside(token));
      case "italic": return h("em", {}, inside(token));
      case "strike": return h("s", {}, inside(token));
      case "code": return h("code", {}, token.text);
      case "pre": return h("pre", {}, inside(token));
      case "quote": return h("blockquote", {}, inside(token));
      case "link": return anchor(token.url, inside(token));
      case "emoji": return emojiNode(token.name);
      case "user": return h("span", { class: "mention" }, `@${names.user(token.id) || token.label || token.id}`);
      case "channel": return h("span", { class: "mention" }, `#${names.channel(token.id) || token.label || token.id}`);
      case "group": return h("span", { class: "mention" }, `@${names.group(token.id) || token.label.replace(/^@/, "") || token.id}`);
      case "broadcast": return h("span", { class: "mention broadcast" }, `@${token.range}`);
      case "date": {
        const shown = h("time", { datetime: new Date(token.timestamp * 1000).toISOString(), title: token.fallback },
          formatDate(token.timestamp, token.format));
        return token.url ? anchor(token.url, shown) : shown;
      }
    }
    throw new Error(`no such token: ${token.kind}`);
  });
}
