"use strict";
// The server shows times in the browser's zone once it knows it; a zone chosen in the preferences goes before.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const secure = location.protocol === "https:" ? "; secure" : "";
if (zone) document.cookie = `gesdash_browser_zone=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;

// A hidden tab asks nothing; it catches up at the next tick after it is looked at again.
const isPolling = (element) => (element.getAttribute("hx-trigger") || "").startsWith("every");
document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPolling(event.target) && document.hidden) event.preventDefault();
});

let heard = new Date();
document.addEventListener("htmx:afterRequest", (event) => {
  const note = document.getElementById("offline");
  if (event.detail.successful) {
    heard = new Date();
    note.hidden = true;
  } else if (isPolling(event.target)) {
    note.textContent = `${note.dataset.text} ${heard.toLocaleTimeString(document.documentElement.lang)}`;
    note.hidden = false;
  }
});
// An update must not take the focus from a link that it draws again, nor scroll the table of files.
let focused = null;
let scrolled = 0;
document.addEventListener("htmx:beforeSwap", () => {
  focused = document.activeElement?.getAttribute("href");
  scrolled = document.querySelector(".tall")?.scrollTop;
});
document.addEventListener("htmx:afterSwap", () => {
  if (focused && document.activeElement === document.body) {
    [...document.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === focused)?.focus({ preventScroll: true });
  }
  if (scrolled) document.querySelector(".tall")?.scrollTo(0, scrolled);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    const from = button.dataset.copy ? document.getElementById(button.dataset.copy) : null;
    navigator.clipboard.writeText(from ? from.textContent : button.value);
    const said = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = said; }, 1500);
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const first = document.querySelector(".filters input:not([type=hidden])");
    if (first) {
      event.preventDefault();
      first.closest("details")?.setAttribute("open", "");
      first.focus();
    }
  }
});
// Copied figures come without separators: they are for other programs.
document.addEventListener("copy", (event) => {
  const text = String(getSelection());
  if (/^\s*[+-]?\d{1,3}(,\d{3})+\s*$/.test(text)) {
    event.clipboardData.setData("text/plain", text.replaceAll(",", "").trim());
    event.preventDefault();
  }
});

// The slider over the moments at which a job changed: their links stand in a list, which does without it.
const wireSlider = () => {
  const slider = document.querySelector("input[data-moments]:not([data-wired])");
  if (!slider) return;
  slider.dataset.wired = "";
  const links = document.querySelectorAll(`#${slider.dataset.moments} a`);
  const tell = () => { slider.parentElement.querySelector("output").textContent = links[slider.value]?.parentElement.textContent.trim() ?? ""; };
  slider.parentElement.hidden = false;
  slider.addEventListener("input", tell);
  slider.addEventListener("change", () => { location.href = links[slider.value].href; });
  tell();
};
wireSlider();
document.addEventListener("htmx:afterSettle", wireSlider);
