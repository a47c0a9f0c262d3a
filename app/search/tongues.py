"""The languages people ask for by name: "avocat qui parle allemand", "English speaking lawyer".

Names in the four languages of the vocabulary, folded, to primary subtags (BCP 47).
"""

from __future__ import annotations

_NAMES = """
fr francais francaise francophone french franzosisch franzosische frances francesa
en anglais anglaise anglophone english englisch englische ingles inglesa
de allemand allemande germanophone german deutsch deutsche aleman alemana
es espagnol espagnole hispanophone spanish spanisch spanische espanol espanola
it italien italienne italian italienisch italienische italiano italiana
pt portugais portugaise lusophone portuguese portugiesisch portugiesische portugues portuguesa
nl neerlandais neerlandaise dutch niederlandisch niederlandische holandes neerlandes
pl polonais polonaise polish polnisch polnische polaco polaca
ar arabe arabophone arabic arabisch arabische
tr turc turque turkish turkisch turkische turco turca
ru russe russophone russian russisch russische ruso rusa
uk ukrainien ukrainienne ukrainian ukrainisch ukrainische ucraniano
zh chinois chinoise chinese chinesisch chinesische chino china
ja japonais japonaise japanese japanisch japanische japones
ca catalan catalane katalanisch
"""

#: The language that each name means.
TONGUES = {
    name: line.split()[0] for line in _NAMES.strip().splitlines() for name in line.split()[1:]
}
