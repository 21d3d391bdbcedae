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
  const TIME = { hour: "2-digit", minute: "2-digit" };
  const SHORT_DAY = { day: "numeric", month: "short" };
  const [full, forms] = (() => {
    const say = (options) => new Intl.DateTimeFormat("en-GB", options);
    const shown = {
      day: say(DAY),
      minute: say(MINUTE),
      second: say(SECOND),
      hour: say({ ...SHORT_DAY, ...TIME }),
      time: say(TIME),
      "short-day": say(SHORT_DAY),
    };
    return [say(MINUTE), shown];
  })();

  function localize(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      time.title = full.format(moment);
      const form = forms[time.dataset.shown];
      if (form) time.textContent = form.format(moment);
    }
    // The title of a part of a chart begins with its hour, in UTC as long as it says so.
    for (const place of root.querySelectorAll("[data-hour]")) {
      const title = place.querySelector("title");
      const hour = forms.hour.format(new Date(place.dataset.hour));
      title.textContent = title.textContent.replace(/^[^:]*:\d\d UTC/, hour);
    }
  }

  document.addEventListener("DOMContentLoaded", () => localize(document));
  document.addEventListener("htmx:after:swap", () => localize(document));
})();
