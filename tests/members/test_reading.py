"""Files as they come: what is read out of them, and what is refused in one sentence."""

from __future__ import annotations

import json

import pytest

from app.members import reading
from app.members.person import Person, Refused
from app.members.texts import parts
from tests.members.conftest import FIXTURES, NOON

TODAY = NOON.date()
PEOPLE = [
    "Zoé Lefèvre",
    "Jürgen Müßig",
    "Siobhán O'Neill",
    "José María Núñez, PhD",
    "李 小龙",
    'Aïcha "Aïe" N’Diaye',
]
HEADER = "Nom;Courriel;Ville\r\n"


def read(data, **mapping):
    return reading.read(data.encode() if isinstance(data, str) else data, TODAY, mapping)


def fixture(name):
    return reading.read_file(FIXTURES / name, TODAY)


def refusal(data, **mapping):
    with pytest.raises(reading.UnreadableFileError) as refused:
        read(data, **mapping)
    return str(refused.value)


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_refused(data):
    assert refusal(data) == "The file is empty."


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        (b"Nom;Courriel\r\nZo\0;z@example.org\r\n", "binary"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0", "saved as CSV"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "unpack"),
    ],
)
def test_a_binary_file_is_refused_and_the_operator_is_told_what_to_do(data, hint):
    assert hint in refusal(data)
    assert reading.ACCEPTED in refusal(data)


def test_a_file_of_more_than_50_megabytes_is_refused_before_it_is_read(tmp_path):
    big = tmp_path / "big.csv"
    with big.open("wb") as file:
        file.truncate(reading.FILE_BYTES + 1)
    with pytest.raises(reading.UnreadableFileError, match="larger than 50 MB"):
        reading.read_file(big, TODAY)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(reading.UnreadableFileError, match="cannot be read"):
        reading.read_file(tmp_path / "none.csv", TODAY)


@pytest.mark.parametrize(
    "name",
    [
        "nexudus_coworkers_search.json",
        "cobot_api2_memberships_p1.json",
        "cobot_api2_membership_profiles_p1.json",
    ],
)
def test_json_of_a_shape_we_do_not_know_says_what_is_accepted(name):
    with pytest.raises(reading.UnreadableFileError) as refused:
        fixture(name)
    assert reading.ACCEPTED in str(refused.value)


def test_json_on_one_line_that_is_no_member_says_what_is_accepted():
    assert reading.ACCEPTED in refusal('{"Records": []}')
    assert reading.ACCEPTED in refusal('[{"name": "Zoé"}]')


def test_json_that_is_cut_short_is_refused_as_a_whole():
    whole = (FIXTURES / "cobot_v1_memberships.json").read_text(encoding="utf-8")
    assert "cut short" in refusal(whole[: len(whole) // 2])
    assert "cut short" in refusal('{"name": "Zoé"}\n{"name": "Jür')


def test_json_nested_without_end_is_refused_and_stops_nothing():
    assert "nested too deeply" in refusal("[" * 100_000)
    rows = read('{"name": ' + "[" * 100_000 + '\n{"name": "Zoé"}\n').rows
    assert [type(row) for row in rows] == [Refused, Person]


def test_a_quotation_mark_that_is_never_closed_is_refused_with_its_line():
    said = refusal(HEADER + 'Zoé;z@example.org;Albi\r\n"Jürgen;j@example.org;Berlin\r\n')
    assert "line 3" in said
    assert "cut short" in said


def test_without_a_column_of_names_the_operator_is_told_the_columns_and_how_to_choose():
    said = refusal("Téléphone;Courriel\n1;a@example.org\n")
    assert "“Téléphone”, “Courriel”" in said
    assert "--map" in said


@pytest.mark.parametrize(
    ("mapping", "hint"),
    [({"nom": "Nom"}, "there is no field “nom”"), ({"bio": "Vie"}, "there is no column “Vie”")],
)
def test_a_choice_that_fits_nothing_is_refused(mapping, hint):
    assert hint in refusal(HEADER + "Zoé;z@example.org;Albi\n", **mapping)


@pytest.mark.parametrize(
    ("name", "encoding", "delimiter"),
    [
        ("members_excel_fr_semicolon_bom.csv", "utf-8", "semicolon"),
        ("members_cp1252_semicolon.csv", "cp1252", "semicolon"),
        ("members_utf16le_tab_excel_unicode.txt", "utf-16", "tab"),
    ],
)
def test_a_table_from_a_spreadsheet_is_read_whatever_its_dialect(name, encoding, delimiter):
    listing = fixture(name)
    people = [row for row in listing.rows if isinstance(row, Person)]
    assert (listing.encoding, listing.delimiter) == (encoding, delimiter)
    assert listing.columns.mapped == {
        "name": "Nom",
        "email": "Courriel",
        "company": "Entreprise",
        "profession": "Métier",
        "location": "Ville",
        "skills": "Compétences",
    }
    assert listing.columns.unmapped == ["Pays"]
    assert [person.line for person in people] == [2, 3, 4, 5, 6, 7, 9]
    assert people[0].name == "Zoé Lefèvre"
    assert people[2].name == "Siobhán O'Neill"
    assert people[3].headline == "Núñez & Hijos, S.L."
    assert people[5].headline == "Coop Étincelle"
    assert listing.rows[-1] == Refused(
        10, "", ("there is no name", "“pas-un-mail” is not an e-mail address")
    )


def test_letters_of_every_script_survive():
    assert [row.name for row in fixture("members_utf16le_tab_excel_unicode.txt").rows[:6]] == PEOPLE


def test_the_lists_of_nexudus_and_officernd_are_tables():
    nexudus = fixture("nexudus_customers_import.csv")
    officernd = fixture("officernd_members_import.csv")
    assert [row.name for row in nexudus.rows] == PEOPLE
    assert [row.location for row in nexudus.rows] == [""] * 6, "a number is no place"
    assert [row.left_on for row in nexudus.rows] == [None] * 5 + [TODAY]
    assert [row.name for row in officernd.rows] == PEOPLE
    assert {row.location for row in officernd.rows} == {"Toulouse"}


def test_of_a_cobot_membership_only_the_named_fields_are_read():
    listing = fixture("cobot_v1_memberships.json")
    assert (listing.kind, listing.unit) == ("cobot", "entry")
    assert listing.rows[0] == Person(
        line=1,
        name="Zoé Lefèvre",
        email="zoe.lefevre@example.org",
        external_id="7f363acbd26a6376703ff3a091a518f8",
        headline="Cabinet Lefèvre",
    )
    assert listing.rows[4] == Refused(5, "李 小龙", ("not yet confirmed as a member",))
    assert listing.rows[5].left_on.isoformat() == "2012-04-14"
    assert "Exemple" not in repr(listing.rows), "no postal address"
    assert "+33" not in repr(listing.rows), "no telephone number"


def test_formulas_and_markup_are_only_text():
    (row,) = fixture("members_formula_injection.csv").rows
    assert row.name == '=HYPERLINK("http://evil.example","clic")'
    assert (row.profession, row.location) == ("-1+1", "@SUM(1)")
    assert row.skills[0].title == "<script>alert(1)</script>"


def test_what_turns_text_around_or_hides_in_it_is_taken_out():
    name = "Zo\u202ee\u0301\u200b \u0007Lefèvre \ud800"
    (row,) = read(json.dumps({"name": name, "bio": "Un\u2028deux\r\n\n\n\ntrois"})).rows
    assert row.name == "Zoé Lefèvre"
    assert row.bio == "Un\ndeux\n\ntrois"


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Prénom", "first_name"),
        ("VORNAME", "first_name"),
        ("E-Mail-Adresse", "email"),
        ("Correo electrónico", "email"),
        ("Sprachen", "languages"),
        ("Centres d’intérêt", "interests"),
        ("Competencias", "skills"),
        ("Über mich", "bio"),
        ("Mitgliedsnummer", "external_id"),
    ],
)
def test_headers_are_known_in_four_languages(header, field):
    assert read(f"Name,{header}\nZoé,x@example.org\n").columns.mapped[field] == header


