"""Every bound that a peer could push against, with its unit and its reason, in one place.

A bound that is part of the protocol is marked *wire*: two spaces that disagree about it refuse
each other's documents. The others are each space's own and may differ.
"""

from __future__ import annotations

from datetime import timedelta

# --- signed documents

#: Bytes of a payload before it is signed (*wire*): twenty services described at length fit twice.
PAYLOAD_BYTES = 16 * 1024

#: Characters of a compact JWS (*wire*): the payload in base64url, header and signature, rounded up.
JWS_BYTES = 24 * 1024

#: Bytes of a decoded header (*wire*): alg, kid and typ take about a hundred.
HEADER_BYTES = 1024

#: Bytes of an entity configuration (*wire*): a few keys and endpoints; contacts may be long.
ENTITY_BYTES = 32 * 1024

#: Levels of nesting in signed JSON (*wire*): a profile needs three.
JSON_DEPTH = 6

#: Digits of a number in JSON: longer ones cost quadratic time to read, and none here needs more.
JSON_DIGITS = 32

#: Characters of an entity identifier (*wire*): what a database column and a page can hold.
ENTITY_ID_CHARACTERS = 200

#: Characters of the opaque part of a member's or a service's identifier (*wire*).
REF_CHARACTERS = 64

# --- what a profile may say (*wire*)

NAME_CHARACTERS = 120
HEADLINE_CHARACTERS = 160
BIO_CHARACTERS = 4000
LINE_CHARACTERS = 160
"""Characters of profession, location and availability."""

INTERESTS = 30
INTEREST_CHARACTERS = 60
LANGUAGES = 20
SERVICES = 20
WEB_FIELDS = 30
DOORS = 10
TITLE_CHARACTERS = 120
DESCRIPTION_CHARACTERS = 2000

#: Further languages of one text: what a person keeps up to date, and the payload has room for.
TRANSLATIONS = 4
CATEGORY_CHARACTERS = 60
LABEL_CHARACTERS = 80

#: Bytes of a photo, and pixels of each edge of it: a portrait of 1,024 by 1,024 fits.
PHOTO_BYTES = 64 * 1024
PHOTO_EDGE = 1024
NOTE_CHARACTERS = 500
SCOPES = 10

#: Digits before and after the point of an amount of money: what any space's database keeps exactly.
MONEY_DIGITS = 8
MONEY_DECIMALS = 2

# --- times

#: How far ahead of ours a peer's clock may run before its documents are refused.
CLOCK_SKEW = timedelta(minutes=5)

#: The longest life of a profile or withdrawal (*wire*): thirteen months, as days.
RECORD_LIFETIME = timedelta(days=400)

#: Life of a checkpoint (*wire*): nobody can hold news back for longer without being noticed.
CHECKPOINT_LIFETIME = timedelta(days=7)

#: Life of an entity configuration (*wire*), and after how long it is signed afresh.
ENTITY_LIFETIME = timedelta(days=30)
ENTITY_RENEWAL = timedelta(days=7)

#: The longest life of a request assertion (*wire*): one request, and a slow clock.
ASSERTION_LIFETIME = timedelta(seconds=120)

#: Life of a peering statement (*wire*): a request nobody answers fades after a month.
STATEMENT_LIFETIME = timedelta(days=30)

#: Life of an introduction or a reply (*wire*): signed when it is sent, so a day's delay is much.
INTRODUCTION_LIFETIME = timedelta(days=30)

# --- conversations (*wire*)

QUESTION_CHARACTERS = 280
LETTER_CHARACTERS = 2000
EMAIL_CHARACTERS = 254
"""RFC 5321 section 4.5.3.1.3, less the brackets."""

# --- feed and entity

#: Items in one page of a feed (*wire*).
PAGE_ITEMS = 200

#: Bytes of one page of a feed, unpacked (*wire*): a page that holds fewer items is still a page.
PAGE_BYTES = 1024 * 1024

#: Members that one question to a feed may name (*wire*): their names fit into an address.
ASKED_REFS = 50

#: Characters of an opaque cursor, an epoch, an ETag.
CURSOR_CHARACTERS = 200
EPOCH_CHARACTERS = 64
ETAG_CHARACTERS = 120

#: Entries and bytes of an index: 200,000 members at about 170 bytes each.
INDEX_ENTRIES = 200_000
INDEX_BYTES = 34 * 1024 * 1024

#: Bytes of memory that the worst page and the worst index take while they are read, ours included:
#: JSON of three bytes becomes an object of seventy. One answer is read at a time.
PAGE_MEMORY = 40 * 1024 * 1024
INDEX_MEMORY = 224 * 1024 * 1024

#: Profiles held of one peer: as many as an index can list.
PEER_PROFILES = INDEX_ENTRIES

#: Withdrawals remembered of one peer, each until no copy can be valid. Of more the oldest are
#: forgotten, and what was signed before them is refused instead (``Replica.forgotten_until``).
PEER_WITHDRAWALS = 20_000

#: Records of a feed from its beginning to its end: one for each subject, as many of them withdrawn
#: as shown. A longer feed is not compacted, or has no end.
FEED_RECORDS = 2 * INDEX_ENTRIES

#: Bytes of an answer that only says yes or no, and of the problem it may carry.
PROBLEM_BYTES = 8 * 1024

#: Keys in one published set (*wire*): the one in use, the next, and a few being retired.
KEYS = 8

#: Announced thumbprints, endpoints' characters, contacts.
NEXT_KIDS = 4
URL_CHARACTERS = 255
CONTACTS = 5
CONTACT_CHARACTERS = 200

#: The share of a peer's records, and the number, whose loss in one go waits for an admin.
DROP_SHARE = 0.2
DROP_RECORDS = 5

# --- proofs

#: Hashes of an inclusion path: a tree of as many leaves as ``count`` can say is no deeper.
PROOF_PATH = 53

#: Bytes of a proof (*wire*): two documents, an entity configuration, a path, and their names.
PROOF_BYTES = 96 * 1024

# --- the network

#: Seconds from the call to the last byte of the answer, whatever the peer, or its name servers, do.
TOTAL_SECONDS = 10.0

#: Seconds to connect, and seconds between two bytes.
CONNECT_SECONDS = 5.0
READ_SECONDS = 5.0

#: Seconds to wait that a peer may ask of us: a day, as the longest back-off.
RETRY_AFTER_SECONDS = 24 * 3600
