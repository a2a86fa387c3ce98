/**
 * The machine's eyes on one screen: gives a sentence for everything that a person would call unfinished. Runs inside the
 * page, changes nothing but the focus, which it gives back. The argument `walksFocus` says whether to look at focus rings.
 */
const [walksFocus] = arguments;
const found = new Set();
const TEXT_RATIO = 4.5;
const SHAPE_RATIO = 3;
const LARGE_PX = 18;
const CONTROL =
  "button, input, select, textarea, a[href], [role=button], [role=tab], [role=treeitem], [role=option], [role=slider]," +
  "[role=menuitem], [role=menuitemcheckbox], [role=radio], [role=checkbox], [role=textbox], [role=combobox], [role=switch], [role=link]";

const modal = [...document.querySelectorAll("[role=dialog][aria-modal=true], .menu[role=menu], [data-popover]")].at(-1) ?? null;
const inMonaco = (element) => element.closest(".monaco-editor, .monaco-diff-editor, .monaco-aria-container") !== null;

function nameOf(element) {
  const steps = [];
  for (let at = element; at !== null && steps.length < 3; at = at.parentElement) {
    const id = at.dataset?.testid;
    const classes = typeof at.className === "string" ? at.className.split(/\s+/).filter((one) => one !== "" && !one.startsWith("svelte-")).slice(0, 2) : [];
    steps.unshift(id === undefined ? [at.tagName.toLowerCase(), ...classes].join(".") : `#${id}`);
    if (id !== undefined) break;
  }
  const text = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 32);
  return `${steps.join(" > ")}${text === "" ? "" : ` “${text}”`}`;
}

function isShown(element) {
  const style = getComputedStyle(element);
  if (style.visibility !== "visible" || style.display === "none" || element.closest(".visually-hidden, [aria-hidden=true]:not(.codicon):not(.shape)") !== null) return false;
  for (let at = element; at !== null; at = at.parentElement) if (getComputedStyle(at).opacity === "0") return false;
  return element.getClientRects().length > 0;
}

/** What can be seen of a rectangle inside all that clips it; `cut` when something clips it that cannot be scrolled. */
function clipped(element, box) {
  let { left, top, right, bottom } = box;
  let cut = false;
  let scrolls = { x: false, y: false };
  let position = getComputedStyle(element).position;
  for (let at = element.parentElement; at !== null && at !== document.body; at = at.parentElement) {
    if (position === "fixed") break;
    const style = getComputedStyle(at);
    if (position === "absolute" && style.position === "static") continue;
    position = style.position;
    if (style.overflowX === "visible" && style.overflowY === "visible") continue;
    const edge = at.getBoundingClientRect();
    scrolls = { x: scrolls.x || /auto|scroll/.test(style.overflowX), y: scrolls.y || /auto|scroll/.test(style.overflowY) };
    if ((left < edge.left - 1 || right > edge.right + 1) && !scrolls.x) cut = true;
    if ((top < edge.top - 1 || bottom > edge.bottom + 1) && !scrolls.y) cut = true;
    left = Math.max(left, edge.left);
    top = Math.max(top, edge.top);
    right = Math.min(right, edge.right);
    bottom = Math.min(bottom, edge.bottom);
  }
  const isOutside = (!scrolls.x && (left < -1 || right > innerWidth + 1)) || (!scrolls.y && (top < -1 || bottom > innerHeight + 1));
  return { left, top, right, bottom, cut, isOutside };
}

