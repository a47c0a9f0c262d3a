/* The search field as a combobox (ARIA 1.2): a list under it, reached with the arrow keys.
   htmx fetches the options and drops an answer that a later one overtakes; without this file, or
   without an answer, the field is a plain one in a plain form. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const field = document.getElementById("q");
  const place = document.getElementById("suggestions");
  if (!field || !place) return;
  const said = document.getElementById("suggestions-said");
  const options = () => [...place.querySelectorAll("[role=option]")];
  /* An answer is wanted from a letter typed until the person chooses, asks or leaves. */
  let wanted = false;

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", "suggestions-list");
  field.setAttribute("aria-expanded", "false");

  const isOpen = () => field.getAttribute("aria-expanded") === "true";

  const mark = (chosen) => {
    for (const option of options()) option.setAttribute("aria-selected", String(option === chosen));
    if (chosen) {
      field.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else {
      field.removeAttribute("aria-activedescendant");
    }
  };

  const marked = () => options().find((option) => option.getAttribute("aria-selected") === "true");

  const show = (open) => {
    place.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    mark(null);
    said.textContent = open ? place.querySelector("[data-said]").dataset.said : "";
  };

  const close = () => {
    wanted = false;
    if (isOpen()) show(false);
  };

  const choose = (option) => {
    close();
    if (option.dataset.address) {
      window.location.assign(option.dataset.address);
      return;
    }
    /* The space says that nothing is left to be typed. */
    field.value = `${option.dataset.words} `;
    field.form.requestSubmit();
  };

  /* From the field itself down through the options and back to it. */
  const move = (step) => {
    const all = [null, ...options()];
    const now = all.indexOf(marked() ?? null);
    mark(all[(now + step + all.length) % all.length]);
  };

  field.addEventListener("input", () => {
    wanted = true;
    /* What is marked belongs to what was typed before. */
    mark(null);
    if (!field.value.trim()) close();
  });

  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!options().length || !field.value.trim()) return;
      event.preventDefault();
      if (!isOpen()) show(true);
      if (!event.altKey) move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      const chosen = isOpen() && marked();
      if (!chosen) return close();
      event.preventDefault();
      choose(chosen);
    } else if (event.key === "Escape" && isOpen()) {
      /* Only then: a second Escape empties the field, as it does in every search field. */
      event.preventDefault();
      close();
    }
  });

  field.addEventListener("blur", close);
  field.form.addEventListener("submit", close);
  /* The field keeps the focus, or leaving it would take the list away before the click. */
  place.addEventListener("mousedown", (event) => event.preventDefault());
  place.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.target !== place) return;
    if (wanted && document.activeElement === field) show(options().length > 0);
  });
});
