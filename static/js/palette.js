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

    const options = () => [...list.querySelectorAll("a[role=option]")];
    const chosen = () => list.querySelector("[aria-selected=true]");

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
      field.setAttribute("hx-vals", JSON.stringify({ recent: others().join(" ") }));
      palette.showModal();
      field.select();
      field.dispatchEvent(new Event("opened"));
    }

    field.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by) {
        event.preventDefault();
        step(by);
      } else if (event.key === "Enter" && chosen()) {
        event.preventDefault();
        chosen().click();
      } else if (event.key === "Escape") {
        event.preventDefault(); // it would only empty the field
        palette.close();
      }
    });
    document.addEventListener("htmx:after:swap", () => {
      if (palette.open && !chosen()) choose(options()[0]);
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
