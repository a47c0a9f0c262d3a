"""A stamp on each copy, so that what was worked out of it is known to be of yesterday

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty until the copy is written into for the first time.
    op.add_column(
        "peer", sa.Column("copy_stamp", sa.String(length=26), nullable=False, server_default="")
    )


def downgrade() -> None:
    # Not by making the table anew: dropping the old one would delete all that refers to it.
    op.drop_column("peer", "copy_stamp")