def test_a_column_may_hold_a_text_in_a_further_language():
    listing = read(
        "Name;Headline;Kurztext (Deutsch);bio [en];headline (en);Telefon (privat);bio (in short)"
        "\nZoé;Contrats;Verträge;One;'=1+1;06;Deals\n"
    )
    german = {"lang": "de", "headline": "Verträge"}
    english = {"lang": "en", "headline": "=1+1", "bio": "One"}
    assert listing.rows == (
        Person(line=2, name="Zoé", headline="Contrats", translations=(german, english)),
    )
    assert listing.columns.mapped["headline (de)"] == "Kurztext (Deutsch)"
    assert listing.columns.unmapped == ["Telefon (privat)", "bio (in short)"]


def test_first_and_last_name_make_a_name_and_nom_is_then_the_last():
    (row,) = read("Nom\tPrénom\nLefèvre\tZoé\n").rows
    assert row.name == "Zoé Lefèvre"


def test_the_operator_may_say_which_column_is_which():
    listing = read("Qui;Quoi\nZoé;Avocate\n", name="Qui", profession="Quoi")
    assert listing.rows == (Person(line=2, name="Zoé", profession="Avocate"),)


def test_a_row_with_more_cells_than_the_header_is_refused_and_the_others_are_read():
    rows = read(HEADER + "Zoé;z@example.org;Albi;oups\nJürgen;j@example.net;Berlin\n").rows
    assert isinstance(rows[0], Refused)
    assert "4 cells and the header 3" in rows[0].reasons[0]
    assert rows[1].name == "Jürgen"


def test_the_hint_that_excel_writes_about_its_delimiter_is_no_row():
    listing = read("sep=;\r\n" + HEADER + "Zoé;z@example.org;Albi\r\n")
    assert [row.name for row in listing.rows] == ["Zoé"]


def test_skills_name_a_speciality_only_when_the_vocabulary_does():
    (row,) = read("Name,Skills\nZoé,Avocate; Macramé du dimanche\n").rows
    assert [(offer.title, offer.speciality) for offer in row.skills] == [
        ("Avocate", "lawyer"),
        ("Macramé du dimanche", ""),
    ]
    assert row.remarks == (
        "skill “Avocate” is the speciality “Lawyer”",
        "skill “Macramé du dimanche” becomes a service of that name",
    )


def test_languages_are_known_by_name_and_by_tag():
    cell = "français; Englisch (fließend); es; pt_BR; volapuk du sud"
    (row,) = read(f"Name,Languages\nZoé,{cell}\n").rows
    assert row.languages[:4] == ("fr", "en", "es", "pt-BR")


@pytest.mark.parametrize(
    ("cell", "entries"),
    [
        ("droit,contrats", ("droit", "contrats")),
        ("droit; contrats, CGV", ("droit", "contrats, CGV")),
        ("droit|contrats|Droit", ("droit", "contrats", "Droit")),
    ],
)
def test_a_cell_lists_things_between_commas_unless_it_has_a_stronger_sign(cell, entries):
    assert parts(cell) == entries
