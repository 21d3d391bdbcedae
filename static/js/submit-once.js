// A second click on a form that is on its way would ask for the same thing twice.
(() => {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    setTimeout(() => {
      if (event.defaultPrevented) return;
      for (const button of form.querySelectorAll("[type=submit]")) button.disabled = true;
    });
  });
  // Coming back to a page that the browser kept finds the buttons as they were left.
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form [type=submit]")) button.disabled = false;
  });
})();
