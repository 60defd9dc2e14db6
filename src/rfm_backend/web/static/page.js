// What every page does: it tells when htmx got no answer or a refusal, and keeps what was typed; it shows
// moments by the reader's own clock; it ticks all of a list, and copies what is to be copied.
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
    showButtons();
    // A form that came back refused leads to what is wrong; where a message came, to the message.
    const wrong = document.querySelector("[aria-invalid='true']:not(fieldset)");
    if (status(event) >= 400 && wrong && !notice().firstElementChild) wrong.focus();
    else if (status(event) >= 400) tell(event);
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

  // Buttons that do nothing without a script are shown by it.
  function showButtons() {
    for (const button of document.querySelectorAll("[data-tick-all], [data-copy]")) button.hidden = false;
  }
  showButtons();
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-tick-all], [data-copy]");
    if (!button) return;
    if (button.dataset.copy) {
      const text = document.querySelector(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = button.dataset.copied;
      } catch {
        // Without an encrypted connection there is no clipboard: the text is chosen, ready for the keys.
        getSelection().selectAllChildren(text);
      }
      return;
    }
    const ticks = [...button.form.querySelectorAll("input[type=checkbox][name=row]")];
    const isOn = ticks.some((one) => !one.checked);
    for (const one of ticks) one.checked = isOn;
  });

  function tell(event) {
    isOfRepeater = Boolean(repeats(event));
    notice().scrollIntoView({ block: "nearest" });
  }
})();
