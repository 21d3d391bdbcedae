// Buttons that copy: data-copy holds the text, or data-copy-from the id of the element with it.
(() => {
  const SHOWN_MS = 1500;

  function textOf(button) {
    if (button.dataset.copy !== undefined) return button.dataset.copy;
    return document.getElementById(button.dataset.copyFrom).textContent;
  }

  // Browsers offer their clipboard only over HTTPS and on localhost; this works elsewhere.
  function copyBySelection(text) {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyBySelection(text);
    }
  }

  function say(words) {
    const spoken = document.getElementById("spoken");
    spoken.textContent = "";
    setTimeout(() => (spoken.textContent = words));
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const isCopied = await copy(textOf(button));
    button.focus();
    say(isCopied ? "Copied" : "The browser did not let this be copied");
    if (!isCopied) return;
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), SHOWN_MS);
  });
})();
