"""A space's own words for specialities of the shared list

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("space", sa.Column("labels", sa.JSON(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("space", "labels")
