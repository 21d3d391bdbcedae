// The palette: Ctrl-K opens it, the arrows choose, Enter goes. The browser remembers which pages
// were open lately; the server is asked which of them there are to go back to.
(() => {
  const STORE = "recent";
  const MOST = 20;
  const here = location.pathname;

  function recent() {
    try {
      return JSON.parse(localStorage.getItem(STORE)) ?? [];
    } catch {
      return [];
    }
  }

  function others() {
    return recent().filter((address) => address !== here);
  }

  try {
    localStorage.setItem(STORE, JSON.stringify([here, ...others()].slice(0, MOST)));
  } catch {} // storage is full or switched off: nothing is remembered then

  document.addEventListener("DOMContentLoaded", () => {
    const palette = document.getElementById("palette");
    if (!palette) return;
    const field = document.getElementById("palette-q");
    const list = document.getElementById("palette-found");

    let asked = null;
    let shown = null; // what was typed for what is listed
    let isGoing = false; // Enter came before what was typed last was looked up

    const options = () => [...list.querySelectorAll("[role=option][id]")];
    const chosen = () => list.querySelector("[aria-selected=true]");
    const isAwaited = () => shown !== field.value;

    function choose(option) {
      chosen()?.setAttribute("aria-selected", "false");
      if (!option) return field.removeAttribute("aria-activedescendant");
      option.setAttribute("aria-selected", "true");
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }

    function step(by) {
      const all = options();
      const next = all.indexOf(chosen()) + by;
      choose(all[(next + all.length) % all.length]);
    }

    function open() {
      if (palette.open) return;
      for (const other of document.querySelectorAll("dialog[open]")) other.close();
      document.querySelector("[popover]:popover-open")?.hidePopover();
      field.setAttribute("hx-vals", JSON.stringify({ here, recent: others().join(" ") }));
      shown = null;
      isGoing = false;
      palette.showModal();
      field.select();
      field.dispatchEvent(new Event("opened"));
    }

    field.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by) {
        event.preventDefault();
        step(by);
      } else if (event.key === "Enter" && isAwaited()) {
        event.preventDefault();
        isGoing = true;
      } else if (event.key === "Enter" && chosen()) {
        event.preventDefault();
        chosen().click();
      } else if (event.key === "Escape") {
        event.preventDefault(); // it would only empty the field
        palette.close();
      }
    });
    field.addEventListener("input", () => {
      isGoing = false;
    });
    field.addEventListener("htmx:before:request", () => {
      asked = field.value;
    });
    document.addEventListener("htmx:after:swap", (event) => {
      if (event.detail?.ctx?.target !== list || !palette.open) return;
      shown = asked;
      if (!chosen()) choose(options()[0]);
      if (isGoing && !isAwaited()) chosen()?.click();
    });
    for (const kind of ["htmx:error", "htmx:response:error"]) {
      field.addEventListener(kind, () => {
        const words = "The server does not answer. Type again in a moment.";
        const line = Object.assign(document.createElement("p"), { textContent: words });
        line.className = "found-none";
        line.setAttribute("role", "option");
        list.replaceChildren(line);
        isGoing = false;
      });
    }
    list.addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-presses]");
      if (!pressed) return;
      palette.close();
      document.querySelector(pressed.dataset.presses).click();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      open();
    });
    document.addEventListener("click", (event) => {
      if (event.target === palette) palette.close(); // beside it
      if (!event.target.closest("[data-opens-palette]")) return;
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open();
    });
  });
})();
