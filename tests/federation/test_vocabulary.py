"""What the shared vocabulary refuses, what it promises, and whether people's words lead home."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from importlib.resources import files
from itertools import combinations

import pytest

from federation import vocabulary
from federation.vocabulary import LANGUAGES, Speciality, VocabularyError, read

DOMAIN = """
[domain]
fr = "Droit: droit"
en = "Law: law"
de = "Recht: Recht"
es = "Derecho: derecho"
"""

LAWYER = """
[lawyer]
isco08 = "2611"
fr = "Avocat·e: avocat, avocate"
en = "Lawyer: attorney"
de = "Anwältin/Anwalt: Anwalt"
es = "Abogada/Abogado: abogado"
"""

#: The codes with which the vocabulary began. Profiles carry them: none may ever disappear.
FIRST_CODES = """
lawyer legal-adviser contract-law company-law ip-law privacy-gdpr employment-law notary mediation
immigration-law chartered-accountant bookkeeping tax cfo fundraising grants insurance payroll
strategy project-management procurement sales real-estate domiciliation virtual-assistant
translation interpreting hr recruiting coaching training language-teaching public-speaking
psychologist wellbeing web-development cms e-commerce no-code software mobile-apps data ai
it-support devops security accessibility gis graphic-design branding ux-ui illustration motion
product-design interior architecture landscape urbanism photography video audio copywriting
journalism publishing marketing seo social-media pr events market-research csr environment
social-work research mechanical electronics construction 3d-printing printing craft repair food
physio childcare music performing-arts games tourism
"""

#: How many specialities a word may point to; more, and it no longer helps to choose.
MOST_SPECIALITIES = 3

#: Words that honestly mean several things which have nothing to do with each other, in the
#: language given. Each must lead to all of its meanings. Every other word that is shared is
#: shared by neighbours (``near``).
AMBIGUOUS = {
    ("en", "content"): {"content-marketing", "copywriting", "social-media"},
    ("fr", "animation"): {"motion", "social-work"},
    ("fr", "cnc"): {"3d-printing", "film-production"},
    ("fr", "ergonome"): {"ux-ui", "ergonomics"},
    ("fr", "informaticien"): {"it-support", "software"},
    ("fr", "informaticienne"): {"it-support", "software"},
    ("fr", "serveur"): {"waiting", "sysadmin", "devops"},
    ("en", "editing"): {"video", "copywriting"},
    ("en", "editor"): {"video", "publishing", "proofreading"},
    ("en", "printer"): {"printing", "it-support"},
    ("de", "drucker"): {"printing", "it-support"},
    ("de", "fuhrung"): {"management-training", "tour-guide"},
    ("de", "informatiker"): {"it-support", "software"},
    ("de", "informatikerin"): {"it-support", "software"},
    ("es", "alianzas"): {"jewellery", "business-development"},
    ("es", "impresora"): {"printing", "it-support"},
    ("es", "pintor"): {"house-painting", "visual-art"},
    ("es", "pintora"): {"house-painting", "visual-art"},
    ("es", "taller"): {"training", "car-repair"},
}

#: Words that are spelt alike in two languages and mean different things: a "Pension" is a
#: guest house in German, and money for old age in English.
FALSE_FRIENDS = {
    "cnc": {"3d-printing", "film-production"},
    "pension": {"hospitality", "pensions"},
}


# What a file may not say


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("[domain", "law: .*"),
        (LAWYER, r"law: the table \[domain\] is missing"),
        (DOMAIN.replace('es = "Derecho: derecho"', ""), "law: domain: the line es is missing .*"),
        ('title = "Law"\n' + DOMAIN, r"law: title stands outside of a \[code\] table"),
        (DOMAIN + LAWYER.replace('"2611"', "2611"), "law: lawyer: the line isco08 is missing .*"),
        (DOMAIN + LAWYER.replace("Lawyer: attorney", "Lawyer"), "law: lawyer: en is not .*"),
        (DOMAIN + LAWYER.replace("Lawyer: attorney", ": attorney"), "law: lawyer: en is not .*"),
        (DOMAIN + LAWYER.replace("Lawyer: attorney", "Lawyer: "), "law: lawyer: en is not .*"),
        (DOMAIN + 'near = "tax"', "law: domain has unknown lines: near"),
        (DOMAIN + LAWYER + 'neer = "notary"', "law: lawyer has unknown lines: neer"),
        (DOMAIN + LAWYER + 'regulated = "yes"', "law: lawyer: regulated is neither .*"),
        (DOMAIN + LAWYER + "near = 3", "law: lawyer: the line near is missing .*"),
        (DOMAIN + LAWYER + 'near = "notary"', "law: lawyer cannot be near notary"),
        (DOMAIN + LAWYER + 'near = "lawyer"', "law: lawyer cannot be near lawyer"),
        (DOMAIN + LAWYER + 'kinds = "tax"', "law: lawyer: kinds is no list .*"),
        (DOMAIN + LAWYER + 'kinds = ["tax law, tax"]', "law: lawyer: a kind is empty, or not .*"),
        (DOMAIN + LAWYER + 'kinds = [","]', "law: lawyer: a kind is empty, or not .*"),
    ],
)
def test_a_broken_file_is_refused_by_its_name_and_the_code_at_fault(broken, sentence):
    with pytest.raises(VocabularyError, match=f"^{sentence}$"):
        read({"law": broken})


def test_a_code_that_two_files_use_is_refused_and_both_are_named():
    with pytest.raises(VocabularyError, match=r"^tax: lawyer is already used by law$"):
        read({"law": DOMAIN + LAWYER, "tax": DOMAIN + LAWYER})


def test_nobody_can_change_the_vocabulary_while_it_runs():
    with pytest.raises(TypeError):
        vocabulary.specialities()["lawyer"] = vocabulary.specialities()["notary"]
    with pytest.raises(TypeError):
        vocabulary.specialities()["lawyer"].labels["fr"] = "Notaire"
    with pytest.raises(FrozenInstanceError):
        vocabulary.specialities()["lawyer"].code = "notary"


def test_a_code_from_elsewhere_has_no_label_here():
    assert vocabulary.label("beekeeper-of-lyon", "fr") is None


# How it is read


def test_a_label_comes_in_the_language_asked_else_in_english():
    asked = ("fr", "fr_CA", "de-AT", "es", "en", "it", "")
    assert [vocabulary.label("notary", language) for language in asked] == [
        "Notaire",
        "Notaire",
        "Notarin/Notar",
        "Notaria/Notario",
        "Notary",
        "Notary",
        "Notary",
    ]


def test_a_file_becomes_a_domain_and_its_specialities_in_the_order_written():
    notary = LAWYER.replace("lawyer", "notary") + 'near = "lawyer,"\nregulated = true\n'
    domains, specialities = read({"law": DOMAIN + LAWYER + notary})
    assert domains["law"].labels == {"fr": "Droit", "en": "Law", "de": "Recht", "es": "Derecho"}
    assert domains["law"].words["de"] == ("Recht",)
    assert domains["law"].specialities == tuple(specialities) == ("lawyer", "notary")
    assert specialities["notary"] == Speciality(
        code="notary",
        domain="law",
        isco08="2611",
        labels={
            "fr": "Avocat·e",
            "en": "Lawyer",
            "de": "Anwältin/Anwalt",
            "es": "Abogada/Abogado",
        },
        words={
            "fr": ("avocat", "avocate"),
            "en": ("attorney",),
            "de": ("Anwalt",),
            "es": ("abogado",),
        },
        near=("lawyer",),
        regulated=True,
    )


def test_a_neighbour_named_at_one_end_is_known_at_both():
    notary = LAWYER.replace("lawyer", "notary") + 'near = "lawyer"\n'
    _, specialities = read({"law": DOMAIN + LAWYER + notary})
    assert specialities["lawyer"].near == ("notary",)


def test_the_files_are_read_once():
    assert vocabulary.specialities() is vocabulary.specialities()


# What our files promise


def test_no_code_of_the_first_list_was_lost():
    first = FIRST_CODES.split()
    assert len(first) == 88
    assert [code for code in first if code not in vocabulary.specialities()] == []


def test_the_list_covers_the_work_of_a_whole_town():
    assert len(vocabulary.specialities()) >= 300
    assert all(len(domain.specialities) >= 3 for domain in vocabulary.domains().values())


def test_every_speciality_belongs_to_one_domain():
    listed = [code for domain in vocabulary.domains().values() for code in domain.specialities]
    assert listed == list(vocabulary.specialities())
    assert {speciality.domain for speciality in specialities()} == vocabulary.domains().keys()


def test_codes_are_plain_words_with_hyphens():
    codes = [*vocabulary.specialities(), *vocabulary.domains()]
    assert [code for code in codes if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []


def test_every_language_has_a_label_and_enough_words():
    families = [*vocabulary.domains().values(), *specialities()]
    missing = [
        f"{family.code} {language}"
        for family in families
        for language in LANGUAGES
        if not family.labels[language] or len(family.words[language]) < 3
    ]
    assert missing == []


def test_the_occupation_is_an_isco_unit_group():
    isco = re.compile("[1-9][1-9][0-9]{2}")
    assert [s.code for s in specialities() if not isco.fullmatch(s.isco08)] == []


def test_neighbours_exist_and_know_each_other():
    known = vocabulary.specialities()
    assert [
        f"{s.code} -> {other}"
        for s in specialities()
        for other in s.near
        if other == s.code or other not in known or s.code not in known[other].near
    ] == []


def test_every_speciality_has_a_neighbour_to_try_when_nobody_does_it():
    assert [s.code for s in specialities() if not s.near] == []


def test_professions_that_the_law_reserves_are_marked():
    reserved = {"lawyer", "notary", "chartered-accountant", "architecture", "psychologist"}
    free = {"coaching", "web-development", "branding", "copywriting"}
    assert {s.code for s in specialities() if s.regulated} & (reserved | free) == reserved


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_label_names_one_speciality_only(language):
    seen = defaultdict(list)
    for speciality in specialities():
        seen[folded(speciality.labels[language])].append(speciality.code)
    assert [codes for codes in seen.values() if len(codes) > 1] == []


def test_words_are_written_cleanly():
    assert [f"{where}: {text!r}" for where, text in texts() if not is_clean(text)] == []


def test_the_files_hide_no_stray_spaces_and_no_empty_entries():
    stray = re.compile(r"  |\t| ,|,,|, ,|,\"| $|\r", re.MULTILINE)
    found = {
        entry.name: stray.findall(entry.read_text(encoding="utf-8"))
        for entry in files(vocabulary).iterdir()
        if entry.name.endswith(".toml")
    }
    assert len(found) == len(vocabulary.domains())
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_no_speciality_says_a_word_twice():
    repeated = [
        f"{s.code} {language}: {word}"
        for s in specialities()
        for language in LANGUAGES
        for word in s.words[language]
        if [other.casefold() for other in s.words[language]].count(word.casefold()) > 1
    ]
    assert repeated == []


# Whether a word leads where it should


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shared_word_is_shared_by_neighbours_or_listed_as_ambiguous(language):
    ambiguous = {word: codes for (spoken, word), codes in AMBIGUOUS.items() if spoken == language}
    assert strangers(led_to(language)) == ambiguous


def test_a_word_spelt_alike_in_two_languages_means_the_same_or_is_listed():
    one_language = {word: codes for (_, word), codes in AMBIGUOUS.items()}
    assert strangers(led_to(*LANGUAGES)) == one_language | FALSE_FRIENDS


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_points_to_more_specialities_than_a_person_can_choose_from(language):
    crowded = {
        word: codes for word, codes in led_to(language).items() if len(codes) > MOST_SPECIALITIES
    }
    assert crowded == {}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("privacy-gdpr", {"fr": "RGPD", "en": "GDPR", "de": "DSGVO", "es": "RGPD"}),
        ("vat", {"fr": "TVA", "en": "VAT", "de": "MwSt", "es": "IVA"}),
        ("vat", {"fr": "déclaration de TVA", "en": "VAT return", "es": "declaración de IVA"}),
        ("lawyer", {"fr": "avocate", "en": "attorney", "de": "Anwältin", "es": "abogada"}),
        ("legal-adviser", {"fr": "juriste", "en": "jurist", "de": "Jurist", "es": "jurista"}),
        ("contract-law", {"fr": "relire un contrat", "en": "NDA", "de": "AGB", "es": "contrato"}),
        ("cms", {"fr": "WordPress", "en": "WordPress", "de": "WordPress", "es": "WordPress"}),
        ("ux-ui", {"fr": "Figma", "en": "Figma", "de": "Figma", "es": "Figma"}),
        ("erp", {"fr": "Odoo", "en": "Odoo", "de": "Odoo", "es": "Odoo"}),
        ("branding", {"fr": "logo", "en": "logo", "de": "Logo", "es": "logo"}),
        (
            "web-development",
            {"fr": "faire mon site", "en": "build my website"},
        ),
        ("tax", {"fr": "impôts", "en": "taxes", "de": "Steuererklärung", "es": "impuestos"}),
        ("payroll", {"fr": "fiche de paie", "en": "payslip", "de": "Lohn", "es": "nómina"}),
    ],
)
def test_the_word_that_people_say_leads_to_the_work_they_mean(code, words):
    astray = {
        language: word
        for language, word in words.items()
        if code not in led_to(language).get(folded(word), set())
    }
    assert astray == {}


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ("law", {"fr": "avocat", "en": "legal", "de": "Recht", "es": "abogada"}),
        ("it", {"fr": "informatique", "en": "IT", "de": "EDV", "es": "informática"}),
        ("health", {"fr": "santé", "en": "health", "de": "Gesundheit", "es": "salud"}),
    ],
)
def test_a_word_for_a_whole_domain_is_known_there(domain, words):
    known = vocabulary.domains()[domain].words
    assert {lang: word for lang, word in words.items() if word not in known[lang]} == {}


def test_branding_means_brands_only():
    assert led_to(*LANGUAGES)["branding"] == {"branding"}
    assert [text for _, text in texts() if re.search("cigar|tabac|tobacco|zigarr|puro", text)] == []


def test_a_life_coach_rows_no_boat():
    coach = led_to(*LANGUAGES)["life coach"]
    assert coach == {"coaching", "life-coaching"}
    assert led_to(*LANGUAGES)["rowing coach"] == {"sports-coaching"}


# Kinds of one work


def test_a_word_names_one_kind_of_one_speciality():
    named = [word for s in specialities() for kind in s.kinds for word in set(map(folded, kind))]
    assert sorted({word for word in named if named.count(word) > 1}) == []


def test_a_kind_has_its_names_in_all_languages_together():
    kinds = [set(kind) for kind in vocabulary.specialities()["music-teaching"].kinds]
    assert {"trompette", "trumpet", "Trompete", "trompeta"} in kinds


def specialities() -> list[Speciality]:
    return list(vocabulary.specialities().values())


def folded(text: str) -> str:
    """The text as a careless reader compares it: no case, accent, hyphen or median dot."""
    plain = text.casefold().replace("œ", "oe").replace("·", "").replace("-", " ")
    return "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))


def led_to(*languages: str) -> dict[str, set[str]]:
    """The codes that each word or label leads to, in the languages given."""
    codes = defaultdict(set)
    for speciality in specialities():
        for language in languages:
            for text in (speciality.labels[language], *speciality.words[language]):
                codes[folded(text)].add(speciality.code)
    return dict(codes)


def strangers(words: dict[str, set[str]]) -> dict[str, set[str]]:
    """The words that lead to two specialities which are not near each other."""
    known = vocabulary.specialities()
    return {
        word: codes
        for word, codes in words.items()
        if any(b not in known[a].near for a, b in combinations(sorted(codes), 2))
    }


def texts() -> Iterator[tuple[str, str]]:
    """Every label and word, with the place where it stands."""
    for family in [*vocabulary.domains().values(), *specialities()]:
        for language in LANGUAGES:
            for text in (family.labels[language], *family.words[language]):
                yield f"{family.code} {language}", text


def is_clean(text: str) -> bool:
    """Composed (NFC), trimmed, printable, with the apostrophe that keyboards have."""
    return (
        text == unicodedata.normalize("NFC", text)
        and text == " ".join(text.split())
        and text.isprintable()
        and not set(text) & set('’‘“”"«»;:\u00a0\u00ad')
        and 1 < len(text) <= 60
    )
