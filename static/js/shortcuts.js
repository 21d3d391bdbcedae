// Letters that lead somewhere. The list of them, in a dialog, is also what is read here.
(() => {
  const PATIENCE_MS = 1200;
  const OFF = "off";
  let typed = "";
  let typedAt = 0;

  function areOff() {
    try {
      return localStorage.getItem("shortcuts") === OFF;
    } catch {
      return false;
    }
  }

  function isWriting(target) {
    if (target.matches("[type=checkbox], [type=radio]")) return target.closest("dialog") !== null;
    return target.closest("input, textarea, select, [contenteditable], dialog") !== null;
  }

  function act(event, deed) {
    event.preventDefault();
    typed = "";
    deed();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const help = document.getElementById("shortcuts");
    if (!help || areOff() || isWriting(event.target) || event.key.length !== 1) return;
    if (event.key === "?") return act(event, () => help.showModal());
    if (event.key === "/") {
      const field = document.querySelector("main [type=search]");
      return field && act(event, () => field.focus());
    }
    typed = event.timeStamp - typedAt < PATIENCE_MS ? `${typed} ${event.key}`.trim() : event.key;
    typedAt = event.timeStamp;
    const links = [...help.querySelectorAll("[data-key]")];
    const link = links.find((each) => each.dataset.key === typed);
    if (link) return act(event, () => link.click());
    if (!links.some((each) => each.dataset.key.startsWith(typed))) typed = event.key;
  });

  document.addEventListener("DOMContentLoaded", () => {
    const help = document.getElementById("shortcuts");
    if (!help) return;
    const box = help.querySelector("[data-shortcuts-switch]");
    box.checked = !areOff();
    box.addEventListener("change", () => {
      try {
        if (box.checked) localStorage.removeItem("shortcuts");
        else localStorage.setItem("shortcuts", OFF);
      } catch {}
    });
    document.addEventListener("click", (event) => {
      if (event.target === help) help.close(); // beside it
      if (!event.target.closest("[data-opens-shortcuts]")) return;
      event.target.closest("dialog")?.close();
      help.showModal();
    });
  });
})();
