"""What members write to each other

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

from app.models.base import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=26), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("peer_id", sa.Integer(), nullable=True),
        sa.Column("opened_by", sa.String(length=255), nullable=False),
        sa.Column("wire_id", sa.String(length=64), nullable=False),
        sa.Column("mine", sa.Boolean(), nullable=False),
        sa.Column("other", sa.String(length=320), nullable=False),
        sa.Column("other_name", sa.String(length=120), nullable=False),
        sa.Column("other_headline", sa.String(length=160), nullable=False),
        sa.Column("other_space", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("service_ref", sa.String(length=64), nullable=False),
        sa.Column("service_title", sa.String(length=120), nullable=False),
        sa.Column("timing", sa.String(length=160), nullable=False),
        sa.Column("budget", sa.String(length=160), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("i_share_at", Moment(timezone=True), nullable=True),
        sa.Column("they_share_at", Moment(timezone=True), nullable=True),
        sa.Column("their_email", sa.String(length=254), nullable=False),
        sa.Column("created_at", Moment(timezone=True), nullable=False),
        sa.Column("updated_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_conversation_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["peer_id"],
            ["peer.id"],
            name=op.f("fk_conversation_peer_id_peer"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
        sa.UniqueConstraint(
            "member_id", "opened_by", "wire_id", name=op.f("uq_conversation_member_id")
        ),
        sa.UniqueConstraint("ref", name=op.f("uq_conversation_ref")),
    )
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        for column in ("member_id", "peer_id", "other", "created_at"):
            batch_op.create_index(batch_op.f(f"ix_conversation_{column}"), [column], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("mine", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("delivered_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_message_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint(
            "conversation_id", "mine", "n", name=op.f("uq_message_conversation_id")
        ),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("letters", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    op.create_table(
        "silence",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("other", sa.String(length=320), nullable=False),
        sa.Column("since", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_silence_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "other", name=op.f("pk_silence")),
    )


def downgrade() -> None:
    op.drop_table("silence")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_column("letters")
    op.drop_table("message")
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        for column in ("member_id", "peer_id", "other", "created_at"):
            batch_op.drop_index(batch_op.f(f"ix_conversation_{column}"))
    op.drop_table("conversation")
