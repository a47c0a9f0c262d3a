"""The texts of a profile and of a service in further languages

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Whoever is there has none; a default of the database says so in every row.
    for table in ("member", "service"):
        op.add_column(
            table, sa.Column("translations", sa.JSON(), nullable=False, server_default="[]")
        )


def downgrade() -> None:
    for table in ("service", "member"):
        op.drop_column(table, "translations")
