// What every page does: it tells when htmx got no answer or a refusal, and keeps what was typed; it shows
// moments by the reader's own clock.
"use strict";

(() => {
  const notice = () => document.getElementById("notice");
  const status = (event) => event.detail?.ctx?.response?.status ?? 0;
  const repeats = (event) => event.detail?.ctx?.sourceElement?.getAttribute("hx-trigger")?.startsWith("every");
  // Whether what stands in #notice came from a part that asks by itself, not from what a person did.
  let isOfRepeater = false;

  // What repeats says a thing once: every second it would drown out all else for whoever listens.
  const isSaid = (event) => repeats(event) && notice().firstElementChild;

  document.addEventListener("htmx:error", (event) => {
    if (isSaid(event)) return;
    const message = document.createElement("p");
    message.className = "message";
    message.textContent = document.body.dataset.away;
    notice().replaceChildren(message);
    tell(event);
  });

  // A refusal brings its words into #notice (HX-Retarget).
  document.addEventListener("htmx:before:swap", (event) => {
    if (status(event) >= 400 && isSaid(event)) event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    showMoments();
    if (status(event) >= 400) tell(event);
    else if (isOfRepeater || !repeats(event)) notice().replaceChildren();
  });

  // The server writes the day in UTC, which stands where there is no script; in English it writes the day first.
  function showMoments() {
    const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
    const form = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
    for (const time of document.querySelectorAll("time[datetime]")) {
      time.textContent = form.format(new Date(time.dateTime));
    }
  }
  showMoments();

  function tell(event) {
    isOfRepeater = Boolean(repeats(event));
    notice().scrollIntoView({ block: "nearest" });
  }
})();
