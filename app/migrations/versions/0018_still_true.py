"""When profiles were confirmed, which rest, and who was asked whether theirs is still true

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

from app.models.base import Moment

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not by making the table anew: dropping the old one would delete all that refers to it.
    for name in ("confirmed_at", "resting_at"):
        op.add_column("member", sa.Column(name, Moment(timezone=True), nullable=True))
    op.create_table(
        "still_true",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=26), nullable=False),
        sa.Column("asked_at", Moment(timezone=True), nullable=False),
        sa.Column("handed_at", Moment(timezone=True), nullable=True),
        sa.Column("told_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_still_true_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_still_true")),
        sa.UniqueConstraint("ref", name=op.f("uq_still_true_ref")),
    )


def downgrade() -> None:
    op.drop_table("still_true")
    for name in ("resting_at", "confirmed_at"):
        op.drop_column("member", name)
