// Emoji shortcodes as nodes: a small table, drawn also where no colour font is installed.

import { h } from "./dom.js";

// Drawn with a style rule, because a state must look the same everywhere.
const CIRCLES = {
  red_circle: "red", large_orange_circle: "orange", large_yellow_circle: "yellow", large_green_circle: "green",
  large_blue_circle: "blue", white_circle: "white", black_circle: "black",
};

const EMOJI = {
  "+1": "👍", "-1": "👎", bell: "🔔", boom: "💥", bow: "🙇", bulb: "💡", clock1: "🕐", eyes: "👀",
  fire: "🔥", gear: "⚙️", hammer_and_wrench: "🛠️", heavy_check_mark: "✔️", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  information_source: "ℹ️",
  large_red_square: "🟥", link: "🔗", lock: "🔒", mag: "🔍", no_entry: "⛔", no_entry_sign: "🚫",
  package: "📦", page_facing_up: "📄", question: "❓", repeat: "🔁", robot_face: "🤖", rocket: "🚀",
  rotating_light: "🚨", shrug: "🤷", sos: "🆘", stopwatch: "⏱️", tada: "🎉", thumbsup: "👍", thumbsdown: "👎",
  warning: "⚠️", wave: "👋", white_check_mark: "✅", wrench: "🔧", x: "❌", zzz: "💤",
};

const PLAIN = { white_check_mark: "✓", heavy_check_mark: "✓", x: "✕", warning: "⚠", no_entry: "⊘", no_entry_sign: "⊘", repeat: "↻" };

// A colour font paints something that is not grey.
const coloured = (() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 20;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.font = '16px "Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif';
  pen.fillText("🔥", 0, 16);
  const { data } = pen.getImageData(0, 0, 20, 20);
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] > 64 && Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) > 40) return true;
  }
  return false;
})();

export const isEmoji = (name) => Object.hasOwn(EMOJI, name) || Object.hasOwn(CIRCLES, name);

export function emojiNode(name) {
  const attributes = { role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` };
  if (Object.hasOwn(CIRCLES, name)) return h("span", { class: `circle ${CIRCLES[name]}`, ...attributes });
  if (coloured && Object.hasOwn(EMOJI, name)) return h("span", { class: "emoji", ...attributes }, EMOJI[name]);
  if (Object.hasOwn(PLAIN, name)) return h("span", { class: "emoji", ...attributes }, PLAIN[name]);
  return h("span", { class: "shortcode", ...attributes }, name.replaceAll("_", " "));
}
