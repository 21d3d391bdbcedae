// Menus close on Escape and when something else is clicked or reached by keyboard. What the browser
// opens over a page itself only lacks the last.
(() => {
  function closeMenus(except) {
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      if (menu !== except) menu.open = false;
    }
  }

  for (const kind of ["click", "focusin"]) {
    document.addEventListener(kind, (event) => closeMenus(event.target.closest("[data-menu]")));
  }
  document.addEventListener("focusin", (event) => {
    const over = document.querySelector("[popover]:popover-open");
    const isItsButton = event.target.getAttribute("popovertarget") === over?.id;
    if (over && !over.contains(event.target) && !isItsButton) over.hidePopover();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("[data-menu][open]");
    open?.querySelector("summary").focus();
    closeMenus();
  });
})();
