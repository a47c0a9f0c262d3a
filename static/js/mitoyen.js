/* What HTML and htmx cannot say by themselves; every page works without this file. */
"use strict";

/* What goes wrong is answered as a notice above the page, which says itself what it is. */
const isError = (event) => event.detail.ctx.hx?.retarget === "#flash";

/* After an answer, say in one sentence what changed: the newest element with data-announce. */
document.addEventListener("htmx:after:swap", () => {
  const said = [...document.querySelectorAll("[data-announce]")].at(-1);
  const place = document.getElementById("announce");
  if (said && place && place.textContent !== said.dataset.announce) {
    place.textContent = said.dataset.announce;
  }
});

/* And go there, when the person asked with Enter or a click; not while they type or choose.
   data-focus names the place; "next" is the first link of what replaced the link clicked. */
let lastBefore = null;
document.addEventListener("htmx:before:swap", () => {
  lastBefore = [...document.querySelectorAll(".stretched")].at(-1);
});
document.addEventListener("htmx:after:swap", (event) => {
  if (isError(event)) return;
  const cause = event.detail.ctx.sourceEvent;
  if (cause?.type !== "submit" && cause?.type !== "click") return;
  document.querySelector("[popover]:popover-open")?.hidePopover();
  const asked = cause.target.closest?.("[data-focus]")?.dataset.focus;
  if (asked === "next") {
    const links = [...document.querySelectorAll(".stretched")];
    links[links.indexOf(lastBefore) + 1]?.focus();
  } else if (asked) {
    document.querySelector(asked)?.focus();
  }
});

/* No answer at all: say so and leave everything as it is. That, and what the server says of its
   errors (templates/errors/_notice.html), goes away with the next good answer. */
document.addEventListener("htmx:error", (event) => {
  if (!event.detail.ctx || event.detail.ctx.response) return;
  const flash = document.getElementById("flash");
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.dataset.state = "down";
  notice.textContent = flash.dataset.silence;
  flash.replaceChildren(notice);
});
document.addEventListener("htmx:after:swap", (event) => {
  if (isError(event)) return;
  document.querySelector('#flash > [data-state="down"]')?.remove();
});

/* When the filters close, go back to the button that opens them: an answer replaced the one that
   did, and the browser would leave whoever uses a keyboard nowhere. */
document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.id !== "facets" || event.newState !== "closed") return;
    const here = document.activeElement;
    if (here && here !== document.body && !event.target.contains(here)) return;
    document.querySelector(".facets-toggle")?.focus();
  },
  true,
);

/* A menu closes on Escape and when the focus leaves it. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("focusout", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

/* A field's count of characters follows what is typed. */
document.addEventListener("input", (event) => {
  const count = event.target.id && document.querySelector(`[data-count-of="${event.target.id}"]`);
  if (count) count.textContent = [...event.target.value].length;
});

/* After a mistake, start where it is explained. */
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector("#errors, #conflict")?.focus();
});
