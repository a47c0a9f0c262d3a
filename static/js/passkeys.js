/* Passkeys (WebAuthn Level 3): the space asks, the browser asks its owner, and the answer goes
   back in the hidden field of a plain form. Without this file, or where the browser knows no
   passkeys, the page says that the link by mail is the way. */
"use strict";

/* Binary values travel as base64url in JSON (section 5.1, PublicKeyCredentialJSON). */
const fromText = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

const readQuestion = (asked) => {
  const read = (one) => ({ ...one, id: fromText(one.id) });
  const question = { ...asked, challenge: fromText(asked.challenge) };
  if (asked.user) question.user = read(asked.user);
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    if (asked[list]) question[list] = asked[list].map(read);
  }
  return question;
};

const writeAnswer = (credential) => {
  const response = {};
  for (const name of [
    "clientDataJSON",
    "attestationObject",
    "authenticatorData",
    "signature",
    "userHandle",
  ]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  const id = toText(credential.rawId);
  return JSON.stringify({ id, rawId: id, type: credential.type, response });
};

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-ask]");
  if (!form || !window.PublicKeyCredential || !navigator.credentials) return;
  const status = form.querySelector("[role=status]");
  for (const one of form.querySelectorAll("[data-passkeys]")) {
    one.hidden = one.dataset.passkeys === "no";
  }

  /* One question at a time: browsers refuse a second one while the first is open. */
  let open = null;
  let timer = 0;
  const ask = async (mediation) => {
    open?.abort();
    clearTimeout(timer);
    const { signal } = (open = new AbortController());
    const got = await fetch(form.dataset.question, { headers: { Accept: "application/json" } });
    if (!got.ok || got.redirected) throw new TypeError("no question");
    const publicKey = readQuestion(await got.json());
    signal.throwIfAborted();
    /* A question grows old; one that waits in a field is asked anew before it does. */
    if (mediation) timer = setTimeout(offer, publicKey.timeout - 60_000);
    const answer = { publicKey, signal, ...(mediation && { mediation }) };
    form.elements.answer.value = writeAnswer(
      await navigator.credentials[form.dataset.ask](answer),
    );
    form.submit();
  };

  /* Where the browser can, it offers passkeys in the field for the address, as it offers what was
     typed there before. Nobody asked for it, so nobody hears when it comes to nothing. */
  const offer = async () => {
    const can = await window.PublicKeyCredential.isConditionalMediationAvailable?.();
    if (form.dataset.ask === "get" && can) await ask("conditional").catch(() => {});
  };
  window.addEventListener("pageshow", offer);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    status.textContent = "";
    try {
      await ask();
    } catch (error) {
      if (error.name === "AbortError") return;
      /* The network fails as a TypeError; what authenticators and their owners refuse does not. */
      status.textContent =
        error instanceof TypeError ? status.dataset.silence : status.dataset.stopped;
      await offer();
    }
  });
});
