"""What a word may mean that the vocabulary does not have as it was typed.

From the surest way to the boldest: half typed, a slip of the finger, a German compound, derived
from a known word, known only inside longer phrases. Each way says how sure it leaves us.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.search.lexicon import SMALL, Lexicon, Meaning, Phrase, compound
from app.search.text import STOP, Word, root, stem

#: How sure a way of reaching a meaning leaves us; multiplied with the meaning's own.
PREFIX, TYPO, TAIL, HEAD, ROOT, PARTIAL = 0.9, 0.85, 0.75, 0.55, 0.7, 0.4
#: What has only the stem of a word, and is no form of it: never enough to be sure.
SOUNDS_ALIKE = 0.5
#: A speciality beside the one that was meant: shown under "perhaps", never surely.
NEAR = 0.35
#: A word that follows from a longer word being typed, when the short one is a word of its own.
LONGER = 0.6
#: Letters before a last word may stand for longer ones.
PREFIX_LETTERS = 3
#: Letters from which a half-typed word is sure enough to call the answer an answer.
SURE_PREFIX_LETTERS = 4

_GENERIC = """
coach consultant consultanc consulting conseil conseiller berater beratung consultor consultori
asesor asesori adviser advisor advice expert expertis specialist special especialist freelanc
freelancer designer design developer developpeur development engineer ingenieur ingenier manager
management director directeur teacher trainer formateur formation lehrer profesor professeur
instructor instructeur agent agenc agency servic compan company business studio atelier workshop
cour course kur lesson clas professional professionnel professionel pro artist technician
technicien tecnic maker planner analyst guid operator assistant assistanc chef doctor architect
therapist therapeut produc producer producteur editor worker officer entwickler entwicklung
planer trainerin schulung unterricht projekt project projet support entrepris empres unternehm
firm societ personal person team equip client cliente kunde work travail trabaj arbeit digital
online international local new nouveau petit small gros grand bon good best meilleur mejor gut
profi job product produit produkt producto system web site specialis problem question idee idea
strategi strategy creation projekte organisation analys taller werkstatt
"""
#: Words that need another word beside them before they say what somebody does.
GENERIC = frozenset(_GENERIC.split())


_LIGHT = """
klein kleine kleinen kleiner kleines kleinem small petit petite petits petites pequeno pequena
accompagner ameliorer avancer bientot bon bonne cassee casse cher cherche choisir comprendre
concevoir controler creer deposer ecrire elaborer existant gerer lancer lent lente mettre monter
obtenir organiser parlant parle parler preparer professionnel rapide rapidement realiser rediger
refaire regler remplir reparer retard revoir trouve urgent vite veuille after before better build
building broken cheap check create creating draw edit expert fast faster fix fixed fixing get
give good handle improve keep kids know launch more new old organise organize plan prepare quick
quit raise record recording run set setting setup slow soon speak speaking speaks start stop take
write writing checked up bauen bearbeiten besser bekommen brauchbar dringend einrichten entwerfen
entwickeln erklaren erstellen finden fuhren gestalten gunstig gut gute guten helfe
kaputt lassen langsam neu neue organisieren planen prufen prufe schnell schneller schreiben
sprechend spricht sprechen starten unterstutzen unterstutzung verbessern verfassen vorbereiten
wissen arreglar ayude ayuden barato bien bueno buena conseguir crear disenar editar escribir
gestionar habla hable hablar lento lleve llevar mejorar montar organizar poner preparar rapido
redactar revisar roto saber sepa tener urgente quality qualite qualitat calidad economico economica
"""
#: Verbs and manners of asking: beside a word that names something they weigh little.
LIGHT = frozenset(_LIGHT.split())

#: At the beginning of a question they say that a price is asked for, and not of whom.
ASKING = frozenset(["devis", "quote", "estimate", "kostenvoranschlag", "presupuesto"])

_FILLERS = """
deux trois quatre cinq six sept huit neuf dix douze quinze vingt trente quarante cinquante cent
mille two three four five six seven eight nine ten twelve twenty thirty forty fifty hundred thousand
zwei drei vier funf sechs sieben acht neun zehn zwolf zwanzig dreissig vierzig funfzig hundert
tausend dos tres cuatro cinco seis siete ocho nueve diez doce veinte treinta cuarenta cincuenta cien
toujours jamais trop encore deja souvent beaucoup demain semaine mois jour jours chaque tout toute
tous toutes arrive arrivons arriver rien chose choses enfin vraiment aussi always never ever too
still already often everything anything nothing something got gets getting keeps keep feel feeling
feels all day week month today tomorrow really just also time thing things every immer nie niemals
noch nur schon oft etwas alles nichts endlich morgen heute woche monat jeden jede jeder wirklich
auch ganz zeit kummert kummern soll sollte sollen will wollen wollt werden wird geht gehen bitte
lieber siempre nunca demasiado todavia ya mucho mucha hoy manana semana mes dia dias cada todo toda
todos todas algunos cosa cosas nada verdad tambien tiempo voy vamos hemos han he ha ido sido
next last prochain prochaine dernier derniere nachste nachsten nachster nachstes proximo proxima
janvier fevrier avril mai juin juillet aout septembre octobre novembre decembre january february
april june july august september october november december januar februar marz juni juli oktober
dezember enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
nahe naher cerca proche proches nearby umgebung alrededores zona barrio
spring summer autumn winter printemps ete automne hiver fruhling sommer herbst primavera verano
otono invierno year years annee annees ans jahr jahre jahren ano anos was were been wurde wurden
worden war waren fue estaba estoy dont doesnt anymore plus mehr nicht not
"""
#: Numbers, times and turns of speech: beside other words they say nothing of what is asked.
FILLERS = frozenset(_FILLERS.split())

_TRADING = """
buy buying sell selling rent renting hire second hand used vendre acheter louer occasion kaufen
verkaufen mieten vermieten gebraucht gebrauchte gebrauchtes gebrauchter vender comprar alquilar
"""
#: Verbs of who wants a thing and no work: a bicycle for sale is no task for who repairs them.
TRADING = frozenset(_TRADING.split())

_DETERMINERS = """
my our the a an some this le la l les un une des du mon ma mes notre nos ce cette el los las una
unos unas mi mis nuestro nuestra este esta
"""
#: What stands between a verb at the beginning of a question and what it is about.
DETERMINERS = frozenset(_DETERMINERS.split())

_SPOKEN = """
je j me m mon ma mes nous notre nos on qui quelqu quelqu'un personne veux voudrais faut cherche
cherchons besoin i my me we our us someone somebody who need needs want can help please ich mir mich
mein meine meinen meiner meinem wir uns unser unsere unseren unserem wer jemand jemanden
suche suchen brauche brauchen kann mi mis nuestra nuestro yo alguien quien necesito necesitamos
quiero busco tengo
"""
#: Who uses these tells a story, in which a word or two are a manner of speaking.
SPOKEN = frozenset(_SPOKEN.split())

_CLIENTS = """
adult adulte amie anniversaire association beginner birthday boutique cafe child children daughter
enfant enfants erwachsene familia familie famille family father femme fille fils frau freund friend
geburtstag girl haus hija hijo house husband kid kind kinder laden leute madre maison mama man mann
men mother mujer nino ninos parent people personne restaurant senior shop sohn son startup tochter
verein wife woman women cumpleanos casa tienda asociacion
"""
#: Behind "for": everybody's clients, who say nothing about what is asked.
CLIENTS = frozenset(_CLIENTS.split())


#: Beginnings of German compounds that change nothing: a Fachübersetzer is an Übersetzer.
NEUTRAL = frozenset(
    ["fach", "haupt", "profi", "chef", "diplom", "lohn", "meister", "voll", "firmen", "business"]
)


def guesses(word: Word, book: Lexicon, *, last: bool, present: bool) -> tuple[Meaning, ...]:
    """Return what ``word`` may mean, none of its spellings being a phrase of the vocabulary.

    :param last: the person may still be typing it.
    :param present: some profile has the word, so it is no slip of the finger.
    """
    found: list[Meaning] = []
    if joined := book.joined.get(word.stem) or book.joined.get(word.folded):
        found += by_phrases(book, [joined], 1.0, "synonym")
    if last and len(word.folded) >= PREFIX_LETTERS:
        found += _half_typed(word, book)
    if not found and not present and word.folded not in book.stem_of:
        found += _mistyped(word, book)
    if not found or found[0].sure < PARTIAL:
        found += _compounded(word, book)
    if not found and len(word.folded) > SURE_PREFIX_LETTERS:
        found += _begun_with(word, book)
    if not found:
        found += _derived(word, book)
    if not found:
        found += by_phrases(book, book.holding.get(word.stem, ()), PARTIAL, "near")[:6]
    return tuple(found)


def forms_first(meanings: list[Meaning], word: Word, book: Lexicon) -> list[Meaning]:
    """Return ``meanings`` of a stem, less sure where ``word`` is no form of what is listed.

    A Spanish cartero has the stem of a cartera, and carries letters.
    """
    return [
        meaning
        if book.lists(meaning, word)
        else replace(meaning, sure=round(meaning.sure * SOUNDS_ALIKE, 3))
        for meaning in meanings
    ]


def longer(word: Word, book: Lexicon, sure: float) -> list[Meaning]:
    """Return what longer words mean that begin with ``word``: Steuer -> Steuerberatung."""
    found = [book.stem_of[one] for one in book.starts_with(word.folded)]
    return by_phrases(book, ((one,) for one in found if one != word.stem), sure, "prefix")


def _begun_with(word: Word, book: Lexicon) -> list[Meaning]:
    """Return what longer words mean that ``word`` begins: Steuer|beratung.

    Less surely where the rest is no word: a prévision|niste is one of many who foresee something.
    """
    size = len(word.folded)
    meanings = []
    for one in book.starts_with(word.folded):
        if one != word.folded:
            rest = one[size:]
            whole = any(rest.removeprefix(between) in book.stem_of for between in ("", "s", "n"))
            sure = LONGER + 0.15 if whole else LONGER * 0.8
            meanings += by_phrases(book, [(book.stem_of[one],)], sure, "prefix")
    return meanings


def respelled(every: Sequence[Word], at: int, book: Lexicon, most: int = 8) -> Word | None:
    """Return the word at ``at`` as it completes a longer phrase with those around it, if any does.

    "protecion de datos" is no phrase, but one slip away from one.
    """
    best: tuple[int, Word] | None = None
    for spelling, _ in book.like(every[at].folded)[:most]:
        word = every[at]._replace(folded=spelling, stem=book.stem_of[spelling])
        tried = [*every[:at], word, *every[at + 1 :]]
        for start in range(max(0, at - 3), at + 1):
            reached = book.longest(tried, start)
            if reached and len(reached[0]) > 1 and reached[1] > at:
                size = len(reached[0])
                best = (size, word) if best is None or best[0] < size else best
    return best[1] if best else None


def begun(every: Sequence[Word], at: int, book: Lexicon) -> list[Phrase]:
    """Return the phrases that the words from ``at`` on begin, the last of them half typed."""
    typed = every[-1]
    if at == len(every) - 1 or typed.folded in SMALL or typed.folded in STOP:
        return []
    before = [word.stem for word in every[at:-1] if word.folded not in SMALL]
    found = [
        phrase
        for phrase in book.starting.get(every[at].stem, ())
        if len(phrase) > len(before)
        and list(phrase[: len(before)]) == before
        and (phrase[len(before)].startswith(typed.folded) or phrase[len(before)] == typed.stem)
    ]
    return found[:12]


def parted(word: Word, book: Lexicon) -> tuple[Word, Word] | None:
    """Return what a German compound is made of, when its end is a trade: Tier|fotograf.

    As in two words, the beginning then counts for itself: not every photographer takes animals.
    """
    _, tail = compound(word.folded, book)
    if tail is None or tail[0] in GENERIC or word.end - word.start != len(word.folded):
        return None
    sizes = [one for one in range(len(word.folded) - 4, 5, -1) if stem(word.folded[-one:]) in tail]
    # As the vocabulary writes it, or as nobody does: Psycho|terapeut.
    size = next((one for one in sizes if word.folded[-one:] in book.stem_of), sizes[0])
    begins = word.folded[:-size]
    if begins in NEUTRAL:
        return None
    begins = next((one for one in (begins, begins[:-1]) if one in book.stem_of), begins)
    if begins not in book.stem_of and any(made == 1 for _, made in book.like(word.folded)):
        # One slip away from a word of its own: a fisoterapeuta is no kind of therapist.
        return None
    cut = word.end - size
    return (
        Word(word.start, cut, begins, stem(begins)),
        Word(cut, word.end, word.folded[-size:], tail[0]),
    )


def by_phrases(book: Lexicon, phrases: Iterable[Phrase], sure: float, how: str) -> list[Meaning]:
    """Return what ``phrases`` mean, less surely and reached in the way ``how`` says."""
    return [
        replace(
            meaning,
            sure=round(meaning.sure * sure, 3),
            how=meaning.how if how == "synonym" else how,
        )
        for phrase in phrases
        for meaning in book.meanings.get(phrase, ())
    ]


def _half_typed(word: Word, book: Lexicon) -> list[Meaning]:
    reached = book.starts_with(word.folded)
    # The shorter the rest, the likelier the word.
    phrases = [(book.stem_of[one],) for one in sorted(reached, key=len)]
    sure = PREFIX if len(word.folded) >= SURE_PREFIX_LETTERS else PREFIX * 0.85
    if word.folded in book.stem_of:
        # Inside of phrases it stands complete: a broken phone is for no phonetician.
        inside = by_phrases(book, book.holding.get(word.stem, ())[:6], PARTIAL, "near")
        return by_phrases(book, phrases, sure * LONGER, "prefix") + inside
    meanings = by_phrases(book, phrases, sure, "prefix")
    # "transl" also begins "translation agency", whose first word may be no phrase of its own.
    if not meanings:
        starts = [
            phrase
            for first, phrases_ in book.starting.items()
            # A word that stands complete begins nothing: a facteur brings letters, whatever a
            # facteur de pianos does.
            if first.startswith(word.folded) and first != word.stem
            for phrase in phrases_
        ]
        meanings = by_phrases(book, starts[:20], sure * 0.8, "prefix")
    return meanings


def _compounded(word: Word, book: Lexicon) -> list[Meaning]:
    head, tail = compound(word.folded, book)
    meanings: list[Meaning] = []
    if tail and tail[0] not in GENERIC:
        meanings += by_phrases(book, [tail], TAIL, "synonym")
    if head and head[0] not in GENERIC:
        # With a generic end (Steuer|service), the beginning is what is meant. With one that nobody
        # knows it only says what it is about: a Brief|träger writes none.
        plain = tail[0] in GENERIC if tail else _ends_generic(word.folded)
        meanings += by_phrases(book, [head], TAIL if plain else HEAD, "synonym")
    return meanings


def _ends_generic(folded: str) -> bool:
    return any(stem(folded[cut:]) in GENERIC for cut in range(4, len(folded) - 3))


def _mistyped(word: Word, book: Lexicon) -> list[Meaning]:
    found = book.like(word.folded)
    phrases = [((book.stem_of[one],), made) for one, made in found]
    meanings: list[Meaning] = []
    for phrase, made in phrases:
        sure = TYPO if made == 1 else TYPO * 0.95
        if phrase in book.meanings:
            meanings += by_phrases(book, [phrase], sure, "typo")
        else:
            meanings += by_phrases(
                book, book.holding.get(phrase[0], ())[:4], PARTIAL * sure, "typo"
            )
    return sorted(meanings, key=lambda meaning: -meaning.sure)


def _derived(word: Word, book: Lexicon) -> list[Meaning]:
    stump = root(word.folded)
    return by_phrases(book, book.roots.get(stump, ()), ROOT, "synonym") if stump else []
