// What was tried is part of the address, so that it can be passed on: behind the #, which no server
// is told. Only the fields take part that the form names, and none of them holds a secret.
(() => {
  const LONGEST = 8000;
  // What a chat was asked last: its prompt is gone once it is sent.
  let lastPrompt = "";

  const form = () => document.getElementById("try-form");
  const button = () => document.querySelector("[data-trial-link]");
  const isHere = () => form()?.dataset.linked !== undefined;
  const names = () => form().dataset.linked.split(" ");
  const key = () => `trial:${location.pathname}`;

  function fragment() {
    const params = new URLSearchParams();
    const written = new FormData(form());
    for (const name of names()) {
      const values = written.getAll(name);
      if (name === "prompt" && !values[0]) values[0] = lastPrompt;
      for (const value of values) if (value) params.append(name, value);
    }
    return `#${params}`;
  }

  function address() {
    const page = new URL(form().closest("[data-page]").dataset.page, location.href);
    return `${page}${fragment()}`;
  }

  const isTooLong = () => address().length > LONGEST;

  // Whether the fields hold what the address says, or something newer that was kept.
  function note() {
    try {
      sessionStorage.setItem(key(), location.hash);
    } catch {} // switched off or full; the address then comes first
  }

  function isNoted() {
    try {
      return sessionStorage.getItem(key()) === location.hash;
    } catch {
      return false;
    }
  }

  function settle() {
    if (isHere()) button().disabled = isTooLong();
  }

  function open() {
    if (!isHere() || isNoted()) return;
    const params = new URLSearchParams(location.hash.slice(1));
    if (!names().some((name) => params.has(name))) return;
    const values = names().map((name) => [
      name,
      name === "input" ? params.getAll(name) : (params.get(name) ?? ""),
    ]);
    const event = new CustomEvent("trial:fill", { detail: Object.fromEntries(values) });
    document.dispatchEvent(event);
    note();
    settle();
  }

  // Before the form is sent, and before a chat empties its prompt.
  document.addEventListener(
    "submit",
    (event) => {
      if (event.target !== form() || !isHere()) return;
      lastPrompt = form().elements.prompt?.value || lastPrompt;
      const isShown = address().startsWith(`${location.origin}${location.pathname}#`);
      if (isTooLong() || !isShown) return;
      history.replaceState(history.state, "", fragment());
      note();
    },
    true,
  );
  // The button copies what its attribute holds by the time it is clicked.
  document.addEventListener(
    "click",
    (event) => {
      const clicked = event.target.closest("[data-trial-link]");
      if (clicked) clicked.dataset.copy = address();
    },
    true,
  );
  for (const kind of ["input", "change", "tried", "htmx:after:swap"]) {
    document.addEventListener(kind, settle);
  }
  document.addEventListener("DOMContentLoaded", () => {
    open();
    settle();
  });
  window.addEventListener("hashchange", open);
})();
