/* What HTML and htmx cannot say by themselves; every page works without this file. */
"use strict";

/* After an answer, say in one sentence what changed: the element carries data-announce. */
document.addEventListener("htmx:after:swap", () => {
  const said = document.querySelector("[data-announce]");
  const place = document.getElementById("announce");
  if (said && place && place.textContent !== said.dataset.announce) {
    place.textContent = said.dataset.announce;
  }
});

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
