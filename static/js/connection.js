// Says so when the server does not answer the page's own requests, and when it does again.
(() => {
  const bar = document.getElementById("connection");

  function show(words) {
    if (bar.textContent !== words) bar.textContent = words;
    bar.hidden = false;
  }

  document.addEventListener("htmx:error", () => {
    show("The server does not answer. What is shown may be out of date.");
  });
  document.addEventListener("htmx:response:error", (event) => {
    const isOurs = event.detail.ctx.response.status >= 500;
    show(
      isOurs
        ? "Something went wrong on the server; its log says what."
        : "This page is out of date. Load it again.",
    );
  });
  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response.status < 400) bar.hidden = true;
  });
})();
