// Shows what a model writes while it writes it. Without this the form is sent, and the whole
// answer comes with the next page.
(() => {
  const LOST = "The connection broke off before the end of the answer.";
  let stopping = null;

  // The server-sent events in a body, each with its name and its data.
  async function* eventsIn(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const [name, data] = event.split("\n");
        yield [name.slice("event: ".length), JSON.parse(data.slice("data: ".length))];
      }
    }
  }

  function put(place, html) {
    const element = document.getElementById(place);
    const chosen = element.querySelector(":checked")?.id;
    element.innerHTML = html;
    const again = chosen && document.getElementById(chosen);
    if (again) again.checked = true;
  }

  function tell(words) {
    const said = document.getElementById("answer-note");
    said.textContent = words;
    said.hidden = false;
  }

  async function run(form) {
    const outcome = document.getElementById("outcome");
    const blank = document.getElementById("answer-blank");
    outcome.replaceChildren(blank.content.cloneNode(true));
    const text = document.getElementById("answer-text");
    const response = await fetch(form.dataset.stream, {
      method: "POST",
      body: new FormData(form),
      signal: stopping.signal,
    });
    const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream");
    if (!isStream) {
      // Signed out, or no longer allowed: the page itself says so.
      location.reload();
      return;
    }
    for await (const [name, data] of eventsIn(response.body)) {
      if (name === "text") text.append(data.text);
      if (name === "show") put(data.place, data.html);
    }
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.stream) return;
    event.preventDefault();
    if (stopping) return;
    stopping = new AbortController();
    const outcome = document.getElementById("outcome");
    const [start, stop] = [form.querySelector("[type=submit]"), form.querySelector("[data-stop]")];
    start.disabled = true;
    stop.disabled = false;
    form.classList.add("is-busy");
    // Said aloud once it is whole, not word by word.
    outcome.setAttribute("aria-busy", "true");
    try {
      await run(form);
    } catch (error) {
      tell(error.name === "AbortError" ? "Stopped." : LOST);
    }
    outcome.removeAttribute("aria-busy");
    form.classList.remove("is-busy");
    start.disabled = false;
    if (document.activeElement === stop) start.focus();
    stop.disabled = true;
    stopping = null;
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-stop]")) stopping?.abort();
  });
})();
