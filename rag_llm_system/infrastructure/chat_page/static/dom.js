// Small helpers to build the page. Text only ever becomes text nodes, never markup.

/** An element with properties, and children that are nodes, texts, or lists of both. */
export function make(tag, properties = {}, ...children) {
  const inside = document.createDocumentFragment();
  // one by one: a call has no room for the ten thousand children of a huge answer
  for (const child of children.flat()) inside.append(child);
  const element = document.createElement(tag);
  element.append(inside);
  // dir="auto" comes after the text, which otherwise is looked through again with each child
  return Object.assign(element, properties);
}

/** The element that a template marks with data-part="name". */
export function part(root, name) {
  return root.querySelector(`[data-part="${name}"]`);
}

export function byId(id) {
  return document.getElementById(id);
}

/** A link that leaves this page, or plain text where the address is no web address. */
export function webLink(address, text = address) {
  if (!isWebAddress(address)) return make("bdi", {}, text);
  return make("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow", dir: "auto" }, text);
}

function isWebAddress(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

/** Says it to screen readers, once and when they are free. The same words twice are said twice. */
export function announce(text) {
  const announcer = byId("announcer");
  announcer.textContent = announcer.textContent === text ? `${text}\u00a0` : text;
}

export function counted(number, one, many = `${one}s`) {
  return `${number} ${Number(number) === 1 ? one : many}`;
}

/** Rows of a description list; those without a value are left out. */
export function facts(list, rows) {
  list.replaceChildren(
    ...rows
      .filter(([, value]) => value !== "" && value !== null && value !== undefined)
      .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { dir: "auto" }, value))),
  );
}
