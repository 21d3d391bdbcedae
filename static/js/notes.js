// Notes in the corner: each can be sent away; good news without anything to press goes by itself.
(() => {
  const SHOWN_MS = 7000;

  function goesByItself(note) {
    return note.classList.contains("alert-success") && !note.querySelector("a, form");
  }

  function leave(note) {
    if (note.matches(":hover, :focus-within")) return setTimeout(() => leave(note), SHOWN_MS);
    note.remove();
  }

  document.addEventListener("click", (event) => {
    const note = event.target.closest("[data-dismiss]")?.closest(".note");
    if (!note) return;
    note.remove();
    document.getElementById("content").focus({ preventScroll: true });
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const note of document.querySelectorAll(".note")) {
      if (goesByItself(note)) setTimeout(() => leave(note), SHOWN_MS);
    }
  });
})();
