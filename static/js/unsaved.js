// Nothing typed is lost. Leaving a form that was changed asks first; and when a session ends, or
// somebody must confirm that it is them, what they typed is put back once they return to the form.
//
// Only forms that change something are watched, unless they say data-unwatched: nobody is asked
// about the others, but what was typed there is put back as well. A form that a script has sent says
// so with the event "saved". Passwords, keys, files and the values of headers are never kept.
(() => {
  const STORE = "typed";
  const changed = new Set();
  const typed = new Set();
  const UNKEPT_TYPES = ["password", "file", "submit", "button", "hidden"];
  const UNKEPT_NAMES = /^csrfmiddlewaretoken$|\bheaders\.value$/;
  let isLeaving = false;

  // Where somebody signs in or confirms that it is them: a stop on the way back to a form.
  const isGate = () => document.body.hasAttribute("data-gate");
  const isKept = (form) => form && !isGate() && !form.closest("dialog");
  const isWatched = (form) =>
    isKept(form) && form.method === "post" && !form.hasAttribute("data-unwatched");
  // Nobody had it kept: it must be written or chosen again.
  const isLost = (field) =>
    ["password", "file"].includes(field.type) ||
    (field.type !== "hidden" && UNKEPT_NAMES.test(field.name));
  const here = () => location.pathname;

  function fieldsOf(form) {
    return [...form.elements].filter(
      (field) =>
        field.name && !UNKEPT_NAMES.test(field.name) && !UNKEPT_TYPES.includes(field.type),
    );
  }

  function valuesOf(form) {
    return fieldsOf(form).map((field) => {
      const isTicked = field.type === "checkbox" || field.type === "radio";
      const options = field.multiple ? [...field.selectedOptions].map((o) => o.value) : null;
      return [field.name, isTicked ? `${field.value}|${field.checked}` : (options ?? field.value)];
    });
  }

  // As many rows in each list as were written.
  function addRows(form, values) {
    for (const rows of form.querySelectorAll("[data-rows]")) {
      const { name } = rows.querySelector("input");
      const written = values.filter(([each]) => each === name).length;
      const there = rows.querySelectorAll(`:scope > .row-of [name="${CSS.escape(name)}"]`).length;
      for (let row = there; row < written; row += 1) rows.querySelector("[data-add-row]").click();
    }
  }

  function putBack(form, values) {
    addRows(form, values);
    const left = [...values];
    let isAny = false;
    for (const field of fieldsOf(form)) {
      const isTicked = field.type === "checkbox" || field.type === "radio";
      const at = left.findIndex(
        ([name, value]) =>
          name === field.name &&
          (!isTicked || String(value).startsWith(`${field.value}|`)),
      );
      if (at < 0) continue;
      const [, value] = left.splice(at, 1)[0];
      const before = isTicked ? field.checked : field.value;
      if (isTicked) field.checked = value.endsWith("|true");
      else if (Array.isArray(value)) {
        for (const option of field.options) option.selected = value.includes(option.value);
      } else field.value = value;
      if ((isTicked ? field.checked : field.value) !== before) {
        isAny = true;
        field.closest("details:not([open])")?.setAttribute("open", "");
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.dispatchEvent(new Event("change", { bubbles: true }));
      }
    }
    return isAny;
  }

  function kept() {
    try {
      return JSON.parse(sessionStorage.getItem(STORE) ?? "null");
    } catch {
      return null;
    }
  }

  function keep(what) {
    try {
      if (what) sessionStorage.setItem(STORE, JSON.stringify(what));
      else sessionStorage.removeItem(STORE);
    } catch {} // storage is full or switched off: nothing is put back then
  }

  // Forms go by their numbers: the page is the same when somebody is back.
  function keepTyped() {
    const all = [...document.forms];
    const forms = [...typed].filter((form) => form.isConnected);
    if (!forms.length) return;
    const parts = forms.map((form) => ({ number: all.indexOf(form), values: valuesOf(form) }));
    keep({ path: here(), parts });
  }

  function tell(words) {
    const note = document.getElementById("put-back");
    note.querySelector("[data-words]").textContent = words;
    note.hidden = false;
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!event.isTrusted || !isKept(form)) return;
    typed.add(form);
    if (isWatched(form)) changed.add(form);
  });
  document.addEventListener("saved", (event) => changed.delete(event.target));
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!isWatched(form)) return;
    setTimeout(() => {
      if (event.defaultPrevented) return;
      isLeaving = true;
      typed.add(form);
      keepTyped();
    });
  });
  // The server sends the whole page to sign in: what is open goes, whoever is asked.
  document.addEventListener("htmx:after:request", (event) => {
    const headers = event.detail.ctx?.response?.headers;
    if (headers?.get?.("HX-Redirect") || headers?.get?.("HX-Refresh")) leaveUnasked();
  });

  function leaveUnasked() {
    isLeaving = true;
    keepTyped();
  }

  addEventListener("beforeunload", (event) => {
    if (isLeaving || ![...changed].some((form) => form.isConnected)) return;
    event.preventDefault();
  });
  addEventListener("pageshow", () => {
    isLeaving = false;
  });

  function goesBackTo(path) {
    return new URLSearchParams(location.search).get("next")?.split("?")[0] === path;
  }

  // At once: whoever signs in may be gone before the page has loaded.
  if (isGate() && kept()) {
    keep({ ...kept(), isInterrupted: true });
    const words = document.getElementById("kept");
    if (words && goesBackTo(kept()?.path)) words.hidden = false;
  }

  // Once everything listens: what is put back is typed anew for the parts that follow from it.
  addEventListener("load", () => {
    const draft = kept();
    if (!draft || isGate()) return;
    if (!draft.isInterrupted) return keep(null);
    if (draft.path !== here()) return;
    keep(null);
    const all = [...document.forms];
    const forms = draft.parts
      .filter(({ number, values }) => isKept(all[number]) && putBack(all[number], values))
      .map(({ number }) => all[number]);
    const watched = forms.filter(isWatched);
    for (const form of forms) typed.add(form);
    for (const form of watched) changed.add(form);
    if (!forms.length) return;
    const words = ["What you typed is back."];
    if (watched.length) words.push("It is not saved yet.");
    if (forms.some((form) => [...form.elements].some(isLost))) {
      words.push("Passwords, keys and files are needed once more.");
    }
    tell(words.join(" "));
  });
})();
