"""Coming back from a backup, and comparing with a neighbour's index

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

import app.models.base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: What is added to a peer's row.
ADDED = ("index_root", "index_rest_until", "recalled_at")


def upgrade() -> None:
    moment = app.models.base.Moment(timezone=True)
    with op.batch_alter_table("feed_state", schema=None) as batch_op:
        batch_op.add_column(sa.Column("restored_at", moment, nullable=True))
    with op.batch_alter_table("peer", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("index_root", sa.String(length=64), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("index_rest_until", moment, nullable=True))
        batch_op.add_column(sa.Column("recalled_at", moment, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("peer", schema=None) as batch_op:
        for name in ADDED:
            batch_op.drop_column(name)
    with op.batch_alter_table("feed_state", schema=None) as batch_op:
        batch_op.drop_column("restored_at")
