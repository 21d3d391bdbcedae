// What an address leads to is unfolded, and what is unfolded has an address to pass on.
(() => {
  function unfold() {
    const fold = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!fold?.matches("details")) return;
    fold.open = true;
    fold.scrollIntoView();
  }

  addEventListener("hashchange", unfold);
  document.addEventListener("DOMContentLoaded", unfold);
  document.addEventListener(
    "toggle",
    ({ target }) => {
      if (!target.id || !target.matches("main details[open]")) return;
      history.replaceState(history.state, "", `#${encodeURIComponent(target.id)}`);
    },
    true,
  );
})();
