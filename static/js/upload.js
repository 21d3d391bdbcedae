// Sends the files of a model in pieces: shows how far it is, pauses, and goes on by itself when the
// connection is back. What is on the server counts: sent again, an upload goes on where it stopped.
(() => {
  const form = document.querySelector("[data-upload]");
  const find = (name) => form.querySelector(`[data-upload-${name}]`);
  const panel = find("panel");
  const [pauseButton, submit] = [find("pause"), form.querySelector("[type=submit]")];
  const LONGEST_PAUSE_S = 30;
  const RATE_WINDOW_MS = 5000;
  const UNITS = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];
  let isPaused = false;
  let goOn = () => {};
  let stopping = null;
  let isUnderWay = false;

  // The reason why something was refused; nothing is gained by asking again.
  class Refused extends Error {
    constructor(words, problems = {}) {
      super(words);
      this.problems = problems;
    }
  }

  function sized(bytes) {
    const [size, unit] = UNITS.find(([size]) => bytes >= size) ?? [1, "B"];
    return `${(bytes / size).toFixed(size === 1 ? 0 : 1)} ${unit}`;
  }

  function timed(seconds) {
    if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s`;
    return `about ${Math.round(seconds / 60)} min`;
  }

  function say(words) {
    const place = find("words");
    if (place.textContent !== words) place.textContent = words;
  }

  // The chosen files by their names in the model's folder.
  function chosen() {
    const archive = form.elements.archive?.files[0];
    if (archive) {
      form.elements.name.value = archive.name;
      const name = archive.name.replace(/[^\w.-]+/g, "-").replace(/^\W+/, "");
      return new Map([[name, archive]]);
    }
    const files = [...(find("folder")?.files ?? [])];
    if (files.length) form.elements.name.value = files[0].webkitRelativePath.split("/")[0];
    const named = files.map((file) => [file.webkitRelativePath.split("/").slice(1), file]);
    const isSeen = ([parts, file]) => file.size && !parts.some((part) => part.startsWith("."));
    return new Map(named.filter(isSeen).map(([parts, file]) => [parts.join("/"), file]));
  }

  async function ask(address, options) {
    const token = form.elements.csrfmiddlewaretoken.value;
    const headers = { Accept: "application/json", "X-CSRFToken": token, ...options.headers };
    const answer = await fetch(address, { ...options, headers });
    const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
    if (!isJson && answer.status >= 500) throw new TypeError("the server is in trouble");
    if (!isJson) throw new Refused("You are signed out, or this page is old. Load it again.");
    const told = await answer.json();
    if (answer.status === 409 && options.method === "PUT") return null;
    if (!answer.ok || told.problems) throw new Refused(told.reason ?? "", told.problems);
    return told;
  }

  // Browsers compute hashes only at https addresses and on localhost.
  async function hashOf(piece) {
    if (!window.crypto?.subtle) return "";
    const digest = await crypto.subtle.digest("SHA-256", await piece.arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function untilGoOn() {
    return new Promise((resolve) => (goOn = resolve));
  }

  // Ask until there is an answer: a broken connection is waited for.
  async function insist(work) {
    for (let pause_s = 1; ; pause_s = Math.min(2 * pause_s, LONGEST_PAUSE_S)) {
      if (isPaused) {
        say("Paused. What was sent stays.");
        for (const name of ["rate", "left"]) find(name).textContent = "–";
        await untilGoOn();
      }
      try {
        stopping = new AbortController();
        return await work(stopping.signal);
      } catch (error) {
        if (error instanceof Refused) throw error;
        if (error.name === "AbortError") continue;
        if (error.name === "NotFoundError" || error.name === "NotReadableError") {
          throw new Refused("A file changed or is gone. Choose the folder again.");
        }
        say("The connection is broken. It goes on by itself when it is back.");
        await Promise.race([
          new Promise((resolve) => setTimeout(resolve, 1000 * pause_s)),
          untilGoOn(),
        ]);
      }
    }
  }

  // Shows how far it is. Rates count from the last few seconds.
  function meter(total) {
    const samples = [];
    return (sent) => {
      const now = performance.now();
      samples.push([now, sent]);
      while (samples.length > 2 && now - samples[0][0] > RATE_WINDOW_MS) samples.shift();
      const rate = (1000 * (sent - samples[0][1])) / (now - samples[0][0] || 1);
      const percent = Math.floor((100 * sent) / total);
      panel.querySelector("progress").value = percent;
      find("sent").textContent = `${sized(sent)} of ${sized(total)} (${percent}%)`;
      find("rate").textContent = rate > 0 ? `${sized(rate)}/s` : "–";
      find("left").textContent = rate > 0 ? timed((total - sent) / rate) : "–";
    };
  }

  async function sendFile(upload, file, source, before, show) {
    while (file.received < file.size) {
      const offset = file.received;
      const piece = source.slice(offset, offset + upload.part_bytes);
      const told = await insist(async (signal) => {
        const query = new URLSearchParams({ offset, sha256: await hashOf(piece) });
        const address = `${upload.page}/${file.number}?${query}`;
        const headers = { "Content-Type": "application/octet-stream" };
        return ask(address, { method: "PUT", body: piece, signal, headers });
      });
      // Another page may have sent this piece, or its answer was lost on the way.
      const here =
        told ?? (await insist((signal) => ask(upload.page, { signal }))).files[file.number];
      file.received = here.received;
      say("Uploading.");
      show(before + file.received);
    }
  }

  async function run() {
    const sources = chosen();
    const body = new FormData(form);
    body.delete("archive");
    body.append("files", JSON.stringify([...sources].map(([name, file]) => [name, file.size])));
    const upload = await ask(form.dataset.upload, { method: "POST", body });
    // Loaded again, this is the page that goes on with it.
    history.replaceState(null, "", upload.page);
    panel.hidden = false;
    submit.closest(".step").hidden = true;
    const total = upload.files.reduce((sum, file) => sum + file.size, 0);
    const show = meter(total);
    let before = 0;
    say("Uploading.");
    show(upload.files.reduce((sum, file) => sum + file.received, 0));
    for (const file of upload.files) {
      await sendFile(upload, file, sources.get(file.name), before, show);
      before += file.size;
    }
    say("All of it is here. It is being looked at.");
    pauseButton.disabled = true;
    const done = await insist((signal) =>
      ask(`${upload.page}/finish`, { method: "POST", signal }),
    );
    isUnderWay = false;
    form.dispatchEvent(new Event("saved", { bubbles: true }));
    location.assign(done.page);
  }

  function clearProblems() {
    for (const one of form.querySelectorAll("[data-upload-told]")) one.remove();
  }

  function paragraph(words) {
    const made = document.createElement("p");
    made.textContent = words.charAt(0).toUpperCase() + words.slice(1);
    return made;
  }

  // Beside the field that problems are about, or together above all of them.
  function tell(problems, name = "") {
    const field = name ? document.getElementById(`id_${name}`) : null;
    if (field) {
      for (const one of problems.map(paragraph)) {
        one.className = "problem";
        one.dataset.uploadTold = "";
        one.setAttribute("role", "alert");
        field.closest(".field, div").append(one);
      }
      field.closest("details")?.setAttribute("open", "");
      return;
    }
    const told = find("refusal").content.cloneNode(true);
    told.querySelector("div > div").append(...problems.map(paragraph));
    form.prepend(told);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isUnderWay) return;
    clearProblems();
    isUnderWay = true;
    submit.disabled = true;
    try {
      await run();
    } catch (error) {
      isUnderWay = false;
      submit.disabled = false;
      submit.closest(".step").hidden = false;
      say("Stopped.");
      if (!(error instanceof Refused)) tell(["The server does not answer. Try again."]);
      else if (error.message) tell([error.message]);
      for (const [name, problems] of Object.entries(error.problems ?? {})) {
        tell(problems, name.replace("__all__", ""));
      }
    }
  });

  // What was wrong with another choice says nothing of this one.
  form.addEventListener("change", clearProblems);

  pauseButton.addEventListener("click", () => {
    isPaused = !isPaused;
    const [icon, label] = [pauseButton.querySelector("use"), pauseButton.querySelector("span")];
    const sign = isPaused ? "player-play" : "player-pause";
    icon.setAttribute("href", icon.getAttribute("href").replace(/#.*/, `#${sign}`));
    label.textContent = isPaused ? "Resume" : "Pause";
    if (isPaused) stopping?.abort();
    else goOn();
  });
  addEventListener("online", () => goOn());
  addEventListener("beforeunload", (event) => {
    if (isUnderWay) event.preventDefault();
  });
})();
