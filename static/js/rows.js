// Rows of a list are added and taken away; one is always left to write in.
(() => {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-add-row], [data-remove-row]");
    if (!button) return;
    const rows = button.closest("[data-rows]");
    if (button.hasAttribute("data-add-row")) {
      button.before(rows.querySelector("template").content.cloneNode(true));
      const all = rows.querySelectorAll(":scope > .row-of");
      all[all.length - 1].querySelector("input").focus();
      return;
    }
    const row = button.closest(".row-of");
    const all = [...rows.querySelectorAll(":scope > .row-of")];
    if (all.length > 1) {
      const beside = all[all.indexOf(row) + 1] ?? all[all.indexOf(row) - 1];
      row.remove();
      beside.querySelector("input").focus();
    } else {
      for (const input of row.querySelectorAll("input")) input.value = "";
      row.querySelector("input").focus();
    }
    rows.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
