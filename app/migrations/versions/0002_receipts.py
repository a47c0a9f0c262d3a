"""Which spaces have confirmed a withdrawal

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

import app.models.base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("subject", sa.String(length=320), nullable=False),
        sa.Column("peer_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", app.models.base.Moment(timezone=True), nullable=False),
        sa.Column("confirmed_at", app.models.base.Moment(timezone=True), nullable=True),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject"],
            ["feed_entry.subject"],
            name=op.f("fk_receipt_subject_feed_entry"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["peer_id"], ["peer.id"], name=op.f("fk_receipt_peer_id_peer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject", "peer_id", name=op.f("pk_receipt")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_peer_id"), ["peer_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_receipt_peer_id"))

    op.drop_table("receipt")