// Colours. -------------------------------------------------------------------------------------------------------------
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const parsedColours = new Map();
function parse(colour) {
  const known = parsedColours.get(colour);
  if (known !== undefined) return known;
  const plain = /^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/.exec(colour);
  let result;
  if (plain !== null) result = [Number(plain[1]), Number(plain[2]), Number(plain[3]), plain[4] === undefined ? 1 : Number(plain[4])];
  else {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    result = [red, green, blue, alpha / 255];
  }
  parsedColours.set(colour, result);
  return result;
}
const over = (top, ground, alpha = top[3]) => [0, 1, 2].map((i) => top[i] * alpha + ground[i] * (1 - alpha)).concat(1);
function luminance(colour) {
  const [red, green, blue] = colour.slice(0, 3).map((part) => {
    const value = part / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function ratio(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}
function opacityOf(element) {
  let opacity = 1;
  for (let at = element; at !== null; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
  return opacity;
}
/** What is painted behind a point of an element: every layer under it; null when something is in front, or a picture behind. */
function groundAt(element, x, y, withOwn = true) {
  const layers = document.elementsFromPoint(x, y);
  const at = layers.indexOf(element);
  const isInFront = (one) => one.contains(element) || element.contains(one);
  let behind;
  if (at >= 0) {
    if (layers.slice(0, at).some((one) => !isInFront(one) && parse(getComputedStyle(one).backgroundColor)[3] > 0.3)) return null;
    behind = layers.slice(withOwn ? at : at + 1);
  } else {
    if (layers.length > 0 && !isInFront(layers[0]) && !layers.some((one) => one.contains(element))) return null;
    behind = [];
    for (let one = withOwn ? element : element.parentElement; one !== null; one = one.parentElement) behind.push(one);
  }
  let ground = [255, 255, 255, 1];
  for (const one of behind.toReversed()) {
    const style = getComputedStyle(one);
    if (style.backgroundImage !== "none" && style.backgroundImage.includes("url")) return null;
    ground = over(parse(style.backgroundColor), ground, parse(style.backgroundColor)[3] * opacityOf(one));
  }
  return ground;
}
const isDisabled = (element) => element.closest(":disabled, [aria-disabled=true]") !== null;

// 1. Texts: whole, readable, no remains of a program. ------------------------------------------------------------------
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const range = document.createRange();
for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
  const element = node.parentElement;
  const text = node.data.trim();
  if (element === null || text === "" || ["SCRIPT", "STYLE", "OPTION", "TEXTAREA"].includes(element.tagName) || !isShown(element)) continue;
  if (!inMonaco(element) && /\bundefined\b|\bNaN\b|\[object |\b[0-9a-f]{20,}\b/.test(text)) found.add(`remains of a program in a text: ${nameOf(element)}`);
  range.selectNodeContents(node);
  const box = range.getBoundingClientRect();
  const seen = clipped(element, box);
  const x = (Math.max(0, seen.left) + Math.min(innerWidth, seen.right)) / 2;
  const y = (Math.max(0, seen.top) + Math.min(innerHeight, seen.bottom)) / 2;
  if (seen.right - seen.left < 2 || seen.bottom - seen.top < 4 || x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) continue;
  const ground = groundAt(element, x, y);
  if (ground === null || isDisabled(element)) continue;
  const style = getComputedStyle(element);
  const ink = parse(style.color);
  const shown = over(ink, ground, ink[3] * opacityOf(element));
  const isShape = element.closest(".codicon, .shape, .dot, [class*=codicon]") !== null || parseFloat(style.fontSize) >= LARGE_PX;
  const wanted = isShape ? SHAPE_RATIO : TEXT_RATIO;
  const is = ratio(shown, ground);
  if (is < wanted - 0.02) found.add(`contrast ${is.toFixed(2)} where ${wanted} is needed: ${nameOf(element)}`);
}
for (const icon of document.querySelectorAll(".codicon")) {
  if (!isShown(icon) || inMonaco(icon) || isDisabled(icon)) continue;
  const box = icon.getBoundingClientRect();
  const seen = clipped(icon, box);
  if (seen.right - seen.left < 4 || seen.bottom - seen.top < 4) continue;
  const ground = groundAt(icon, box.left + box.width / 2, box.top + box.height / 2);
  if (ground === null) continue;
  const ink = parse(getComputedStyle(icon).color);
  const is = ratio(over(ink, ground, ink[3] * opacityOf(icon)), ground);
  if (is < SHAPE_RATIO - 0.02) found.add(`contrast ${is.toFixed(2)} of an icon where ${SHAPE_RATIO} is needed: ${nameOf(icon.parentElement)} ${icon.className}`);
}
for (const field of document.querySelectorAll("input, select, textarea")) {
  if (!isShown(field) || inMonaco(field) || isDisabled(field)) continue;
  const box = field.getBoundingClientRect();
  const ground = groundAt(field, box.left + box.width / 2, box.top + box.height / 2);
  const around = groundAt(field, box.left + box.width / 2, box.top + box.height / 2, false);
  if (ground === null || around === null) continue;
  const style = getComputedStyle(field);
  if (parseFloat(style.borderTopWidth) > 0) {
    const edge = over(parse(style.borderTopColor), around);
    const is = Math.max(ratio(edge, around), ratio(ground, around));
    if (is < SHAPE_RATIO - 0.02) found.add(`contrast ${is.toFixed(2)} of a field's edge where ${SHAPE_RATIO} is needed: ${nameOf(field)}`);
  }
  const words = field.value !== "" || !field.placeholder ? style.color : getComputedStyle(field, "::placeholder").color;
  if (["checkbox", "radio", "range"].includes(field.type)) continue;
  const is = ratio(over(parse(words), ground), ground);
  if (is < TEXT_RATIO - 0.02) found.add(`contrast ${is.toFixed(2)} of what stands in a field: ${nameOf(field)}`);
}

// 2. Nothing is cut off without saying so. -----------------------------------------------------------------------------
for (const element of document.querySelectorAll("body *")) {
  if (inMonaco(element) || !isShown(element) || element.scrollWidth <= element.clientWidth + 1 || element.clientWidth === 0) continue;
  if (["INPUT", "TEXTAREA", "SELECT", "HTML", "BODY", "svg", "SVG"].includes(element.tagName) || element.closest("svg") !== null) continue;
  const style = getComputedStyle(element);
  if (/auto|scroll/.test(style.overflowX) || style.display === "inline") continue;
  const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
  if (!hasText) continue;
  const isSaid = style.textOverflow === "ellipsis" && style.overflowX !== "visible";
  if (!isSaid) found.add(`wider than its place (${element.scrollWidth} > ${element.clientWidth} px), and no ellipsis: ${nameOf(element)}`);
  else if (element.closest("[title]:not([title=''])") === null) found.add(`an ellipsis without a title that says the whole: ${nameOf(element)}`);
}

// 3. Controls: named, inside the window, apart from each other. ---------------------------------------------------------
function accessibleName(element) {
  const by = element.getAttribute("aria-labelledby");
  if (by !== null) return by.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
  const labels = element.labels === undefined || element.labels === null ? "" : [...element.labels].map((label) => label.textContent).join(" ");
  return (element.getAttribute("aria-label") ?? "").trim() || labels.trim() || element.textContent.trim() || (element.title ?? "").trim() || (element.placeholder ?? "").trim();
}
const controls = [];
for (const element of document.querySelectorAll(CONTROL)) {
  if (inMonaco(element) || !isShown(element)) continue;
  if (accessibleName(element) === "") found.add(`a control without a name: ${nameOf(element)}`);
  const box = element.getBoundingClientRect();
  const seen = clipped(element, box);
  if (seen.right - seen.left < 2 || seen.bottom - seen.top < 2) {
    if (seen.cut) found.add(`a control that is cut off whole: ${nameOf(element)}`);
    continue;
  }
  if (seen.isOutside) found.add(`outside the window: ${nameOf(element)}`);
  else if (seen.cut) found.add(`a control that is cut off: ${nameOf(element)}`);
  const [x, y] = [(seen.left + seen.right) / 2, (seen.top + seen.bottom) / 2];
  const top = document.elementFromPoint(x, y);
  if (top !== null && (element.contains(top) || top.contains(element))) controls.push({ element, seen });
  else if (modal === null && top !== null && !inMonaco(top) && getComputedStyle(element).pointerEvents !== "none" && top.closest("[data-testid=toast]") === null && document.elementsFromPoint(x, y).includes(element)) {
    found.add(`covered by ${nameOf(top)}: ${nameOf(element)}`);
  }
}
controls.forEach((one, i) => {
  for (const other of controls.slice(i + 1)) {
    if (one.element.contains(other.element) || other.element.contains(one.element)) continue;
    const across = Math.min(one.seen.right, other.seen.right) - Math.max(one.seen.left, other.seen.left);
    const down = Math.min(one.seen.bottom, other.seen.bottom) - Math.max(one.seen.top, other.seen.top);
    if (across > 2 && down > 2) found.add(`these overlap by ${Math.round(across)} × ${Math.round(down)} px: ${nameOf(one.element)} and ${nameOf(other.element)}`);
  }
});

// 4. The focus can be seen wherever it goes. ----------------------------------------------------------------------------
if (walksFocus) {
  const before = document.activeElement;
  const within = modal ?? document.body;
  const looks = (element) => {
    const style = getComputedStyle(element);
    return [style.outlineStyle === "none" ? "" : `${style.outlineWidth} ${style.outlineColor}`, style.boxShadow, style.borderTopColor, style.backgroundColor];
  };
  for (const element of within.querySelectorAll(`${CONTROL}, [tabindex='0']`)) {
    if (inMonaco(element) || isDisabled(element) || !isShown(element)) continue;
    if (modal === null && element.tabIndex < 0) continue;
    if (modal !== null && element.tabIndex < 0 && !modal.matches(".menu")) continue;
    const box = element.getBoundingClientRect();
    const seen = clipped(element, box);
    if (seen.right - seen.left < 4 || seen.bottom - seen.top < 4) continue;
    // A ring of another place of the same control, such as the row that is meant by the field above it.
    if (document.activeElement === element) element.blur();
    // A text shows its caret.
    if (element.matches("[data-testid=large-rows]")) continue;
    const plain = looks(element);
    // A field and what belongs to it in one frame: the frame shows it.
    const frame = element.parentElement;
    const plainFrame = looks(frame);
    element.focus({ preventScroll: true, focusVisible: true });
    if (document.activeElement !== element) continue;
    const [ring, shadow, edge, ground] = looks(element);
    if (element.getAttribute("aria-activedescendant") !== null) continue;
    const around = groundAt(element, (seen.left + seen.right) / 2, (seen.top + seen.bottom) / 2, false);
    if (around === null) continue;
    const own = over(parse(getComputedStyle(element).backgroundColor), around);
    const style = getComputedStyle(element);
    let best = 0;
    if (ring !== "" && parseFloat(style.outlineWidth) >= 1) {
      const place = parseFloat(style.outlineOffset) < 0 ? own : around;
      best = Math.max(best, ratio(over(parse(style.outlineColor), place), place));
    }
    const shadowColour = shadow === plain[1] ? null : (/rgba?\([^)]*\)/.exec(shadow)?.[0] ?? null);
    if (shadowColour !== null) best = Math.max(best, ratio(over(parse(shadowColour), own), own));
    if (edge !== plain[2]) best = Math.max(best, ratio(over(parse(edge), own), own));
    if (ground !== plain[3]) best = Math.max(best, ratio(own, over(parse(plain[3]), around)));
    const [frameRing, , frameEdge] = looks(frame);
    const framed = getComputedStyle(frame);
    if (frameRing !== "" && frameRing !== plainFrame[0]) best = Math.max(best, ratio(over(parse(framed.outlineColor), around), around));
    if (frameEdge !== plainFrame[2]) best = Math.max(best, ratio(over(parse(frameEdge), own), own));
    if (best < SHAPE_RATIO - 0.02) found.add(`the focus cannot be seen (${best.toFixed(2)}): ${nameOf(element)}`);
  }
  if (before instanceof HTMLElement && before !== document.body) before.focus({ preventScroll: true });
  else document.activeElement?.blur();
}
return [...found];
