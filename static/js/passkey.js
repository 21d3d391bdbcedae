// Forms that a passkey fills in: data-passkey says what the browser is asked to do ("get" or
// "create"), and the options for that come from data-passkey-from, an address or "#id" of JSON.
(() => {
  const WORDS = {
    NotAllowedError: "The browser did not use a passkey: nobody confirmed it, or it took too long.",
    InvalidStateError: "This device is registered already.",
    SecurityError: "Passkeys work only at an https address, or at http://localhost.",
  };

  async function optionsOf(form) {
    const from = form.dataset.passkeyFrom;
    if (from.startsWith("#")) return JSON.parse(document.querySelector(from).textContent);
    const answer = await fetch(from, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("The server did not answer. Try again in a minute.");
    return answer.json();
  }

  async function ask(form) {
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
      throw new Error("This browser or this address does not do passkeys.");
    }
    const options = await optionsOf(form);
    if (form.dataset.passkey === "get") {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
        options.request_options.publicKey,
      );
      return navigator.credentials.get({ publicKey });
    }
    const asked = options.creation_options.publicKey;
    const isAlone = form.elements.passwordless.checked;
    asked.authenticatorSelection.residentKey = isAlone ? "required" : "discouraged";
    asked.authenticatorSelection.requireResidentKey = isAlone;
    if (isAlone) asked.authenticatorSelection.userVerification = "required";
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked);
    return navigator.credentials.create({ publicKey });
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.passkey || form.elements.credential.value) return;
    event.preventDefault();
    const problem = form.querySelector("[data-passkey-problem]");
    problem.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(await ask(form));
      form.submit();
    } catch (error) {
      problem.textContent = WORDS[error.name] ?? error.message;
      problem.hidden = false;
    }
  });
})();
