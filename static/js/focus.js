// Whoever goes by keyboard does not lose their place: when what they stood on is gone after an
// exchange, or could not be used during it, they stand on it again or on what comes next.
(() => {
  const STOPS = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  let near = [];

  function remember() {
    if (document.activeElement === document.body && near[0]?.disabled) return;
    const stops = [...document.querySelectorAll(STOPS)];
    const at = stops.indexOf(document.activeElement);
    near = at < 0 ? [] : [...stops.slice(at), ...stops.slice(0, at).reverse()];
  }

  document.addEventListener("htmx:before:request", remember);
  document.addEventListener("htmx:before:swap", remember);
  document.addEventListener("htmx:finally:request", () => {
    // A moment later what could not be used can be used again.
    setTimeout(() => {
      const isInUse = near[0]?.isConnected && near[0].disabled; // by another exchange
      if (isInUse || document.activeElement !== document.body) return;
      near.find((stop) => {
        if (stop.isConnected) stop.focus();
        return stop === document.activeElement;
      });
    });
  });
})();
