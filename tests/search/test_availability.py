"""Days of the week, read from what people write about when to find them."""

from __future__ import annotations

import pytest

from app.search.availability import DAYS, days_in


@pytest.mark.parametrize(
    "text",
    ["", "nach Absprache", "Sur rendez-vous", "mon atelier est sur la mer", "I do what I can, so",
     "Réserve dix jours à l’avance", "di più", "🙂", "\u202e", "a - b - c"],
)  # fmt: skip
def test_a_line_without_a_day_says_none(text):
    assert days_in(text) == ()


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mardi et jeudi", "tue thu"),
        ("Lundi, mercredi et vendredi", "mon wed fri"),
        ("Du lundi au jeudi, 9 h à 17 h", "mon tue wed thu"),
        ("Mercredi à vendredi", "wed thu fri"),
        ("Monday to Thursday", "mon tue wed thu"),
        ("Tuesdays and Fridays after 2 pm", "tue fri"),
        ("Tuesday through Thursday", "tue wed thu"),
        ("Montag bis Mittwoch, Freitag", "mon tue wed fri"),
        ("Mo–Do", "mon tue wed thu"),
        ("Di, Do", "tue thu"),
        ("Mon-Wed", "mon tue wed"),
        ("lunes a viernes", "mon tue wed thu fri"),
        ("martes y sábados", "tue sat"),
        ("Freitag bis Montag", "mon fri sat sun"),
        ("Tous les jours sauf mercredi", "mon tue thu fri"),
        ("every day except Monday", "tue wed thu fri"),
        ("Täglich außer Freitag", "mon tue wed thu"),
        ("entre semana", "mon tue wed thu fri"),
        ("Pas le mardi. Samedi matin", "mon wed thu fri sat"),
        ("tous les mardis", "tue"),
        ("Le week-end", "sat sun"),
        ("Samedi, dimanche", "sat sun"),
        ("Mardi soir et jeudi midi", "tue thu"),
        ("à l’atelier le lundi", "mon"),
    ],
)
def test_days_are_read_as_people_write_them(text, days):
    assert days_in(text) == tuple(days.split())
    assert set(days.split()) <= set(DAYS)
