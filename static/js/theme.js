// Light or dark, set before anything is drawn. Without a choice the system's setting holds.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  root.classList.add("js");

  function remembered() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is switched off; the choice then lasts for one page
    }
  }

  function remember(theme) {
    try {
      if (theme) localStorage.setItem("theme", theme);
      else localStorage.removeItem("theme");
    } catch {}
  }

  function apply(theme) {
    if (theme) root.dataset.bsTheme = theme;
    else delete root.dataset.bsTheme;
    const isDark = theme ? theme === "dark" : system.matches;
    root.classList.toggle("dark", isDark);
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.setAttribute("aria-pressed", String(isDark));
    }
  }

  apply(remembered());
  system.addEventListener("change", () => apply(remembered()));
  addEventListener("storage", () => apply(remembered()));
  document.addEventListener("DOMContentLoaded", () => apply(remembered()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const wanted = root.classList.contains("dark") ? "light" : "dark";
    // A choice that equals the system's is none: it follows the system again.
    const theme = (wanted === "dark") === system.matches ? null : wanted;
    remember(theme);
    apply(theme);
  });
})();
