// Builds DOM nodes. Text only ever enters the page as text nodes: nothing here parses HTML.

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "value") node.value = value;
    else if (name === "checked" || name === "selected") node[name] = true;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

// Links leave the page only to the web or to a mail program.
export function anchor(url, ...children) {
  if (!/^(https?:\/\/|mailto:)/i.test(url)) return h("span", { class: "dead-link", title: url }, ...children);
  const here = url.startsWith(location.origin + "/archives/");
  return h("a", { href: url, class: "link", ...(here ? {} : { target: "_blank", rel: "noopener noreferrer" }) }, ...children);
}
