// Rows that are picked are counted; and what was chosen shows as it is after rows have changed.
(() => {
  const rows = document.getElementById("rows");
  const finder = document.getElementById("finder");
  const boxes = () => [...rows.querySelectorAll("[form=picked][type=checkbox]")];

  function count() {
    const button = rows.querySelector("[data-picked]");
    if (!button) return;
    const all = rows.querySelector("[data-pick-all]");
    const picked = boxes().filter((box) => box.checked).length;
    button.disabled = picked === 0;
    button.querySelector("[data-picked-count]").textContent = picked ? `(${picked})` : "";
    all.checked = picked > 0 && picked === boxes().length;
    all.indeterminate = picked > 0 && !all.checked;
  }

  // A change of the markup alone does not move a control that somebody has touched.
  function showChosen() {
    for (const control of finder?.elements ?? []) {
      if (control.type === "checkbox") control.checked = control.defaultChecked;
      for (const option of control.options ?? []) option.selected = option.defaultSelected;
    }
  }

  rows.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-all]")) {
      for (const box of boxes()) box.checked = event.target.checked;
    }
    count();
  });
  document.addEventListener("htmx:after:swap", () => {
    showChosen();
    count();
  });
  count();
})();
