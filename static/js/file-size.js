// A file that is larger than allowed is told at its field before it is sent: data-most-bytes.
(() => {
  const told = (field) => document.getElementById(`${field.id}_too_large`);

  function isTooLarge(field) {
    return field.files.length > 0 && field.files[0].size > Number(field.dataset.mostBytes);
  }

  function check(field) {
    told(field)?.remove();
    field.removeAttribute("aria-invalid");
    if (!isTooLarge(field)) return;
    const note = document.createElement("p");
    note.className = "problem";
    note.id = `${field.id}_too_large`;
    note.setAttribute("role", "alert");
    note.textContent = field.dataset.tooLarge;
    field.setAttribute("aria-invalid", "true");
    field.after(note);
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-most-bytes]")) check(event.target);
  });
  document.addEventListener("submit", (event) => {
    for (const field of event.target.querySelectorAll("[data-most-bytes]")) {
      if (!isTooLarge(field)) continue;
      event.preventDefault();
      field.focus();
    }
  });
})();
