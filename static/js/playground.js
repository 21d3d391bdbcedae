// What is typed into the playground outlives a reload of the page, in this tab and for this person
// alone; examples fill it. Task settings are not kept: they may hold a secret, such as a header.
(() => {
  const UNKEPT = /^task_settings\.|^csrfmiddlewaretoken$/;
  const TYPES = ["checkbox", "file", "password", "submit", "button"];

  const place = () => document.querySelector("[data-playground]");
  const key = () => `try:${place().dataset.playground}`;
  const form = () => document.getElementById("try-form");

  function keptFields() {
    return [...form().elements].filter(
      (field) => field.name && !UNKEPT.test(field.name) && !TYPES.includes(field.type),
    );
  }

  function typed() {
    const values = {};
    for (const field of keptFields()) {
      if (field.name === "input") (values.input ??= []).push(field.value);
      else if (!field.name.startsWith("result")) values[field.name] = field.value;
    }
    return values;
  }

  function fill(values) {
    for (const [name, value] of Object.entries(values)) {
      if (name === "input") {
        const event = new CustomEvent("texts:fill", { bubbles: true, detail: value });
        form().querySelector("[data-texts]")?.dispatchEvent(event);
      } else if (form().elements[name] instanceof Element) {
        const field = form().elements[name];
        field.value = value;
        const fold = value && field.closest("details");
        if (fold) fold.open = true;
      }
    }
  }

  const talks = () => [...place().querySelectorAll('[data-place="conversation"]')];

  function keep() {
    if (!place() || !form()) return;
    const kept = { values: typed(), talks: talks().map((talk) => talk.innerHTML) };
    try {
      sessionStorage.setItem(key(), JSON.stringify(kept));
    } catch {} // switched off or full; what is typed then lasts for one page
  }

  function restore() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(key()));
      // A page that shows an answer shows what was sent for it, too.
      if (!kept || place().querySelector("[data-history][value]:not([value=''])")) return;
      talks().forEach((talk, number) => {
        if (kept.talks[number]) talk.innerHTML = kept.talks[number];
      });
      fill(kept.values);
    } catch {}
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (form() && !place().querySelector("#answer-json")) restore();
  });
  for (const kind of ["input", "change", "tried"]) {
    document.addEventListener(kind, (event) => {
      if (event.target.closest("#try-form, #outcome")) keep();
    });
  }

  document.addEventListener("trial:fill", (event) => {
    fill(event.detail);
    keep();
  });

  document.addEventListener("click", (event) => {
    const example = event.target.closest("[data-example]");
    if (example) {
      fill(JSON.parse(example.dataset.example));
      keep();
    }
    if (event.target.closest("[data-clear]")) {
      event.preventDefault();
      talks().forEach((talk, number) => {
        talk.replaceChildren(document.getElementById("nothing-said").content.cloneNode(true));
        talk.querySelector("[data-history]").name = number ? "history_beside" : "history";
      });
      for (const name of ["answer-problem", "answer-facts", "answer-raw", "answer-note"]) {
        for (const shown of place().querySelectorAll(`[data-place="${name}"]`)) {
          shown.replaceChildren();
        }
      }
      keep();
      form().elements.prompt.focus();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (event.target.closest("#try-form, #outcome")) form().requestSubmit();
  });
})();
