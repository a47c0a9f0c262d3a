"""Doors that close until a day, requests that are passed on, letters that arrive and mails heard

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

from app.models.base import Moment

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

#: Columns of ``conversation``, the newest last.
_OF_CONVERSATIONS = ("other_locale", "reopens_on", "proposed", "taken_up_at", "passed_by")


def upgrade() -> None:
    # Added one by one, and not by making the table anew: that would delete all that refers to it.
    for name in ("takes_questions", "takes_quotes"):
        op.add_column(
            "member", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true())
        )
    op.add_column("member", sa.Column("closed_until", sa.Date(), nullable=True))
    op.add_column(
        "member",
        sa.Column("closed_word", sa.String(length=160), nullable=False, server_default=""),
    )
    for name, length in (("other_locale", 35), ("proposed", 320), ("passed_by", 120)):
        op.add_column(
            "conversation",
            sa.Column(name, sa.String(length=length), nullable=False, server_default=""),
        )
    op.add_column("conversation", sa.Column("reopens_on", sa.Date(), nullable=True))
    op.add_column("conversation", sa.Column("taken_up_at", Moment(timezone=True), nullable=True))
    op.create_table(
        "arrival",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("peer_id", sa.Integer(), nullable=False),
        sa.Column("talk", sa.String(length=320), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer_id"], ["peer.id"], name=op.f("fk_arrival_peer_id_peer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrival")),
        sa.UniqueConstraint("digest", name=op.f("uq_arrival_digest")),
    )
    for name in ("peer_id", "talk"):
        op.create_index(op.f(f"ix_arrival_{name}"), "arrival", [name])
    op.create_table(
        "heard_mail",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_heard_mail")),
    )
    op.create_index(op.f("ix_heard_mail_at"), "heard_mail", ["at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_heard_mail_at"), table_name="heard_mail")
    op.drop_table("heard_mail")
    for name in ("talk", "peer_id"):
        op.drop_index(op.f(f"ix_arrival_{name}"), table_name="arrival")
    op.drop_table("arrival")
    for name in reversed(_OF_CONVERSATIONS):
        op.drop_column("conversation", name)
    for name in ("closed_word", "closed_until", "takes_quotes", "takes_questions"):
        op.drop_column("member", name)
