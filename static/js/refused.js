// A form that comes back with something to put right leads to the first of it, and what was
// unfolded in it stays so. The field to blame comes before what explains why it is.
(() => {
  function leadTo(wrong) {
    wrong.closest("details")?.setAttribute("open", "");
    wrong.focus();
  }

  document.addEventListener("htmx:before:morph:attr", (event) => {
    const { attrName, newValue } = event.detail;
    const closes = event.target.matches("details") && attrName === "open" && newValue === null;
    if (closes) event.preventDefault();
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const place = event.detail?.ctx?.target ?? event.target;
    if (!place?.matches?.("[data-form-place]")) return;
    const wrong =
      place.querySelector('[aria-invalid="true"], [role="alert"]:not(.explained)') ??
      place.querySelector('[role="alert"]');
    if (!wrong) return;
    if (wrong.matches("[role=alert]")) wrong.tabIndex = -1;
    leadTo(wrong);
  });
  document.addEventListener("DOMContentLoaded", () => {
    const wrong = document.querySelector('main [aria-invalid="true"]');
    if (wrong) leadTo(wrong);
  });
})();
