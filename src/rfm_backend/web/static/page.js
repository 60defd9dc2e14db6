// What every page does: it tells when htmx got no answer, and keeps what was typed.
"use strict";

document.addEventListener("htmx:error", (event) => {
  // A row that asks every second asks again by itself; what a person sent does not.
  const source = event.detail?.ctx?.sourceElement;
  if (source?.getAttribute("hx-trigger")?.startsWith("every")) return;
  say(document.body.dataset.away);
});

// A message of the server comes into #notice by itself (HX-Retarget); whoever looks elsewhere is led there.
document.addEventListener("htmx:after:swap", (event) => {
  const notice = document.getElementById("notice");
  if (event.detail?.ctx?.response?.status >= 400 && notice?.firstElementChild) {
    notice.scrollIntoView({ block: "nearest" });
  }
});

function say(words) {
  const message = document.createElement("p");
  message.className = "message";
  message.textContent = words;
  document.getElementById("notice").replaceChildren(message);
  message.scrollIntoView({ block: "nearest" });
}
