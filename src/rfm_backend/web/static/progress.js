// Tells how far an analysis is: in the title of the window, and, for whoever listens, when the stage
// changes or a quarter is done, but not every second.  The words come with each part.
"use strict";

(() => {
  const said = document.getElementById("said");
  const title = document.title;

  function tell() {
    const part = document.querySelector("[data-say]");
    if (!part) return;
    if (said.textContent !== part.dataset.say) said.textContent = part.dataset.say;
    document.title = `${part.dataset.share} · ${title}`;
  }
  document.addEventListener("htmx:after:swap", tell);
  tell();
})();
