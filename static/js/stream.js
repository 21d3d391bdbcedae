// Shows what a model writes while it writes it, of two endpoints at once where there are two.
// Without this the form is sent, and the whole answer comes with the next page.
(() => {
  const LOST = "The connection broke off before the end of the answer.";
  const STOPPED = "Stopped.";
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

  const placeIn = (side, name) => side.querySelector(`[data-place="${name}"]`);

  function put(side, place, html) {
    const element = placeIn(side, place) ?? document.getElementById(place);
    if (!element) return;
    const chosen = element.querySelector(":checked")?.id;
    const isOpen = element.querySelector("details")?.open;
    element.innerHTML = html;
    const again = chosen && document.getElementById(chosen);
    if (again) again.checked = true;
    if (isOpen) element.querySelector("details").open = true;
    if (place === "try-fields") {
      htmx.process(element);
      element.querySelector("[aria-invalid=true]")?.focus();
    }
  }

  function tell(side, words) {
    const note = placeIn(side, "answer-note");
    note.textContent = words;
    note.hidden = false;
  }

  function clear(side) {
    placeIn(side, "empty")?.remove();
    for (const name of ["answer-problem", "answer-facts", "answer-raw"]) {
      placeIn(side, name).replaceChildren();
    }
    placeIn(side, "answer-note").hidden = true;
    // Of the turn before: who stops at once has nothing of this one.
    side.querySelector("[data-history]")?.removeAttribute("data-pending");
    if (!placeIn(side, "conversation")) placeIn(side, "answer-text").textContent = "";
  }

  // What was written before the answer broke off is part of the chat all the same.
  function keepWhatCame(side) {
    const history = side.querySelector("[data-history]");
    const text = placeIn(side, "answer-text")?.textContent;
    if (!history?.dataset.pending || !text) return;
    const said = JSON.parse(history.dataset.pending);
    history.value = JSON.stringify([...said, { role: "assistant", content: text }]);
    history.setAttribute("value", history.value);
  }

  // Whether it came to an answer, be it only a part.
  async function run(form, side, number, isFirst) {
    const body = new FormData(form);
    body.set("side", number);
    const response = await fetch(form.dataset.stream, {
      method: "POST",
      body,
      signal: stopping.signal,
    });
    const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream");
    if (!isStream) {
      // Signed out, or no longer allowed: the page itself says so.
      location.reload();
      return;
    }
    for await (const [name, data] of eventsIn(response.body)) {
      if (name === "show") put(side, data.place, data.html);
      if (data.raw) placeIn(side, "raw-answer")?.append(data.raw);
      if (name === "text") {
        placeIn(side, "answer-text").append(data.text);
        isFirst();
      }
    }
  }

  async function runSide(form, side, number, isFirst) {
    try {
      await run(form, side, number, isFirst);
      if (side.querySelector(".tool-call")) isFirst();
    } catch (error) {
      keepWhatCame(side);
      tell(side, error.name === "AbortError" ? STOPPED : LOST);
    }
  }

  function sidesOf(form) {
    const beside = form.elements.beside.value.trim();
    const [here, other] = document.querySelectorAll("#outcome [data-side]");
    other.hidden = !beside;
    placeIn(other, "name").textContent = beside;
    return beside ? [here, other] : [here];
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.stream) return;
    event.preventDefault();
    if (stopping) return;
    stopping = new AbortController();
    const outcome = document.getElementById("outcome");
    const [start, stop] = [form.querySelector("[type=submit]"), form.querySelector("[data-stop]")];
    stop.disabled = false;
    if (document.activeElement === start) stop.focus();
    start.disabled = true;
    form.classList.add("is-busy");
    for (const problem of form.querySelectorAll(".problem")) problem.remove();
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    // Said aloud once it is whole, not word by word.
    outcome.setAttribute("aria-busy", "true");
    const sides = sidesOf(form);
    sides.forEach(clear);
    const isChat = Boolean(placeIn(sides[0], "conversation"));
    const begun = () => {
      if (isChat) form.elements.prompt.value = "";
    };
    await Promise.all(sides.map((side, place) => runSide(form, side, place + 1, begun)));
    outcome.removeAttribute("aria-busy");
    form.classList.remove("is-busy");
    start.disabled = false;
    if (document.activeElement === stop) start.focus();
    stop.disabled = true;
    stopping = null;
    form.dispatchEvent(new CustomEvent("tried", { bubbles: true }));
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-stop]")) stopping?.abort();
  });
})();
