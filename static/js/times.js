// Says moments in the viewer's own zone; the server wrote them in UTC.
(() => {
  const DAY = { day: "numeric", month: "long", year: "numeric" };
  const MINUTE = { ...DAY, hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  const SECOND = {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  };
  const [full, forms] = (() => {
    const say = (options) => new Intl.DateTimeFormat("en-GB", options);
    return [say(MINUTE), { day: say(DAY), minute: say(MINUTE), second: say(SECOND) }];
  })();

  function localize(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      time.title = full.format(moment);
      const form = forms[time.dataset.shown];
      if (form) time.textContent = form.format(moment);
    }
  }

  document.addEventListener("DOMContentLoaded", () => localize(document));
  document.addEventListener("htmx:after:swap", () => localize(document));
})();
