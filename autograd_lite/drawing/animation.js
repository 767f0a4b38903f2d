"use strict";
const found = id => document.getElementById(id);
const {walks, slots, texts, lit, first, seconds} = JSON.parse(found("steps").textContent);
const svg = document.querySelector("main svg"), parts = [svg, ...svg.querySelectorAll("*")];
const slider = found("slider"), orders = [...document.querySelectorAll("[name=order]")];
let order = first, at = 0, timer = 0;

function show(step) {
  const steps = walks[order];
  at = Math.max(0, Math.min(step, steps.length - 1));
  slots.forEach(([part, name], k) => {
    const text = texts[steps[at].values[k]];
    if (!name) parts[part].textContent = text;
    else if (text === null) parts[part].removeAttribute(name);
    else parts[part].setAttribute(name, text);
  });
  const [head, ...lines] = steps[at].lines;
  found("head").textContent = head;
  found("lines").replaceChildren(...lines.map(line => {
    const item = document.createElement("li");
    item.textContent = line;
    item.className = line.includes(" – too late: ") || line.endsWith(" (wrong)") ? "wrong" : "";
    return item;
  }));
  slider.max = steps.length - 1;
  slider.value = at;
  found("where").textContent = `Step ${at} of ${steps.length - 1}`;
  slider.setAttribute("aria-valuetext", `${found("where").textContent}: ${head}`);
  found("back").disabled = found("first").disabled = at === 0;
  found("forward").disabled = found("last").disabled = at === steps.length - 1;
  follow();
}

function follow() {                              // so that what passes on, or is wrong, is in sight
  const part = parts.find(part => lit.includes(part.getAttribute("fill")));
  if (!part) return;
  const frame = svg.parentElement, [inner, outer] = [part, frame].map(x => x.getBoundingClientRect());
  if (inner.left < outer.left || inner.right > outer.right)
    frame.scrollLeft += (inner.left + inner.right - outer.left - outer.right) / 2;
  const floor = found("panel").getBoundingClientRect().top - 8, high = inner.height < floor;
  if (high && inner.top < 8) scrollBy(0, inner.top - 8);
  else if (high && inner.bottom > floor) scrollBy(0, inner.bottom - floor);
}

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => go(at + 1, at + 2 < walks[order].length), 1000 * seconds) : 0;
  found("play").textContent = on ? "Pause" : "Play";
}

function go(step, playing = false) {
  if (!playing) play(false);
  show(step);
}

function toggle() {
  if (timer) return play(false);
  if (at === walks[order].length - 1) show(0);
  play(true);
}

const acts = {
  first: () => go(0), back: () => go(at - 1), play: toggle, forward: () => go(at + 1), last: () => go(Infinity)};
for (const name in acts) found(name).addEventListener("click", acts[name]);
slider.addEventListener("input", () => go(+slider.value));
orders.forEach((choice, k) => choice.addEventListener("change", () => { order = k; go(at); }));
const keys = {ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last", " ": "play"};
document.addEventListener("keydown", event => {
  const name = keys[event.key], {tagName} = event.target;
  if (!name || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (tagName === "INPUT" && name !== "play" || event.key === " " && /BUTTON|SUMMARY/.test(tagName)) return;
  event.preventDefault();
  acts[name]();
});
if (orders[first]) orders[first].checked = true;
found("all").open = false;
found("controls").hidden = false;
show(0);
