"""Introductions counted by who sends them, and not by whether they reached somebody

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

from app.models.base import Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "introduced",
        sa.Column("opened_by", sa.String(length=255), nullable=False),
        sa.Column("wire_id", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("opened_by", "wire_id", name=op.f("pk_introduced")),
    )
    with op.batch_alter_table("introduced", schema=None) as batch_op:
        for column in ("sender", "at"):
            batch_op.create_index(batch_op.f(f"ix_introduced_{column}"), [column], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("introduced", schema=None) as batch_op:
        for column in ("sender", "at"):
            batch_op.drop_index(batch_op.f(f"ix_introduced_{column}"))
    op.drop_table("introduced")
