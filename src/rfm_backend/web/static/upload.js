// Uploading with a bar for each file: one after the other, each a request of its own, so that one that
// fails costs only itself and can be tried again.  The words come from the page; without this script the form
// is an ordinary one.
"use strict";

(() => {
  const form = document.getElementById("upload");
  const input = document.getElementById("file");
  const list = document.getElementById("files");
  const said = document.getElementById("said");
  const words = form.dataset;
  const language = document.documentElement.lang;
  const most = Number(words.mostBytes);
  // What a second of uploading says is smoothed over this long.
  const SPEED_MS = 4000;
  const rows = [];
  let sending = null;

  form.classList.add("scripted");
  input.addEventListener("change", () => {
    take(input.files);
    // The same file may be chosen again.
    input.value = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.files.length) take(input.files);
    else input.click();
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      form.classList.add("is-over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) form.classList.remove("is-over");
  });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form.classList.remove("is-over");
    take(event.dataTransfer.files);
  });
  addEventListener("beforeunload", (event) => {
    if (sending) event.preventDefault();
  });

  function take(files) {
    for (const file of files) rows.push(newRow(file));
    next();
  }

  function newRow(file) {
    const element = document.getElementById("file-row").content.firstElementChild.cloneNode(true);
    const part = (name) => element.querySelector(`[data-part="${name}"]`);
    const row = { file, element, part, state: "waiting", request: null };
    part("name").textContent = file.name;
    part("size").textContent = bytes(file.size);
    part("bar").setAttribute("aria-label", file.name);
    for (const button of element.querySelectorAll("button")) {
      button.append(unseen(` ${file.name}`));
    }
    part("again").addEventListener("click", () => {
      row.state = "waiting";
      show(row);
      next();
    });
    part("stop").addEventListener("click", () => leave(row));
    list.append(element);
    show(row);
    if (file.size > most) refuse(row, words.tooLarge);
    return row;
  }

  function leave(row) {
    const { request } = row;
    row.request = null;
    if (sending === row) sending = null;
    rows.splice(rows.indexOf(row), 1);
    request?.abort();
    const follows = row.element.nextElementSibling?.querySelector("button:not([hidden])");
    row.element.remove();
    (follows ?? input).focus();
    next();
  }

  function next() {
    if (sending) return;
    sending = rows.find((row) => row.state === "waiting") ?? null;
    if (sending) send(sending);
  }

  function send(row) {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", row.file);
    row.request = request;
    row.state = "sending";
    row.marks = [{ at: performance.now(), done: 0 }];
    row.part("answer").replaceChildren();
    show(row);
    request.upload.addEventListener("progress", (event) => {
      if (row.request === request && event.lengthComputable) showProgress(row, event);
    });
    request.addEventListener("load", () => row.request === request && answered(row, request));
    request.addEventListener("error", () => row.request === request && broken(row));
    request.open("POST", form.getAttribute("action"));
    request.setRequestHeader("HX-Request", "true");
    request.send(body);
  }

  function showProgress(row, { loaded, total }) {
    const now = performance.now();
    const marks = row.marks;
    while (marks.length > 1 && now - marks[0].at > SPEED_MS) marks.shift();
    const seconds = (now - marks[0].at) / 1000;
    const speed = seconds > 0.2 ? (loaded - marks[0].done) / seconds : 0;
    marks.push({ at: now, done: loaded });
    const bar = row.part("bar");
    bar.max = total;
    bar.value = loaded;
    if (loaded >= total) {
      bar.removeAttribute("value");
      row.part("state").textContent = words.checking;
      return;
    }
    const percent = number(Math.floor((100 * loaded) / total));
    // Until a fifth of a second has passed, nobody knows how fast it is.
    if (speed <= 0) return;
    row.part("state").textContent = fill(words.progress, {
      percent,
      speed: bytes(speed),
      left: duration((total - loaded) / speed),
    });
  }

  function answered(row, request) {
    const isPage = request.getResponseHeader("Content-Type")?.startsWith("text/html");
    // What never reached the application is told by the server itself, and not for people.
    if (!isPage) {
      broken(row);
      return;
    }
    finish(row, request.status < 300 ? "stored" : request.status < 500 && request.status !== 401 ? "refused" : "failed");
    row.part("answer").innerHTML = request.responseText;
    const onward = row.element.querySelector("a[data-onward]");
    say(`${row.file.name}: ${row.part("answer").innerText}`);
    if (row.state === "stored" && rows.length === 1 && onward) {
      location.assign(onward.href);
      return;
    }
    next();
  }

  // The connection broke: was it the server, the login, or the file, which may have been changed meanwhile?
  async function broken(row) {
    finish(row, "failed");
    let message = words.broken;
    try {
      const asked = await fetch(location.pathname, { headers: { "HX-Request": "true" }, redirect: "manual" });
      if (asked.status === 401) {
        row.part("answer").innerHTML = await asked.text();
        say(row.part("answer").innerText);
        next();
        return;
      }
    } catch {
      message = words.away;
    }
    tell(row, message);
    next();
  }

  function refuse(row, message) {
    finish(row, "refused");
    tell(row, message);
  }

  function tell(row, message) {
    const text = document.createElement("p");
    text.className = "state failed";
    text.textContent = message;
    row.part("answer").replaceChildren(text);
    say(`${row.file.name}: ${message}`);
  }

  function finish(row, state) {
    row.request = null;
    row.state = state;
    if (sending === row) sending = null;
    show(row);
  }

  function show(row) {
    const isOpen = row.state === "waiting" || row.state === "sending";
    row.part("bar").hidden = !isOpen;
    row.part("state").hidden = !isOpen;
    row.part("again").hidden = row.state !== "failed";
    row.part("stop").hidden = row.state === "stored";
    if (isOpen) {
      row.part("bar").value = 0;
      row.part("state").textContent = row.state === "waiting" ? words.waiting : words.begins;
    }
  }

  function say(text) {
    said.textContent = text;
  }

  function unseen(text) {
    const made = document.createElement("span");
    made.className = "unseen";
    made.textContent = text;
    return made;
  }

  function fill(pattern, values) {
    return pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  function number(value, digits = 0) {
    return value.toLocaleString(language, { maximumFractionDigits: digits });
  }

  function bytes(count) {
    for (const [size, name] of [[1e9, "GB"], [1e6, "MB"], [1e3, "KB"]]) {
      if (count >= size) return `${number(count / size, 1)} ${name}`;
    }
    return `${number(count)} B`;
  }

  function duration(seconds) {
    if (seconds < 60) return fill(words.seconds, { n: number(Math.max(1, Math.ceil(seconds))) });
    return fill(words.minutes, { n: number(Math.ceil(seconds / 60)) });
  }
})();
