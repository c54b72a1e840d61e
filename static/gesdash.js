"use strict";
// A hidden tab asks nothing; it catches up at the next tick after it is looked at again.
document.addEventListener("htmx:beforeRequest", (event) => {
  const polls = (event.target.getAttribute("hx-trigger") || "").startsWith("every");
  if (polls && document.hidden) event.preventDefault();
});

let heard = new Date();
const offline = () => document.getElementById("offline");
document.addEventListener("htmx:afterRequest", (event) => {
  const note = offline();
  if (event.detail.successful) {
    heard = new Date();
    note.hidden = true;
  } else if (event.detail.failed || event.detail.xhr.status === 0) {
    note.textContent = `${note.dataset.text} ${heard.toLocaleTimeString()}`;
    note.hidden = false;
  }
});

const shown = new Intl.DateTimeFormat("sv", {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const zone = new Intl.DateTimeFormat("en", { timeZoneName: "short" })
  .formatToParts().find((part) => part.type === "timeZoneName").value;
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = `${shown.format(new Date(time.dateTime))} ${zone}`;
  }
}
localTimes(document);
document.addEventListener("htmx:load", (event) => localTimes(event.target));
