// A form that comes back with something to put right leads to the first of it.
(() => {
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail?.ctx?.target ?? event.target;
    if (!target?.matches?.("[data-form-place]")) return;
    const wrong = target.querySelector('[aria-invalid="true"], [role="alert"]');
    if (!wrong) return;
    if (wrong.matches("[role=alert]")) wrong.tabIndex = -1;
    wrong.closest("details")?.setAttribute("open", "");
    wrong.focus();
  });
})();
