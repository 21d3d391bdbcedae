// Tells how many check boxes of a name are ticked: data-count-of="name".
(() => {
  function count(place) {
    const boxes = [...document.querySelectorAll(`[name="${place.dataset.countOf}"]`)];
    place.textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length} ticked`;
  }

  for (const place of document.querySelectorAll("[data-count-of]")) {
    count(place);
    document.addEventListener("change", () => count(place));
  }
  // Coming back to a page that the browser kept finds the boxes as they were left.
  addEventListener("pageshow", () => {
    for (const place of document.querySelectorAll("[data-count-of]")) count(place);
  });
})();
