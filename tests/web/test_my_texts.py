"""Texts in another language: written on a page of their own, read by whoever reads it."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest

from app.database import db
from tests.spaces import add_member, service

MAUD = "maud@legoff.example"


@pytest.fixture
def maud(space, browser, sign_in):
    member = add_member(
        "Maud Le Goff", email=MAUD, audience="space", headline="Logos for bakers", locale="en",
        services=(service("Logo and label", ref="logo"),),
    )  # fmt: skip
    db.session.commit()
    sign_in(browser, MAUD)
    return member


def seen(browser, path):
    found = re.search(r'name="seen" value="([^"]*)"', browser.get(path).text)
    return found[1] if found else ""


def post(browser, path, **typed):
    return browser.post(path, data={"seen": seen(browser, path), **typed})


@pytest.mark.parametrize("lang", ["en", "EN", "english", "xx-nonsense", "volapuk-klingon"])
def test_the_language_of_the_originals_and_what_is_none_have_no_page(browser, maud, lang):
    assert browser.get(f"/me/texts/{lang}").status_code == 404
    assert post(browser, f"/me/texts/{lang}", headline="Logos").status_code == 404
    db.session.refresh(maud)
    assert maud.translations == []


def test_a_fifth_language_is_neither_offered_nor_taken(browser, maud):
    maud.translations = [{"lang": tag, "bio": "b"} for tag in ("de", "es", "it", "nl")]
    db.session.commit()
    assert "/me/texts/pt" not in browser.get("/me/texts").text
    assert browser.get("/me/texts/pt").status_code == 404


def test_what_is_too_long_is_kept_and_not_saved(browser, maud):
    answer = post(browser, "/me/texts/fr", headline="a" * 161, bio="Je dessine.")
    assert answer.status_code == 422
    assert "a" * 161 in answer.text
    assert "Je dessine." in answer.text
    db.session.refresh(maud)
    assert maud.translations == []


def test_what_another_window_saved_meanwhile_is_not_lost_unseen(browser, maud):
    opened = seen(browser, "/me/texts/fr")
    assert post(browser, "/me/texts/fr", headline="Des logos").status_code == 303
    answer = post(browser, "/me/texts/fr", headline="Mes logos", seen=opened)
    assert answer.status_code == 409
    assert "Mes logos" in answer.text
    db.session.refresh(maud)
    assert maud.translations == [{"lang": "fr", "headline": "Des logos"}]
    # Whoever reads that and saves again means it.
    [again] = re.findall(r'name="seen" value="([^"]*)"', answer.text)
    assert post(browser, "/me/texts/fr", headline="Mes logos", seen=again).status_code == 303
    db.session.refresh(maud)
    assert maud.translations == [{"lang": "fr", "headline": "Mes logos"}]
    # What is said of a service counts as well.
    opened = seen(browser, "/me/texts/fr")
    both = {"headline": "Mes logos", "logo-title": "Étiquette"}
    assert post(browser, "/me/texts/fr", **both).status_code == 303
    assert post(browser, "/me/texts/fr", headline="Vos logos", seen=opened).status_code == 409


def test_what_cannot_be_signed_is_neither_saved_nor_removed(browser, maud):
    maud.translations = [{"lang": "fr", "headline": "Des logos"}]
    # No form would take it; perhaps it came from an older version.
    maud.services[0].languages = ["no language"]
    maud.show_to("neighbours", maud.created_at)
    db.session.commit()
    answer = post(browser, "/me/texts/fr", headline="Mes logos")
    assert answer.status_code == 422
    assert "Mes logos" in answer.text
    assert post(browser, "/me/texts/fr/removal").status_code == 422
    db.session.refresh(maud)
    assert maud.translations == [{"lang": "fr", "headline": "Des logos"}]


def test_the_originals_are_not_said_to_be_in_a_language_that_has_a_page(browser, maud):
    assert post(browser, "/me/texts/fr", headline="Des logos").status_code == 303
    typed = {"seen": seen(browser, "/me"), "name": "Maud Le Goff", "locale": "fr"}
    answer = browser.post("/me", data=typed)
    assert answer.status_code == 422
    assert "have a page of their own" in answer.text
    db.session.refresh(maud)
    assert maud.locale == "en"
    assert browser.post("/me", data={**typed, "locale": "de"}).status_code == 303


def test_the_archive_shows_the_texts_of_every_language(browser, maud):
    assert post(browser, "/me/texts/fr", **{"bio": "Je dessine.", "logo-title": "Étiquettes"})
    archive = zipfile.ZipFile(io.BytesIO(browser.get("/me/data/archive").data))
    page = archive.read("profile.html").decode()
    assert '<dl lang="fr">' in page
    assert "Je dessine." in page
    assert '<dd lang="fr">Étiquettes</dd>' in page
    said = json.loads(archive.read("member.jsonl"))
    assert said["translations"] == [{"lang": "fr", "bio": "Je dessine."}]


def test_each_reader_gets_theirs_with_its_language_until_it_is_removed(browser, maud):
    typed = {"headline": "Des logos", "logo-title": "Logo et étiquette"}
    assert post(browser, "/me/texts/fr", **typed).status_code == 303
    page = f"/m/{maud.ref}"
    theirs = browser.get(page, headers={"Accept-Language": "en"}).text
    assert "Logos for bakers" in theirs
    assert "Des logos" not in theirs
    other = browser.get(f"{page}?texts=fr").text
    assert re.search(r'lang="fr">Des logos<', other)
    assert re.search(r'<h3 lang="fr">Logo et étiquette</h3>', other)
    assert 'hreflang="en"' in other
    assert 'lang="fr"' in browser.get("/me/texts/fr").text
    assert post(browser, "/me/texts/fr/removal").status_code == 303
    db.session.refresh(maud)
    assert (maud.translations, maud.services[0].translations) == ([], [])
    assert "Des logos" not in browser.get(f"{page}?texts=fr").text


def test_a_title_in_a_list_says_its_language_where_the_page_speaks_another(browser, maud):
    assert post(browser, "/me/texts/de", **{"logo-title": "Etikett"}).status_code == 303
    listed = browser.get("/search?q=bakers", headers={"Accept-Language": "de"}).text
    assert re.search(r'lang="de"[^>]*>Etikett<', listed)


def test_what_one_asks_for_says_its_language_on_the_page_and_in_the_form(browser, maud, sign_in):
    typed = {"logo-title": "Etikett", "logo-description": "Zwei Entwürfe."}
    assert post(browser, "/me/texts/de", **typed).status_code == 303
    maud.services.append(service("Poster", ref="poster"))
    add_member("Yves", email="yves@x.example")
    db.session.commit()
    sign_in(browser, "yves@x.example")
    reads = {"Accept-Language": "de"}
    assert re.search(
        r'lang="de">Zwei Entwürfe.<', browser.get(f"/m/{maud.ref}", headers=reads).text
    )
    form = browser.get(f"/m/{maud.ref}/ask", headers=reads).text
    assert re.search(r'<option[^>]* lang="de">Etikett</option>', form)


def test_texts_whose_first_language_is_not_said_lead_to_the_others_all_the_same(browser, maud):
    maud.locale = ""
    maud.translations = [{"lang": "de", "headline": "Zeichen für Bäcker"}]
    db.session.commit()
    page = browser.get(f"/m/{maud.ref}").text
    assert "Logos for bakers" in page
    assert 'href="?texts=de" hreflang="de"' in page
    assert (
        '<p class="voice measure" lang="de">Zeichen' in browser.get(f"/m/{maud.ref}?texts=de").text
    )


def test_each_service_leads_to_its_texts_in_the_languages_that_there_are_and_to_others(
    browser, maud
):
    def links():
        form = browser.get("/me").text.partition('id="services"')[2].partition("Add a service")[0]
        return re.findall(r'href="(/me/texts[^"]*)"', form)

    assert links() == ["/me/texts"]
    post(browser, "/me/texts/fr", **{"logo-title": "Logo et étiquette"})
    post(browser, "/me/texts/de", headline="Logos für Bäcker")
    assert links() == ["/me/texts/fr#logo-title", "/me/texts"]
    assert 'id="logo-title"' in browser.get("/me/texts/fr").text
    # One that is not saved yet has nothing to be translated.
    added = browser.post("/me", data={"do": "add-service", "name": "Maud", "audience": "space"})
    services = added.text.partition('id="services"')[2].partition("</section>")[0]
    assert "service-0-title" in services
    assert "/me/texts" not in services


def test_the_name_of_a_language_is_written_small_in_a_french_sentence(browser, maud):
    page = browser.get("/me/texts/de", headers={"Accept-Language": "fr"}).text
    assert "<h1>Mes textes en allemand</h1>" in page
