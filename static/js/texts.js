// Boxes for several texts: more of them, fewer of them. Without this one box more is there to fill.
(() => {
  const boxesIn = (field) => [...field.querySelectorAll("[data-text]")];

  // The boxes by their numbers, and what can be done with so many of them. The box that is there
  // for want of scripts comes as an unseen element with a fragment: it would count as one.
  function settle(field) {
    field.querySelector("noscript")?.remove();
    const boxes = boxesIn(field);
    boxes.forEach((box, place) => {
      const area = box.querySelector("textarea");
      area.id = `id_input_${place + 1}`;
      const label = box.querySelector("label");
      label.htmlFor = area.id;
      label.textContent = `Text ${place + 1}`;
      const remove = box.querySelector("[data-remove-text]");
      remove.setAttribute("aria-label", `Remove text ${place + 1}`);
      remove.disabled = boxes.length === 1;
    });
    field.querySelector("[data-add-text]").disabled = boxes.length >= Number(field.dataset.texts);
  }

  function add(field, text = "") {
    const boxes = boxesIn(field);
    const box = boxes[0].cloneNode(true);
    const area = box.querySelector("textarea");
    area.value = text;
    area.removeAttribute("aria-invalid");
    boxes.at(-1).after(box);
    return area;
  }

  // Exactly these texts, each in a box.
  function fill(field, texts) {
    const [first, ...others] = boxesIn(field);
    for (const box of others) box.remove();
    first.querySelector("textarea").value = texts[0] ?? "";
    for (const text of texts.slice(1)) add(field, text);
    settle(field);
  }

  document.addEventListener("click", (event) => {
    const field = event.target.closest("[data-texts]");
    if (!field) return;
    const removed = event.target.closest("[data-remove-text]");
    if (removed) {
      const boxes = boxesIn(field);
      const place = boxes.indexOf(removed.closest("[data-text]"));
      boxes[place].remove();
      const left = boxesIn(field);
      left[Math.min(place, left.length - 1)].querySelector("textarea").focus();
    } else if (event.target.closest("[data-add-text]")) {
      add(field).focus();
    } else {
      return;
    }
    settle(field);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("texts:fill", (event) => fill(event.target, event.detail));
  for (const kind of ["DOMContentLoaded", "htmx:after:swap"]) {
    document.addEventListener(kind, () => {
      for (const field of document.querySelectorAll("[data-texts]")) settle(field);
    });
  }
})();
