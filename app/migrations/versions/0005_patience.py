"""How long each neighbour makes the others wait, and how much of it is remembered

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

import app.models.base

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = app.models.base.Moment(timezone=True)
    with op.batch_alter_table("peer", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("since_end", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("forgotten_until", moment, nullable=True))
        batch_op.add_column(sa.Column("behind_until", moment, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("peer", schema=None) as batch_op:
        batch_op.drop_column("behind_until")
        batch_op.drop_column("forgotten_until")
        batch_op.drop_column("since_end")
