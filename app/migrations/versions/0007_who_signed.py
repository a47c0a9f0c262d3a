"""Which of our keys signed what we publish

Revision: 0007, after 0006
"""

import base64
import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = {"feed_entry": "subject", "own_checkpoint": "id"}


def upgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(
                sa.Column("kid", sa.String(length=64), nullable=False, server_default="")
            )
    for table, key in TABLES.items():
        _read_headers(sa.table(table, sa.column(key), sa.column("jws"), sa.column("kid")), key)


def _read_headers(table: sa.TableClause, key: str) -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(table.c[key], table.c.jws)).all()
    for identifier, jws in rows:
        header = jws.partition(".")[0]
        named = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
        connection.execute(sa.update(table).where(table.c[key] == identifier).values(kid=named))


def downgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("kid")
