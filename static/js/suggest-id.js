// Another model suggests another id, as long as nobody wrote one of their own.
(() => {
  const field = document.getElementById("id_inference_id");
  const models = [...document.querySelectorAll("[data-suggested-id]")];
  const suggestions = new Set(models.map((model) => model.dataset.suggestedId));

  document.addEventListener("change", (event) => {
    const suggested = event.target.dataset.suggestedId;
    if (!suggested || (field.value && !suggestions.has(field.value))) return;
    field.value = suggested;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
